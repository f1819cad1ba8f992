"""The INT8 slice network against the FP32 one, out of fold: INT8 ships only if it costs less than 0.005 of AUC.

    python3 models/training/compare_int8.py --nets models/training/work/cnn0 models/training/work/cnn1 models/training/work/cnn2

Each fold's slice network is quantised with slices of its own training patients and asked about the patients that it never saw,
in ONNX Runtime as the node runs it; then its fold's sequence model (train_sequence.py) is given the features of both. Intervals
of the differences: bootstraps of patients, 95 %.
"""
import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

import export
import machine
import quantise
from cohort import CLASSES, Cohort
from compare import scenes
from evaluate import limits, study_table
from hosts import heads_of
from metrics import auc, bootstrap, platt, sigmoid
from network import FEATURES, SliceNet
from preprocess import cropped, load_series, windowed
from run_graph import Runtime
from sequence import SequenceNet
from train_sequence import ANY, study_logit

GRAPHS = {"fp32": "cnn.onnx", "int8": "cnn.int8.onnx"}
ALLOWED_LOSS = 0.005


def graphs_of(folder, fold, options):
    net = SliceNet()
    net.load_state_dict(torch.load(folder / "net.pt", map_location="cpu"))
    export.write_cnn(net.eval(), folder / GRAPHS["fp32"])
    quantise.write(folder / GRAPHS["fp32"], folder / GRAPHS["int8"], options.cache, fold, len(options.nets))


def sequence_models(path):
    for saved in torch.load(path):
        net = SequenceNet(**saved["options"])
        net.load_state_dict(saved["state"])
        yield net.eval()


def scored(nets, features, logits):
    """The sequence models' mean scores [T, C], and the gradient [T, F] of the study logit of `any` that weighs the heat map."""
    features = torch.from_numpy(features).requires_grad_()
    scores = torch.stack([net(features, torch.from_numpy(logits)) for net in nets]).mean(0)
    study_logit(scores)[ANY].backward()
    return scores.detach().numpy(), features.grad.numpy()


def fold_answers(cohort, folder, fold, options):
    """What both graphs say of the studies of a fold: for each study its patient, labels and {graph: (logits, scores, gradient)}."""
    nets = list(sequence_models(options.sequence / f"sequence{fold}.pt"))
    of_slice = cohort.folds(len(options.nets))
    studies = [rows for _, rows in cohort.studies() if of_slice[rows[0]] == fold]
    said = [{} for _ in studies]
    for graph, name in GRAPHS.items():
        with Runtime(folder / name, FEATURES, len(CLASSES)) as runtime:
            for rows, answer in zip(studies, said):
                features, logits = runtime.answers(windowed(np.asarray(cohort.exact[rows], np.float32)).swapaxes(0, 1))
                answer[graph] = (logits, *scored(nets, features, logits))
    return [(cohort.patient[rows[0]], cohort.labels[rows], answer) for rows, answer in zip(studies, said)]


def table_of(answers, graph):
    """The columns that evaluate.py reads."""
    return {"patient": np.array([patient for patient, _, _ in answers]), "length": np.array([len(labels) for _, labels, _ in answers]),
            "labels": np.concatenate([labels for _, labels, _ in answers]),
            **{key: np.concatenate([answer[graph][place] for _, _, answer in answers]) for place, key in enumerate(("cnn", "sequence"))}}


def difference(y, before, after, groups):
    """AUC of both scores and the interval of what the second adds."""
    low, high = bootstrap(groups, lambda i: auc(y[i], after[i]) - auc(y[i], before[i]))
    return {"before": round(auc(y, before), 4), "after": round(auc(y, after), 4), "change": round(auc(y, after) - auc(y, before), 4),
            "low": None if low is None else round(low, 4), "high": None if high is None else round(high, 4)}


def apart(before, after):
    """How far probabilities lie apart."""
    off = np.abs(sigmoid(before) - sigmoid(after))
    return {"most": round(float(off.max()), 3), "mostAny": round(float(off[:, ANY].max()), 3), "meanAny": round(float(off[:, ANY].mean()), 4)}


def answers_changed(y, before, after):
    """Studies that change between positive, undetermined and negative, with calibration and thresholds fitted on FP32's scores."""
    slope, intercept = platt(before, y)
    low, high = limits(y, sigmoid(slope * before + intercept))
    kinds = [np.digitize(sigmoid(slope * s + intercept), [low, high]) for s in (before, after)]
    return int((kinds[0] != kinds[1]).sum())


def figures(answers):
    tables = {graph: table_of(answers, graph) for graph in GRAPHS}
    before, after = tables["fp32"], tables["int8"]
    patients, of_slice = before["patient"], np.repeat(before["patient"], before["length"])
    result = {"studies": len(patients), "slices": len(of_slice)}
    for key in ("cnn", "sequence"):
        (y, was), (_, now) = study_table(before, key), study_table(after, key)
        result[key] = {
            "studyAuc": {c: difference(y[:, k], was[:, k], now[:, k], patients) for k, c in enumerate(CLASSES)},
            "sliceAuc": {c: difference(before["labels"][:, k], before[key][:, k], after[key][:, k], of_slice) for k, c in enumerate(CLASSES)},
            "studyProbability": apart(was, now), "sliceProbability": apart(before[key], after[key]),
            "studyAnswersChanged": answers_changed(y[:, ANY], was[:, ANY], now[:, ANY]),
        }
    result["loss"] = max(0.0, *(-result["sequence"][what]["any"]["change"] for what in ("studyAuc", "sliceAuc")))
    result["allowed"] = ALLOWED_LOSS
    gradients = [(answer["fp32"][2].sum(0), answer["int8"][2].sum(0)) for _, _, answer in answers]
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in gradients]
    result["heatMapWeights"] = {"medianCosine": round(float(np.median(cosines)), 4), "leastCosine": round(float(min(cosines)), 4)}
    return result


def shipped_network(cohort, options):
    """Both graphs of the network that ships where it is no out-of-fold figure: AUC of `any` for drawn hemorrhages (compare.py), and
    the probability for a clean series of another scanner, of the mean of its two highest slices."""
    with tempfile.TemporaryDirectory() as name:
        int8 = Path(name) / GRAPHS["int8"]
        quantise.write(options.graph, int8, options.cache)
        clean, bled, series = pictures(cohort, options)
        made = {"drawn": {}, "headCtGe": {}}
        for graph, path in (("fp32", options.graph), ("int8", int8)):
            with Runtime(path, FEATURES, len(CLASSES)) as runtime:
                def of_any(hu):
                    return runtime.answers(windowed(hu).swapaxes(0, 1))[1][:, ANY]

                without = of_any(clean)
                for kind, hu in bled.items():
                    y = np.r_[np.zeros(len(clean)), np.ones(len(hu))]
                    made["drawn"].setdefault(kind, {})[graph] = round(auc(y, np.r_[without, of_any(hu)]), 4)
                made["headCtGe"][graph] = round(float(sigmoid(np.sort(of_any(series))[-2:].mean())), 3)
    return made


def pictures(cohort, options):
    """HU [N, 256, 256] without blood, of each drawn type, and of the series of another scanner."""
    clean, bled = scenes(heads_of(cohort), options.count, options.seed)

    def hu(cases):
        return np.stack([image for image, _ in cases])

    series = load_series(sorted((options.data / "head-ct-ge").glob("*.dcm")))
    return hu(clean), {kind: hu(cases) for kind, cases in bled.items()}, np.stack([cropped(image) for image in series])


def main(options):
    machine.use(1)
    cohort = Cohort(options.cache)
    answers = []
    for fold, folder in enumerate(options.nets):
        graphs_of(folder, fold, options)
        answers += fold_answers(cohort, folder, fold, options)
    images = [json.loads((folder / "results.json").read_text())["images"] for folder in options.nets]
    result = {"foldImages": images, **figures(answers), "shippedNetwork": shipped_network(cohort, options)}
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--nets", type=Path, nargs="+", required=True, help="folders of train_cnn.py runs, one a fold")
    parser.add_argument("--sequence", type=Path, default=Path("models/training/work/final"), help="folder of train_sequence.py's models")
    parser.add_argument("--graph", type=Path, default=Path("models/vigil-ich-small/cnn.onnx"), help="the network that ships, FP32")
    parser.add_argument("--count", type=int, default=60, help="drawn slices of each type")
    parser.add_argument("--seed", type=int, default=9_000_001)
    parser.add_argument("--out", type=Path, default=Path("models/training/work/final/int8.json"))
    main(parser.parse_args())
