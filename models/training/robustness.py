"""How the slice network holds up where it was not trained to: robustness.json.

    python3 models/training/robustness.py --nets models/training/work/cnn0 models/training/work/cnn1 models/training/work/cnn2

- `exports`: out-of-fold slice AUC (any) on CT-ICH when its slices are windowed exports.
- `scannerHu`: the 22 CT-ICH slices that exist as real HU images, which no training saw in that form.
- `elsewhere`: bleeds of unseen patients transplanted into slices of `head-ct-ge`, a scanner that no training saw, against such slices
  without, look-alikes and other scanners in all: AUC of `any`, and the share of each that gets one half or more. A real bleed in a real
  head of another scanner, but not that head's own: no clinical figure.
- `headCtGe`: a real series of another scanner without hemorrhage, through the final package, as it is and windowed.
- `phantoms`: generated heads with and without a generated bleed, through the final package. Not clinical.
- `heatMap`: Grad-CAM of the slice network on outlined hemorrhages (22 slices) and on drawn ones in unseen patients:
  pointing game (its maximum lies in the lesion or within 8 pixels), share of its energy in the lesion, and the share
  of the picture that the lesion covers, which is what chance would give.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import pydicom
import torch
from scipy import ndimage

import augment
import machine
import phantom
import shams
from cohort import Cohort
from dataset import ANY, Slices, coverage, real_head
from hosts import heads_in
from lesions import KINDS, bleed
from metrics import auc, auc_with_interval, sigmoid
from network import CHANNELS, MAPS, SliceNet
from package import load_weights
from preprocess import cropped, load_series, slices_input, windowed
from train_cnn import predict
from train_sequence import study_logit


def load_net(folder):
    net = SliceNet()
    net.load_state_dict(torch.load(folder / "net.pt"))
    return net.eval().to(memory_format=torch.channels_last)


def cells(net, activation, gradient):
    """Grad-CAM [32, 32] of an activation [K, 32, 32] for a gradient [F] of the features, the same sum as cam.onnx."""
    weights = gradient[:CHANNELS] + (gradient[CHANNELS : CHANNELS + MAPS] + gradient[CHANNELS + MAPS :]) @ net.map_weight().detach()
    return torch.relu(torch.einsum("k,khw->hw", weights, activation))


def heat_map(net, hu):
    """Grad-CAM [256, 256] of the logit `any` on one crop, enlarged bilinearly."""
    with torch.no_grad():
        _, _, activation, _ = net(torch.from_numpy(windowed(np.asarray(hu, np.float32)))[None])
        cam = cells(net, activation[0], net.head.weight[ANY])[None, None]
        return torch.nn.functional.interpolate(cam, size=hu.shape, mode="bilinear", align_corners=False)[0, 0].numpy()


def pointing(net, cases):
    """Figures of the heat map over (HU crop, mask bool) pairs."""
    hits, energy, share = [], [], []
    for hu, mask in cases:
        cam = heat_map(net, hu)
        near = ndimage.binary_dilation(mask, iterations=8)
        hits.append(bool(near.ravel()[cam.argmax()]) and cam.max() > 0)
        energy.append(float(cam[mask].sum() / max(cam.sum(), 1e-9)))
        share.append(float(mask.mean()))
    return {"hits": hits, "energy": energy, "share": share}


def told(parts):
    hits, energy, share = (sum((p[k] for p in parts), []) for k in ("hits", "energy", "share"))
    return {"slices": len(hits), "pointingGame": round(float(np.mean(hits)), 3), "energyInLesion": round(float(np.mean(energy)), 3),
            "lesionShareOfPicture": round(float(np.mean(share)), 3)} if hits else {"slices": 0}


def outlined_cases(cohort, rows):
    for row in rows:
        if cohort.mask[row].max() <= 1 and cohort.mask[row].any():
            yield np.asarray(cohort.hu[row][32:288, 32:288], np.float32), cohort.mask[row][32:288, 32:288] > 0


def drawn_cases(cohort, rows, kind, count, rng):
    made = 0
    for row in rng.permutation(rows):
        head, *_ = real_head(cohort, row, rng)
        drawn = bleed(head, kind, rng)
        if drawn is not None and coverage(drawn[1]).any():
            yield drawn
            made += 1
        if made == count:
            return


def scanner_images(data, cohort, fold, nets):
    """Out-of-fold chance of `any` on the outlined slices' own DICOM images (real HU, 512 x 512)."""
    import csv
    import pydicom

    with open(data / "ct-ich/masks.csv", newline="") as file:
        records = list(csv.DictReader(file))
    own, rebuilt = [], []
    for record in records:
        row = np.flatnonzero((cohort.patient == f"ct-ich-{record['patient']}") & (cohort.slice == int(record["slice"])))[0]
        if fold[row] >= len(nets):
            continue
        stored = pydicom.dcmread(str(data / "ct-ich" / record["image"]), force=True).pixel_array
        crop = cropped(np.rot90(stored).astype(np.float32))
        _, logits = predict(nets[fold[row]], np.stack([crop, np.asarray(cohort.exact[row], np.float32)]))
        own.append(sigmoid(logits[0, ANY]))
        rebuilt.append(sigmoid(logits[1, ANY]))
    return {"slices": len(own), "medianScoreDicom": round(float(np.median(own)), 3),
            "medianScoreRebuilt": round(float(np.median(rebuilt)), 3),
            "largestDifference": round(float(np.max(np.abs(np.array(own) - rebuilt))), 3)}


def elsewhere(data, cohort, fold, nets, count):
    files = sorted((data / "head-ct-ge").glob("*.dcm"))
    draw = heads_in(load_series(files), float(pydicom.dcmread(files[0], stop_before_pixels=True).PixelSpacing[0]))
    aucs, scores = [], {True: [], False: []}
    for k, net in enumerate(nets):
        patients, rng, made = Slices(cohort, np.flatnonzero(fold == k), 0, 1), np.random.default_rng(77 + k), {True: [], False: []}
        while any(len(part) < count for part in made.values()):
            head, masks, bloody = draw(rng), {}, len(made[True]) < count and rng.random() < 0.5
            if rng.random() < 0.5:
                head = shams.add(head, rng, 2)
            if bloody:
                head = patients.transplant(head, rng, masks)
            if bool(masks) == bloody and len(made[bloody]) < count:
                made[bloody].append(augment.levels(rng, augment.scanner(rng, head.hu)))
        each = {bloody: predict(net, np.stack(part), low_precision=True)[1][:, ANY] for bloody, part in made.items()}
        aucs.append(auc(np.r_[np.zeros(count), np.ones(count)], np.r_[each[False], each[True]]))
        for bloody, part in each.items():
            scores[bloody].append(part)
    half = {bloody: round(float(np.mean(np.concatenate(parts) >= 0)), 3) for bloody, parts in scores.items()}
    return {"slices": count * len(nets), "without": count * len(nets), "auc": round(float(np.mean(aucs)), 4),
            "aucOfFolds": [round(a, 4) for a in aucs], "withAtHalf": half[True], "withoutAtHalf": half[False]}


def series_chance(cnn, sequence, decision, images):
    """The package's calibrated probability of `any` for HU images [T, rows, columns]."""
    with torch.no_grad():
        features, logits, _, _ = cnn(torch.from_numpy(slices_input(images)))
        score = float(study_logit(sequence(features, logits), decision["topSlices"])[ANY])
    c = decision["calibration"]["any"]
    return float(sigmoid(c["slope"] * score + c["intercept"]))


def phantom_series(rng, blood):
    """24 generated slices [24, 256, 256], five of them with a ball in the same place if `blood`."""
    seed, body = int(rng.integers(1 << 30)), int(rng.integers(1 << 30))
    heads = [phantom.head(np.random.default_rng(seed)) for _ in range(24)]
    noisy = [h.repainted(h.hu + rng.normal(0, 2, h.hu.shape).astype(np.float32)) for h in heads]
    return np.stack([phantom.ball(h, np.random.default_rng(body))[0] if blood and 10 <= t < 15 else h.hu
                     for t, h in enumerate(noisy)])


def out_of_fold_figures(options):
    cohort = Cohort(options.cache)
    fold = cohort.folds(options.folds)
    nets = [load_net(folder) for folder in options.nets]
    tested = np.flatnonzero((fold >= 0) & (fold < len(nets)))
    y, groups = cohort.labels[tested, ANY], cohort.patient[tested]

    def out_of_fold(change):
        scores = np.zeros(len(cohort.slice))
        for k, net in enumerate(nets):
            rows = np.flatnonzero(fold == k)
            hu = np.asarray(cohort.exact[rows], np.float32)
            scores[rows] = predict(net, change(hu), low_precision=True)[1][:, ANY]
        return auc_with_interval(y, scores[tested], groups)

    result = {"exports": {}}
    for low, high in ((-20, 100), (0, 80)):
        result["exports"][f"{low}..{high} HU"] = out_of_fold(lambda hu: np.clip(hu, low, high))
    if cohort.teacher:
        result["elsewhere"] = elsewhere(options.data, cohort, fold, nets, 10 * options.drawn)
    result["scannerHu"] = scanner_images(options.data, cohort, fold, nets)
    parts = [pointing(net, outlined_cases(cohort, np.flatnonzero(fold == k))) for k, net in enumerate(nets)]
    result["heatMap"] = {"outlined": told(parts), "drawn": {}}
    room = np.array([(cohort.depth[r] > 0).sum() > 8000 for r in range(len(fold))])
    for kind in KINDS:
        parts = []
        for k, net in enumerate(nets):
            rows = np.flatnonzero((fold == k) & room & (cohort.labels[:, ANY] == 0))
            parts.append(pointing(net, drawn_cases(cohort, rows, kind, options.drawn, np.random.default_rng(k))))
        result["heatMap"]["drawn"][kind] = told(parts)
    return result


def main(options):
    machine.use(2)
    rng = np.random.default_rng(5)
    file = options.weights / "robustness.json"
    result = json.loads(file.read_text()) if options.final_only else out_of_fold_figures(options)
    decision = json.loads((options.weights / "decision.json").read_text())
    limit = decision["thresholds"]["any"]
    cnn, sequence = load_weights(options.weights)
    images = load_series(sorted((options.data / "head-ct-ge").glob("*.dcm")))
    result["headCtGe"] = {"real HU": round(series_chance(cnn, sequence, decision, images), 4)}
    for low, high in ((-20, 100), (0, 80)):
        result["headCtGe"][f"{low}..{high} HU"] = round(series_chance(cnn, sequence, decision, np.clip(images, low, high)), 4)
    clean, bled = ([series_chance(cnn, sequence, decision, phantom_series(rng, blood)) for _ in range(options.phantoms)] for blood in (0, 1))
    result["phantoms"] = {"series": options.phantoms, "cleanCalled": int(sum(p >= limit["positiveFrom"] for p in clean)),
                          "bleedCalled": int(sum(p >= limit["positiveFrom"] for p in bled)),
                          "auc": round(auc(np.r_[np.zeros(len(clean)), np.ones(len(bled))], np.r_[clean, bled]), 4)}
    file.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--nets", type=Path, nargs="+", default=[], help="one folder a fold; not needed with --final-only")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--drawn", type=int, default=10, help="drawn lesions of each kind and fold")
    parser.add_argument("--phantoms", type=int, default=10)
    parser.add_argument("--final-only", action="store_true", help="keep the out-of-fold figures, measure the package anew")
    main(parser.parse_args())
