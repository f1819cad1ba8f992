"""Puts the package together: graphs, manifest with hashes and decision rule, and the evaluation.

    python3 models/training/package.py --weights models/training/work/final --out models/vigil-ich-small --version 0.1.0

The folder --weights holds cnn.pt (SliceNet), sequence.pt ({"options", "state"} of SequenceNet) and decision.json
({"topSlices", "calibration", "thresholds"}), and evaluation.json if there is one.
"""
import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch

import export
from cohort import CLASSES
from network import CHANNELS, FEATURES, SliceNet
from preprocess import SPEC
from sequence import SequenceNet

TEXT = {
    "name": "vigil-ich-small",
    "maker": "Vigil",
    "family": "intracranial hemorrhage triage",
    "licence": "Apache-2.0",
    "description": "MobileNetV2 with a lesion map at stride 8 and a bidirectional LSTM over the slices; five types of "
    "intracranial hemorrhage and any",
    "intendedUse": "For research use only, not for clinical use: ordering of non-contrast head CT by suspicion of "
    "intracranial hemorrhage in adults",
    "trainedOn": "PhysioNet CT-ICH (66 studies of one hospital), hemorrhages drawn into its slices, 24 CPAISD slices, "
    "generated phantoms; backbone from ImageNet",
}


def load_weights(folder):
    cnn = SliceNet()
    cnn.load_state_dict(torch.load(folder / "cnn.pt", map_location="cpu"))
    saved = torch.load(folder / "sequence.pt", map_location="cpu")
    sequence = SequenceNet(**saved["options"])
    sequence.load_state_dict(saved["state"])
    return cnn.eval(), sequence.eval()


def main(options):
    torch.set_num_threads(1)
    cnn, sequence = load_weights(options.weights)
    options.out.mkdir(parents=True, exist_ok=True)
    export.write_cnn(cnn, options.out / "cnn.onnx", SPEC.size)
    export.write_sequence(sequence, options.out / "sequence.onnx")
    export.write_gradient(sequence, cnn.head.weight, options.out / "gradient.onnx")
    export.write_cam(cnn, options.out / "cam.onnx")
    if (options.weights / "evaluation.json").exists():
        shutil.copy(options.weights / "evaluation.json", options.out / "evaluation.json")
    files = sorted(p for p in options.out.iterdir() if p.is_file() and p.name != "manifest.json")
    manifest = {
        "schema": 1,
        "name": TEXT["name"],
        "version": options.version,
        **{k: v for k, v in TEXT.items() if k != "name"},
        "classes": CLASSES,
        "input": SPEC.manifest(),
        "features": FEATURES,
        "activation": {"channels": CHANNELS, "height": 32, "width": 32},
        "decision": json.loads((options.weights / "decision.json").read_text()),
        "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
    }
    (options.out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print({p.name: p.stat().st_size for p in files})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--out", type=Path, default=Path("models/vigil-ich-small"))
    parser.add_argument("--version", required=True)
    main(parser.parse_args())
