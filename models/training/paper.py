"""The published system in the contract of the packages: ResNeXt-101 32x8d on three windows, 120 principal components
and 6 probabilities a slice, a three-layer bidirectional LSTM of 256, one linear layer on its output and the
probabilities (Burduja, Ionescu, Verga, Sensors 2020, 20(19), 5611). Written from the paper. It is defined here, not
trained: it wants RSNA-sized data and a GPU.

With data: train_cnn.py --net paper, study_features.py --net-kind paper, train_sequence.py --paper, package.py --net
paper.
"""
import torch
from torch import nn
from torchvision.models import resnext101_32x8d

from preprocess import Channel, InputSpec

PAPER_SPEC = InputSpec(channels=(
    Channel(40, 80, 0.1738, 0.3161), Channel(80, 200, 0.1433, 0.2850), Channel(40, 380, 0.1970, 0.3111)))
SEQUENCE = {"features": 2048, "classes": 6, "components": 120, "hidden": 256, "layers": 3, "dropout": 0.3, "residual": False}


class PaperNet(nn.Module):
    """x [N, 3, 256, 256] -> features [N, 2048], logits [N, 6], activation [N, 2048, 16, 16], no lesion map.

    The last stage is dilated instead of strided: same weights, a map of 16 x 16 cells instead of 8 x 8, since a heat
    map of 31 mm cells shows little."""

    channels, side, feature_count = 2048, 16, 2048

    def __init__(self, classes=6, dilated=True, backbone=None):
        super().__init__()
        net = resnext101_32x8d(weights=None, replace_stride_with_dilation=[False, False, dilated])
        if backbone:
            net.load_state_dict(torch.load(backbone, map_location="cpu"))
        self.side = 16 if dilated else 8
        self.body = nn.Sequential(*list(net.children())[:-2])
        self.head = nn.Linear(2048, classes)

    def map_weight(self):
        return None

    def activation(self, x):
        return self.body(x)

    def pooled(self, activation):
        return activation.mean((2, 3)), None

    def forward(self, x, low_precision=False):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=low_precision):
            activation = self.activation(x)
        activation = activation.float()
        features, _ = self.pooled(activation)
        return features, self.head(features), activation, None
