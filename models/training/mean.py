"""The mean of networks' weights (Wortsman et al. 2022, "Model soups", ICML): what each learnt of its own patients evens out, what
all found stays. It takes other people's clean heads for less suspicious than any of the networks it is made of.

    python3 models/training/mean.py --nets models/training/work/cnn0 models/training/work/cnn1 --out models/training/work/mean
"""
import argparse
import json
from pathlib import Path

import torch


def mean(runs, out):
    """Writes net.pt and results.json of the mean of the runs (folders of train_cnn.py or of this) into the folder `out`. It stands
    for a fold only where all of them left out that one. @throws ValueError where their folds are not of the same number."""
    records = [json.loads((run / "results.json").read_text()) for run in runs]
    if len({r["folds"] for r in records}) > 1:
        raise ValueError("the networks are of different numbers of folds")
    left_out = {r["fold"] for r in records}
    nets = [torch.load(run / "net.pt", map_location="cpu") for run in runs]
    out.mkdir(parents=True, exist_ok=True)
    torch.save({name: sum(net[name] for net in nets) / len(nets) for name in nets[0]}, out / "net.pt")
    most = max(records, key=lambda r: r["images"])
    record = {"fold": left_out.pop() if len(left_out) == 1 else -1, "folds": most["folds"], "meanOf": [str(run) for run in runs],
              "images": most["images"], "imagesBefore": most.get("imagesBefore", 0), "seconds": sum(r["seconds"] for r in records),
              "freeze": most["freeze"]}
    (out / "results.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", type=Path, nargs="+", required=True, help="folders of train_cnn.py or of this")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    mean(options.nets, options.out)
