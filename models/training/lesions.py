"""Synthetic hemorrhages drawn into a HU image inside the skull, with their masks.

Shapes and HU follow what FDA's DIDSR/InSilicoICH describes (CC0; HU as mean and 5th to 95th percentile, median volume
in mL): IPH 47.5 (33..61), 8.9; IVH 39.9 (26..56), 2.6; SDH 50.3 (27..69), 6.3; SAH 43.9 (31..58), 1.0;
EDH 56.0 (37..73), 13.6. Only the numbers are taken. The bleed keeps the image's own noise and its edge is blurred as
by a scanner's point spread.

Every function takes a random generator and draws the same number of values from it whatever the image is, so that
the same seed draws one body through the slices of a study; `scale` (0..1) is how wide that body is in this slice.
"""
import copy
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from noise import smooth

KINDS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural"]
HU = {
    "epidural": (56.0, 37, 73),
    "intraparenchymal": (47.5, 33, 61),
    "intraventricular": (39.9, 26, 56),
    "subarachnoid": (43.9, 31, 58),
    "subdural": (50.3, 27, 69),
}
# Blood must differ from what it lies in by this much, else the label would ask for the invisible.
VISIBLE_HU = {"intraventricular": 14.0}
VISIBLE_DEFAULT_HU = 9.0


@lru_cache(maxsize=4)
def _grid(size):
    grid = np.mgrid[0:size, 0:size].astype(np.float32)
    grid.flags.writeable = False
    return grid


@dataclass
class Head:
    """A slice to draw into: HU [S, S], depth [S, S] in mm from the inner table (0 outside), pixel size in mm."""

    hu: np.ndarray
    depth: np.ndarray
    mm: float

    def __post_init__(self):
        size = len(self.hu)
        self.size = size
        self.inside = self.depth > 0
        ys, xs = np.nonzero(self.inside)
        self.area = len(ys) * self.mm**2
        self.cy, self.cx = (ys.mean(), xs.mean()) if len(ys) else (size / 2, size / 2)
        self.gy, self.gx = _grid(size)
        if len(ys):
            spread = np.cov(np.stack([xs - self.cx, ys - self.cy]))
            major = np.linalg.eigh(spread)[1][:, 1]
            major = major if major[1] >= 0 else -major
            # Nearly round slices have no long axis worth trusting; heads are seldom turned by more than 40 degrees.
            axis = major if abs(major[1]) > 0.75 else np.array([0.0, 1.0])
        else:
            axis = np.array([0.0, 1.0])
        self.axis = axis
        across, along = self.offsets()
        self.across, self.along = across * self.mm, along * self.mm

    def repainted(self, hu):
        """The same head with other HU."""
        other = copy.copy(self)
        other.hu = hu
        return other

    def offsets(self):
        """Each pixel's distance from the centroid in pixels, across the head's long axis and along it."""
        dx, dy = self.gx - np.float32(self.cx), self.gy - np.float32(self.cy)
        return dx * self.axis[1] - dy * self.axis[0], dx * self.axis[0] + dy * self.axis[1]

    def place(self, across, along):
        """The (y, x) of such distances."""
        return self.cy + along * self.axis[1] - across * self.axis[0], self.cx + across * self.axis[1] + along * self.axis[0]

    def usable(self):
        return self.area > 4000

    def distance(self, y, x):
        return np.hypot(self.gy - y, self.gx - x) * self.mm

    def table_point(self, angle):
        """The point of the inner table that is seen from the centroid in the direction `angle`."""
        steps = np.arange(2, self.size, dtype=np.float32)
        ys = np.clip(self.cy + steps * np.sin(angle), 0, self.size - 1).astype(int)
        xs = np.clip(self.cx + steps * np.cos(angle), 0, self.size - 1).astype(int)
        hits = np.flatnonzero(self.inside[ys, xs])
        last = hits[-1] if len(hits) else 0
        return ys[last], xs[last]

    def inner_point(self, angle, fraction):
        y, x = self.table_point(angle)
        return self.cy + (y - self.cy) * fraction, self.cx + (x - self.cx) * fraction


def _span(rng, median, low, high):
    return float(np.clip(median * np.exp(0.55 * rng.standard_normal()), low, high))


def epidural(head, rng, scale=1.0):
    """A lens against the inner table."""
    angle, thick = rng.uniform(0, 2 * np.pi), _span(rng, 11, 3.5, 32)
    radius = max(thick * rng.uniform(1.1, 2.4), 12) * scale
    warp = smooth(rng, 6.0, head.size)
    r = head.distance(*head.table_point(angle)) + 1.5 * warp
    return head.inside & (head.depth < thick * scale * (1 - (r / radius) ** 2))


def subdural(head, rng, scale=1.0):
    """A crescent along the inner table or, in one of four, a thin band along the falx or the tentorium."""
    angle, thick, radius = rng.uniform(0, 2 * np.pi), _span(rng, 6.5, 2.2, 20), rng.uniform(30, 95)
    place, side, start, length = rng.random(), rng.choice([-1, 1]), rng.uniform(-70, 20), rng.uniform(25, 80)
    warp, rough, slant = smooth(rng, 12.0, head.size), smooth(rng, 6.0, head.size), rng.uniform(0.5, 1.2)
    if place < 0.15:
        band = side * head.across + warp
        return head.inside & (band > -1) & (band < thick * 0.6 * scale) & (head.along > start) & (head.along < start + length)
    if place < 0.25:
        # One limb of the tentorium's V: from behind the midline forwards and outwards.
        back = head.along[head.inside].max() if head.inside.any() else 60.0
        lateral = side * head.across
        bend = (back - 12 - head.along - (lateral - 4) / np.tan(slant)) * np.sin(slant) + 1.5 * warp
        return head.inside & (np.abs(bend) < 0.3 * thick * scale) & (lateral > 2) & (lateral < 4 + 0.6 * length)
    r = head.distance(*head.table_point(angle)) + 2 * warp
    profile = np.sqrt(np.maximum(1 - (r / (radius * scale)) ** 2, 0))
    return head.inside & (head.depth < thick * scale**0.5 * profile * (1 + 0.15 * rough))


def intraparenchymal(head, rng, scale=1.0):
    """A rough ellipse in the brain, sometimes with satellites."""
    y, x = head.inner_point(rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 0.8)))
    radius, aspect, turn = _span(rng, 11, 3, 34), rng.uniform(0.45, 1), rng.uniform(0, np.pi)
    rough, coarse, fine = rng.uniform(0, 0.3), smooth(rng, 12.0, head.size), smooth(rng, 3.0, head.size)
    dx, dy = (head.gx - x) * head.mm, (head.gy - y) * head.mm
    u, v = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    r = np.hypot(u, v / aspect) / (radius * scale)
    return head.inside & (head.depth > 2) & (r + rough * (coarse + 0.4 * fine) < 1)


def ventricles(head, rng):
    """A pair of lateral ventricles and a third one (bool) at a random width: the training heads are young and their
    ventricles slits, other people's are not."""
    width, long, gap = rng.uniform(2.5, 9), rng.uniform(14, 32), rng.uniform(2, 8)
    tilt, forward, third = rng.uniform(-0.35, 0.35), rng.uniform(-15, 15), rng.random() < 0.5
    warp = smooth(rng, 6.0, head.size)
    out = np.zeros(head.inside.shape, bool)
    along = head.along - forward
    for side in (-1, 1):
        lateral = side * head.across - gap - width - tilt * along
        out |= np.hypot(lateral / width, along / long) + 0.12 * warp < 1
    if third:
        out |= np.hypot(head.across / 2, along / (long * 0.6)) < 1
    return out & (head.depth > 12)


def csf(head):
    """Where the image itself is dark inside the brain, smoothed: ventricles and cisterns."""
    flat = ndimage.uniform_filter(head.hu, 3)
    return head.inside & (flat < 20) & (flat > -15)


def intraventricular(head, rng, scale=1.0, space=None):
    """Blood in the ventricles: a level that settled at the back, one part of them, or all."""
    level, whole, angle = rng.uniform(-0.2, 0.9), rng.random(), rng.uniform(0, 2 * np.pi)
    blob = smooth(rng, 12.0, head.size)
    space = csf(head) & (head.depth > 14) if space is None else space
    if space.sum() * head.mm**2 < 25:
        return np.zeros(space.shape, bool)
    if whole < 0.45:
        rows = head.gy[space]
        return space & (head.gy > rows.min() + level * (rows.max() - rows.min()))
    if whole < 0.65:
        return space
    lateral = (head.gx - head.cx) * np.cos(angle) + (head.gy - head.cy) * np.sin(angle)
    return space & (lateral * head.mm + 8 * blob > -4)


def subarachnoid(head, rng, scale=1.0):
    """Thin winding bands in sulci or cisterns within a patch. The bands are a smooth field's zero level, and the
    image's own dark sulci in that patch."""
    angle, reach, central = rng.uniform(0, 2 * np.pi), rng.uniform(14, 55), rng.random() < 0.35
    band, deep = rng.uniform(0.1, 0.28), rng.uniform(8, 30)
    field, warp = smooth(rng, 6.0, head.size), smooth(rng, 12.0, head.size)
    if central:
        near = np.hypot(head.across, head.along * 0.8) + 6 * warp < reach * 0.8 * scale
    else:
        near = (head.distance(*head.table_point(angle)) + 6 * warp < reach * scale) & (head.depth < deep)
    winding = np.abs(field) < band
    return near & head.inside & (winding | (csf(head) & (head.depth < deep)))


DRAW = {
    "epidural": epidural,
    "subdural": subdural,
    "intraparenchymal": intraparenchymal,
    "intraventricular": intraventricular,
    "subarachnoid": subarachnoid,
}


def blend(head, shape, value, rng, edge, texture=3.0, strength=1.0):
    """HU with `shape` (bool) filled with `value` HU; the image's own noise stays. Returns the image and the soft
    coverage 0..1 that was painted."""
    cover = ndimage.gaussian_filter(shape.astype(np.float32), edge)
    alpha = strength * cover
    native = head.hu - ndimage.uniform_filter(head.hu, 7)
    # Bone and air next to the bleed are no noise.
    native = np.clip(native, -12, 12)
    paint = value + texture * smooth(rng, 3.0, head.size) + texture * smooth(rng, 1.5, head.size) * 0.5 + 0.8 * native
    return head.hu + alpha * (paint - head.hu) * (head.hu < 150), cover


def bleed(head, kind, rng, scale=1.0):
    """Draws one hemorrhage. Returns (HU, mask bool) or None where it did not fit or would not be seen."""
    mean, low, high = HU[kind]
    wanted = float(np.clip(rng.normal(mean, (high - low) / 3.3), low - 4, high + 6))
    edge, oedema, halo = rng.uniform(0.5, 1.3), rng.random() < 0.6, rng.uniform(2, 9)
    strength = rng.uniform(0.55, 1) if kind == "subarachnoid" else rng.uniform(0.85, 1)
    own_ventricles, texture = rng.random() < 0.55, rng.uniform(0.5, 5)
    canvas = head
    if kind == "intraventricular":
        space = ventricles(head, rng)
        if own_ventricles:
            space &= head.inside
            hu, _ = blend(head, space, 8.0, rng, 1.0, 1.5)
            canvas = head.repainted(hu)
            shape = intraventricular(canvas, rng, scale, space)
        else:
            shape = intraventricular(canvas, rng, scale)
    else:
        shape = DRAW[kind](canvas, rng, scale)
    shape = shape & (canvas.hu < 110)
    if shape.sum() * head.mm**2 < (40 if kind in ("epidural", "subdural") else 20):
        return None
    around = float(np.median(canvas.hu[shape]))
    value = max(wanted, around + VISIBLE_HU.get(kind, VISIBLE_DEFAULT_HU) + rng.uniform(0, 6))
    if kind == "intraparenchymal" and oedema:
        ring = ndimage.gaussian_filter(shape.astype(np.float32), halo / head.mm)
        canvas = canvas.repainted(canvas.hu - 10 * ring * (canvas.depth > 1))
    hu, cover = blend(canvas, shape, value, rng, edge, texture, strength)
    return hu, cover > 0.4
