"""Slices without hemorrhage to draw into: functions of a random generator that give a lesions.Head, moved and turned."""
import numpy as np

import augment
from cohort import intracranial_depth, wide_crop
from dataset import ANY, real_head
from lesions import Head
from preprocess import AIR, SPEC, head_box
from study_features import ROOM


def heads_of(cohort):
    """Heads of the cohort's slices without hemorrhage: a function of a random generator."""
    room = np.array([(cohort.depth[r] > 0).sum() > ROOM for r in range(len(cohort.slice))])
    rows = np.flatnonzero(room & cohort.labelled & (cohort.labels[:, ANY] == 0))
    return lambda rng: real_head(cohort, rng.choice(rows), rng)[0]


def heads_in(series, mm):
    """The same from HU images [T, rows, columns] of pixels of `mm`."""
    hosts = []
    for image in series:
        box = head_box(image)
        hu = wide_crop(image, box, AIR).astype(np.float32)
        depth = intracranial_depth(hu).astype(np.float32)
        if (depth > 0).sum() > ROOM:
            hosts.append((hu, depth, mm * box[2] / SPEC.size))

    def draw(rng):
        hu, depth, size = hosts[rng.integers(len(hosts))]
        (hu, depth), zoom = augment.affine(rng, [(hu, AIR, False), (depth, 0, False)], SPEC.size)
        return Head(hu, depth * size, size * zoom)

    return draw
