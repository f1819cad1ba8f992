"""Writes inputs and PyTorch's answers for a package's graphs; check_graphs.mjs then compares them in onnxruntime-node.
The gradient is checked against autograd, the class activation map against the gradient of the map itself."""
import argparse
import base64
import json
from pathlib import Path

import torch

from golden import CASES, image
from package import load_weights
from preprocess import slices_input


def packed(tensor):
    array = tensor.detach().numpy().astype("<f4")
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def case(graph, inputs, outputs):
    return {"graph": graph, "inputs": {k: packed(v) for k, v in inputs.items()},
            "outputs": {k: packed(v) for k, v in outputs.items()}}


def main(options):
    torch.manual_seed(0)
    cnn, sequence = load_weights(options.weights)
    cases = []
    x = torch.cat([torch.from_numpy(slices_input([image(c)])) for c in CASES])
    for batch in (x, x[:1]):
        activation = cnn.activation(batch).detach().requires_grad_()
        features, _ = cnn.pooled(activation)
        features.retain_grad()
        logits = cnn.head(features)
        scores = sequence(features, logits)
        seed = torch.randn_like(scores)
        (scores * seed).sum().backward()
        weights = activation.grad.mean((2, 3))
        cam = torch.einsum("nk,nkhw->nhw", weights, activation).relu()
        cases.append(case("cnn.onnx", {"slices": batch}, {"features": features, "logits": logits, "activation": activation}))
        cases.append(case("gradient.onnx", {"features": features, "logits": logits, "seed": seed}, {"feature_gradient": features.grad}))
        cases.append(case("cam.onnx", {"activation": activation, "feature_gradient": features.grad}, {"cam": cam}))
    spread = features.detach().mean(0)
    for length in (1, 2, 33, 400):
        f = (spread + torch.randn(length, len(spread))).requires_grad_()
        logits = cnn.head(f)
        scores = sequence(f, logits)
        seed = torch.randn_like(scores)
        (scores * seed).sum().backward()
        cases.append(case("sequence.onnx", {"features": f, "logits": logits}, {"scores": scores}))
        cases.append(case("gradient.onnx", {"features": f, "logits": logits, "seed": seed}, {"feature_gradient": f.grad}))
    options.out.write_text(json.dumps(cases))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("models/training/work/final"))
    parser.add_argument("--out", type=Path, default=Path("models/training/work/graph-cases.json"))
    main(parser.parse_args())
