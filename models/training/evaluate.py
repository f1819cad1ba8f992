"""Out-of-fold figures by patient, calibration and thresholds: evaluation.json and decision.json.

    python3 models/training/evaluate.py --weights models/training/work/final

Calibration and thresholds that ship are fitted on all out-of-fold study scores. The figures given for them are
cross-fitted: for each fold they are fitted on the other folds' patients.

With --carried the out-of-fold figures, calibration and thresholds of an unpacked package stay, because no fold was trained
anew, and what was measured since is put beside them.
"""
import argparse
import json
from pathlib import Path

import numpy as np

from cohort import CLASSES, Cohort
from metrics import auc_with_interval, bootstrap, auc, calibration_error, confusion, log_loss, platt, sigmoid
from outlines import told
from train_sequence import ANY, TOP_SLICES

# A class with fewer positive studies than this is shown, not claimed.
ENOUGH = 10
PREVALENCE, RESIDUAL = 0.10, 0.05


def study_table(table, key):
    """Labels and study logits [S, C] and patient of each study."""
    starts = np.concatenate([[0], np.cumsum(table["length"])])
    spans = [slice(a, b) for a, b in zip(starts[:-1], starts[1:])]
    y = np.stack([table["labels"][s].max(0) for s in spans])
    scores = np.stack([np.sort(table[key][s], 0)[-TOP_SLICES:].mean(0) for s in spans])
    return y, scores


def limits(y, p):
    """Two thresholds of a calibrated probability. Under the lower one the study speaks against hemorrhage so far that a
    prevalence of PREVALENCE falls under RESIDUAL (the data's own prevalence is far higher than a clinic's, hence by
    odds). At or above the upper one at most one in ten of the healthy are called; it lies midway between two studies."""
    factor = (RESIDUAL / (1 - RESIDUAL)) / (PREVALENCE / (1 - PREVALENCE))
    odds = factor * y.sum() / (len(y) - y.sum())
    low = odds / (1 + odds)
    healthy, everything = np.sort(p[y == 0]), np.sort(p)
    called = healthy[int(np.ceil(0.9 * len(healthy))) - 1]
    above = everything[everything > called]
    high = (called + above[0]) / 2 if len(above) else min(1.0, called + 1e-3)
    return min(low, high), high


def cross_fitted(y, score, fold):
    """Calibrated probability of each study and its two limits, fitted without its fold."""
    p, low, high = np.zeros(len(y)), np.zeros(len(y)), np.zeros(len(y))
    for k in np.unique(fold):
        own, rest = fold == k, fold != k
        slope, intercept = platt(score[rest], y[rest])
        p[own] = sigmoid(slope * score[own] + intercept)
        low[own], high[own] = limits(y[rest], sigmoid(slope * score[rest] + intercept))
    return p, low, high


def three_way(y, p, low, high):
    def count(chosen):
        return {"positive": int((chosen & (p >= high)).sum()), "undetermined": int((chosen & (p < high) & (p >= low)).sum()),
                "negative": int((chosen & (p < low)).sum())}

    return {"withHemorrhage": count(y > 0), "without": count(y == 0)}


def slice_figures(y, logits, fold_of_slice, groups):
    """Slice AUC of every class, log loss and calibration error of `any` after cross-fitted Platt scaling."""
    p = np.zeros(len(y))
    for k in np.unique(fold_of_slice):
        own = fold_of_slice == k
        slope, intercept = platt(logits[~own, ANY], y[~own, ANY])
        p[own] = sigmoid(slope * logits[own, ANY] + intercept)
    return {
        "auc": {c: auc_with_interval(y[:, k], logits[:, k], groups) for k, c in enumerate(CLASSES)},
        "logLossAny": round(log_loss(y[:, ANY], p), 4), "eceAny": round(calibration_error(y[:, ANY], p), 4),
    }


def ppv(sensitivity, specificity):
    return {f"{prevalence:.0%}": round(sensitivity * prevalence / (sensitivity * prevalence + (1 - specificity) * (1 - prevalence)), 3)
            for prevalence in (0.02, 0.05, 0.1, 0.2, 0.4)}


def compared(comparison):
    """Ablations that say what another slice network changed, or would have (compare.py)."""
    before, after = comparison["before"], comparison["after"]
    what = comparison["change"] + ("" if comparison["shipped"] else " (not shipped)")
    drawn = f"AUC of any, {comparison['count']} slices with one drawn and {2 * comparison['count']} without, patients seen in training"
    for kind in before["drawn"]:
        yield {"change": f"{what}: {kind}, {drawn}", "before": before["drawn"][kind]["any"], "after": after["drawn"][kind]["any"]}
    for kind in before["drawnElsewhere"]:
        yield {"change": f"{what}: {kind}, AUC of any likewise in slices of head-ct-ge, which no training saw",
               "before": before["drawnElsewhere"][kind], "after": after["drawnElsewhere"][kind]}
    for name in before["headCtGe"]:
        yield {"change": f"{what}: chance of any by the slice network on a clean series of another scanner, {name}",
               "before": before["headCtGe"][name], "after": after["headCtGe"][name]}


def compared_with(result, origin, change):
    """Ablations that say what `change` did to the out-of-fold figures of the package unpacked in `origin`, on the same folds."""
    before = json.loads((origin / "evaluation.json").read_text())
    for what in ("study", "slice"):
        for c in CLASSES:
            yield {"change": f"{change}: {what} AUC {c}", "before": before[f"{what}Auc"][c]["value"], "after": result[f"{what}Auc"][c]["value"]}


def quantised(int8):
    """Ablations that say what INT8 changes out of fold (compare_int8.py)."""
    for key, what in (("cnn", "slice network alone"), ("sequence", "with the sequence model")):
        for kind in ("study", "slice"):
            for c in CLASSES:
                d = int8[key][f"{kind}Auc"][c]
                yield {"change": f"INT8 slice network, {what}: {kind} AUC {c}", "before": d["before"], "after": d["after"],
                       "differenceLow": d["low"], "differenceHigh": d["high"]}


def add_extras(result, folder):
    """Takes in what other steps wrote into the folder of the weights."""
    def read(name):
        return json.loads((folder / name).read_text()) if (folder / name).exists() else None

    def add(ablations):
        """What was measured again takes the place of what was measured before."""
        made = list(ablations)
        known = {a["change"] for a in made}
        result["ablations"] = [a for a in result["ablations"] if a["change"] not in known] + made

    if read("ablations.json"):
        result["tried"] = read("ablations.json")
        add(result["tried"])
    if read("robustness.json"):
        result["robustness"] = read("robustness.json")
    if read("comparison.json"):
        result["comparison"] = read("comparison.json")
        add(compared(result["comparison"]))
    if read("int8.json"):
        result["int8"] = read("int8.json")
        add(quantised(result["int8"]))
    for name in ("familiarity", "faithfulness"):
        if read(f"{name}.json"):
            result[name] = read(f"{name}.json")
    result.update(read("speed.json") or {})
    result.setdefault("msPerSlice", {"fp32": None, "int8": None})


def carry(weights, origin, version):
    """evaluation.json of `weights` with the out-of-fold figures of the package unpacked in `origin`; `version` is that
    package's where the slice network was trained on since."""
    result = json.loads((origin / "evaluation.json").read_text())
    if version:
        result["about"] = (f"Out-of-fold figures are those of version {version}'s fold networks, which were not trained anew: they say "
                           "nothing about the slice network's later training, which `comparison` compares. " + result["about"])
        result["outOfFoldOf"] = version
    add_extras(result, weights)
    (weights / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: result[k] for k in ("about", "ablations", "msPerSlice")}, indent=1))


def by_teacher(cohort, patients, sick, scores):
    """Study AUC of any against all studies without, of those in which the teacher is sure of blood somewhere and of the rest."""
    sure = {cohort.patient[r] for r, chance in cohort.teacher.items() if told(chance / 255).any()}
    seen, parts = np.array([p in sure for p in patients]), {}
    for name, which in (("sure", seen), ("unsure", ~seen)):
        kept = (sick == 0) | which
        parts[name] = {"studies": int((sick * which).sum()), "studyAuc": auc_with_interval(sick[kept], scores[kept], patients[kept])}
    return parts


def main(options):
    if options.carried:
        return carry(options.weights, options.carried, options.carried_version)
    table = dict(np.load(options.weights / "outoffold.npz"))
    cohort = Cohort(options.cache)
    fold_of = dict(zip(cohort.patient, cohort.folds(options.folds)))
    patients = table["patient"]
    fold = np.array([fold_of[p] for p in patients])
    groups, fold_of_slice = np.repeat(patients, table["length"]), np.repeat(fold, table["length"])
    figures = {}
    for key in ("cnn", "sequence"):
        y, scores = study_table(table, key)
        p, low, high = cross_fitted(y[:, ANY], scores[:, ANY], fold)
        figures[key] = {
            "slice": slice_figures(table["labels"], table[key], fold_of_slice, groups),
            "studyAuc": {c: auc_with_interval(y[:, k], scores[:, k], patients) for k, c in enumerate(CLASSES)},
            "logLoss": round(log_loss(y[:, ANY], p), 4), "ece": round(calibration_error(y[:, ANY], p, 5), 4),
            "threeWay": three_way(y[:, ANY], p, low, high),
            "atHalf": confusion(y[:, ANY], p, 0.5),
            "atLow": confusion(y[:, ANY], p - low + 0.5, 0.5), "atHigh": confusion(y[:, ANY], p - high + 0.5, 0.5),
        }
    y, scores = study_table(table, "sequence")
    _, cnn_scores = study_table(table, "cnn")
    gain = bootstrap(patients, lambda i: auc(y[i, ANY], scores[i, ANY]) - auc(y[i, ANY], cnn_scores[i, ANY]))
    calibration, thresholds = {}, {}
    for k, c in enumerate(CLASSES):
        slope, intercept = platt(scores[:, k], y[:, k])
        low, high = limits(y[:, k], sigmoid(slope * scores[:, k] + intercept))
        if y[:, k].sum() < ENOUGH:
            low, high = min(low, 0.5), max(high, 0.5)
        calibration[c] = {"slope": round(slope, 5), "intercept": round(intercept, 5)}
        thresholds[c] = {"negativeBelow": round(float(low), 4), "positiveFrom": round(float(high), 4)}
    decision = {"topSlices": TOP_SLICES, "calibration": calibration, "thresholds": thresholds,
                "prevalence": dict(zip(CLASSES, y.mean(0).round(4).tolist()))}
    own = figures["sequence"]
    ablations = [
        {"change": "sequence model after the slice network: study AUC any", "before": figures["cnn"]["studyAuc"]["any"]["value"],
         "after": own["studyAuc"]["any"]["value"], "differenceLow": gain[0], "differenceHigh": gain[1]},
        {"change": "sequence model after the slice network: slice AUC any", "before": figures["cnn"]["slice"]["auc"]["any"]["value"],
         "after": own["slice"]["auc"]["any"]["value"]},
        {"change": "sequence model after the slice network: slice log loss any", "before": figures["cnn"]["slice"]["logLossAny"],
         "after": own["slice"]["logLossAny"]},
    ]
    result = {
        "about": f"CT-ICH, {len(np.unique(fold))} of {options.folds} folds by patient, every study scored by networks that never saw its patient; real "
        "studies only. Intervals: 1000 bootstraps of patients, 95 % (AUC), Wilson (shares). Calibration and thresholds cross-fitted.",
        "folds": options.folds, "foldsTested": len(np.unique(fold)),
        "studies": len(y), "slices": int(table["length"].sum()), "positiveStudies": dict(zip(CLASSES, y.sum(0).astype(int).tolist())),
        "positiveSlices": dict(zip(CLASSES, table["labels"].sum(0).astype(int).tolist())),
        "demonstrationOnly": [c for k, c in enumerate(CLASSES) if y[:, k].sum() < ENOUGH],
        "studyAuc": own["studyAuc"], "sliceAuc": own["slice"]["auc"], "logLoss": own["logLoss"], "ece": own["ece"],
        "sliceLogLossAny": own["slice"]["logLossAny"], "sliceEceAny": own["slice"]["eceAny"],
        "operatingPoints": {"half": own["atHalf"], "rulesOut": own["atLow"], "rulesIn": own["atHigh"], "threeWay": own["threeWay"]},
        "ppvByPrevalence": {end: ppv(*(own["atHigh"][s][end] for s in ("sensitivity", "specificity"))) for end in ("value", "low")},
        "sliceNetworkAlone": figures["cnn"], "ablations": ablations,
    }
    if cohort.teacher:
        result["byTeacher"] = by_teacher(cohort, patients, y[:, ANY], scores[:, ANY])
    if options.since:
        result["since"] = options.change
        result["ablations"] += compared_with(result, options.since, options.change)
    add_extras(result, options.weights)
    (options.weights / "decision.json").write_text(json.dumps(decision, indent=1) + "\n")
    (options.weights / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: result[k] for k in ("studyAuc", "sliceAuc", "logLoss", "ece", "operatingPoints", "ablations")}, indent=1))
    print(json.dumps(decision))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--since", type=Path, help="folder of an unpacked package with the same folds, to compare with")
    parser.add_argument("--change", default="trained anew", help="what was changed since then, in words")
    parser.add_argument("--carried", type=Path, help="folder of an unpacked package whose out-of-fold figures stay")
    parser.add_argument("--carried-version", help="that package's version, where its slice network was trained on since")
    main(parser.parse_args())
