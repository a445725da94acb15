"""What torch has for the operations of ops/losses.py and class_losses.py."""

import torch
from torch.nn import functional


def _rows(logits, targets):
    """Both with one axis for the rows."""
    classes = logits.shape[-1]
    targets = targets.reshape(-1, classes) if targets.is_floating_point() else targets.reshape(-1).long()
    return logits.reshape(-1, classes), targets


def _shaped(losses, logits, reduction):
    return losses.reshape(logits.shape[:-1]) if reduction == "none" else losses


def _cross_entropy(logits, targets, weight=None, ignored=-100, reduction="mean", smoothing=0.0):
    losses = functional.cross_entropy(
        *_rows(logits, targets), weight, ignore_index=ignored, reduction=reduction, label_smoothing=smoothing
    )
    return _shaped(losses, logits, reduction)


def _nll_loss(input, targets, weight=None, ignored=-100, reduction="mean"):
    losses = functional.nll_loss(*_rows(input, targets), weight, ignore_index=ignored, reduction=reduction)
    return _shaped(losses, input, reduction)


def _focal_loss(p, targets, alpha, gamma):
    p = torch.gather(p, -1, targets[..., None].long())[..., 0]
    return -alpha * (1 - p) ** gamma * torch.log(p)


def _bce(input, target, weight=None, reduction="mean", pos_weight=None):
    return functional.binary_cross_entropy_with_logits(
        input, target, weight, reduction=reduction, pos_weight=pos_weight
    )


def _kl_div(input, target, reduction="mean", log_target=False):
    if reduction == "mean":  # torch warns of it
        return functional.kl_div(input, target, reduction="sum", log_target=log_target) / input.numel()
    return functional.kl_div(input, target, reduction=reduction, log_target=log_target)


OPERATIONS = {
    "binary_cross_entropy_with_logits": _bce,
    "cross_entropy": _cross_entropy,
    "focal_loss": _focal_loss,
    "huber_loss": lambda x, y, reduction, delta: functional.huber_loss(x, y, reduction, delta),
    "kl_div": _kl_div,
    "l1_loss": lambda x, y, reduction: functional.l1_loss(x, y, reduction=reduction),
    "margin_ranking_loss": lambda x, y, target, margin, reduction: functional.margin_ranking_loss(
        x, y, target, margin, reduction=reduction
    ),
    "mse_loss": lambda x, y, reduction: functional.mse_loss(x, y, reduction=reduction),
    "nll_loss": _nll_loss,
    "softmax_focal_loss": lambda x, targets, alpha, gamma: (
        _cross_entropy(x, targets, reduction="none")
        * alpha
        * (1 - torch.exp(-_cross_entropy(x, targets, reduction="none"))) ** gamma
    ),
}

WITHOUT: dict[str, str] = {}
