"""What the tests know of the operations in ops/reduction.py, ops/partial.py and ops/ordering.py."""

import numpy as np

inf, nan = np.inf, np.nan

EQUALS = np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
MISSING = np.array([[1.0, nan, 2.0], [3.0, 3.0, nan], [nan, nan, 4.0]])
ZEROS = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0], [1.0, 2.0, 4.0]])
EVERY_AXIS = (None, 0, 1, -1, (0, 1), ())


def _logsumexp(a, axis, keepdims):
    with np.errstate(divide="ignore"):
        return np.log(np.sum(np.exp(a), axis, keepdims=keepdims))


def _order_statistics(a, ranks, axis):
    axes = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else [axis]
    last = np.moveaxis(a, axes, range(-len(axes), 0)) if len(axes) else a[..., None]
    ordered = np.sort(last.reshape(*last.shape[: a.ndim - len(axes)], -1))
    return np.stack([ordered[..., k].reshape(np.sum(a, axis, keepdims=True).shape) for k in ranks])


REFERENCES = {
    "logsumexp": _logsumexp,
    "order_statistics": _order_statistics,
}

CASES = {
    "logsumexp": [
        (np.array([[1e4, 0.0, -1e4], [1e4, 1e4, 1e4], [-inf, 0.0, 1.0]]), 1, False),
        (np.array([[inf, 1.0], [2.0, inf]]), 0, True),
    ],
    "max": [(EQUALS, axis, False) for axis in EVERY_AXIS],
    "median": [
        *[(EQUALS, axis, False) for axis in EVERY_AXIS],
        (np.array([1.0, 2.0, 2.0, 2.0, 3.0, 3.0]), None, False),
        (np.array([[inf, 1.0, -inf, 2.0], [3e38, 3e38, 3e38, 3e38]]), 1, True),
    ],
    "min": [(-EQUALS, axis, True) for axis in EVERY_AXIS],
    "nanmax": [(MISSING, axis, False) for axis in (None, 0, 1, (0, 1))] + [(EQUALS, 1, True)],
    "nanmean": [(MISSING, axis, False) for axis in (None, 0, 1, (0, 1))],
    "nanmin": [(MISSING, axis, False) for axis in (None, 0, 1, (0, 1))] + [(-EQUALS, 1, True)],
    "nanprod": [(MISSING, axis, False) for axis in EVERY_AXIS],
    "nanstd": [(MISSING, None, 1, False), (MISSING, (0, 1), 0, True)],
    "nansum": [(MISSING, axis, True) for axis in EVERY_AXIS],
    "nanvar": [(MISSING, None, 1, False), (MISSING, 0, 0, True)],
    "order_statistics": [(EQUALS, (0, 2, 1), 1), (EQUALS, (1, 2), None), (MISSING, (0, 1), 0)],
    "percentile": [(EQUALS, 50.0, axis, "linear", False) for axis in EVERY_AXIS],
    "prod": [(ZEROS, axis, False) for axis in EVERY_AXIS],
    "ptp": [(EQUALS, axis, False) for axis in EVERY_AXIS],
    "quantile": [(EQUALS, [0.5, 0.75], axis, "linear", False) for axis in EVERY_AXIS],
    "std": [(np.array([[0.1, 0.2, 0.3], [1.0, 1.0, 2.0]]), 1, 1, False)],
}

FOUND = {
    "max": [(np.array(3.0), 0, False), (np.array(3.0), -1, True)],
    "prod": [(ZEROS, None, False), (ZEROS, 1, True), (np.array(3.0), 0, False)],
    "sum": [(np.array(3.0), 0, False), (np.array(3.0), -1, True)],
}
