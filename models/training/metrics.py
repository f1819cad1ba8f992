"""Figures of merit with their uncertainty. Bootstraps draw patients, not slices: slices of one patient are alike."""
import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def log_loss(y, p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def calibration_error(y, p, bins=10):
    """Expected calibration error over equally wide bins."""
    which = np.minimum((p * bins).astype(int), bins - 1)
    return float(sum(abs(y[which == b].mean() - p[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any()))


def auc(y, score):
    return float(roc_auc_score(y, score)) if 0 < y.sum() < len(y) else float("nan")


def bootstrap(groups, figure, rounds=1000, seed=0):
    """2.5th and 97.5th percentile of figure(indices) when the groups (patients) are drawn with replacement."""
    rng = np.random.default_rng(seed)
    groups = np.asarray(groups)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    values = [figure(np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])) for _ in range(rounds)]
    values = np.array(values)[np.isfinite(values)]
    return (float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5))) if len(values) > rounds // 2 else (None, None)


def wilson(hits, total):
    """95 % interval of a share (Wilson 1927)."""
    if total == 0:
        return None, None
    z, p = 1.96, hits / total
    middle, half = p + z * z / (2 * total), z * np.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return float((middle - half) / (1 + z * z / total)), float((middle + half) / (1 + z * z / total))


def auc_with_interval(y, score, groups):
    low, high = bootstrap(groups, lambda i: auc(y[i], score[i]))
    return {"value": round(auc(y, score), 4), "low": None if low is None else round(low, 4),
            "high": None if high is None else round(high, 4)}


def platt(score, y, ridge=1.0):
    """Slope, at least 0.05, and intercept of the probability sigmoid(slope x score + intercept), with Platt's smoothed
    targets (Platt 1999) and a weak pull of the slope towards 1."""
    positives, negatives = y.sum(), len(y) - y.sum()
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(w):
        z = w[0] * score + w[1]
        excess = sigmoid(z) - target
        value = np.logaddexp(0, z).sum() - target @ z + ridge / 2 * (w[0] - 1) ** 2
        return value, np.array([score @ excess + ridge * (w[0] - 1), excess.sum()])

    fit = minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(0.05, None), (None, None)], options={"ftol": 1e-12, "gtol": 1e-8})
    return float(fit.x[0]), float(fit.x[1])


def confusion(y, p, threshold):
    called = p >= threshold
    tp, fn, tn, fp = (int(v) for v in ((called & (y > 0)).sum(), (~called & (y > 0)).sum(), (~called & (y == 0)).sum(), (called & (y == 0)).sum()))

    def share(hits, total):
        low, high = wilson(hits, total)
        return {"value": round(hits / total, 4) if total else None, "low": low and round(low, 4), "high": high and round(high, 4)}

    return {"threshold": round(float(threshold), 4), "tp": tp, "fn": fn, "tn": tn, "fp": fp,
            "sensitivity": share(tp, tp + fn), "specificity": share(tn, tn + fp)}
