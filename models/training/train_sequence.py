"""Trains the sequence model on out-of-fold features and says what it adds to the slice network.

    python3 models/training/train_sequence.py --nets models/training/work/cnn0 models/training/work/cnn1 models/training/work/cnn2

For each fold a sequence model is trained on the other folds' studies and tested on that fold's; the last one, which
ships, is trained on all. Every study's features come from the slice network that never saw its patient.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import machine
from cohort import CLASSES
from metrics import auc, log_loss, sigmoid
from network import CHANNELS, FEATURES
from paper import SEQUENCE
from sequence import SequenceNet
from train_cnn import CLASS_WEIGHTS

ANY = CLASSES.index("any")
TOP_SLICES = 2
# A lesion map's maximum means the same in every fold's network, a channel of the feature map does not.
MAP_STATISTICS = np.arange(CHANNELS, FEATURES)


class Study:
    def __init__(self, arrays, index, start):
        stop = start + int(arrays["length"][index])
        self.patient, self.view, self.drawn = str(arrays["patient"][index]), int(arrays["view"][index]), int(arrays["drawn"][index])
        self.features, self.logits, self.labels = (torch.from_numpy(arrays[k][start:stop]) for k in ("features", "logits", "labels"))


def load_studies(folder):
    arrays = dict(np.load(folder / "studies.npz"))
    starts = np.concatenate([[0], np.cumsum(arrays["length"])])
    return [Study(arrays, i, int(starts[i])) for i in range(len(arrays["length"]))]


def study_logit(scores, top=TOP_SLICES):
    """Mean of the highest `top` of scores [T, C], for each class."""
    return scores.topk(min(top, len(scores)), 0).values.mean(0)


def project(net, studies, kind):
    features = np.concatenate([s.features.numpy() for s in studies])
    if kind == "pca":
        net.fit_projection(features)
        return
    net.mu.copy_(torch.from_numpy(features.mean(0)))
    net.projection.zero_()
    for row, column in enumerate(MAP_STATISTICS):
        net.projection[row, column] = float(1 / max(features[:, column].std(), 1e-3))


def augmented(study, generator):
    """A study as another day might have cut it: part of it, single slices dropped or doubled, turned upside down never,
    features and logits shaken."""
    total = len(study.features)
    index = torch.arange(total)
    if torch.rand(1, generator=generator) < 0.5 and total > 12:
        low, high = (int(v) for v in (torch.rand(2, generator=generator) * 0.3 * total))
        index = index[low : total - high]
    if torch.rand(1, generator=generator) < 0.5:
        keep = torch.rand(len(index), generator=generator) > 0.15
        index = index[keep] if keep.any() else index
    if torch.rand(1, generator=generator) < 0.2:
        index = index.repeat_interleave(2)
    features, logits = study.features[index], study.logits[index]
    shake = torch.randn(1, logits.shape[1], generator=generator) * 0.3 + torch.randn(logits.shape, generator=generator) * 0.3
    noise = torch.randn(features.shape, generator=generator) * 0.15 * study.features.std(0, keepdim=True)
    return features + noise, logits + shake, study.labels[index]


def net_settings(options):
    if options.paper:
        return dict(SEQUENCE)
    net_options = {"features": FEATURES, "classes": len(CLASSES), "components": options.components, "hidden": options.hidden,
                   "layers": options.layers, "dropout": 0.4}
    if options.projection == "maps":
        net_options["components"] = len(MAP_STATISTICS)
    return net_options


def train(studies, options, seed):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net_options = net_settings(options)
    net = SequenceNet(**net_options)
    project(net, studies, "pca" if options.paper else options.projection)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
    # Real studies count as much as all others together.
    real = torch.tensor([1.0 if s.drawn == 0 and s.view == 0 else 0.0 for s in studies])
    odds = real / real.sum() + (1 - real) / (1 - real).sum().clamp(min=1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=options.steps)
    net.train()
    for _ in range(options.steps):
        chosen = torch.multinomial(odds, 16, replacement=True, generator=generator)
        batch = [augmented(studies[i], generator) for i in chosen]
        lengths = torch.tensor([len(f) for f, _, _ in batch])
        features, logits, labels = (torch.nn.utils.rnn.pad_sequence([b[k] for b in batch], batch_first=True) for k in range(3))
        scores = net(features, logits, lengths)
        valid = (torch.arange(scores.shape[1])[None] < lengths[:, None]).float()[..., None]
        each = F.binary_cross_entropy_with_logits(scores, labels, reduction="none") * CLASS_WEIGHTS * valid
        whole = torch.stack([study_logit(s[:n]) for s, n in zip(scores, lengths)])
        study = F.binary_cross_entropy_with_logits(whole, labels.amax(1), reduction="none") * CLASS_WEIGHTS
        # With few studies the slice network's own answer is the better guess: what is added to it costs.
        added = ((scores - net.gain * logits - net.head.bias) ** 2 * valid).sum() / valid.sum() / scores.shape[2]
        loss = each.sum() / valid.sum() + 0.3 * study.sum(1).mean() + options.pull * added
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return net.eval(), net_options


def apply(net, studies):
    with torch.no_grad():
        return [net(s.features, s.logits) for s in studies]


def summary(studies, scores):
    """Slice and study AUC and slice log loss of scores [T, C] for each study."""
    y, s = torch.cat([t.labels for t in studies]).numpy(), torch.cat(scores).numpy()
    study_y = np.stack([t.labels.amax(0).numpy() for t in studies])
    study_s = np.stack([study_logit(v).numpy() for v in scores])
    weights = CLASS_WEIGHTS.numpy()
    return {
        "sliceAuc": {c: round(auc(y[:, k], s[:, k]), 4) for k, c in enumerate(CLASSES)},
        "studyAuc": {c: round(auc(study_y[:, k], study_s[:, k]), 4) for k, c in enumerate(CLASSES)},
        "sliceLogLossAny": round(log_loss(y[:, ANY], sigmoid(s[:, ANY])), 4),
        "sliceLogLossWeighted": round(float(sum(w * log_loss(y[:, k], sigmoid(s[:, k])) for k, w in enumerate(weights))), 4),
    }


def main(options):
    machine.use(1)
    folds = [load_studies(folder) for folder in options.nets]
    options.out.mkdir(parents=True, exist_ok=True)
    tested, out_scores = [], []
    for held, own in enumerate(folds):
        learn = [s for k, part in enumerate(folds) if k != held for s in part]
        trained = [train(learn, options, options.seed + 10 * held + e) for e in range(options.repeats)]
        nets = [net for net, _ in trained]
        torch.save([{"options": made, "state": net.state_dict()} for net, made in trained], options.out / f"sequence{held}.pt")
        test = [s for s in own if s.view == 0 and s.drawn == 0]
        each = [apply(net, test) for net in nets]
        tested += test
        out_scores += [torch.stack(scores).mean(0) for scores in zip(*each)]
    record = {"options": {k: str(v) for k, v in vars(options).items()},
              "cnn": summary(tested, [s.logits for s in tested]), "sequence": summary(tested, out_scores)}
    print(json.dumps(record, indent=1))
    everything = [s for part in folds for s in part]
    net, net_options = train(everything, options, options.seed)
    torch.save({"options": net_options, "state": net.state_dict()}, options.out / "sequence.pt")
    np.savez(options.out / "outoffold.npz", patient=[s.patient for s in tested], length=[len(s.labels) for s in tested],
             labels=torch.cat([s.labels for s in tested]).numpy(), cnn=torch.cat([s.logits for s in tested]).numpy(),
             sequence=torch.cat(out_scores).numpy())
    (options.out / "sequence.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", type=Path, nargs="+", required=True, help="folders with studies.npz, one a fold")
    parser.add_argument("--out", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--projection", choices=["maps", "pca"], default="maps")
    parser.add_argument("--components", type=int, default=24)
    parser.add_argument("--hidden", type=int, default=24)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--pull", type=float, default=8, help="weight of the pull towards the slice network's logits")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--paper", action="store_true", help="the paper's sequence model instead of the small one")
    parser.add_argument("--seed", type=int, default=1)
    main(parser.parse_args())
