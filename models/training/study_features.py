"""What the slice network that never saw a patient says about that patient's slices, as training data of the sequence
model: each study as it is, the same study seen by other scanners, and studies without hemorrhage into which one body
of blood was drawn through several slices.

    python3 models/training/study_features.py --net models/training/work/cnn0 --fold 0
"""
import argparse
import sys
import zlib
from pathlib import Path

import numpy as np
import torch

import augment
import machine
from cohort import CLASSES, Cohort
from dataset import ANY, KIND_WEIGHTS, real_head
from lesions import KINDS, bleed
from network import SliceNet
from paper import PaperNet
from train_cnn import predict

ROOM = 8000


def seen(cohort, row, seed):
    """A slice as another scanner would give it; the same seed gives all slices of a study the same scanner."""
    head, *_ = real_head(cohort, row, np.random.default_rng([seed, 1]))
    return head


def scanned(hu, seed):
    rng = np.random.default_rng([seed, 2])
    return augment.levels(rng, augment.scanner(rng, hu))


def real_view(cohort, rows, view, seed):
    """HU [T, 256, 256] and labels [T, 6] of a study; view 0 is the contract's own crop."""
    if view == 0:
        return np.asarray(cohort.exact[rows], np.float32), cohort.labels[rows]
    return np.stack([scanned(seen(cohort, r, seed).hu, seed) for r in rows]), cohort.labels[rows]


def drawn_view(cohort, rows, seed):
    """A study without hemorrhage with one or two drawn bodies of blood, or None where they would not fit."""
    rng = np.random.default_rng([seed, 3])
    heads = [seen(cohort, r, seed) for r in rows]
    closed = [t for t, r in enumerate(rows) if (cohort.depth[r] > 0).sum() > ROOM]
    labels = np.zeros((len(rows), 6), np.float32)
    if not closed:
        return None
    for kind in rng.choice(KINDS, 2 if rng.random() < 0.2 else 1, p=[KIND_WEIGHTS[k] for k in KINDS]):
        middle, half, body = rng.choice(closed), rng.uniform(0.9, 5.5), int(rng.integers(1 << 30))
        for t in closed:
            far = abs(t - middle) / half
            if far < 1:
                drawn = bleed(heads[t], kind, np.random.default_rng(body), max(0.3, np.sqrt(1 - far**2)))
                if drawn is not None:
                    heads[t] = heads[t].repainted(drawn[0])
                    labels[t, [CLASSES.index(kind), ANY]] = 1
    if not labels.any():
        return None
    return np.stack([scanned(h.hu, seed) for h in heads]), labels


def main(options):
    machine.use(2)
    cohort = Cohort(options.cache)
    fold = cohort.folds(options.folds)
    net = PaperNet() if options.net_kind == "paper" else SliceNet()
    net.load_state_dict(torch.load(options.net / "net.pt"))
    net = net.to(memory_format=torch.channels_last)
    out = {"patient": [], "view": [], "drawn": [], "length": [], "features": [], "logits": [], "labels": []}
    studies = [(p, rows) for p, rows in cohort.studies() if fold[rows[0]] == options.fold]
    for number, (patient, rows) in enumerate(studies):
        base = options.seed * 100_000 + zlib.crc32(patient.encode()) % 10_000 * 100
        views = [(v, 0, real_view(cohort, rows, v, base + v)) for v in range(options.views + 1)]
        if not cohort.labels[rows, ANY].any():
            views += [(v, 1, drawn_view(cohort, rows, base + 50 + v)) for v in range(options.drawn)]
        for view, drawn, made in views:
            if made is None:
                continue
            features, logits = predict(net, made[0], low_precision=drawn or view > 0)
            for key, value in (("patient", patient), ("view", view), ("drawn", drawn), ("length", len(rows))):
                out[key].append(value)
            for key, value in (("features", features), ("logits", logits), ("labels", made[1])):
                out[key].append(value.astype(np.float32))
        print(f"{number + 1}/{len(studies)} {patient}", file=sys.stderr, flush=True)
    arrays = {k: np.concatenate(v) if k in ("features", "logits", "labels") else np.array(v) for k, v in out.items()}
    np.savez(options.net / "studies.npz", **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--net", type=Path, required=True, help="folder of a train_cnn.py run")
    parser.add_argument("--net-kind", choices=["small", "paper"], default="small")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--views", type=int, default=1, help="views of each study by other scanners")
    parser.add_argument("--drawn", type=int, default=2, help="drawn studies from each study without hemorrhage")
    parser.add_argument("--seed", type=int, default=7)
    main(parser.parse_args())
