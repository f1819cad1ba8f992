"""Generated heads: an ellipse of bone around grey and white matter and ventricles. They stand for test objects, not
for patients, and keep the network from falling over a picture that is cleaner than any scan. Everything that can be
varied is: size, skull, HU levels, noise, ventricles, place and density of the bleed."""
import numpy as np
from scipy import ndimage

from lesions import Head
from noise import smooth


def head(rng, size=256):
    """A clean generated slice of size x size pixels whose head fills the frame as the head box makes it."""
    mm = rng.uniform(0.6, 0.9)
    gy, gx = np.mgrid[0:size, 0:size].astype(np.float32)
    reach, aspect, turn = size / 2 / rng.uniform(1.04, 1.12), rng.uniform(0.72, 1.0), rng.normal(0, 0.15)
    dx, dy = gx - size / 2 - rng.normal(0, 2), gy - size / 2 - rng.normal(0, 2)
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    r = np.hypot(u / aspect, v)
    scalp, skull = rng.choice([0, rng.uniform(3, 9)]) / mm, rng.uniform(4, 11) / mm
    hu = np.full((size, size), rng.choice([-1000.0, -1024.0]), np.float32)
    hu[r < reach] = rng.uniform(-60, 50)
    hu[r < reach - scalp] = rng.uniform(500, 1500)
    inner = reach - scalp - skull
    inside = r < inner
    grey, white = rng.uniform(32, 42), rng.uniform(24, 34)
    tissue = np.full_like(hu, grey if rng.random() < 0.5 else white)
    if rng.random() < 0.7:
        core = r + rng.uniform(0, 6) * smooth(rng, 6.0, size) < inner - rng.uniform(3, 14) / mm
        tissue = np.where(core, white, grey)
    hu = np.where(inside, ndimage.gaussian_filter(tissue.astype(np.float32), 1), hu)
    if rng.random() < 0.4:
        hu = np.where(inside & (r > inner - rng.uniform(1, 4) / mm), rng.uniform(4, 14), hu)
    if rng.random() < 0.8:
        wide, long, gap = rng.uniform(2, 9) / mm, rng.uniform(8, 30) / mm, rng.uniform(0, 10) / mm
        tilt, lift, level = rng.uniform(-0.3, 0.3), rng.uniform(-12, 12) / mm, rng.uniform(0, 15)
        for side in (-1, 1):
            hu = np.where(np.hypot((side * u - gap - wide - tilt * v) / wide, (v - lift) / long) < 1, level, hu)
    if rng.random() < 0.3:
        hu = np.where(inside & (np.abs(u) < rng.uniform(0.5, 1.5) / mm), rng.uniform(30, 50), hu)
    hu = ndimage.gaussian_filter(hu.astype(np.float32), rng.uniform(0.2, 1.0))
    noise = rng.standard_normal((size, size)).astype(np.float32) * rng.uniform(0, 7)
    if rng.random() < 0.5:
        noise = ndimage.gaussian_filter(noise, rng.uniform(0.4, 1)) * 2
    depth = ndimage.distance_transform_edt(inside) * mm
    return Head((hu + noise * (r < reach)).astype(np.float32), depth.astype(np.float32), mm)


def ball(phantom, rng):
    """A plain round or oval bleed of 45 to 80 HU as a test object has it. Returns (HU, mask)."""
    y, x = phantom.inner_point(rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 0.6)))
    radius, aspect, turn = rng.uniform(4, 32), rng.uniform(0.5, 1), rng.uniform(0, np.pi)
    dx, dy = (phantom.gx - x) * phantom.mm, (phantom.gy - y) * phantom.mm
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    shape = (np.hypot(u, v / aspect) < radius) & (phantom.depth > 3)
    cover = ndimage.gaussian_filter(shape.astype(np.float32), rng.uniform(0.3, 1.2))
    value = rng.uniform(45, 80)
    native = phantom.hu - ndimage.uniform_filter(phantom.hu, 5)
    return phantom.hu + cover * (value + np.clip(native, -15, 15) - phantom.hu), cover > 0.5
