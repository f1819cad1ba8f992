"""Writes test/fixtures/model/preprocess-golden.json: generated HU images, what preprocessing makes of them and what the
shipped model says, so that the TypeScript side can be held to the same numbers.

    python3 models/training/golden.py --package models/vigil-ich-small

A generated image needs integers only. It starts as `background` everywhere. Each shape [cx2, cy2, a, b, hu] then
paints the pixels (row r, column c) with (2c - cx2)^2 b^2 + (2r - cy2)^2 a^2 <= a^2 b^2, in order (a, b in half pixels;
products stay below 2^53). Pixels inside the shape number `noiseIn` get ((1103 r + 757 c + 13 r c) mod 17) - 8 added.
At last all is clipped to `clip`, where there is one.
"""
import argparse
import json
from pathlib import Path

import numpy as np

from preprocess import cropped, head_box, windowed

HEAD = [[511, 501, 372, 452, 25], [511, 501, 356, 436, 1050], [511, 501, 326, 404, 33],
        [465, 470, 22, 90, 8], [557, 470, 22, 90, 8]]
BLEED = [[640, 560, 78, 96, 62]]
SHIFTED = [[540, 760, 400, 470, -40], [540, 760, 384, 454, 900], [540, 760, 352, 420, 36], [500, 740, 20, 80, 6],
           [580, 740, 20, 80, 6], [330, 800, 46, 130, 58], [600, 1270, 420, 12, 300]]
CASES = [
    {"name": "clean head", "rows": 512, "columns": 512, "background": -1000, "shapes": HEAD, "noiseIn": 2},
    {"name": "head with a bleed", "rows": 512, "columns": 512, "background": -1000, "shapes": HEAD + BLEED, "noiseIn": 2},
    {"name": "windowed export", "rows": 512, "columns": 512, "background": -1000, "shapes": HEAD + BLEED, "noiseIn": 2,
     "clip": [-20, 100]},
    {"name": "not square, off centre", "rows": 650, "columns": 600, "background": -1000, "shapes": SHIFTED, "noiseIn": 2},
    {"name": "no head", "rows": 480, "columns": 640, "background": -1000, "shapes": [[200, 200, 40, 40, 60]], "noiseIn": 0},
]


def image(case):
    r, c = np.mgrid[0 : case["rows"], 0 : case["columns"]].astype(np.int64)
    hu = np.full(r.shape, case["background"], np.int64)
    for number, (cx2, cy2, a, b, value) in enumerate(case["shapes"]):
        inside = (2 * c - cx2) ** 2 * b * b + (2 * r - cy2) ** 2 * a * a <= a * a * b * b
        hu[inside] = value
        if number == case["noiseIn"]:
            noisy = inside
    hu[noisy] += ((1103 * r + 757 * c + 13 * r * c) % 17 - 8)[noisy]
    return np.clip(hu, *case["clip"]).astype(np.float32) if "clip" in case else hu.astype(np.float32)


def samples(tensor):
    """Values on an 8 x 8 grid of each channel: row 16 + 32 i, column 16 + 32 j."""
    return [[round(float(v), 6) for v in plane[16::32, 16::32].ravel()] for plane in tensor]


def main(options):
    import torch

    import unpack

    manifest = json.loads((options.package / "manifest.json").read_text())
    # The package's own weights: those of another run would be golden for nothing.
    cnn = unpack.slice_network(options.package / "cnn.onnx")
    sequence, _ = unpack.sequence_model(options.package / "sequence.onnx")
    cases, inputs = [], []
    for case in CASES:
        hu = image(case)
        tensor = windowed(cropped(hu))
        inputs.append(tensor)
        cases.append({**case, "box": [round(float(v), 6) for v in head_box(hu)], "samples": samples(tensor),
                      "sums": [round(float(p.sum(dtype=np.float64)), 3) for p in tensor]})
    x = torch.from_numpy(np.stack(inputs))
    with torch.no_grad():
        features, logits, activation, _ = cnn(x)
    features = features.requires_grad_()
    live = cnn.head(features)
    scores = sequence(features, live)
    k = manifest["decision"]["topSlices"]
    top = scores[:, -1].topk(k)
    top.values.mean().backward()
    seed = torch.zeros_like(logits)
    seed[top.indices, -1] = 1 / k
    lesion = cnn.lesion.weight[:, :, 0, 0]
    grad = features.grad
    n, m = activation.shape[1], len(lesion)
    weights = (grad[:, :n] + (grad[:, n : n + m] + grad[:, n + m :]) @ lesion) / activation[0, 0].numel()
    cam = torch.einsum("nk,nkhw->nhw", weights, activation).relu()

    def listed(t, digits=6):
        return np.round(t.detach().numpy().astype(float), digits).tolist()

    for i, case in enumerate(cases):
        case["logits"], case["features"] = listed(logits[i]), listed(features[i])
    golden = {
        "about": " ".join(__doc__.split("\n\n")[0].split()) + " " + " ".join(__doc__.split("\n\n")[2].split()),
        "samplesAt": "of each channel of the network's input, rows 16 + 32 i and columns 16 + 32 j, i and j from 0 to 7, row by row",
        "tolerance": {"box": 1e-4, "samples": 2e-4, "logits": 1e-3, "featureGradient": 1e-4},
        "model": {"name": manifest["name"], "version": manifest["version"]},
        "cases": cases,
        "series": {
            "about": "the cases in this order as one series; seed 1 / topSlices at the highest scores of the class any",
            "scores": listed(scores), "seed": listed(seed), "featureGradient": listed(grad, 8),
            "camMaximum": listed(cam.amax((1, 2)), 8), "camSum": listed(cam.sum((1, 2)), 6),
        },
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, default=Path("models/vigil-ich-small"))
    parser.add_argument("--out", type=Path, default=Path("test/fixtures/model/preprocess-golden.json"))
    main(parser.parse_args())
