"""The sequence model: a bidirectional LSTM over a study's slices, after Burduja et al. 2020 but smaller, since there
are dozens of studies here and not thousands.

Input of slice t: e_t = P (f_t - mu), the features' principal components scaled to variance 1, and p_t = sigmoid of
the CNN's logits. Its hidden states and p_t go into one linear layer, whose output is added to the CNN's own logits: with
nothing learned the sequence model is the CNN. Neither a gain of these logits nor a bias is learned, which would say how common
a class is in the studies at hand; calibration says that afterwards, and out of fold it is an error, since a class that is
rarer in the fold left out is commoner in the others. Only the paper's head, which has no path around it, has its bias.
"""
import numpy as np
import torch
from torch import nn


class SequenceNet(nn.Module):
    """features [T, F], logits [T, C] -> scores [T, C] of one study, or with a batch in front: [B, T, ...], `lengths`."""

    def __init__(self, features=108, classes=6, components=24, hidden=32, layers=1, dropout=0.4, residual=True):
        super().__init__()
        self.register_buffer("mu", torch.zeros(features))
        self.register_buffer("projection", torch.zeros(components, features))
        self.lstm = nn.LSTM(components + classes, hidden, layers, batch_first=True, bidirectional=True,
                            dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden + classes, classes)
        # 0 without a path around the head, as in the paper.
        self.gain = nn.Parameter(torch.ones(classes) * residual, requires_grad=False)
        self.head.bias.requires_grad_(not residual)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias.zero_()

    def fit_projection(self, features):
        """Sets mu and P from out-of-fold features [M, F]."""
        mean = features.mean(0)
        _, values, vectors = np.linalg.svd(features - mean, full_matrices=False)
        count = len(self.projection)
        scale = values[:count, None] / np.sqrt(len(features))
        self.mu.copy_(torch.from_numpy(mean))
        self.projection.copy_(torch.from_numpy(vectors[:count] / np.maximum(scale, 1e-3)))

    def forward(self, features, logits, lengths=None):
        single = features.dim() == 2
        if single:
            features, logits = features[None], logits[None]
        chance = torch.sigmoid(logits)
        x = torch.cat([(features - self.mu) @ self.projection.T, chance], 2)
        if lengths is None:
            hidden, _ = self.lstm(x)
        else:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            hidden, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])
        scores = self.gain * logits + self.head(self.dropout(torch.cat([hidden, chance], 2)))
        return scores[0] if single else scores
