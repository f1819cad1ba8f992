"""Reads a package's weights back: cnn.pt and sequence.pt, as package.py takes them, with its decision.json,
evaluation.json and robustness.json. So training goes on from what shipped, and a part that was not trained anew ships
again unchanged.

    python3 models/training/unpack.py --package models/vigil-ich-small --out models/training/work/shipped
"""
import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from network import SliceNet
from sequence import SequenceNet


def constants(path):
    return [(i.name, numpy_helper.to_array(i).copy()) for i in onnx.load(str(path)).graph.initializer]


def slice_network(path):
    net = SliceNet()
    net.load_state_dict({name[len("net."):]: torch.from_numpy(v) for name, v in constants(path) if name.startswith("net.")})
    return net.eval()


def _torch_gates(weight):
    """ONNX orders an LSTM's gates i, o, f, c; PyTorch i, f, g, o."""
    i, o, f, g = np.split(weight, 4)
    return torch.from_numpy(np.concatenate([i, f, g, o]))


def sequence_model(path):
    """The SequenceNet that export.write_sequence wrote, and its options. The constants come in the order of its graph."""
    values = [v for _, v in constants(path) if v.dtype == np.float32]
    (mu, projection), (head, bias, gain) = values[:2], values[-3:]
    lstm = values[2:-3]
    hidden, classes = lstm[1].shape[2], len(gain)
    options = {"features": len(mu), "classes": classes, "components": projection.shape[1], "hidden": hidden,
               "layers": len(lstm) // 3, "dropout": 0.4}
    net = SequenceNet(**options)
    with torch.no_grad():
        for target, value in ((net.mu, mu), (net.projection, projection.T), (net.head.weight, head.T), (net.head.bias, bias),
                              (net.gain, gain)):
            target.copy_(torch.from_numpy(np.ascontiguousarray(value)))
        for layer in range(options["layers"]):
            w, r, b = lstm[3 * layer : 3 * layer + 3]
            for direction, suffix in enumerate((f"_l{layer}", f"_l{layer}_reverse")):
                parts = (w[direction], r[direction], b[direction, : 4 * hidden], b[direction, 4 * hidden :])
                for kind, part in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), parts):
                    getattr(net.lstm, kind + suffix).copy_(_torch_gates(part))
    return net.eval(), options


def main(options):
    options.out.mkdir(parents=True, exist_ok=True)
    torch.save(slice_network(options.package / "cnn.onnx").state_dict(), options.out / "cnn.pt")
    net, settings = sequence_model(options.package / "sequence.onnx")
    torch.save({"options": settings, "state": net.state_dict()}, options.out / "sequence.pt")
    decision = json.loads((options.package / "manifest.json").read_text())["decision"]
    (options.out / "decision.json").write_text(json.dumps(decision, indent=1) + "\n")
    shutil.copy(options.package / "evaluation.json", options.out / "evaluation.json")
    robustness = json.loads((options.package / "evaluation.json").read_text()).get("robustness")
    if robustness:
        (options.out / "robustness.json").write_text(json.dumps(robustness, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, default=Path("models/vigil-ich-small"))
    parser.add_argument("--out", type=Path, default=Path("models/training/work/shipped"))
    main(parser.parse_args())
