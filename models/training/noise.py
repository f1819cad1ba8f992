"""Smooth random fields, cut from a bank that is made once: filtering noise for every lesion would cost more than
training on it."""
import numpy as np
from scipy import ndimage

SIGMAS = (1.5, 3.0, 6.0, 12.0)
_SIZE = 512
_bank = None


def _fields():
    global _bank
    if _bank is None:
        rng = np.random.default_rng(20260)
        _bank = {}
        for sigma in SIGMAS:
            fields = []
            for _ in range(12):
                field = ndimage.gaussian_filter(rng.standard_normal((_SIZE, _SIZE)).astype(np.float32), sigma, mode="wrap")
                fields.append(field / field.std())
            _bank[sigma] = np.stack(fields)
    return _bank


def smooth(rng, sigma, size):
    """A [size, size] float32 field of mean 0, variance 1 and correlation length `sigma` pixels (one of SIGMAS)."""
    fields = _fields()[sigma]
    which, dy, dx, turn = rng.integers(0, len(fields)), *rng.integers(0, _SIZE - size, 2), rng.integers(0, 4)
    field = fields[which, dy : dy + size, dx : dx + size]
    return np.rot90(field, turn)
