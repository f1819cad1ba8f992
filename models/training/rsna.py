"""Cache of a data set laid out like the RSNA 2019 challenge: a folder of single-slice DICOM files and a CSV with rows
`ID_<slice>_<class>,<0 or 1>`. The result is what cohort.py makes of CT-ICH, so every later step takes it as it is.

    python3 models/training/rsna.py --images stage_2_train --labels stage_2_train.csv --cache models/training/work/rsna

The challenge's data are for non-commercial use and are not part of this project; the loader is tested on generated
files.
"""
import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pydicom

from cohort import CACHE_SIZE, CLASSES, intracranial_depth, wide_crop
from preprocess import AIR, SPEC, dicom_hu, head_box, oriented, resample


def read_labels(path):
    """Labels [6] of each slice id."""
    labels = defaultdict(lambda: [0] * len(CLASSES))
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            prefix, slice_id, kind = row["ID"].split("_")
            labels[f"{prefix}_{slice_id}"][CLASSES.index(kind)] = int(float(row["Label"]))
    return dict(labels)


def unwrapped(dataset):
    """HU with one known fault of that data set undone: 12-bit unsigned images whose negative values wrapped round.
    Taken for one only if air then comes out as air."""
    hu = dicom_hu(dataset)
    if dataset.BitsStored == 12 and dataset.PixelRepresentation == 0 and float(dataset.RescaleIntercept) > -100:
        turned = ((dataset.pixel_array.astype(np.int32) + 1000) % 4096 - 1000).astype(np.float32)
        if turned.min() < -900:
            return turned
    return hu


def headers(folder, labels):
    """One record a labelled slice, studies in order and slices by position along the normal."""
    records = []
    for slice_id in sorted(labels):
        path = folder / f"{slice_id}.dcm"
        if not path.exists():
            print(f"no image for {slice_id}", file=sys.stderr)
            continue
        head = pydicom.dcmread(str(path), stop_before_pixels=True)
        orientation = [float(v) for v in head.ImageOrientationPatient]
        normal = np.cross(orientation[:3], orientation[3:])
        normal = normal if normal[2] >= 0 else -normal
        position = float(np.dot(normal, [float(v) for v in head.ImagePositionPatient]))
        records.append((head.StudyInstanceUID, position, slice_id, path, head.PatientID))
    return sorted(records)


def build(images, labels_file, cache):
    labels = read_labels(labels_file)
    records = headers(images, labels)
    cache.mkdir(parents=True, exist_ok=True)
    count = len(records)

    def file(name, kind, size):
        return np.lib.format.open_memmap(cache / f"{name}.npy", "w+", kind, (count, size, size))

    hus, exacts = file("hu", np.int16, CACHE_SIZE), file("exact", np.int16, SPEC.size)
    depths, masks = file("depth", np.uint8, CACHE_SIZE), file("mask", np.uint8, CACHE_SIZE)
    table, order = [], defaultdict(int)
    for i, (study, _, slice_id, path, patient) in enumerate(records):
        dataset = pydicom.dcmread(str(path))
        hu = oriented(unwrapped(dataset), [float(v) for v in dataset.ImageOrientationPatient])
        box = head_box(hu)
        wide = wide_crop(hu, box, AIR)
        hus[i], exacts[i] = np.round(wide), np.round(resample(hu, box, SPEC.size))
        depths[i], masks[i] = intracranial_depth(wide), 255
        order[study] += 1
        table.append({"source": "rsna", "patient": patient, "study": study, "slice": order[study],
                      "mm": round(box[2] * float(dataset.PixelSpacing[0]) / SPEC.size, 4), **dict(zip(CLASSES, labels[slice_id]))})
        if (i + 1) % 1000 == 0:
            print(f"{i + 1}/{count}", file=sys.stderr, flush=True)
    for array in (hus, exacts, depths, masks):
        array.flush()
    with open(cache / "table.csv", "w", newline="") as out:
        writer = csv.DictWriter(out, table[0].keys())
        writer.writeheader()
        writer.writerows(table)
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    print(f"{build(options.images, options.labels, options.cache)} slices")
