"""Keeps the folds' slice networks in the repository, in half precision (4 MB each), so that a later run goes on from them:
an unpacked package saw every patient and cannot be a fold's beginning.

    python3 models/training/keep.py --nets models/training/work/cnn0 models/training/work/cnn1 models/training/work/cnn2

A kept file holds `fold` and `folds`, the `images` that its network has seen, and `net`, its weights. train_cnn.py takes it as
--init for the same fold.
"""
import argparse
import json
from pathlib import Path

import torch


def keep(run, file):
    """Writes what train_cnn.py left in the folder `run` into `file`."""
    record = json.loads((run / "results.json").read_text())
    weights = {name: value.half() for name, value in torch.load(run / "net.pt", map_location="cpu").items()}
    torch.save({**{key: record[key] for key in ("fold", "folds", "images")}, "net": weights}, file)


def kept(file, fold, folds):
    """Weights and the number of images that they have seen, from a kept file, or from bare weights (cnn.pt of unpack.py), whose
    number is not known. @throws ValueError where they saw the fold's patients."""
    saved = torch.load(file, map_location="cpu")
    if "net" not in saved:
        if fold >= 0:
            raise ValueError(f"{file} was trained on all patients: no network for fold {fold} begins there")
        return saved, None
    if (saved["fold"], saved["folds"]) != (fold, folds):
        raise ValueError(f"{file} is of fold {saved['fold']} of {saved['folds']}: it saw patients of fold {fold} of {folds}")
    return {name: value.float() for name, value in saved["net"].items()}, saved["images"]


def main(options):
    options.out.mkdir(parents=True, exist_ok=True)
    for run in options.nets:
        fold = json.loads((run / "results.json").read_text())["fold"]
        keep(run, options.out / f"fold{fold}.pt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", type=Path, nargs="+", required=True, help="one folder of train_cnn.py a fold")
    parser.add_argument("--out", type=Path, default=Path("models/training/kept"))
    main(parser.parse_args())
