"""Reads the training data and keeps it as one cache of head crops.

Cache (numpy files in a folder): `hu` int16 [M, 320, 320], the head box and a margin around it at the network's pixel
size, so that the middle 256 x 256 is what the network sees; `depth` uint8 [M, 320, 320], the distance to the inner
table of the skull in pixels inside the skull (0 outside or where the skull is not closed); `exact` int16
[M, 256, 256], the contract's own crop; `mask` uint8 [M, 320, 320], outlined hemorrhage, 255 where nobody outlined;
`table.csv` with one row a slice. teacher.py adds `teacher.npz`, likely outlines of hemorrhages that nobody outlined.
"""
import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from preprocess import AIR, SPEC, head_box, resample

CLASSES = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
CACHE_SIZE = 320
# About 0.39 mm fits an adult head at 650 pixels; the pixel spacing of CT-ICH was not published.
CT_ICH_MM = 0.39
CPAISD_MM = 0.45


def ct_ich_hu(brain, bone):
    """HU of a CT-ICH slice from its two 8-bit windows: the brain window (0.47 g - 20) where it is neither black nor
    white, the bone window (12.6 g - 905) beyond. JPEG ringing makes air next to bone look grey in the brain window,
    so the two must agree within 60 HU for the first to count."""
    fine = 0.47 * brain.astype(np.float32) - 20
    if bone is None:
        return fine
    coarse = 12.6 * bone.astype(np.float32) - 905
    tissue = (brain > 60) & (brain < 200)
    # One study's bone pictures (patient 50) have another window: there only air and bone are told by them.
    other_window = tissue.any() and np.median(np.abs(coarse - fine)[tissue]) > 60
    inside = (brain > 2) & (brain < 253) & (np.abs(coarse - fine) < (400 if other_window else 60))
    beyond = np.where(brain >= 128, np.maximum(coarse, 100), np.minimum(coarse, -20))
    grey = (brain > 2) & (brain < 253) & ~inside
    return np.where(inside, fine, np.where(grey, coarse, beyond)).astype(np.float32)


def cpaisd_hu(grey):
    """HU of a CPAISD picture. Its window is not published; 0..400 puts its brain at 30 HU, where brain belongs."""
    return grey.astype(np.float32) * (400 / 255)


def intracranial_depth(hu):
    """Distance in pixels to the inner table, uint8, 0 outside the skull and where no closed skull is seen."""
    bone = ndimage.binary_closing(np.pad(hu > 180, 8), iterations=4)[8:-8, 8:-8]
    labels, count = ndimage.label(~bone)
    if count < 2:
        return np.zeros(hu.shape, np.uint8)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    sizes[edge] = 0
    best = int(np.argmax(sizes))
    inside = ndimage.binary_opening(labels == best, iterations=3)
    if inside.sum() < 4000 or not 10 < np.median(hu[inside]) < 60:
        return np.zeros(hu.shape, np.uint8)
    inside = ndimage.binary_fill_holes(inside)
    return np.minimum(ndimage.distance_transform_edt(inside), 255).astype(np.uint8)


def wide_crop(image, box, fill):
    """The box and an eighth of its side around it at 320 x 320; beyond the picture's edge lies `fill`."""
    x, y, side = box
    margin = int(np.ceil(side / 8)) + 1
    padded = np.pad(image, margin, constant_values=fill)
    return resample(padded, (x + margin - side / 8, y + margin - side / 8, side * 1.25), CACHE_SIZE)


def ct_ich_rows(folder):
    import pydicom

    with open(folder / "masks.csv", newline="") as file:
        masks = {(row["patient"], row["slice"]): row for row in csv.DictReader(file)}
    with open(folder / "slices.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        brain = np.asarray(Image.open(folder / row["file"]).convert("L"))
        bone_file = folder / row["bone"] if row["bone"] else None
        bone = np.asarray(Image.open(bone_file).convert("L")) if bone_file and bone_file.exists() else None
        hu = ct_ich_hu(brain, bone)
        outline = None
        if (row["patient"], row["slice"]) in masks:
            record = masks[(row["patient"], row["slice"])]
            pixels = pydicom.dcmread(str(folder / record["mask"]), force=True).pixel_array > 0
            turned = Image.fromarray(np.rot90(pixels).astype(np.uint8) * 255)
            outline = np.asarray(turned.resize(hu.shape[::-1], Image.Resampling.BILINEAR), np.float32) / 255
        labels = [int(row[c]) for c in CLASSES]
        yield {"source": "ct-ich", "patient": f"ct-ich-{row['patient']}", "slice": int(row["slice"])}, hu, outline, labels, CT_ICH_MM


def cpaisd_rows(folder):
    for path in sorted((folder / "images").glob("*.png")):
        hu = cpaisd_hu(np.asarray(Image.open(path).convert("L")))
        yield {"source": "cpaisd", "patient": f"cpaisd-{path.stem}", "slice": 1}, hu, None, [0] * 6, CPAISD_MM


def build(data, cache):
    cache.mkdir(parents=True, exist_ok=True)
    hus, depths, exacts, outlines, table = [], [], [], [], []
    sources = [ct_ich_rows(data / "ct-ich"), cpaisd_rows(data / "cpaisd")]
    for record, hu, outline, labels, mm in (item for source in sources for item in source):
        box = head_box(hu)
        wide = wide_crop(hu, box, hu.min() if hu.min() > -400 else AIR)
        hus.append(np.round(wide).astype(np.int16))
        exacts.append(np.round(resample(hu, box, SPEC.size)).astype(np.int16))
        depths.append(intracranial_depth(wide))
        if outline is None:
            outlines.append(np.full(wide.shape, 255, np.uint8))
        else:
            outlines.append((wide_crop(outline, box, 0) > 0.5).astype(np.uint8))
        table.append({**record, "mm": round(box[2] * mm / SPEC.size, 4), **dict(zip(CLASSES, labels))})
        if len(table) % 200 == 0:
            print(f"{len(table)} slices", file=sys.stderr, flush=True)
    for name, arrays in (("hu", hus), ("exact", exacts), ("depth", depths), ("mask", outlines)):
        np.save(cache / f"{name}.npy", np.stack(arrays))
    with open(cache / "table.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys())
        writer.writeheader()
        writer.writerows(table)


class Cohort:
    """The cache, memory mapped, with its table as columns."""

    def __init__(self, cache):
        cache = Path(cache)
        for name in ("hu", "exact", "depth", "mask"):
            setattr(self, name, np.load(cache / f"{name}.npy", mmap_mode="r"))
        with open(cache / "table.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.source = np.array([row["source"] for row in rows])
        self.patient = np.array([row["patient"] for row in rows])
        self.study = np.array([row.get("study") or row["patient"] for row in rows])
        self.labelled = self.source != "cpaisd"
        self.slice = np.array([int(row["slice"]) for row in rows])
        self.mm = np.array([float(row["mm"]) for row in rows])
        self.labels = np.array([[int(row[c]) for c in CLASSES] for row in rows], np.float32)
        self.teacher = {}
        if (cache / "teacher.npz").exists():
            told = np.load(cache / "teacher.npz")
            self.teacher = dict(zip(told["row"].tolist(), told["chance"]))

    def studies(self):
        """Name and indices of each labelled study's slices, in order."""
        for study in sorted(set(self.study[self.labelled])):
            rows = np.flatnonzero(self.study == study)
            yield study, rows[np.argsort(self.slice[rows])]

    def folds(self, count):
        """Fold number of each labelled slice's patient, -1 for the rest. Patients are dealt out sorted by their classes, the
        rarest first, so that every fold has some of each."""
        present = {p: self.labels[self.patient == p].max(0) for p in sorted(set(self.patient[self.labelled]))}
        rarity = np.maximum(np.sum(list(present.values()), axis=0), 1)
        order = sorted(present, key=lambda p: (-max(present[p] / rarity), -self.labels[self.patient == p].sum(), p))
        fold = {p: i % count for i, p in enumerate(order)}
        return np.array([fold.get(p, -1) for p in self.patient])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    options = parser.parse_args()
    build(options.data, options.cache)
