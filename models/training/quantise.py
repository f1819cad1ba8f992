"""Writes a slice network's INT8 graph from its FP32 graph and some slices: static QDQ, the form in which ONNX Runtime takes
convolutions, residual sums and pools into its integer kernels. package.py calls it; alone:

    python3 models/training/quantise.py --graph models/vigil-ich-small/cnn.onnx --out models/training/work/cnn.int8.onnx

- Weights int8, symmetric, a scale for each output channel; biases int32 at the scale of input times weight, corrected by what
  rounding the weights adds to the mean (Nagel et al. 2019, arXiv:1906.04721, section 4.2).
- Activations uint8, a scale and zero point for each tensor. ReLU's outputs have their zero point at 0, so that rounding to
  uint8 is the ReLU, and padding, which is the zero point, is an exact 0.
- uint8 times int8 is what VNNI sums exactly. AVX2 without it adds pairs of products in 16 bits, which can saturate: the scales
  use all 8 bits all the same, so the graph is for processors with VNNI.
- Only the blocks at 16 x 16 and 8 x 8 become integers. FP32 stay the finer ones, the sum that makes the feature map, and all
  behind it: pooling, lesion map, logits. The graph gives no activation: heat maps take it from the FP32 graph.
"""
import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

import machine
from cohort import Cohort
from preprocess import windowed
from run_graph import attributes, constants, run, run_node

# Parts of node names. With all behind the first three blocks in integers the fold networks' logits lay off by 4 to 20 % of their spread,
# so by 2 to 5 %, for 4.7 ms a slice instead of 4.2 (FP32: 7.0). Chosen by the distance from FP32 on slices of the training patients.
INTEGER = tuple(f"/blocks.{i}/" for i in range(7, 17))
SLICES = 64
BINS = 2048
# Shares of a tensor's extremes at which its range may end.
SHARES = np.linspace(0.3, 1, 36)
TOP = 127
# Operators that keep their input's scale, which spares rescaling.
SAME_SCALE = ("MaxPool", "AveragePool")


def folded(model):
    """The model with what depends on constants alone as constants, and with padding by zeros inside the convolutions."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph, known, nodes = model.graph, constants(model.graph), []
    for node in graph.node:
        if all(name in known for name in node.input if name):
            run_node(node, known)
        else:
            nodes.append(node)
    padded, kept = {}, []
    for node in nodes:
        if node.op_type == "Pad":
            padded[node.output[0]] = node.input[0], _image_pads(node, known)
            continue
        for place, name in enumerate(node.input):
            if name in padded:
                node.input[place], added = padded[name]
                if any(added):
                    _add_pads(node, added)
        kept.append(node)
    used = {name for node in kept for name in node.input}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(value.numpy(), name) for name, value in known.items() if name in used)
    return model


def _image_pads(node, known):
    """Rows and columns of zeros that a Pad adds: top, left, bottom, right."""
    n0, c0, top, left, n1, c1, bottom, right = known[node.input[1]].tolist()
    value = known[node.input[2]].item() if len(node.input) > 2 and node.input[2] else 0
    if any((n0, c0, n1, c1, value)):
        raise ValueError(f"{node.name} pads by more than zeros around the image")
    return top, left, bottom, right


def _add_pads(node, added):
    if node.op_type != "Conv":
        raise ValueError(f"{node.name}: padding before a {node.op_type}")
    own = attributes(node).get("pads", [0, 0, 0, 0])
    others = [a for a in node.attribute if a.name != "pads"]
    del node.attribute[:]
    node.attribute.extend([*others, helper.make_attribute("pads", [a + b for a, b in zip(own, added)])])


class Plan:
    """Which nodes of a folded graph become integer kernels: `result` has each one's name and the tensor that it makes, behind its
    ReLU. `relus` are the ReLUs taken in, `tensors` all that become uint8, `same` those that keep another's scale."""

    def __init__(self, graph, parts):
        weights = {i.name for i in graph.initializer}
        users = {}
        for node in graph.node:
            for name in node.input:
                users.setdefault(name, []).append(node)
        self.result, self.relus, self.tensors, self.same = {}, set(), set(), {}
        for node in graph.node:
            moving = [name for name in node.input if name not in weights]
            if not self._takes(node, moving, parts):
                continue
            made = node.output[0]
            after = users.get(made, [])
            if [user.op_type for user in after] == ["Relu"]:
                made = after[0].output[0]
                self.relus.add(after[0].name)
            self.result[node.name] = made
            self.tensors.update([*moving, made])
            if node.op_type in SAME_SCALE:
                self.same[made] = moving[0]

    def _takes(self, node, moving, parts):
        if node.op_type == "Conv":
            return len(moving) == 1 and any(part in node.name for part in parts)
        return node.op_type in ("Add", "Concat", *SAME_SCALE) and self.tensors.issuperset(node.input)


def scale_and_zero(low, high):
    """uint8's step and the value that stands for 0, for a range that holds 0."""
    scale = max(high - low, 1e-8) / 255
    return float(np.float32(scale)), round(-low / scale)


class Spread:
    """The values of a tensor [N, C, ...]: how often each of BINS parts of their range occurs, and each channel's mean."""

    def __init__(self):
        self.low = self.high = self.counts = self.sums = self.size = 0

    def widen(self, x):
        self.low, self.high = min(self.low, x.min().item()), max(self.high, x.max().item())

    def count(self, x):
        self.counts = self.counts + torch.histc(x, BINS, self.low, self.high).numpy()
        self.sums = self.sums + x.transpose(0, 1).flatten(1).double().sum(1).numpy()
        self.size += x[:, 0].numel()

    def mean(self):
        return self.sums / self.size

    def best(self):
        """Scale and zero point of least squared error, of rounding and of clipping together."""
        middle = self.low + (self.high - self.low) / BINS * (np.arange(BINS) + 0.5)

        def error(choice):
            scale, zero = choice
            back = (np.clip(np.round(middle / scale) + zero, 0, 255) - zero) * scale
            return (self.counts * (middle - back) ** 2).sum()

        return min((scale_and_zero(self.low * share, self.high * share) for share in SHARES), key=error)


def spreads(model, plan, slices, batch=4):
    """The Spread of each tensor of the plan over slices [N, C, size, size]."""
    source = model.graph.input[0].name
    seen = {name: Spread() for name in plan.tensors}
    for step in (Spread.widen, Spread.count):
        for start in range(0, len(slices), batch):
            values = run(model, **{source: torch.from_numpy(slices[start : start + batch])})
            for name, spread in seen.items():
                step(spread, values[name])
    return seen


def scales_of(seen, plan):
    """Scale and zero point of each tensor."""
    def origin(name):
        return origin(plan.same[name]) if name in plan.same else name

    chosen = {name: spread.best() for name, spread in seen.items() if name not in plan.same}
    return {name: chosen[origin(name)] for name in seen}


def rounded_weights(w, bias, scale_in):
    """int8 weights [O, ...] and a scale [O], large enough for the bias to fit into int32 as well."""
    top = np.abs(w).reshape(len(w), -1).max(1)
    scale = np.maximum(np.maximum(top / TOP, np.abs(bias) / (2**30 * scale_in)), 1e-12).astype(np.float32)
    return np.round(w / scale.reshape(-1, *[1] * (w.ndim - 1))).astype(np.int8), scale


def corrected_bias(w, values, scale, bias, mean):
    """The bias with which the rounded weights give the same mean for inputs of this mean (edges apart)."""
    lost = (w - values * scale.reshape(-1, *[1] * (w.ndim - 1))).reshape(*w.shape[:2], -1).sum(2)
    groups = len(mean) // w.shape[1]
    inputs = np.repeat(mean.reshape(groups, -1), len(w) // groups, 0)
    return bias + (lost * inputs).sum(1)


class Writer:
    """The nodes and constants of a QDQ graph."""

    def __init__(self, scales):
        self.scales, self.nodes, self.constants = scales, [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def round(self, tensor, value, to):
        """Rounds the float `value` of a tensor to uint8, and back into `to`."""
        scale, zero = self.scales[tensor]
        step = [self.constant(f"{tensor}.scale", np.float32(scale)), self.constant(f"{tensor}.zero", np.uint8(zero))]
        self.nodes.append(helper.make_node("QuantizeLinear", [value, *step], [f"{tensor}.q"]))
        self.nodes.append(helper.make_node("DequantizeLinear", [f"{tensor}.q", *step], [to]))

    def dequantised(self, name, values, scale):
        """The float name of whole numbers with a scale for each output channel."""
        inputs = [self.constant(f"{name}.q", values), self.constant(f"{name}.scale", scale),
                  self.constant(f"{name}.zero", np.zeros(len(scale), values.dtype))]
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}.dq"], axis=0))
        return f"{name}.dq"


def quantised(model, slices, parts=INTEGER):
    """The QDQ model of an FP32 one, its ranges from slices [N, C, size, size]; `parts` of names say which convolutions it takes."""
    model = folded(model)
    graph, known = model.graph, {name: value.numpy() for name, value in constants(model.graph).items()}
    plan = Plan(graph, parts)
    seen = spreads(model, plan, slices)
    scales = scales_of(seen, plan)
    writer = Writer(scales)
    given = {value.name for value in graph.input} & plan.tensors
    for name in given:
        writer.round(name, name, f"{name}.dq")
    for node in graph.node:
        if node.name in plan.relus:
            continue
        inner = plan.result.get(node.name)
        if inner:
            node.input[:] = [f"{name}.dq" if name in given else name for name in node.input]
        if inner and node.op_type == "Conv":
            source = node.input[0].removesuffix(".dq")
            w, bias, scale_in = known[node.input[1]], known[node.input[2]], scales[source][0]
            values, scale = rounded_weights(w, bias, scale_in)
            step = (scale * np.float64(scale_in)).astype(np.float32)
            bias = corrected_bias(w, values, scale, bias, seen[source].mean())
            node.input[1:] = [writer.dequantised(node.input[1], values, scale),
                              writer.dequantised(node.input[2], np.round(bias / step).astype(np.int32), step)]
        writer.nodes.append(node)
        tensor = inner or node.output[0]
        if tensor in plan.tensors:
            node.output[0] = f"{tensor}.float"
            writer.round(tensor, f"{tensor}.float", tensor)
    used = {name for node in writer.nodes for name in node.input}
    stored = [i for i in graph.initializer if i.name in used]
    outputs = [value for value in graph.output if value.name != "activation"]
    made = helper.make_model(helper.make_graph(writer.nodes, graph.name, graph.input, outputs, [*stored, *writer.constants.values()]),
                             opset_imports=model.opset_import, producer_name="vigil-training")
    made.ir_version = model.ir_version
    onnx.checker.check_model(made)
    return made


def calibration_slices(cohort, rows, count=SLICES, seed=0):
    """The network's input [count, C, 256, 256] for some of the cohort's rows."""
    chosen = np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))
    return np.ascontiguousarray(windowed(np.asarray(cohort.exact[chosen], np.float32)).swapaxes(0, 1))


def write(source, path, cache, without_fold=None, folds=3):
    """The INT8 graph of the FP32 graph in `source`, calibrated on the cohort, without the patients of a fold if one is given."""
    cohort = Cohort(cache)
    rows = np.flatnonzero(cohort.labelled & (cohort.folds(folds) != without_fold))
    onnx.save(quantised(onnx.load(str(source)), calibration_slices(cohort, rows)), str(path))


def main(options):
    machine.use(1)
    write(options.graph, options.out, options.cache)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("models/training/work/cache"))
    main(parser.parse_args())
