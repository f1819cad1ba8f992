"""Tests of the figures of merit and of calibration: python3 -m unittest discover -s models/training"""
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import metrics


class Figures(unittest.TestCase):
    def test_platt_scaling_recovers_the_slope(self):
        rng = np.random.default_rng(0)
        score = rng.normal(0, 2, 4000)
        y = (rng.random(4000) < metrics.sigmoid(0.7 * score - 1)).astype(float)
        slope, intercept = metrics.platt(score, y)
        self.assertAlmostEqual(slope, 0.7, delta=0.08)
        self.assertAlmostEqual(intercept, -1, delta=0.12)

    def test_platt_scaling_of_a_rare_class_with_wide_scores(self):
        rng = np.random.default_rng(4)
        y = np.repeat([1.0, 0.0], [4, 62])
        score = rng.normal(-2, 5, 66) + 2 * y
        slope, intercept = metrics.platt(score, y)
        self.assertAlmostEqual(metrics.sigmoid(slope * score + intercept).mean(), 5 / 66, delta=0.02)

    def test_platt_scaling_never_turns_the_order_round(self):
        y = np.repeat([1.0, 0.0], [4, 62])
        slope, intercept = metrics.platt(3 * (1 - y), y)
        self.assertEqual(slope, 0.05)
        self.assertAlmostEqual(metrics.sigmoid(slope * 3 * (1 - y) + intercept).mean(), 5 / 66, delta=0.02)

    def test_confusion_counts(self):
        y, p = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.2, 0.8, 0.1, 0.3])
        c = metrics.confusion(y, p, 0.5)
        self.assertEqual((c["tp"], c["fn"], c["tn"], c["fp"]), (1, 1, 2, 1))


if __name__ == "__main__":
    unittest.main()
