"""The slice network: MobileNetV2 (Sandler et al. 2018, width 1.0) with its batch norms folded, a fused feature map at
stride 8, a lesion map on it, and class logits from what is pooled of both.

Everything behind the fused map A [N, K, 32, 32] is linear or a maximum: lesion map M = V A + c [N, 6, 32, 32] and
features f = [mean A (K), max M (6), mean of the 12 highest M (6)], logits = W f + b. So Grad-CAM on A is exact and
needs only df: dS/dA averaged over the map is (g_mean + V^T (g_max + g_top)) / (32 * 32), whichever cells were highest.
"""
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

CHANNELS = 96
MAPS = 6
TOP = 12
FEATURES = CHANNELS + 2 * MAPS
# (expansion, output channels, blocks, stride) of MobileNetV2.
BLOCKS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class Conv(nn.Module):
    """A convolution with TensorFlow's SAME padding, and ReLU if asked (ReLU6 has no bf16 backward on the CPU)."""

    def __init__(self, inputs, outputs, size, stride=1, groups=1, relu=True):
        super().__init__()
        self.pad = (0, 1, 0, 1) if stride == 2 else None
        self.conv = nn.Conv2d(inputs, outputs, size, stride, 0 if stride == 2 else size // 2, groups=groups)
        self.relu = relu

    def forward(self, x):
        x = self.conv(F.pad(x, self.pad) if self.pad else x)
        return F.relu(x) if self.relu else x


class Block(nn.Module):
    """An inverted residual. Returns its output and the expanded map before its depthwise convolution."""

    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        wide = inputs * expansion
        self.expand = Conv(inputs, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = Conv(wide, wide, 3, stride, groups=wide)
        self.project = Conv(wide, outputs, 1, relu=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        wide = self.expand(x)
        out = self.project(self.depthwise(wide))
        return (x + out if self.residual else out), wide


class SliceNet(nn.Module):
    """x [N, 3, 256, 256] -> features [N, 108], logits [N, 6], activation [N, 96, 32, 32], lesion map [N, 6, 32, 32]."""

    channels, side, feature_count = CHANNELS, 32, FEATURES

    def __init__(self, classes=6, dropout=0.2):
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        self.blocks = nn.ModuleList()
        inputs = 32
        for expansion, outputs, count, stride in BLOCKS:
            for i in range(count):
                self.blocks.append(Block(inputs, outputs, expansion, stride if i == 0 else 1))
                inputs = outputs
        # The expanded maps just before each stride: 144 at 64 x 64, 192 at 32 x 32, 576 at 16 x 16; 320 at 8 x 8.
        self.from4 = nn.Conv2d(2 * 144, CHANNELS, 1)
        self.from8 = nn.Conv2d(192, CHANNELS, 1)
        self.from16 = nn.Conv2d(576, CHANNELS, 1)
        self.from32 = nn.Conv2d(320, CHANNELS, 1)
        self.mix = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.lesion = nn.Conv2d(CHANNELS, MAPS, 1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, classes)
        nn.init.constant_(self.lesion.bias, -4.0)
        with torch.no_grad():
            # A class starts as half its map's maximum and half its top cells.
            self.head.weight.mul_(0.1)
            for k in range(MAPS):
                self.head.weight[k, CHANNELS + k] += 0.4
                self.head.weight[k, CHANNELS + MAPS + k] += 0.4

    def activation(self, x):
        x = self.stem(x)
        taps = {}
        for i, block in enumerate(self.blocks):
            x, wide = block(x)
            if i in (3, 6, 13):
                taps[i] = wide
        fine = torch.cat([F.avg_pool2d(taps[3], 2), F.max_pool2d(taps[3], 2)], 1)
        up16 = F.interpolate(self.from16(taps[13]), scale_factor=2.0, mode="bilinear", align_corners=False)
        up32 = F.interpolate(self.from32(x), scale_factor=4.0, mode="bilinear", align_corners=False)
        fused = F.relu(self.from4(fine) + self.from8(taps[6]) + up16 + up32)
        return F.relu(self.mix(fused))

    def pooled(self, activation):
        """Features [N, 108] and lesion map [N, 6, 32, 32] of an activation."""
        lesion = self.lesion(activation)
        top = lesion.flatten(2).topk(TOP, dim=2).values
        return torch.cat([activation.mean((2, 3)), top[:, :, 0], top.mean(2)], 1), lesion

    def map_weight(self):
        """V [6, K], through which the map's statistics depend on the activation."""
        return self.lesion.weight[:, :, 0, 0]

    def forward(self, x, low_precision=False):
        if low_precision:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                activation = self.activation(x)
            activation = activation.float()
        else:
            activation = self.activation(x)
        features, lesion = self.pooled(activation)
        return features, self.head(self.dropout(features)), activation, lesion


def load_imagenet(net, path):
    """Copies the shared ImageNet weights (npz, names NN_conv|dw_sSTRIDE_w|b in order) into the backbone."""
    weights = np.load(path)
    names = sorted({name.rsplit("_", 1)[0] for name in weights.files})
    convs = [m.conv for m in [net.stem, *net.blocks.modules()] if isinstance(m, Conv)]
    with torch.no_grad():
        for conv, name in zip(convs, names):
            w, b = torch.from_numpy(weights[f"{name}_w"]), torch.from_numpy(weights[f"{name}_b"])
            if conv.weight.shape != w.shape:
                raise ValueError(f"{name}: {tuple(w.shape)} does not fit {tuple(conv.weight.shape)}")
            conv.weight.copy_(w)
            conv.bias.copy_(b)
    return len(convs)
