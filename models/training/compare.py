"""Two slice networks on the same pictures that training never drew: what a new one must win before it ships.

    python3 models/training/compare.py --before models/training/work/shipped/cnn.pt --after models/training/work/final/cnn.pt

- `drawn`: AUC of each type's logit and of `any` between slices with one drawn hemorrhage of that type and the same kind of
  slices without, look-alikes in both, all seen by a drawn scanner. Fresh seeds; but the slices' patients were in training.
- `drawnElsewhere`: the AUC of `any` likewise in the slices of `head-ct-ge`, a patient and a scanner that no training saw.
- `pointing`: share of drawn lesions in which the heat map's maximum lies (robustness.py says how that is counted).
- `stroke`, `headCtGe`: chance of `any` by the slice network on slices of other scanners without hemorrhage: the median and the
  share at one half or above, and the mean of the two highest of the series.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import pydicom
import torch

import augment
import machine
import shams
from cohort import CLASSES, Cohort
from dataset import ANY, coverage
from hosts import heads_in, heads_of
from lesions import KINDS, bleed
from metrics import auc, sigmoid
from network import SliceNet
from preprocess import cropped, load_series
from robustness import pointing
from train_cnn import predict


def scene(draw_head, kind, rng):
    """One slice with a bleed of `kind`, or without where it is None: HU and mask, or None where it did not fit."""
    head = draw_head(rng)
    if rng.random() < 0.5:
        head = shams.add(head, rng, 2)
    mask = None
    if kind:
        drawn = bleed(head, kind, rng)
        if drawn is None or not coverage(drawn[1]).any():
            return None
        head, mask = head.repainted(drawn[0]), drawn[1]
    return augment.levels(rng, augment.scanner(rng, head.hu)), mask


def scenes(draw_head, count, seed):
    """Twice `count` slices without and `count` with a bleed of each type."""
    def some(kind, number, seed):
        rng, made = np.random.default_rng(seed), []
        while len(made) < number:
            one = scene(draw_head, kind, rng)
            if one is not None:
                made.append(one)
        return made

    return some(None, 2 * count, seed), {kind: some(kind, count, seed + 1 + k) for k, kind in enumerate(KINDS)}


def figures(net, own, elsewhere, stroke, series):
    def scores(hu):
        return predict(net, hu, low_precision=True)[1]

    (clean, bled), (clean_elsewhere, bled_elsewhere) = own, elsewhere
    without, result = scores(np.stack([hu for hu, _ in clean])), {"drawn": {}, "pointing": {}}
    for kind, cases in bled.items():
        s = scores(np.stack([hu for hu, _ in cases]))
        y = np.r_[np.zeros(len(without)), np.ones(len(s))]
        k = CLASSES.index(kind)
        result["drawn"][kind] = {"own": round(auc(y, np.r_[without[:, k], s[:, k]]), 4), "any": round(auc(y, np.r_[without[:, ANY], s[:, ANY]]), 4)}
        result["pointing"][kind] = round(float(np.mean(pointing(net, cases)["hits"])), 3)
    without = scores(np.stack([hu for hu, _ in clean_elsewhere]))[:, ANY]
    result["drawnElsewhere"] = {}
    for kind, cases in bled_elsewhere.items():
        s = scores(np.stack([hu for hu, _ in cases]))[:, ANY]
        result["drawnElsewhere"][kind] = round(auc(np.r_[np.zeros(len(without)), np.ones(len(s))], np.r_[without, s]), 4)
    chance = sigmoid(scores(stroke)[:, ANY])
    result["stroke"] = {"slices": len(chance), "median": round(float(np.median(chance)), 3), "atHalfOrAbove": int((chance >= 0.5).sum())}
    result["headCtGe"] = {}
    for name, hu in (("real HU", series), ("-20..100 HU", np.clip(series, -20, 100)), ("0..80 HU", np.clip(series, 0, 80))):
        top = np.sort(scores(np.stack([cropped(image) for image in hu]))[:, ANY])[-2:]
        result["headCtGe"][name] = round(float(sigmoid(top.mean())), 3)
    return result


def main(options):
    machine.use(1)
    cohort = Cohort(options.cache)
    stroke = np.asarray(cohort.exact[np.flatnonzero(~cohort.labelled)], np.float32)
    files = sorted((options.data / "head-ct-ge").glob("*.dcm"))
    series, mm = load_series(files), float(pydicom.dcmread(files[0], stop_before_pixels=True).PixelSpacing[0])
    own = scenes(heads_of(cohort), options.count, options.seed)
    elsewhere = scenes(heads_in(series, mm), options.count, options.seed + 100)
    result = {"change": options.change, "shipped": not options.rejected, "count": options.count, "seed": options.seed}
    for name in ("before", "after"):
        net = SliceNet()
        net.load_state_dict(torch.load(getattr(options, name), map_location="cpu"))
        result[name] = figures(net.eval().to(memory_format=torch.channels_last), own, elsewhere, stroke, series)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--change", default="new slice network", help="what was changed, in words, for evaluation.json")
    parser.add_argument("--rejected", action="store_true", help="the old network keeps shipping; the comparison is kept as an ablation")
    parser.add_argument("--count", type=int, default=60, help="drawn slices of each type")
    parser.add_argument("--seed", type=int, default=9_000_001)
    parser.add_argument("--out", type=Path, default=Path("models/training/work/final/comparison.json"))
    main(parser.parse_args())
