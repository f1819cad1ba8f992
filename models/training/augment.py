"""Geometry and intensity changes that make one hospital's slices look like many hospitals'."""
import numpy as np
from PIL import Image
from scipy import ndimage

from noise import smooth

# Windows (lowest and highest HU) that pictures are exported with; None keeps the full range.
EXPORTS = [(-20, 100), (0, 80), (-20, 180), (-10, 90), (0, 100), (-60, 140), (-150, 230), (0, 120)]
EXPORT_WEIGHTS = np.array([3, 3, 1, 1, 1, 1, 1, 1]) / 12


def affine(rng, planes, size, strength=1.0):
    """Cuts size x size out of the middle of larger square planes, turned, scaled, moved and mirrored alike.
    `planes` is a list of (float32 [S, S], fill, nearest). Returns the cut planes and the factor by which a pixel grew."""
    full = planes[0][0].shape[0]
    offset = (full - size) // 2
    mirror = rng.random() < 0.5
    turn, zoom = np.deg2rad(np.clip(rng.normal(0, 10), -30, 30)) * strength, np.exp(rng.normal(0, 0.08) * strength)
    stretch, move = np.exp(rng.normal(0, 0.04) * strength), rng.normal(0, 6, 2) * strength
    if rng.random() < 0.15:
        cut = [plane[offset : offset + size, offset : offset + size] for plane, _, _ in planes]
        return [p[:, ::-1].copy() if mirror else p.copy() for p in cut], 1.0
    zoom = max(zoom, 0.82)
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    a, b, d, e = cos * stretch, sin, -sin * stretch, cos
    if mirror:
        a, d = -a, -d
    middle, half = full / 2 + move, size / 2
    matrix = (a, b, middle[0] - a * half - b * half, d, e, middle[1] - d * half - e * half)
    out = []
    for plane, fill, nearest in planes:
        how = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
        image = Image.fromarray(plane, mode="F").transform((size, size), Image.Transform.AFFINE, matrix, how, fillcolor=fill)
        out.append(np.array(image))
    return out, zoom


def bone_glare(rng, hu):
    """Beam hardening and the long tail of the point spread: tissue next to bone comes out brighter, often on one side
    more than on the other. Thick skulls look like thin subdural blood for it."""
    size = hu.shape[0]
    spread = int(rng.integers(3, 12))
    bone = np.clip(hu - 150, 0, 1000)
    glow = ndimage.uniform_filter(ndimage.uniform_filter(bone, spread), spread)
    angle, lopsided = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    side = ramp[None] * np.cos(angle) + ramp[:, None] * np.sin(angle)
    gain = rng.uniform(0, 0.07) * np.clip(1 + lopsided * side, 0, 2)
    return hu + np.where(hu < 150, gain * glow, 0) + rng.normal(0, 2.5) * side * (hu > -200)


def scanner(rng, hu):
    """Another scanner's resolution, kernel, noise and beam hardening."""
    size = hu.shape[0]
    if rng.random() < 0.5:
        hu = bone_glare(rng, hu)
    if rng.random() < 0.25:
        small = int(size * rng.uniform(0.4, 0.9))
        image = Image.fromarray(hu.astype(np.float32), mode="F").resize((small, small), Image.Resampling.BILINEAR)
        hu = np.array(image.resize((size, size), Image.Resampling.BILINEAR))
    choice = rng.random()
    if choice < 0.3:
        hu = ndimage.gaussian_filter(hu, rng.uniform(0.3, 1.3))
    elif choice < 0.45:
        hu = hu + rng.uniform(0.2, 1.0) * (hu - ndimage.gaussian_filter(hu, 1.0))
    if rng.random() < 0.5:
        hu = hu + rng.gamma(2.0, 1.8) * rng.standard_normal(hu.shape, dtype=np.float32)
    if rng.random() < 0.25:
        hu = hu + rng.uniform(0, 5) * smooth(rng, 1.5, size)
    if rng.random() < 0.3:
        hu = hu + rng.uniform(0, 3) * smooth(rng, 12.0, size)
    return hu


def levels(rng, hu):
    """Another calibration, and sometimes a windowed export with its rounding and gamma."""
    hu = hu * np.exp(rng.normal(0, 0.05)) + rng.normal(0, 2.5)
    if rng.random() < 0.45:
        low, high = EXPORTS[rng.choice(len(EXPORTS), p=EXPORT_WEIGHTS)]
        part = np.clip((hu - low) / (high - low), 0, 1)
        if rng.random() < 0.3:
            part = part ** np.exp(rng.normal(0, 0.12))
        if rng.random() < 0.7:
            part = np.round(part * 255) / 255
        hu = part * (high - low) + low
    return hu.astype(np.float32)


def hide(rng, hu):
    """Blanks a small rectangle to the brain's level now and then, so that no single spot decides."""
    if rng.random() < 0.1:
        h, w = rng.integers(10, 50, 2)
        y, x = rng.integers(0, hu.shape[0] - h), rng.integers(0, hu.shape[1] - w)
        hu[y : y + h, x : x + w] = rng.uniform(-20, 35)
    return hu
