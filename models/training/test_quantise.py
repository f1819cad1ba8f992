"""Tests of the quantiser and the graph runner: python3 -m unittest discover -s models/training"""
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent))

import compare_int8
import export
import quantise
from network import Conv, SliceNet
from run_graph import constants, run


class Tiny(nn.Module):
    """Every operator that becomes integer: strided and depthwise convolutions, a residual sum, both pools, Concat."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 8, 3, 2)
        self.depthwise = Conv(8, 8, 3, groups=8)
        self.project = Conv(8, 8, 1, relu=False)
        self.last = Conv(16, 4, 1)

    def forward(self, x):
        x = self.stem(x)
        x = F.relu(x + self.project(self.depthwise(x)))
        return self.last(torch.cat([F.avg_pool2d(x, 2), F.max_pool2d(x, 2)], 1))


def exported(net, size):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        torch.onnx.export(net.eval(), torch.zeros(2, 3, size, size), str(path), opset_version=export.OPSET, input_names=["slices"],
                          output_names=["logits"], dynamic_axes={"slices": {0: "N"}, "logits": {0: "N"}})
        return onnx.load(str(path))


class Quantised(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.slices = torch.randn(6, 3, 16, 16)
        self.float = exported(Tiny(), 16)
        self.made = quantise.quantised(self.float, self.slices.numpy(), parts=("",))

    def test_answers_stay_within_few_steps_of_the_float_ones(self):
        before, after = run(self.float, slices=self.slices), run(self.made, slices=self.slices)
        for name in ("/Relu_output_0", "/Concat_output_0", "logits"):
            off = ((before[name] - after[name]) / after[f"{name}.scale"]).abs()
            self.assertLess(off.mean().item(), 1, name)
            self.assertLess(off.quantile(0.99).item(), 3, name)
            self.assertGreater((before[name].max() / after[f"{name}.scale"]).item(), 200, name)

    def test_the_checker_takes_the_graph_and_every_kernel_is_whole(self):
        onnx.checker.check_model(self.made, full_check=True)
        kinds = [node.op_type for node in self.made.graph.node]
        self.assertFalse({"Relu", "Pad"} & set(kinds))
        feeding = {node.output[0]: node.op_type for node in self.made.graph.node}
        taken = {name: node.op_type for node in self.made.graph.node for name in node.input}
        for node in self.made.graph.node:
            if node.op_type in ("Conv", "Add", "AveragePool", "MaxPool", "Concat"):
                self.assertEqual({feeding[name] for name in node.input}, {"DequantizeLinear"}, node.name)
                self.assertEqual(taken[node.output[0]], "QuantizeLinear", node.name)

    def test_weights_are_symmetric_and_padding_stands_for_zero(self):
        values = constants(self.made.graph)
        self.assertEqual({v.dtype for n, v in values.items() if n.endswith("weight.q")}, {torch.int8})
        self.assertEqual({v.dtype for n, v in values.items() if n.endswith("bias.q")}, {torch.int32})
        for name, value in values.items():
            if name.endswith(("weight.zero", "bias.zero")) or ("Relu" in name and name.endswith(".zero")):
                self.assertFalse(value.any(), name)

    def test_what_is_not_named_stays_float(self):
        made = quantise.quantised(self.float, self.slices.numpy(), parts=("/stem/", "/depthwise/", "/project/"))
        conv = next(node for node in made.graph.node if "/last/" in node.name and node.op_type == "Conv")
        self.assertEqual(constants(made.graph)[conv.input[1]].dtype, torch.float32)


class Rounding(unittest.TestCase):
    def test_a_range_leaves_out_what_is_too_rare_and_keeps_what_is_not(self):
        def top(values):
            spread = quantise.Spread()
            spread.widen(values), spread.count(values)
            return 255 * spread.best()[0]

        flat = torch.linspace(0, 1, 50_000)[None, None]
        self.assertAlmostEqual(top(flat), 1, delta=0.02)
        lone = torch.cat([flat, torch.full((1, 1, 1), 2.0)], 2)
        self.assertLess(top(lone), 1.9)

    def test_a_dead_channel_keeps_its_bias(self):
        w = np.zeros((2, 1, 3, 3), np.float32)
        w[1] = 1
        bias = np.array([5, 1], np.float32)
        values, scale = quantise.rounded_weights(w, bias, 0.01)
        self.assertLess(abs(bias / (scale * 0.01)).max(), 2**31)
        np.testing.assert_allclose(values * scale[:, None, None, None], w, atol=1e-6)

    def test_the_corrected_bias_gives_a_flat_image_its_answer_back(self):
        rng = np.random.default_rng(0)
        for shape, channels in (((4, 3, 3, 3), 3), ((6, 1, 3, 3), 6), ((4, 2, 3, 3), 4)):
            w, bias, mean = rng.normal(size=shape), rng.normal(size=shape[0]), rng.normal(size=channels)
            values, scale = quantise.rounded_weights(w, bias, 0.1)
            rounded = torch.from_numpy(values * scale[:, None, None, None].astype(float))
            flat, groups = torch.from_numpy(mean)[None, :, None, None].expand(1, -1, 3, 3), channels // shape[1]
            after = torch.from_numpy(quantise.corrected_bias(w, values, scale, bias, mean))
            torch.testing.assert_close(F.conv2d(flat, rounded, after, groups=groups), F.conv2d(flat, torch.from_numpy(w), torch.from_numpy(bias), groups=groups))


class Running(unittest.TestCase):
    def test_a_slice_networks_graph_answers_as_the_network_does(self):
        torch.manual_seed(0)
        net, slices = SliceNet().eval(), torch.randn(2, 3, 64, 64)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cnn.onnx"
            export.write_cnn(net, path, 64)
            model = onnx.load(str(path))
        with torch.no_grad():
            features, logits, activation, _ = net(slices)
        for graph in (model, quantise.folded(model)):
            values = run(graph, slices=slices)
            for name, expected in (("features", features), ("logits", logits), ("activation", activation)):
                torch.testing.assert_close(values[name], expected)
        made = quantise.quantised(model, slices.numpy())
        self.assertEqual([value.name for value in made.graph.output], ["features", "logits"])


class Comparing(unittest.TestCase):
    def test_what_is_lost_counts_as_less_and_what_stays_as_nothing(self):
        rng = np.random.default_rng(0)
        y, score = np.tile([0, 1], 20), np.tile([-1.0, 1], 20)
        same = compare_int8.difference(y, score, score, np.arange(40) // 4)
        self.assertEqual((same["before"], same["change"], same["low"], same["high"]), (1, 0, 0, 0))
        worse = compare_int8.difference(y, score, score + rng.normal(0, 3, 40), np.arange(40) // 4)
        self.assertLess(worse["high"], 0)
        self.assertEqual(compare_int8.answers_changed(y, score, score), 0)
        self.assertGreater(compare_int8.answers_changed(y, score, -score), 30)


if __name__ == "__main__":
    unittest.main()
