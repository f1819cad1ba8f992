"""Runs an ONNX graph in PyTorch, as far as the operators of a slice network go, with every value in between at hand; and
in ONNX Runtime through Node, where only the outputs are.
"""
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional as F

INTEGERS = {torch.uint8: (0, 255), torch.int8: (-128, 127)}


def _image_pads(attributes):
    """(top, left, bottom, right), which PyTorch pads by as (left, right, top, bottom)."""
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    return left, right, top, bottom


def _conv(attributes, x, w, b=None):
    x = F.pad(x, _image_pads(attributes))
    return F.conv2d(x, w, b, attributes.get("strides", 1), 0, attributes.get("dilations", 1), attributes.get("group", 1))


def _max_pool(attributes, x):
    x = F.pad(x, _image_pads(attributes), value=-torch.inf)
    return F.max_pool2d(x, attributes["kernel_shape"], attributes["strides"])


def _average_pool(attributes, x):
    if any(_image_pads(attributes)):
        raise ValueError("AveragePool with padding")
    return F.avg_pool2d(x, attributes["kernel_shape"], attributes["strides"])


def _resize(attributes, x, _, scales):
    if attributes["mode"] != b"linear" or attributes["coordinate_transformation_mode"] != b"half_pixel":
        raise ValueError("only linear Resize at half pixels")
    return F.interpolate(x, scale_factor=scales[2:].tolist(), mode="bilinear", align_corners=False)


def _pad(attributes, x, pads, value=None):
    pads = pads.reshape(2, -1).flip(1).T.reshape(-1).tolist()
    return F.pad(x, pads, value=0 if value is None else value.item())


def _slice(attributes, x, starts, ends, axes, steps=None):
    array, steps = x.numpy(), torch.ones_like(axes) if steps is None else steps
    for start, end, axis, step in zip(*(v.tolist() for v in (starts, ends, axes, steps))):
        span = slice(start, None if step < 0 and end < -array.shape[axis] else end, step)
        array = array[(slice(None),) * axis + (span,)]
    return torch.from_numpy(array.copy())


def _gemm(attributes, a, b, c):
    return a @ (b.T if attributes.get("transB") else b) + c


def _reshape(attributes, x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())])


def _along(x, scale, zero, axis):
    shape = [-1 if i == axis else 1 for i in range(x.dim())] if scale.dim() else []
    return scale.reshape(shape), zero.reshape(shape)


def _quantize(attributes, x, scale, zero):
    low, high = INTEGERS[zero.dtype]
    shaped, offset = _along(x, scale, zero, attributes.get("axis", 1))
    return (torch.round(x / shaped) + offset).clamp(low, high).to(zero.dtype)


def _dequantize(attributes, x, scale, zero):
    shaped, offset = _along(x, scale, zero, attributes.get("axis", 1))
    return (x.to(torch.int32) - offset.to(torch.int32)).float() * shaped


OPERATORS = {
    "Add": lambda a, x, y: x + y,
    "AveragePool": _average_pool,
    "Cast": lambda a, x: x.to(torch.int64 if a["to"] == onnx.TensorProto.INT64 else torch.float32),
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Constant": lambda a: torch.from_numpy(numpy_helper.to_array(a["value"]).copy()),
    "ConstantOfShape": lambda a, shape: torch.full(shape.tolist(), numpy_helper.to_array(a["value"]).item()),
    "Conv": _conv,
    "DequantizeLinear": _dequantize,
    "Gather": lambda a, x, i: x.index_select(a.get("axis", 0), i.reshape(-1)).squeeze(a.get("axis", 0)),
    "Gemm": _gemm,
    "Identity": lambda a, x: x,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "QuantizeLinear": _quantize,
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda a, x: F.relu(x),
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": lambda a, x: torch.tensor(x.shape),
    "Slice": _slice,
    "TopK": lambda a, x, k: tuple(x.topk(k.item(), a["axis"])),
    "Transpose": lambda a, x: x.permute(a["perm"]),
}


def attributes(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def run_node(node, values):
    """Puts a node's outputs beside its inputs into `values`."""
    made = OPERATORS[node.op_type](attributes(node), *(values[name] if name else None for name in node.input))
    values.update(zip(node.output, made if isinstance(made, tuple) else (made,)))


def constants(graph):
    return {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}


def run(model, **inputs):
    """Every value of the graph by its name, for inputs as tensors."""
    values = {**constants(model.graph), **inputs}
    with torch.no_grad():
        for node in model.graph.node:
            run_node(node, values)
    return values


class Runtime:
    """A slice network in onnxruntime-node, one slice at a time, as long as the block lasts."""

    def __init__(self, path, features, classes):
        self.command = ["node", str(Path(__file__).with_name("run_graph.mjs")), str(path)]
        self.features, self.classes = features, classes

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def answers(self, slices):
        """Features [N, F] and logits [N, C] of slices [N, C, size, size]."""
        count, made = self.features + self.classes, []
        for one in slices:
            self.process.stdin.write(np.ascontiguousarray(one, "<f4").tobytes())
            self.process.stdin.flush()
            answer = self.process.stdout.read(4 * count)
            if len(answer) < 4 * count:
                raise RuntimeError(f"{' '.join(self.command)} ended")
            made.append(np.frombuffer(answer, "<f4"))
        return np.stack(made)[:, : self.features], np.stack(made)[:, self.features :]
