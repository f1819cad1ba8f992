"""Whether features tell what is no head: familiarity.json, figures alone. No package refuses a series by them.

    python3 models/training/familiarity.py

The distance of a slice is Mahalanobis's, over the COMPONENTS strongest principal components of the features of all real
slices. The distance of a series is that of the slice that a share of its slices lie nearer than: one half is the median,
one tenth asks the plainest slices. Real heads are each measured against all others.
"""
import argparse
import json
from pathlib import Path

import numpy as np

import machine
import phantom
from cohort import Cohort
from dataset import ANY
from package import load_weights
from preprocess import cropped, load_series
from study_features import real_view
from train_cnn import predict

COMPONENTS = 30
SHARES = {"median": 0.5, "tenth": 0.1}


def fit(features):
    """Mean [F] of feature rows, and axes [COMPONENTS, F] along which they have variance 1."""
    mean = features.mean(0)
    variance, directions = np.linalg.eigh(np.cov(features.T))
    strongest = np.argsort(variance)[::-1][:COMPONENTS]
    return mean, (directions[:, strongest] / np.sqrt(variance[strongest])).T


def distances(features, mean, axes):
    """The distances of a series from its slices' features [T, F], one for each share."""
    each = np.sort(np.sqrt((((features - mean) @ axes.T) ** 2).mean(1)))
    return {name: round(float(each[int(share * (len(each) - 1))]), 2) for name, share in SHARES.items()}


def chest(rng, slices=24):
    """A drawing in HU: body, lungs, spine and heart."""
    y, x = np.mgrid[0:256, 0:256]

    def inside(cx, cy, rx, ry):
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1

    image = np.where(inside(128, 128, 118, 85), 40.0, -1000.0)
    for part, hu in ((inside(78, 128, 38, 60), -850), (inside(178, 128, 38, 60), -850), (inside(128, 190, 18, 16), 400)):
        image = np.where(part, hu, image)
    return np.stack([image + rng.normal(0, 10, image.shape) for _ in range(slices)])


def strange(rng, head):
    """Pictures that are no head in HU, made of one that is [T, 256, 256]."""
    yield "noise", rng.normal(30, 40, head.shape)
    yield "air", rng.normal(-1000, 10, head.shape)
    yield "chest, drawn", chest(rng)
    yield "inverted", -head
    yield "bone window's greys taken for HU", np.clip((head + 905) / 12.6, 0, 255) - 20
    yield "intercept 40 HU too high", head + 40
    yield "slope halved", head / 2
    yield "turned by 90 degrees", np.rot90(head, axes=(1, 2))
    yield "brain 12 HU brighter, as with contrast agent", np.where((head > 15) & (head < 60), head + 12, head)


def summary(series):
    """Of the distances of several series."""
    return {"series": len(series)} | {
        name: {"middle": round(float(np.median([one[name] for one in series])), 2), "farthest": max(one[name] for one in series)}
        for name in SHARES
    }


def main(options):
    machine.use(2)
    rng = np.random.default_rng(0)
    cnn, _ = load_weights(options.weights)
    cohort = Cohort(options.cache)
    studies = [(p, rows) for p, rows in cohort.studies() if p.startswith("ct-ich-")]
    features = [predict(cnn, cohort.exact[rows])[0].astype(float) for _, rows in studies]
    left_out = [distances(f, *fit(np.concatenate(features[:i] + features[i + 1 :]))) for i, f in enumerate(features)]
    mean, axes = fit(np.concatenate(features))
    bleeds = [bool(cohort.labels[rows, ANY].any()) for _, rows in studies]
    order = sorted(range(len(studies)), key=lambda i: -left_out[i]["median"])

    def far(hu):
        return distances(predict(cnn, np.asarray(hu, np.float32))[0].astype(float), mean, axes)

    head = np.stack([cropped(image) for image in load_series(sorted((options.data / "head-ct-ge").glob("*.dcm")))])
    stroke = np.flatnonzero([p.startswith("cpaisd") for p in cohort.patient])
    phantoms = [np.stack([phantom.head(np.random.default_rng([s, t])).hu for t in range(24)]) for s in range(8)]
    figures = {
        "components": COMPONENTS,
        "realHeadsLeftOut": summary(left_out),
        "farthestByMedian": [{"distance": left_out[i]["median"], "hemorrhage": bleeds[i]} for i in order[:5]],
        "asOtherScannersGiveThem": summary([far(real_view(cohort, rows, 1, 1000 + i)[0]) for i, (_, rows) in enumerate(studies)]),
        "headCtGe": far(head), "cpaisd": far(cohort.exact[stroke]), "generatedHeads": summary([far(p) for p in phantoms]),
        "strange": {name: far(hu) for name, hu in strange(rng, head)},
    }
    (options.weights / "familiarity.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    main(parser.parse_args())
