"""What a training step sees: real slices, slices with drawn or transplanted hemorrhages, shams and phantoms, in a fixed
mixture."""
import numpy as np
import torch
from scipy import ndimage

import augment
import phantom
import shams
from cohort import CLASSES
from lesions import KINDS, Head, bleed
from outlines import outlined_types, told, transplanted
from preprocess import AIR, SPEC, windowed

CELLS = 32
# What a label counts for where the teacher sees no blood that it is sure of: a network that must say yes to what cannot be seen
# learns the patient.
UNSEEN_TRUST = 0.5
ANY = CLASSES.index("any")
# Share of each kind of sample.
MIXTURE = {"drawn": 0.26, "transplanted": 0.12, "normal": 0.36, "positive": 0.16, "stroke": 0.03, "phantom": 0.04, "phantom-drawn": 0.03}
# How often each type is drawn: the real slices have least of SAH and IVH.
KIND_WEIGHTS = {"epidural": 0.2, "intraparenchymal": 0.22, "intraventricular": 0.18, "subarachnoid": 0.22, "subdural": 0.18}
# How often each type is transplanted: each patient as often as another, however many slices show it, and few show SAH and IVH.
TRANSPLANT_WEIGHTS = {"epidural": 0.35, "intraparenchymal": 0.3, "intraventricular": 0.08, "subarachnoid": 0.12, "subdural": 0.15}


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
    """A cached slice, moved and turned: (Head at the network's size, outline [256, 256], teacher's chances [3, 256, 256] or
    none)."""
    fill = AIR if cohort.hu[row].min() < -400 else float(cohort.hu[row].min())
    planes = [(cohort.hu[row].astype(np.float32), fill, False), (cohort.depth[row].astype(np.float32), 0, False),
              (cohort.mask[row].astype(np.float32), 0, True)]
    planes += [(chance.astype(np.float32) / 255, 0, False) for chance in cohort.teacher.get(row, [])]
    (hu, depth, outline, *chance), zoom = augment.affine(rng, planes, SPEC.size)
    return Head(hu, depth * cohort.mm[row], cohort.mm[row] * zoom), outline, chance


class Slices(torch.utils.data.Dataset):
    """Training samples from the rows `rows` of a Cohort. Sample i of epoch e depends on (seed, e, i) alone. Drawing a
    scene costs more than training on it, so `views` samples of an epoch show the same scene by different scanners.

    A sample is a dict of tensors: `x` [3, 256, 256]; `y` [6] labels; `target` [6, 32, 32] map, `weight` [6, 32, 32]
    1 where the map is known; `dense` and `outside` [32, 32], the cells of a real hemorrhage without an outline that may
    and that cannot hold it (0 elsewhere); `trust`, what the labels count for; `synthetic` 1 for drawn, transplanted and
    generated ones.
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
        self.donors = [(kind, rows) for kind in KINDS if (rows := self._donors(kind))]

    def _donors(self, kind):
        """Rows of slices with a hemorrhage of that type of which it is known where it lies, one list a patient."""
        rows = [r for r in self.positive if self.cohort.labels[r, CLASSES.index(kind)]
                and (self.cohort.mask[r].max() <= 1 or told(self.cohort.teacher.get(r, np.zeros((3, 1, 1))) / 255).any())]
        return [[r for r in rows if self.cohort.patient[r] == p] for p in sorted({self.cohort.patient[r] for r in rows})]

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

    def transplant(self, head, rng, masks):
        """The blood of a real slice of another head, in this one; fills masks and returns the new head. It stays as it is where
        three heads have no blood that fits."""
        odds = np.array([TRANSPLANT_WEIGHTS[kind] for kind, _ in self.donors])
        for _ in range(3):
            patients = self.donors[rng.choice(len(self.donors), p=odds / odds.sum())][1]
            row = rng.choice(patients[rng.integers(len(patients))])
            donor, outline, chance = real_head(self.cohort, row, rng)
            types = outlined_types(outline, chance, self.cohort.labels[row])
            made = transplanted(head, donor, types, rng) if types and donor.usable() else None
            if made is not None:
                masks.update(made[1])
                return head.repainted(made[0])
        return head

    def positive_scene(self, rng):
        """A real hemorrhage, as `scene` gives it."""
        row = rng.choice(self.positive, p=self.positive_odds)
        head, outline, chance = real_head(self.cohort, row, rng)
        y = self.cohort.labels[row].copy()
        target, weight = np.zeros((6, CELLS, CELLS), np.float32), np.ones((6, CELLS, CELLS), np.float32)
        hu, nowhere = head.hu.astype(np.float32), np.zeros((CELLS, CELLS), np.float32)
        types = outlined_types(outline, chance, y)
        if not types:
            weight[y > 0] = 0
            if outline.max() <= 1 and outline.any():
                # Outlined, but not which type is where.
                target[ANY], weight[ANY] = coverage(outline > 0), 1
            trust = UNSEEN_TRUST if len(chance) and not told(chance).any() else 1
            return hu, y, target, weight, dense(head), outside(head), np.float32(trust), np.float32(0)
        for kind, mask in types.items():
            target[CLASSES.index(kind)] = coverage(mask)
        target[ANY] = target.max(0)
        by_person = outline.max() <= 1
        for k in np.flatnonzero(y):
            # What the teacher thinks possible, and what it may have missed, is unknown.
            maybe = 0 if by_person else np.maximum(coverage(np.max(chance, 0) > 0.1), dense(head))
            sure = (target[k] > 0) | (outside(head) > 0)
            weight[k] = np.where(sure, 1, np.where(maybe > 0, 0, 1 if by_person else 0.5))
        return hu, y, target, weight, nowhere, nowhere, np.float32(1), np.float32(0)

    def scene(self, number):
        """What is there before a scanner sees it: (HU, labels, target, weight, dense, outside, trust, synthetic)."""
        rng = np.random.default_rng([self.seed, self.epoch, number])
        what = rng.choice(list(MIXTURE), p=list(MIXTURE.values()))
        if what == "transplanted" and not len(self.donors):
            what = "drawn"
        if what == "positive":
            return self.positive_scene(rng)
        masks = {}
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
            bloody = what in ("drawn", "transplanted")
            source = self.host if bloody else {"normal": self.normal, "stroke": self.stroke}[what]
            if bloody and len(self.stroke_host) and rng.random() < 0.1:
                source = self.stroke_host
            head, *_ = real_head(self.cohort, rng.choice(source), rng)
            if head.usable():
                if rng.random() < (0.4 if bloody else 0.65):
                    head = shams.add(head, rng, 2 if bloody else 3)
                if what == "drawn":
                    head = self._draw(head, rng, masks)
                elif what == "transplanted":
                    head = self.transplant(head, rng, masks)
        y, target = np.zeros(6, np.float32), np.zeros((6, CELLS, CELLS), np.float32)
        for kind, mask in masks.items():
            if mask.any():
                y[CLASSES.index(kind)] = y[ANY] = 1
                target[CLASSES.index(kind)] = coverage(mask)
        target[ANY] = target.max(0)
        nowhere = np.zeros((CELLS, CELLS), np.float32)
        synthetic = np.float32(bool(masks) or what.startswith("phantom"))
        return head.hu.astype(np.float32), y, target, np.ones_like(target), nowhere, nowhere, np.float32(1), synthetic

    def __getitem__(self, index):
        count = max(1, self.length // self.views)
        number = index % count
        if number not in self.scenes:
            self.scenes[number] = self.scene(number)
        hu, y, *cells, trust, synthetic = self.scenes[number]
        rng = np.random.default_rng([self.seed, self.epoch, index, 1])
        hu = augment.hide(rng, augment.levels(rng, augment.scanner(rng, hu)))
        planes = [windowed(hu, self.spec), *cells]
        if rng.random() < 0.5:
            planes = [np.ascontiguousarray(plane[..., ::-1]) for plane in planes]
        x, target, weight, dense_cells, outside_cells = (torch.from_numpy(plane) for plane in planes)
        return {"x": x, "y": torch.from_numpy(y), "target": target, "weight": weight,
                "dense": dense_cells, "outside": outside_cells, "trust": torch.tensor(trust), "synthetic": torch.tensor(synthetic)}
