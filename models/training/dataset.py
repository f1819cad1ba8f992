"""What a training step sees: real slices, slices with drawn hemorrhages, shams and phantoms, in a fixed mixture."""
import numpy as np
import torch
from scipy import ndimage

import augment
import phantom
import shams
from cohort import CLASSES
from lesions import KINDS, Head, bleed
from preprocess import AIR, SPEC, windowed

CELLS = 32
ANY = CLASSES.index("any")
# Share of each kind of sample.
MIXTURE = {"drawn": 0.37, "normal": 0.32, "positive": 0.18, "stroke": 0.04, "phantom": 0.05, "phantom-drawn": 0.04}
# How often each type is drawn: the real slices have least of SAH and IVH.
KIND_WEIGHTS = {"epidural": 0.14, "intraparenchymal": 0.22, "intraventricular": 0.2, "subarachnoid": 0.22, "subdural": 0.22}


def coverage(mask):
    """Share of each of the map's cells [32, 32] that a mask [256, 256] covers, so scaled that half a cell is full."""
    step = SPEC.size // CELLS
    return np.minimum(mask.reshape(CELLS, step, CELLS, step).mean((1, 3)) * 2.5, 1).astype(np.float32)


def dense(head):
    """Cells [32, 32] where blood may lie: at least half of the cell is as dense as blood and off the inner table."""
    flat = ndimage.uniform_filter(head.hu, 5)
    step = SPEC.size // CELLS
    share = ((flat > 45) & (flat < 90) & (head.depth > 1)).reshape(CELLS, step, CELLS, step).mean((1, 3))
    return (share >= 0.5).astype(np.float32)


def outside(head):
    """Cells [32, 32] that lie wholly outside the inner table; none where the skull is not closed."""
    if not head.inside.any():
        return np.zeros((CELLS, CELLS), np.float32)
    return (coverage(head.inside) == 0).astype(np.float32)


def real_head(cohort, row, rng):
    """A cached slice, moved and turned: (Head at the network's size, outline [256, 256])."""
    fill = AIR if cohort.hu[row].min() < -400 else float(cohort.hu[row].min())
    planes = [(cohort.hu[row].astype(np.float32), fill, False), (cohort.depth[row].astype(np.float32), 0, False),
              (cohort.mask[row].astype(np.float32), 0, True)]
    (hu, depth, outline), zoom = augment.affine(rng, planes, SPEC.size)
    return Head(hu, depth * cohort.mm[row], cohort.mm[row] * zoom), outline


class Slices(torch.utils.data.Dataset):
    """Training samples from the rows `rows` of a Cohort. Sample i of epoch e depends on (seed, e, i) alone. Drawing a
    scene costs more than training on it, so `views` samples of an epoch show the same scene by different scanners.

    A sample is a dict of tensors: `x` [3, 256, 256]; `y` [6] labels; `target` [6, 32, 32] map, `weight` [6, 32, 32]
    1 where the map is known; `dense` and `outside` [32, 32], the cells of a real hemorrhage without an outline that may
    and that cannot hold it (0 elsewhere); `synthetic` 1 for drawn and generated ones.
    """

    def __init__(self, cohort, rows, seed, length, spec=SPEC, views=1):
        self.spec, self.views, self.scenes = spec, views, {}
        self.cohort, self.seed, self.length, self.epoch = cohort, seed, length, 0
        ct = rows[cohort.labelled[rows]]
        any_blood = cohort.labels[ct, ANY] > 0
        self.normal, self.positive = ct[~any_blood], ct[any_blood]
        self.stroke = np.flatnonzero(~cohort.labelled)
        room = np.array([(cohort.depth[r] > 0).sum() for r in self.normal])
        self.host = self.normal[room > 8000]
        room = np.array([(cohort.depth[r] > 0).sum() for r in self.stroke])
        self.stroke_host = self.stroke[room > 8000]
        # A study's rarer types come up more often than its share of slices.
        y = cohort.labels[self.positive]
        odds = (y[:, :5] / np.sqrt(y[:, :5].sum(0) + 1)).max(1) + 1e-3
        self.positive_odds = odds / odds.sum()

    def __len__(self):
        return self.length

    def _draw(self, head, rng, masks):
        """One bleed, in one sample of four two of them, into the head; fills masks and returns the new head."""
        kinds = rng.choice(KINDS, 2 if rng.random() < 0.25 else 1, p=[KIND_WEIGHTS[k] for k in KINDS])
        for kind in kinds:
            drawn = bleed(head, kind, rng)
            if drawn is not None:
                head = head.repainted(drawn[0])
                masks[kind] = masks.get(kind, False) | drawn[1]
        return head

    def scene(self, number):
        """What is there before a scanner sees it: (HU, labels, target, weight, dense, outside, synthetic)."""
        rng = np.random.default_rng([self.seed, self.epoch, number])
        what = rng.choice(list(MIXTURE), p=list(MIXTURE.values()))
        y, masks, outlined = np.zeros(6, np.float32), {}, None
        unknown = np.zeros(6, bool)
        if what.startswith("phantom"):
            head = phantom.head(rng)
            if what == "phantom-drawn" and rng.random() < 0.6:
                hu, mask = phantom.ball(head, rng)
                head, masks = head.repainted(hu), {"intraparenchymal": mask}
            elif what == "phantom-drawn":
                head = self._draw(head, rng, masks)
        else:
            if what == "stroke" and not len(self.stroke):
                what = "normal"
            source = {"drawn": self.host, "normal": self.normal, "stroke": self.stroke}.get(what)
            if what == "positive":
                row = rng.choice(self.positive, p=self.positive_odds)
            elif what == "drawn" and len(self.stroke_host) and rng.random() < 0.1:
                row = rng.choice(self.stroke_host)
            else:
                row = rng.choice(source)
            head, outline = real_head(self.cohort, row, rng)
            y = self.cohort.labels[row].copy()
            if what == "positive":
                unknown = y > 0
                known = outline.max() <= 1 and outline.sum() > 0
                if known:
                    unknown[ANY] = False
                    outlined = outline > 0
                    types = np.flatnonzero(y[:ANY])
                    if len(types) == 1:
                        unknown[types] = False
            elif head.usable():
                if rng.random() < (0.4 if what == "drawn" else 0.65):
                    head = shams.add(head, rng, 2 if what == "drawn" else 3)
                if what == "drawn":
                    head = self._draw(head, rng, masks)
        target = np.zeros((6, CELLS, CELLS), np.float32)
        for kind, mask in masks.items():
            if mask.any():
                y[CLASSES.index(kind)] = y[ANY] = 1
                target[CLASSES.index(kind)] = coverage(mask)
        target[ANY] = target.max(0)
        if outlined is not None:
            target[ANY] = coverage(outlined)
            for k in np.flatnonzero(y[:ANY]):
                target[k] = target[ANY]
        weight = (~unknown).astype(np.float32)
        real = what == "positive"
        places = (dense(head), outside(head)) if real else (np.zeros((CELLS, CELLS), np.float32),) * 2
        synthetic = np.float32(bool(masks) or what.startswith("phantom"))
        return head.hu.astype(np.float32), y, target, weight, *places, synthetic

    def __getitem__(self, index):
        count = max(1, self.length // self.views)
        number = index % count
        if number not in self.scenes:
            self.scenes[number] = self.scene(number)
        hu, y, target, weight, *places, synthetic = self.scenes[number]
        rng = np.random.default_rng([self.seed, self.epoch, index, 1])
        hu = augment.hide(rng, augment.levels(rng, augment.scanner(rng, hu)))
        planes = [windowed(hu, self.spec), target, *places]
        if rng.random() < 0.5:
            planes = [np.ascontiguousarray(plane[..., ::-1]) for plane in planes]
        x, target, dense_cells, outside_cells = (torch.from_numpy(plane) for plane in planes)
        return {"x": x, "y": torch.from_numpy(y), "target": target,
                "weight": torch.from_numpy(weight)[:, None, None].expand(target.shape).clone(),
                "dense": dense_cells, "outside": outside_cells, "synthetic": torch.tensor(synthetic)}
