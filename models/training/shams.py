"""What looks like blood and is not, and what is not blood but seldom in the training heads: drawn without a mask."""
import numpy as np
from scipy import ndimage

from lesions import blend, intraparenchymal, ventricles
from noise import smooth


def calcification(head, rng):
    """One to four small dense spots: choroid plexus, pineal gland, falx, basal ganglia."""
    for _ in range(rng.integers(1, 5)):
        y, x = head.inner_point(rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.7))
        spot = head.distance(y, x) + smooth(rng, 1.5, head.size) < rng.uniform(1, 4.5)
        head = head.repainted(blend(head, spot & head.inside, rng.uniform(80, 500), rng, rng.uniform(0.5, 1.2))[0])
    return head


def falx(head, rng):
    """A thin bright line in the middle."""
    bend, wide, start = smooth(rng, 12.0, head.size), rng.uniform(0.6, 1.5), rng.uniform(-80, -10)
    line = (np.abs(head.across + bend) < wide) & (head.along > start) & (head.along < start + rng.uniform(25, 120)) & head.inside
    return head.repainted(blend(head, line, rng.uniform(42, 68), rng, 0.7, 1.0, rng.uniform(0.6, 1))[0])


def sinus(head, rng):
    """A dense venous sinus: a small wedge at the back of the inner table, or a band to its side."""
    angle = np.pi / 2 + rng.normal(0, 0.12)
    y, x = head.table_point(angle)
    if rng.random() < 0.6:
        shape = head.distance(y, x) < rng.uniform(3, 6)
    else:
        side = rng.choice([-1, 1])
        shape = (head.depth < rng.uniform(3, 5)) & (head.distance(y, x) < rng.uniform(25, 60)) & (side * head.across > 2)
    return head.repainted(blend(head, shape & head.inside, rng.uniform(48, 66), rng, 0.9)[0])


def dark_lesion(head, rng):
    """An infarct, an old defect or a cyst."""
    shape = intraparenchymal(head, rng, rng.uniform(0.8, 2))
    return head.repainted(blend(head, shape, rng.uniform(3, 25), rng, rng.uniform(1, 4), 1.5)[0])


def infarct(head, rng):
    """The territory of an artery, from the inner table inwards: a little darker in the first days, as dark as CSF later."""
    angle, wide, deep = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.9), rng.uniform(12, 60)
    middle = head.offsets()
    turn = np.arctan2(middle[1], middle[0]) - angle
    off = np.abs((turn + np.pi) % (2 * np.pi) - np.pi)
    shape = head.inside & (off + 0.12 * smooth(rng, 12.0, head.size) < wide) & (head.depth + 4 * smooth(rng, 6.0, head.size) < deep)
    old, value, drop, edge = rng.random() < 0.5, rng.uniform(4, 20), rng.uniform(4, 14), rng.uniform(1, 5)
    if rng.random() < 0.4:
        # Spared gyri between dark ones look dense.
        shape &= np.abs(smooth(rng, rng.choice([3.0, 6.0]), head.size)) > rng.uniform(0.2, 0.7)
        edge = rng.uniform(0.8, 1.5)
    if old:
        return head.repainted(blend(head, shape, value, rng, edge, 1.5, rng.uniform(0.7, 1))[0])
    cover = ndimage.gaussian_filter(shape.astype(np.float32), edge)
    return head.repainted(np.where(head.hu < 100, head.hu - drop * cover, head.hu))


def wide_csf(head, rng):
    """Wide ventricles, wide outer spaces, or both: an older brain."""
    if rng.random() < 0.7:
        head = head.repainted(blend(head, ventricles(head, rng), rng.uniform(3, 14), rng, 1.0, 1.0)[0])
    if rng.random() < 0.6:
        field, deep = smooth(rng, 6.0, head.size), rng.choice([rng.uniform(6, 22), 90], p=[0.75, 0.25])
        sulci = head.inside & (np.abs(field) < rng.uniform(0.05, 0.2)) & (head.depth < deep)
        rim = head.inside & (head.depth < rng.uniform(0, 4))
        head = head.repainted(blend(head, sulci | rim, rng.uniform(4, 16), rng, 0.9, 1.0, rng.uniform(0.5, 1))[0])
    return head


def atrophy(head, rng):
    """The CSF spaces that are there, each wider by a few millimetres: an old brain."""
    reach = int(rng.integers(1, 4))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    flat = ndimage.gaussian_filter(head.hu, 1.2)
    wider = ndimage.grey_erosion(flat, footprint=np.hypot(y, x) <= reach + 0.3)
    share = np.clip((rng.uniform(20, 26) - wider) / 10, 0, 1) * head.inside * (head.hu < 100)
    return head.repainted(head.hu + share * (wider - flat))


def cisterns(head, rng):
    """The brainstem, or a lobe between wide fissures: tissue all round in CSF, which makes it look dense."""
    (y, x), angle = head.place(rng.normal(0, 5) / head.mm, rng.normal(0, 18) / head.mm), rng.uniform(0, np.pi)
    dx, dy = (head.gx - x) * head.mm, (head.gy - y) * head.mm
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    ragged, radius, wide = smooth(rng, 6.0, head.size), rng.uniform(9, 19), rng.uniform(2, 7)
    r = np.hypot(u, v * rng.uniform(1, 1.4)) + rng.uniform(0, 3) * ragged
    turn, star = np.arctan2(v, u), rng.integers(0, 6)
    arms = (np.cos(star * turn + ragged) > 0.9) & (r < radius + rng.uniform(5, 35)) if star else np.zeros_like(head.inside)
    shape = head.inside & (r > radius) & ((r < radius + wide) | arms) & (smooth(rng, 12.0, head.size) > rng.uniform(-2, 0))
    made = head.repainted(blend(head, shape, rng.uniform(4, 16), rng, 1.0, 1.2, rng.uniform(0.6, 1))[0])
    return made.repainted(made.hu + rng.uniform(-2, 6) * (ndimage.gaussian_filter((r < radius).astype(np.float32), 1.5) * head.inside))


def cortex(head, rng):
    """Grey matter that stands out from the white: the tissue's own contrast raised, or a winding ribbon a little denser."""
    if rng.random() < 0.5:
        tissue = np.where(head.inside, np.clip(head.hu, 0, 60), 30).astype(np.float32)
        detail = ndimage.gaussian_filter(tissue, 1.0) - ndimage.gaussian_filter(tissue, rng.uniform(4, 12))
        return head.repainted(head.hu + rng.uniform(0.3, 1.2) * np.clip(detail, -15, 8) * (head.depth > 2) * (head.hu < 100))
    ribbon = np.abs(smooth(rng, rng.choice([6.0, 12.0]), head.size)) < rng.uniform(0.1, 0.35)
    ribbon &= head.inside & (head.depth < rng.uniform(12, 60)) & (head.hu < 60)
    return head.repainted(head.hu + rng.uniform(3, 10) * ndimage.gaussian_filter(ribbon.astype(np.float32), rng.uniform(0.7, 1.3)))


def cupping(head, rng):
    """Beam hardening: brighter next to bone, and dark or bright streaks across the base."""
    hu = head.hu + rng.uniform(-4, 12) * np.exp(-head.depth / rng.uniform(3, 8)) * head.inside
    if rng.random() < 0.5:
        turn = rng.normal(0, 0.4)
        line = (head.gx - head.cx) * np.sin(turn) + (head.gy - head.cy) * np.cos(turn) - rng.uniform(-40, 40)
        hu = hu + rng.uniform(-18, 14) * np.exp(-((line / rng.uniform(3, 12)) ** 2)) * head.inside
    return head.repainted(hu)


def scalp_swelling(head, rng):
    """A dense swelling outside the skull."""
    out = ~ndimage.binary_dilation(head.inside, iterations=int(9 / head.mm))
    y, x = head.table_point(rng.uniform(0, 2 * np.pi))
    shape = out & (head.distance(y, x) < rng.uniform(12, 30)) & (head.hu > -150) & (head.hu < 120)
    return head.repainted(blend(head, shape, rng.uniform(45, 75), rng, 0.9)[0])


def bright_rim(head, rng):
    """Partial volume with a slanting skull, as at the vertex and the base: a thin bright rim inside the table."""
    y, x = head.table_point(rng.uniform(0, 2 * np.pi))
    reach = np.exp(-((head.distance(y, x) / rng.uniform(15, 90)) ** 2))
    rim = rng.uniform(15, 110) * np.exp(-head.depth / rng.uniform(0.5, 1.6)) * head.inside
    return head.repainted(np.where(head.hu < 150, head.hu + rim * reach, head.hu))


def metal(head, rng):
    """A clip, a coil or a filling: a very dense spot with a star of dark and bright streaks."""
    y, x = head.inner_point(rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.1))
    r = head.distance(y, x)
    angle = np.arctan2(head.gy - y, head.gx - x)
    star = np.cos(rng.integers(3, 9) * angle + rng.uniform(0, 6)) + 0.6 * np.cos(rng.integers(9, 21) * angle)
    hu = head.hu + rng.uniform(8, 60) * star * np.exp(-r / rng.uniform(15, 50)) * (head.hu > -200)
    return head.repainted(np.where(r < rng.uniform(1.5, 5), rng.uniform(1500, 3000), hu).astype(np.float32))


SHAMS = [calcification, falx, sinus, dark_lesion, infarct, wide_csf, atrophy, cisterns, cortex, cupping, scalp_swelling, bright_rim, metal]
WEIGHTS = np.array([2, 2, 1.5, 1.5, 3, 2.5, 3, 1.5, 2, 2, 1, 1.5, 0.5])


def add(head, rng, most=2):
    """Up to `most` shams, chosen at random."""
    for choice in rng.choice(len(SHAMS), rng.integers(1, most + 1), replace=False, p=WEIGHTS / WEIGHTS.sum()):
        head = SHAMS[choice](head, rng)
    return head
