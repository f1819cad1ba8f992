"""Puts the package together: graphs, manifest with hashes and decision rule, and the evaluation.

    python3 models/training/package.py --weights models/training/work/final --out models/vigil-ich-small --version 0.1.0
    python3 models/training/package.py --int8 --out models/training/work/int8 --version 0.1.0-int8
    python3 models/training/package.py --net paper --weights models/training/work/paper --out /srv/models/paper --version 1
    python3 models/training/package.py --net paper --untrained --out models/training/work/paper-untrained --version 0

The folder --weights holds cnn.pt, sequence.pt ({"options", "state"} of SequenceNet) and decision.json
({"topSlices", "calibration", "thresholds"}), and evaluation.json if there is one. The paper's network is packed
untrained to measure its speed and to try the node on: whatever it is shown, the answer is undetermined. With --int8 the package
classifies by cnn.int8.onnx, calibrated on the cohort's cache.
"""
import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch

import export
import machine
import quantise
from cohort import CLASSES
from network import SliceNet
from paper import PAPER_SPEC, SEQUENCE, PaperNet
from preprocess import SPEC
from sequence import SequenceNet

SMALL_TEXT = {
    "name": "vigil-ich-small",
    "maker": "Vigil",
    "family": "intracranial hemorrhage triage",
    "licence": "Apache-2.0",
    "description": "MobileNetV2 with a lesion map at stride 8 and a bidirectional LSTM over the slices; five types of "
    "intracranial hemorrhage and any",
    "intendedUse": "For research use only, not for clinical use: ordering of non-contrast head CT by suspicion of "
    "intracranial hemorrhage in adults",
    "trainedOn": "PhysioNet CT-ICH (66 studies of one hospital), hemorrhages drawn and transplanted into its slices, 24 CPAISD slices, "
    "generated phantoms; backbone from ImageNet",
}
PAPER_TEXT = SMALL_TEXT | {
    "name": "ich-resnext101-bilstm",
    "description": "ResNeXt-101 32x8d, 120 principal components and a three-layer bidirectional LSTM, after Burduja, "
    "Ionescu and Verga (Sensors 2020)",
    "trainedOn": "a site's own data in the layout of the RSNA 2019 challenge",
}
UNTRAINED_TEXT = PAPER_TEXT | {
    "name": "ich-resnext101-bilstm-untrained",
    "intendedUse": "To measure speed and to try the node on: says nothing of any image",
    "trainedOn": "nothing",
}
UNDETERMINED = {
    "topSlices": 2,
    "calibration": {name: {"slope": 1, "intercept": 0} for name in CLASSES},
    "thresholds": {name: {"negativeBelow": 0, "positiveFrom": 1} for name in CLASSES},
}


def load_weights(folder, cnn=None):
    cnn = cnn or SliceNet()
    cnn.load_state_dict(torch.load(folder / "cnn.pt", map_location="cpu"))
    saved = torch.load(folder / "sequence.pt", map_location="cpu")
    sequence = SequenceNet(**saved["options"])
    sequence.load_state_dict(saved["state"])
    return cnn.eval(), sequence.eval()


def untrained():
    torch.manual_seed(0)
    cnn, sequence = PaperNet().eval(), SequenceNet(**SEQUENCE).eval()
    with torch.no_grad():
        sequence.projection.normal_(0, cnn.feature_count**-0.5)
    return cnn, sequence


def write(out, version, cnn, sequence, spec, text, decision, cache=None):
    """Writes the graphs beside what lies there, and the manifest of all; an INT8 graph where the cohort's `cache` is given."""
    export.write_cnn(cnn, out / "cnn.onnx", spec.size)
    (out / "cnn.int8.onnx").unlink(missing_ok=True)
    if cache:
        quantise.write(out / "cnn.onnx", out / "cnn.int8.onnx", cache)
    export.write_sequence(sequence, out / "sequence.onnx")
    export.write_gradient(sequence, cnn.head.weight, out / "gradient.onnx")
    export.write_cam(cnn, out / "cam.onnx")
    files = sorted(p for p in out.iterdir() if p.is_file() and p.name != "manifest.json")
    manifest = {
        "schema": 1,
        "name": text["name"],
        "version": version,
        **{k: v for k, v in text.items() if k != "name"},
        "classes": CLASSES,
        "input": spec.manifest(),
        "features": cnn.feature_count,
        "activation": {"channels": cnn.channels, "height": cnn.side, "width": cnn.side},
        "decision": decision,
        "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files},
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print({p.name: p.stat().st_size for p in files})


def main(options):
    machine.use(1)
    options.out.mkdir(parents=True, exist_ok=True)
    is_paper = options.net == "paper"
    spec = PAPER_SPEC if is_paper else SPEC
    if options.untrained:
        write(options.out, options.version, *untrained(), spec, UNTRAINED_TEXT, UNDETERMINED)
        return
    cnn, sequence = load_weights(options.weights, PaperNet() if is_paper else SliceNet())
    if (options.weights / "evaluation.json").exists():
        shutil.copy(options.weights / "evaluation.json", options.out / "evaluation.json")
    decision = json.loads((options.weights / "decision.json").read_text())
    text = PAPER_TEXT if is_paper else SMALL_TEXT
    write(options.out, options.version, cnn, sequence, spec, text, decision, options.cache if options.int8 else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=["small", "paper"], default="small")
    parser.add_argument("--untrained", action="store_true", help="the paper's network without weights")
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--out", type=Path, default=Path("models/vigil-ich-small"))
    parser.add_argument("--version", required=True)
    parser.add_argument("--int8", action="store_true", help="an INT8 graph as well, by which slices are classified then")
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"), help="the cohort that calibrates it")
    parsed = parser.parse_args()
    if parsed.untrained and parsed.net != "paper":
        parser.error("only the paper's network is packed untrained")
    if parsed.net == "paper" and parsed.out == parser.get_default("out"):
        parser.error("--out is the shipped package's folder")
    if parsed.net == "paper" and parsed.int8:
        parser.error("the cohort's cache has the small network's input")
    main(parsed)
