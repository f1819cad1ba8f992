"""Where the blood of a real slice lies, by a person's outline or by the teacher's chances, and the same blood in another head."""
import numpy as np
from scipy import ndimage

from cohort import CLASSES
from lesions import VISIBLE_DEFAULT_HU

# Which labels the teacher's three kinds of blood stand for (teacher.BLOOD).
STANDS_FOR = [("intraparenchymal",), ("epidural", "subarachnoid", "subdural"), ("intraventricular",)]
# Blood that the teacher is sure of: where it thinks blood likelier than not, spots of this many pixels of 256 x 256 and more of
# which it is this sure somewhere. Smaller ones are mostly the skull's edge.
SPOT, SURE = 20, 0.75
ANGLES = 180


def told(chance):
    """Mask [S, S] of the blood that the teacher is sure of, from its chances [3, S, S]."""
    most = np.max(chance, 0)
    spots, count = ndimage.label(most > 0.5)
    if count == 0:
        return spots > 0
    numbers = np.arange(1, count + 1)
    peak, area = np.asarray(ndimage.maximum(most, spots, numbers)), np.bincount(spots.ravel(), minlength=count + 1)[1:]
    return np.isin(spots, numbers[(peak > SURE) & (area >= SPOT)])


def outlined_types(outline, chance, labels):
    """Mask [S, S] of each labelled type; empty where it is not known of all of them which blood is whose. `outline` [S, S] is
    255 where nobody outlined; `chance` [3, S, S] is the teacher's, or empty. What a label says outweighs the teacher's kind of
    blood."""
    types = [c for k, c in enumerate(CLASSES[:5]) if labels[k]]
    by_person = outline.max() <= 1
    if not by_person and not len(chance):
        return {}
    blood = outline > 0 if by_person else told(chance)
    if not blood.any():
        return {}
    if len(types) == 1:
        return {types[0]: blood}
    if not len(chance):
        return {}
    kind, found = np.argmax(chance, 0), {}
    for which, names in enumerate(STANDS_FOR):
        here = [t for t in types if t in names]
        part = blood & (kind == which)
        if len(here) == 1 and part.sum() >= SPOT:
            found[here[0]] = part
    return found if len(found) == len(types) else {}


def radii(head):
    """Distance in pixels from the centroid to the inner table in ANGLES directions, counted from across the long axis."""
    steps = np.arange(2, head.size, dtype=np.float32)
    theta = (np.arange(ANGLES) * (2 * np.pi / ANGLES))[:, None]
    ys, xs = (np.clip(part, 0, head.size - 1).astype(int) for part in head.place(steps * np.cos(theta), steps * np.sin(theta)))
    hit = head.inside[ys, xs]
    return np.where(hit.any(1), steps[-1] - np.argmax(hit[:, ::-1], 1), steps[0])


def transplanted(host, donor, types, rng):
    """The blood `types` (masks of the donor) in the host: (HU, masks), or None where it would not be seen. The donor's inside is
    turned a little and stretched onto the host's, direction by direction from the centroid, so that blood along the inner table
    stays there."""
    across, along = host.offsets()
    shift = int(round(rng.normal(0, 0.15) * ANGLES / (2 * np.pi)))
    at = (np.arctan2(along, across) % (2 * np.pi)) * (ANGLES / (2 * np.pi))
    ratio = ndimage.uniform_filter1d(np.roll(radii(donor), -shift) / radii(host), 5, mode="wrap")
    low = np.floor(at).astype(int)
    r = np.hypot(across, along) * (ratio[low % ANGLES] * (1 - (at - low)) + ratio[(low + 1) % ANGLES] * (at - low))
    angle = (at + shift) * (2 * np.pi / ANGLES)
    where = donor.place(r * np.cos(angle), r * np.sin(angle))

    def moved(plane):
        return ndimage.map_coordinates(plane.astype(np.float32), np.stack(where), order=1, mode="constant")

    brain = [float(np.median(h.hu[h.depth > 4])) if (h.depth > 4).any() else 30.0 for h in (host, donor)]
    hu = moved(np.clip(donor.hu, -50, 110)) + brain[0] - brain[1]
    room = host.inside & (host.hu < 120)
    masks = {kind: (moved(mask) > 0.5) & room for kind, mask in types.items()}
    masks = {kind: mask for kind, mask in masks.items() if mask.sum() >= SPOT}
    if not masks:
        return None
    alpha = ndimage.gaussian_filter(np.any(list(masks.values()), 0).astype(np.float32), rng.uniform(0.6, 1.2)) * room
    made = host.hu + np.clip(1.3 * alpha, 0, 1) * (hu - host.hu)
    masks = {kind: mask for kind, mask in masks.items() if (made - host.hu)[mask].mean() > VISIBLE_DEFAULT_HU}
    return (made, masks) if masks else None
