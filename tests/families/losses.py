"""What the tests know of the operations in ops/losses.py and class_losses.py."""

import numpy as np

from .neural import log_softmax, softmax


def reduced(losses, reduction):
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean, "batchmean": lambda: losses.sum()}[
        reduction
    ]() / (len(losses) if reduction == "batchmean" else losses.dtype.type(1))


def at(array, targets):
    return np.take_along_axis(array, targets[..., None].astype(int), -1)[..., 0]


def of_classes(logs, targets, weight, ignored, reduction, smoothing=0.0):
    """The loss of each row; the mean divides it by what the rows weigh."""
    weight = np.ones(logs.shape[-1], logs.dtype) if weight is None else weight
    kept = targets != ignored
    targets = np.where(kept, targets, 0)
    nll, smooth = -at(logs, targets) * weight[targets], -(logs * weight).mean(-1)
    losses = np.where(kept, (1 - smoothing) * nll + smoothing * smooth, 0).astype(logs.dtype)
    return losses.sum() / (weight[targets] * kept).sum() if reduction == "mean" else reduced(losses, reduction)


def _cross_entropy(logits, targets, weight, ignored, reduction, smoothing):
    if targets.dtype.kind != "f":
        return of_classes(log_softmax(logits, -1), targets, weight, ignored, reduction, smoothing)
    targets = targets * (1 - smoothing) + smoothing / logits.shape[-1]
    return reduced(-(log_softmax(logits, -1) * targets * (1 if weight is None else weight)).sum(-1), reduction)


def _focal(p, alpha, gamma):
    return -alpha * (1 - p) ** gamma * np.log(p)


def _huber(input, target, reduction, delta):
    distance = abs(input - target)
    losses = np.where(distance < delta, distance**2 / 2, delta * (distance - delta / 2))
    return reduced(losses, reduction)


def _bce(input, target, weight, reduction, pos_weight):
    p = 1 / (1 + np.exp(-input))
    losses = -(target * np.log(p) * (1 if pos_weight is None else pos_weight) + (1 - target) * np.log(1 - p))
    return reduced(losses * (1 if weight is None else weight), reduction)


def _kl_div(input, target, reduction, log_target):
    return reduced(np.exp(target) * (target - input) if log_target else target * (np.log(target) - input), reduction)


REFERENCES = {
    "binary_cross_entropy_with_logits": _bce,
    "cross_entropy": _cross_entropy,
    "focal_loss": lambda p, targets, alpha, gamma: _focal(at(p, targets), alpha, gamma),
    "huber_loss": _huber,
    "kl_div": _kl_div,
    "l1_loss": lambda input, target, reduction: reduced(abs(input - target), reduction),
    "margin_ranking_loss": lambda one, other, target, margin, reduction: reduced(
        np.maximum(0, margin - target * (one - other)), reduction
    ),
    "mse_loss": lambda input, target, reduction: reduced((input - target) ** 2, reduction),
    "nll_loss": of_classes,
    "softmax_focal_loss": lambda x, targets, alpha, gamma: _focal(at(softmax(x, -1), targets), alpha, gamma),
}

FAR = np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4]])
MASKED = np.array([[1.0, 2.0, -np.inf], [-np.inf, 1.0, -np.inf]])
TWO = np.array([[0.2, 0.8], [0.5, 0.5]])
EDGES = (np.array([1.0, -1.0, 0.5, -2.0, 0.0]), np.zeros(5))

CASES = {
    "binary_cross_entropy_with_logits": [
        (np.array([1e4, -1e4, 1e4, -1e4, 0.0, 800.0]), np.array([1.0, 1.0, 0.0, 0.0, 0.5, 0.25]), None, "none"),
        (np.array([1e4, -1e4, 0.0]), np.array([1.0, 0.5, 0.0]), np.array([2.0]), "sum", np.array([3.0, 0.5, 1.0])),
    ],
    "cross_entropy": [
        *[(FAR, np.array([target, 2])) for target in (0, 1, 2)],
        *[(FAR, np.array([target, 2]), None, -100, "none") for target in (0, 1, 2)],
        *[(FAR, np.array([target, 2]), None, -100, "sum", 0.25) for target in (0, 1, 2)],
        *[(MASKED, np.array([1, 1]), None, -100, reduction) for reduction in ("none", "mean", "sum")],
        (FAR, np.array([-100, -100])),
        (FAR, np.array([1, -100]), np.array([1.0, 2.0, 0.5])),
        (FAR, np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])),
    ],
    "focal_loss": [(TWO, np.array([0, 1]), 1.0, gamma) for gamma in (0.0, 2.0)],
    "huber_loss": [(*EDGES, "none", 1.0), (*EDGES, "mean", 2.0)],
    "kl_div": [(np.array([-1e4, 0.0, -1.0]), np.array([1e-30, 1.0, 1e30]), "none")],
    "l1_loss": [(*EDGES, "sum")],
    "margin_ranking_loss": [(*EDGES, np.array([1.0, -1.0, 1.0, 1.0, -1.0]), margin, "mean") for margin in (0.0, 1.0)],
    "nll_loss": [
        (np.log(TWO), np.array([-100, -100])),
        (np.array([[-np.inf, 0.0], [0.0, -np.inf]]), np.array([1, 0]), None, -100, "none"),
    ],
    "softmax_focal_loss": [(FAR, np.array([1, 2]), 1.0, gamma) for gamma in (0.0, 1.0, 2.0)],
}

FOUND = {
    "cross_entropy": [
        (np.ones((2, 3)).T, np.array([0, 0, 1]), None, -100, "mean", 0.0),
        (np.ones((2, 3))[::-1, ::-1], np.array([0, 2]), None, -100, "mean", 0.0),
    ],
}
