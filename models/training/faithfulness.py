"""Whether heat maps show what moved the score: faithfulness.json.

    python3 models/training/faithfulness.py --nets models/training/work/cnn0 models/training/work/cnn1 models/training/work/cnn2

Out of fold, on the key slice (the highest score of `any`) of every study labelled with hemorrhage, of three heat maps: Grad-CAM of
the study's score through the sequence model (`exact`, what the package gives), Grad-CAM of the slice network's own logit (`plain`),
and cells in random order (`random`).

- `deletion`, `insertion` (Petsiuk et al., RISE, BMVC 2018): area under that slice's probability after the sequence model while the map's cells, the
  brightest first, become plain brain, and while they come back into a slice of plain brain. A faithful map has a small deletion and
  a large insertion. `least` and `most` are the medians of the probability with all cells gone and with none. Differences to `exact` with
  95 % bootstraps of patients.
- `randomised` (Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018): Spearman's correlation of the plain map with itself
  after the network's weights were shuffled from the head downwards. A map that stays the same shows the picture, not the network.
"""
import argparse
import copy
import json
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

import machine
from cohort import Cohort
from compare_int8 import sequence_models
from dataset import ANY, CELLS
from metrics import bootstrap, sigmoid
from preprocess import SPEC, windowed
from robustness import cells, load_net
from train_sequence import study_logit

# Shares of the cells, closer where lesions are.
SHARES = np.array([0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5, 0.7, 1])
RANDOM_ORDERS = 3
STAGES = [("head",), ("mix", "lesion"), ("from4", "from8", "from16", "from32"), ("stem", "blocks")]


def answers(net, hu):
    """Features [N, F], logits [N, 6] and feature maps of HU crops [N, 256, 256]."""
    x = torch.from_numpy(np.ascontiguousarray(windowed(np.asarray(hu, np.float32)).swapaxes(0, 1)))
    with torch.no_grad():
        features, logits, activation, _ = net(x)
    return features, logits, activation


def series_scores(sequences, features, logits):
    """Scores [T, 6] of a series' slices, mean of the sequence models."""
    return torch.stack([s(features, logits) for s in sequences]).mean(0)


def maps(net, sequences, features, logits, activation, t):
    """The exact and the plain heat map of slice t. p_t comes from the features too, through the slice network's head."""
    inputs = features.clone().requires_grad_()
    own = inputs @ net.head.weight.T.detach() + net.head.bias.detach()
    gradient = torch.autograd.grad(study_logit(series_scores(sequences, inputs, own))[ANY], inputs)[0][t]
    return {"exact": cells(net, activation, gradient).numpy(), "plain": cells(net, activation, net.head.weight[ANY].detach()).numpy()}


def orders(found, rng):
    for name, cam in found.items():
        # Cells that the map leaves dark come last, in random order.
        yield name, np.lexsort((rng.random(cam.size), -cam.ravel()))
    for _ in range(RANDOM_ORDERS):
        yield "random", rng.permutation(CELLS * CELLS)


def pictures(hu, plain, order):
    """The slice without the first share of the cells for each of SHARES, then plain brain with them."""
    step, gone = SPEC.size // CELLS, []
    for share in SHARES:
        chosen = np.zeros(CELLS * CELLS, bool)
        chosen[order[: round(share * len(order))]] = True
        gone.append(np.kron(chosen.reshape(CELLS, CELLS), np.ones((step, step), bool)))
    return np.stack([np.where(g, plain, hu) for g in gone] + [np.where(g, hu, plain) for g in gone])


def curves(net, sequences, features, logits, t, hu, plain, order):
    """Areas under deletion and insertion, and the probability with all cells gone."""
    changed_features, changed_logits, _ = answers(net, pictures(hu, plain, order))
    chance = []
    for f, l in zip(changed_features, changed_logits):
        with torch.no_grad():
            all_features, all_logits = features.clone(), logits.clone()
            all_features[t], all_logits[t] = f, l
            chance.append(sigmoid(float(series_scores(sequences, all_features, all_logits)[t, ANY])))
    gone, back = np.array(chance).reshape(2, -1)
    return {"deletion": np.trapz(gone, SHARES), "insertion": np.trapz(back, SHARES), "least": gone[-1], "most": gone[0]}


def shuffled(net, rng):
    """Copies of the network with the weights of the first stage, of the first two, ... shuffled."""
    net = copy.deepcopy(net)
    for stage in STAGES:
        with torch.no_grad():
            for name, p in net.named_parameters():
                if name.split(".")[0] in stage:
                    p.copy_(p.flatten()[torch.from_numpy(rng.permutation(p.numel()))].reshape(p.shape))
        yield "+".join(stage), net


def main(options):
    machine.use(2)
    cohort, rng = Cohort(options.cache), np.random.default_rng(options.seed)
    fold = cohort.folds(len(options.nets))
    rows_of, patients, randomised = [], [], {}
    for k, folder in enumerate(options.nets):
        net, sequences = load_net(folder), list(sequence_models(options.weights / f"sequence{k}.pt"))
        sick = [(study, rows) for study, rows in cohort.studies() if fold[rows[0]] == k and cohort.labels[rows, ANY].any()]
        for study, rows in sick:
            features, logits, _ = answers(net, cohort.exact[rows])
            with torch.no_grad():
                scores = series_scores(sequences, features, logits)[:, ANY]
            t = int(scores.argmax())
            hu, inside = np.asarray(cohort.exact[rows[t]], np.float32), cohort.depth[rows[t]][32:288, 32:288] > 0
            if not inside.any():
                continue
            plain_brain = np.where(inside, np.median(hu[inside]), hu)
            activation = answers(net, hu[None])[2][0]
            found = maps(net, sequences, features, logits, activation, t)
            made = {}
            for name, order in orders(found, rng):
                made.setdefault(name, []).append(curves(net, sequences, features, logits, t, hu, plain_brain, order))
            rows_of.append({name: {key: float(np.mean([c[key] for c in each])) for key in each[0]} for name, each in made.items()})
            patients.append(cohort.patient[rows[t]])
            for stage, other in shuffled(net, rng):
                cam = cells(other, answers(other, hu[None])[2][0], other.head.weight[ANY].detach()).numpy()
                # A map without a bright cell has nothing in common with any.
                same = spearmanr(found["plain"].ravel(), cam.ravel()).correlation if cam.any() else 0.0
                randomised.setdefault(stage, []).append(float(same))
    result = {"studies": len(rows_of), "most": round(float(np.median([r["exact"]["most"] for r in rows_of])), 3),
              "least": round(float(np.median([r["exact"]["least"] for r in rows_of])), 3)}
    for curve in ("deletion", "insertion"):
        values = {name: np.array([r[name][curve] for r in rows_of]) for name in rows_of[0]}
        result[curve] = {name: round(float(v.mean()), 4) for name, v in values.items()}
        for name in ("plain", "random"):
            low, high = bootstrap(patients, lambda i: float((values[name] - values["exact"])[i].mean()))
            result[curve][f"{name}MinusExact"] = [round(low, 4), round(high, 4)]
    result["randomised"] = {stage: round(float(np.mean(np.abs(v))), 3) for stage, v in randomised.items()}
    (options.weights / "faithfulness.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    parser.add_argument("--nets", type=Path, nargs="+", required=True, help="folders of train_cnn.py, one a fold")
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"), help="folder of train_sequence.py; faithfulness.json is written there")
    parser.add_argument("--seed", type=int, default=3)
    main(parser.parse_args())
