"""Trains the slice network on all patients but one fold, or on all. State is saved after each epoch; the same command
goes on from there.

    python3 models/training/train_cnn.py --cache models/training/work/cache --out models/training/work/cnn-0 --fold 0
"""
import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import machine
from cohort import CLASSES, Cohort
from dataset import ANY, Slices
from keep import kept
from network import SliceNet, load_imagenet
from paper import PAPER_SPEC, PaperNet
from preprocess import SPEC, windowed

IMAGENET = "imagenet-mobilenet-v2/mobilenet_v2_1.0_224_imagenet_bnfolded_dequant_fp32.npz"
# `any` counts double, as in the RSNA challenge's weighted log loss.
# Cells of a real hemorrhage without an outline that count as its map.
GUESSED = 6
CLASS_WEIGHTS = torch.tensor([1.0, 1, 1, 1, 1, 2]) / 7


def map_loss(lesion, target, weight):
    """Cross entropy and soft Dice of the lesion map [N, 6, h, w] where it is known. Lesions cover few cells, so their
    cells count four times; Dice is over the batch, for each class."""
    entropy = F.binary_cross_entropy_with_logits(lesion, target, weight, pos_weight=torch.tensor(4.0), reduction="sum")
    chance = torch.sigmoid(lesion) * weight
    overlap = (chance * target).sum((0, 2, 3))
    dice = 1 - (2 * overlap + 5) / (chance.sum((0, 2, 3)) + (target * weight).sum((0, 2, 3)) + 5)
    return 4 * entropy / weight.sum().clamp(min=1), dice.mean()


def guessed(lesion, batch):
    """Target and weight [N, 6, h, w] with guesses for real hemorrhages that nobody outlined: of a labelled type's dense
    cells the GUESSED likeliest, by the network's own map, count as blood at half weight; no blood lies outside the
    skull; the other cells stay unknown."""
    target, weight = batch["target"].clone(), batch["weight"].clone()
    wanted = ((weight == 0) & (batch["y"] > 0)[:, :, None, None]).float()
    places = batch["dense"][:, None]
    score = (lesion + lesion[:, ANY:]).detach().masked_fill(places == 0, -1e4)
    least = score.flatten(2).topk(GUESSED, dim=2).values[:, :, -1:, None]
    chosen = wanted * places * (score >= least)
    target = torch.maximum(target, chosen)
    weight = weight + 0.5 * chosen + wanted * batch["outside"][:, None]
    return target, weight.clamp(max=1)


def losses(net, batch, guess=True):
    _, logits, _, lesion = net(batch["x"].contiguous(memory_format=torch.channels_last), low_precision=True)
    if lesion is None:
        entropy, dice = (torch.zeros(()),) * 2
    else:
        entropy, dice = map_loss(lesion, *(guessed(lesion, batch) if guess else (batch["target"], batch["weight"])))
    labels = batch["y"] * 0.98 + 0.01
    classes = (F.binary_cross_entropy_with_logits(logits, labels, reduction="none") * CLASS_WEIGHTS).sum(1) * batch["trust"]
    return classes.mean(), entropy, dice


def predict(net, hu, batch=16, low_precision=False):
    """Features, logits [M, ...] of HU crops [M, 256, 256]."""
    net.eval()
    spec = PAPER_SPEC if isinstance(net, PaperNet) else SPEC
    features, logits = [], []
    with torch.no_grad():
        for start in range(0, len(hu), batch):
            crop = windowed(np.asarray(hu[start : start + batch], np.float32), spec).swapaxes(0, 1)
            x = torch.from_numpy(np.ascontiguousarray(crop)).contiguous(memory_format=torch.channels_last)
            f, l, _, _ = net(x, low_precision)
            features.append(f.numpy())
            logits.append(l.numpy())
    return np.concatenate(features), np.concatenate(logits)


def rate(progress):
    """Learning rate's share at a progress of 0 to 1: a short rise, then a cosine to zero."""
    rise = 0.04
    return progress / rise if progress < rise else 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - rise) / (1 - rise))))


def follow(average, net, step):
    """Moves the averaged weights towards the network's."""
    decay = min(0.99, (1 + step) / (10 + step))
    with torch.no_grad():
        for name, value in net.state_dict().items():
            average[name].lerp_(value, 1 - decay)


def main(options):
    machine.use(options.threads)
    torch.manual_seed(options.seed)
    cohort = Cohort(options.cache)
    fold = cohort.folds(options.folds)
    rows = np.arange(len(fold)) if options.fold < 0 else np.flatnonzero(fold != options.fold)
    spec = PAPER_SPEC if options.net == "paper" else SPEC
    before = 0
    data = Slices(cohort, rows, options.seed + 1000 * (options.fold + 1), options.samples, spec, options.views)
    if options.net == "paper":
        net = PaperNet(backbone=options.backbone)
    else:
        net = SliceNet()
        load_imagenet(net, options.data / IMAGENET)
        if options.init:
            weights, seen = kept(options.init, options.fold, options.folds)
            net.load_state_dict(weights)
            run = options.init.parent / "results.json"
            before = seen or (json.loads(run.read_text())["images"] if run.exists() else options.seen)
        if options.head_only:
            frozen = [layer for name, layer in net.named_children() if name not in ("lesion", "head")]
        else:
            # The backward pass of the finest layers costs four fifths of a step on a CPU, and they learn least.
            frozen = [net.stem, *net.blocks[: options.freeze]] if options.freeze else []
        for layer in frozen:
            layer.requires_grad_(False)
    net = net.to(memory_format=torch.channels_last)
    learning = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    backbone = [p for name, p in learning if name.startswith(("stem", "blocks", "body"))]
    new = [p for name, p in learning if not name.startswith(("stem", "blocks", "body"))]
    new_rate = options.rate * (1 if options.init else 3)
    groups = [{"params": backbone, "peak": options.rate}, {"params": new, "peak": new_rate}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=0.02)
    average = {name: value.clone() for name, value in net.state_dict().items()}
    options.out.mkdir(parents=True, exist_ok=True)
    state_file, first, history, spent = options.out / "state.pt", 0, [], 0.0
    if state_file.exists():
        state = torch.load(state_file)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        average = state["average"]
        first, history, spent = state["epoch"], state["history"], state["seconds"]
    per_epoch = options.samples // options.batch
    steps, step, progress = per_epoch * options.epochs, first * per_epoch, 0.0
    for epoch in range(first, options.epochs):
        began, sums, done_steps = time.time(), np.zeros(3), 0
        net.train()
        data.epoch = epoch
        loader = torch.utils.data.DataLoader(data, options.batch, num_workers=options.workers, drop_last=True)
        for index, batch in enumerate(loader):
            progress = max(step / steps, (spent + time.time() - began) / 60 / options.minutes)
            if progress >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate(progress)
            # A network that knows nothing yet would guess at random.
            classes, entropy, dice = losses(net, batch, guess=bool(options.init) or progress > 0.3)
            optimizer.zero_grad()
            (classes + entropy + 0.5 * dice).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            step, done_steps = step + 1, done_steps + 1
            follow(average, net, step)
            sums += [classes.item(), entropy.item(), dice.item()]
            if index % 25 == 24:
                done = " ".join(f"{v:.3f}" for v in sums / (index + 1))
                print(f"epoch {epoch + 1}/{options.epochs} step {index + 1}/{per_epoch} class/map/dice {done} "
                      f"{(time.time() - began) / (index + 1) / options.batch * 1000:.0f} ms an image", flush=True)
        spent += time.time() - began
        if done_steps:
            history.append({"epoch": epoch + 1, **dict(zip(("class", "map", "dice"), sums / done_steps))})
        torch.save({"net": net.state_dict(), "average": average, "optimizer": optimizer.state_dict(), "epoch": epoch + 1,
                    "history": history, "seconds": spent}, options.out / "state.new")
        (options.out / "state.new").replace(state_file)
        if progress >= 1:
            break
    net.load_state_dict(average)
    torch.save(net.state_dict(), options.out / "net.pt")
    record = {"fold": options.fold, "folds": options.folds, "seed": options.seed, "steps": step, "images": before + step * options.batch, "imagesBefore": before,
              "freeze": options.freeze, "init": str(options.init or "ImageNet"),
              "samplesPerEpoch": options.samples, "batch": options.batch, "seconds": round(spent), "history": history}
    if options.fold >= 0:
        from sklearn.metrics import roc_auc_score

        test = np.flatnonzero(fold == options.fold)
        features, logits = predict(net, cohort.exact[test])
        np.savez(options.out / "heldout.npz", rows=test, features=features, logits=logits)
        y = cohort.labels[test]
        record["sliceAuc"] = {c: round(roc_auc_score(y[:, k], logits[:, k]), 4)
                              for k, c in enumerate(CLASSES) if 0 < y[:, k].sum() < len(y)}
        worst = [(y[cohort.patient[test] == p, ANY].max(), np.sort(logits[cohort.patient[test] == p, ANY])[-2:].mean())
                 for p in sorted(set(cohort.patient[test]))]
        record["studyAucAny"] = round(roc_auc_score(*zip(*worst)), 4)
    (options.out / "results.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({k: v for k, v in record.items() if k != "history"}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=-1, help="the fold left out; -1 trains on all patients")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--net", choices=["small", "paper"], default="small")
    parser.add_argument("--backbone", type=Path, help="ImageNet weights of the paper's network (torchvision state dict)")
    parser.add_argument("--init", type=Path, help="weights to go on from instead of ImageNet's: of keep.py for the same fold; net.pt of mean.py or another run, or cnn.pt of unpack.py, for all patients")
    parser.add_argument("--seen", type=int, default=0, help="images that the weights of an unpacked package have seen")
    parser.add_argument("--freeze", type=int, default=4, help="first blocks that keep their weights, with the stem; 0 trains all")
    parser.add_argument("--head-only", action="store_true", help="learns the lesion map's and the classes' last layers alone: after mean.py, which shrinks logits")
    parser.add_argument("--views", type=int, default=3, help="samples an epoch that show the same scene by different scanners")
    parser.add_argument("--minutes", type=float, default=math.inf, help="ends then, with the schedule by the clock, if the epochs take longer")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, default=2000, help="samples an epoch")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    main(parser.parse_args())
