"""Writes cnn.onnx, sequence.onnx, gradient.onnx and cam.onnx as docs/model-package.md describes them.

gradient.onnx holds the backward pass of the LSTM as a graph of its own: for each layer and direction one Scan that
repeats the forward pass and emits the gates, and one that runs against it. So no training framework is needed where
the model runs, and any number of slices works.
"""
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
FLOAT = TensorProto.FLOAT


class Graph:
    """A little builder: constants and nodes get names of their own."""

    def __init__(self, prefix=""):
        self.nodes, self.constants, self.prefix, self.count = [], [], prefix, 0

    def name(self):
        self.count += 1
        return f"{self.prefix}v{self.count}"

    def constant(self, value):
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        value = np.ascontiguousarray(value if value.dtype == np.int64 else value.astype(np.float32))
        name = self.name()
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, op, *inputs, outputs=1, **attributes):
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        names = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def rename(self, value, name):
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def graph(self, title, inputs, outputs):
        infos = [[helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in part] for part in (inputs, outputs)]
        return helper.make_graph(self.nodes, title, *infos, initializer=self.constants)


def save(graph, path):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vigil-training")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _recurrent(net, layer, backward):
    suffix = f"_l{layer}" + ("_reverse" if backward else "")
    w, r, b1, b2 = (getattr(net.lstm, f"{kind}{suffix}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return w, r, b1, b2


def _onnx_gates(weight):
    """PyTorch orders an LSTM's gates i, f, g, o; ONNX i, o, f, c."""
    i, f, g, o = np.split(weight.detach().numpy(), 4)
    return np.concatenate([i, o, f, g])


def write_sequence(net, path):
    classes, features = len(net.gain), len(net.mu)
    g = Graph()
    chance = g.add("Sigmoid", "logits")
    x = g.add("Concat", g.add("MatMul", g.add("Sub", "features", net.mu), net.projection.T), chance, axis=1)
    h = g.add("Unsqueeze", x, np.array([1]))
    for layer in range(net.lstm.num_layers):
        parts = [_recurrent(net, layer, backward) for backward in (False, True)]
        w = np.stack([_onnx_gates(p[0]) for p in parts])
        r = np.stack([_onnx_gates(p[1]) for p in parts])
        b = np.stack([np.concatenate([_onnx_gates(p[2]), _onnx_gates(p[3])]) for p in parts])
        y = g.add("LSTM", h, w, r, b, hidden_size=net.lstm.hidden_size, direction="bidirectional")
        # [T, 2, 1, H] -> [T, 1, 2H]
        h = g.add("Reshape", g.add("Transpose", y, perm=[0, 2, 1, 3]), np.array([0, 1, -1]))
    joined = g.add("Concat", g.add("Squeeze", h, np.array([1])), chance, axis=1)
    head = g.add("Add", g.add("MatMul", joined, net.head.weight.T), net.head.bias)
    g.rename(g.add("Add", g.add("Mul", "logits", net.gain), head), "scores")
    inputs = [("features", ["T", features]), ("logits", ["T", classes])]
    save(g.graph("sequence", inputs, [("scores", ["T", classes])]), path)


def _forward_body(r, hidden, title):
    """Scan body: states h, c [1, H], input z [4H] before the recurrence; emits h, c before, i, f, g, o, tanh(c)."""
    b = Graph(title)
    row = b.add("Unsqueeze", "z", np.array([0]))
    gates = b.add("Add", row, b.add("MatMul", "h_in", r.T))
    i, f, c, o = b.add("Split", gates, np.array([hidden] * 4), outputs=4, axis=1)
    i, f, c, o = b.add("Sigmoid", i), b.add("Sigmoid", f), b.add("Tanh", c), b.add("Sigmoid", o)
    cell = b.add("Add", b.add("Mul", f, "c_in"), b.add("Mul", i, c))
    squashed = b.add("Tanh", cell)
    h = b.add("Mul", o, squashed)
    b.rename(h, "h_out")
    b.rename(cell, "c_out")
    emitted = dict(zip(("h", "before", "i", "f", "g", "o", "t"), (h, "c_in", i, f, c, o, squashed)))
    for name, value in emitted.items():
        b.nodes.append(helper.make_node("Squeeze", [value, b.constant(np.array([0]))], [f"e_{name}"]))
    state = [1, hidden]
    inputs = [("h_in", state), ("c_in", state), ("z", [4 * hidden])]
    return b.graph(title, inputs, [("h_out", state), ("c_out", state)] + [(f"e_{n}", [hidden]) for n in emitted])


def _backward_body(r, hidden, title):
    """Scan body against the forward one: states dh, dc [1, H]; emits dz [4H], the gradient before the gates."""
    b = Graph(title)
    dy, before, i, f, g, o, t = (b.add("Unsqueeze", f"s_{n}", np.array([0])) for n in ("dy", "before", "i", "f", "g", "o", "t"))
    one = b.constant(np.ones(1))

    def slope(gate):
        return b.add("Mul", gate, b.add("Sub", one, gate))

    def tanh_slope(value):
        return b.add("Sub", one, b.add("Mul", value, value))

    dh = b.add("Add", dy, "dh_in")
    dc = b.add("Add", "dc_in", b.add("Mul", b.add("Mul", dh, o), tanh_slope(t)))
    parts = [
        b.add("Mul", b.add("Mul", dc, g), slope(i)),
        b.add("Mul", b.add("Mul", dc, before), slope(f)),
        b.add("Mul", b.add("Mul", dc, i), tanh_slope(g)),
        b.add("Mul", b.add("Mul", dh, t), slope(o)),
    ]
    dz = b.add("Concat", *parts, axis=1)
    b.rename(b.add("MatMul", dz, r), "dh_out")
    b.rename(b.add("Mul", dc, f), "dc_out")
    b.nodes.append(helper.make_node("Squeeze", [dz, b.constant(np.array([0]))], ["e_dz"]))
    state = [1, hidden]
    scanned = [(f"s_{n}", [hidden]) for n in ("dy", "before", "i", "f", "g", "o", "t")]
    inputs = [("dh_in", state), ("dc_in", state)] + scanned
    return b.graph(title, inputs, [("dh_out", state), ("dc_out", state), ("e_dz", [4 * hidden])])


def write_gradient(net, class_weight, path):
    """`class_weight` [C, F] is the CNN's last layer, through which its own logits depend on the features."""
    classes, features, hidden = len(net.gain), len(net.mu), net.lstm.hidden_size
    components = len(net.projection)
    g = Graph()
    chance = g.add("Sigmoid", "logits")
    x = g.add("Concat", g.add("MatMul", g.add("Sub", "features", net.mu), net.projection.T), chance, axis=1)
    zero = g.constant(np.zeros((1, hidden)))
    tape = []
    for layer in range(net.lstm.num_layers):
        outputs, kept = [], []
        for backward in (0, 1):
            w, r, b1, b2 = _recurrent(net, layer, backward)
            z = g.add("Add", g.add("MatMul", x, w.T), b1 + b2)
            emitted = g.add("Scan", zero, zero, z, outputs=9, num_scan_inputs=1, scan_input_directions=[backward],
                            scan_output_directions=[backward] * 7, body=_forward_body(r, hidden, f"f{layer}{backward}_"))
            outputs.append(emitted[2])
            kept.append(emitted[3:])
        tape.append(kept)
        x = g.add("Concat", *outputs, axis=1)
    joined = g.add("MatMul", "seed", net.head.weight)
    dx, head_chance = g.add("Split", joined, np.array([2 * hidden, classes]), outputs=2, axis=1)
    for layer in reversed(range(net.lstm.num_layers)):
        halves = g.add("Split", dx, np.array([hidden, hidden]), outputs=2, axis=1)
        flows = []
        for backward in (0, 1):
            w, r, _, _ = _recurrent(net, layer, backward)
            scan = g.add("Scan", zero, zero, halves[backward], *tape[layer][backward], outputs=3, num_scan_inputs=7,
                         scan_input_directions=[1 - backward] * 7, scan_output_directions=[1 - backward],
                         body=_backward_body(r, hidden, f"b{layer}{backward}_"))
            flows.append(g.add("MatMul", scan[2], w))
        dx = g.add("Add", *flows)
    components_flow, chance_flow = g.add("Split", dx, np.array([components, classes]), outputs=2, axis=1)
    chance_flow = g.add("Add", chance_flow, head_chance)
    through = g.add("Mul", chance_flow, g.add("Mul", chance, g.add("Sub", np.ones(1), chance)))
    logit_flow = g.add("Add", through, g.add("Mul", "seed", net.gain))
    total = g.add("Add", g.add("MatMul", components_flow, net.projection), g.add("MatMul", logit_flow, class_weight))
    g.rename(total, "feature_gradient")
    inputs = [("features", ["T", features]), ("logits", ["T", classes]), ("seed", ["T", classes])]
    save(g.graph("gradient", inputs, [("feature_gradient", ["T", features])]), path)


def write_cam(cnn, path):
    """Channel weights are the mean over the map of dS/dA, exact for this network (network.py); ReLU of the sum."""
    side, channels, lesion = cnn.side, cnn.channels, cnn.map_weight()
    g = Graph()
    if lesion is None:
        weights = g.add("Mul", "feature_gradient", np.array([1 / side**2]))
    else:
        maps = len(lesion)
        mean, top1, top = g.add("Split", "feature_gradient", np.array([channels, maps, maps]), outputs=3, axis=1)
        flow = g.add("Add", mean, g.add("MatMul", g.add("Add", top1, top), lesion))
        weights = g.add("Mul", flow, np.array([1 / side**2]))
    flat = g.add("Reshape", "activation", np.array([0, 0, -1]))
    weighed = g.add("MatMul", g.add("Unsqueeze", weights, np.array([1])), flat)
    g.rename(g.add("Relu", g.add("Reshape", weighed, np.array([-1, side, side]))), "cam")
    inputs = [("activation", ["N", channels, side, side]), ("feature_gradient", ["N", cnn.feature_count])]
    save(g.graph("cam", inputs, [("cam", ["N", side, side])]), path)


def write_cnn(cnn, path, size=256):
    class Contract(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = cnn

        def forward(self, slices):
            return self.net(slices)[:3]

    wrapped = Contract().eval().to(memory_format=torch.contiguous_format)
    names = ["features", "logits", "activation"]
    axes = {name: {0: "N"} for name in ["slices", *names]}
    torch.onnx.export(wrapped, torch.zeros(2, 3, size, size), str(path), opset_version=OPSET, input_names=["slices"],
                      output_names=names, dynamic_axes=axes, do_constant_folding=True)
    onnx.checker.check_model(onnx.load(str(path)))
