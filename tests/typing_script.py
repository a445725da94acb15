"""A user's script, for `mypy --strict`: it uses each public name."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import ArrayLike, NDArray

import tinygrad_lite as tg
from tinygrad_lite import Tensor, optim
from tinygrad_lite import functional as F

# Creation.

x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
assert_type(x, Tensor)
assert_type(tg.Tensor([1.0], requires_grad=True, dtype=np.float64), Tensor)
made: list[Tensor] = [
    tg.from_numpy(np.ones(3)),
    tg.zeros((2, 2), dtype=np.float64),
    tg.ones(3, requires_grad=True),
    tg.full((2,), 1.5),
    tg.arange(3),
    tg.arange(0.0, 1.0, 0.1, dtype="float64"),
    tg.linspace(0, 1, 5),
    tg.eye(2),
    tg.zeros_like(x),
    tg.ones_like([1.0]),
    tg.full_like(x, 2.0),
]

# Operators.

assert_type(x + 1, Tensor)
assert_type(1 - x, Tensor)
assert_type(x * x, Tensor)
assert_type(2.0 / x, Tensor)
assert_type(x**2, Tensor)
assert_type(2**x, Tensor)
assert_type(x @ x, Tensor)
assert_type(x // 2, Tensor)
assert_type(2 // x, Tensor)
assert_type(x % 2, Tensor)
assert_type(2 % x, Tensor)
assert_type(divmod(x, 2), tuple[Tensor, Tensor])
assert_type(divmod(2, x), tuple[Tensor, Tensor])
assert_type(-x, Tensor)
assert_type(+x, Tensor)
assert_type(abs(x), Tensor)
assert_type(round(x, 1), Tensor)
assert_type(x > 0, Tensor)
assert_type(x <= x, Tensor)
assert_type(x[0, ..., None], Tensor)
assert_type(list(x), list[Tensor])
mask: Tensor = x == 1.0
other: Tensor = x != 1.0
assert_type(mask & other, Tensor)
assert_type(True | mask, Tensor)
assert_type(mask ^ other, Tensor)
assert_type(~mask, Tensor)
numbers: tuple[float, int, bool, int] = (float(x[0, 0]), int(x[0, 0]), bool(x[0, 0]), len(x))
text: str = f"{x.sum():.4f} {x}"
y = x * 1
y += 1
y -= x
y *= 2.0
y /= 2
y **= 2
y //= 2
y %= 2
mask &= other
mask |= other
mask ^= other
y[0] = x[1]
y[0, 0] = 3.0

# Attributes and methods.

data: NDArray[Any] = x.data
x.data = np.ones((2, 2), np.float32)
x.data += -0.1 * np.ones((2, 2), np.float32)
grad: Tensor | None = x.grad
x.grad = None
assert_type(x.requires_grad, bool)
x.requires_grad = True
assert_type(x.is_leaf, bool)
assert_type(x.shape, tuple[int, ...])
assert_type(x.ndim, int)
assert_type(x.size, int)
dtype: np.dtype[Any] = x.dtype
assert_type(x.T, Tensor)
assert_type(x.mT, Tensor)
loss = x.sum()
loss.backward()
(x * x).backward(gradient=np.ones((2, 2)), retain_graph=True, create_graph=True)
y.retain_grad()
handle = y.register_hook(lambda g: g * 2)
handle.remove()
x.zero_grad()
assert_type(x.detach(), Tensor)
assert_type(x.clone(), Tensor)
assert_type(x.copy(), Tensor)
number: float | int | bool = loss.item()
assert_type(x.numpy(), NDArray[Any])
nested: list[list[float]] = x.tolist()
methods: list[Tensor] = [
    x.exp(),
    x.log(),
    x.sqrt(),
    x.tanh(),
    x.sigmoid(),
    x.relu(),
    x.abs(),
    x.clip(0, 1),
    x.clip(min=x),
    x.round(),
    x.round(decimals=1),
    x.astype(np.float64),
    x.softmax(axis=1),
    x.log_softmax(),
    x.sum(axis=(0, 1), keepdims=True),
    x.dot(x),
    x.mean(0),
    x.max(axis=1, initial=0.0),
    x.min(),
    x.prod(0, where=[True, False]),
    x.var(0, ddof=1),
    x.std(axis=0, ddof=1, keepdims=True),
    x.argmax(axis=1),
    x.argmin(keepdims=True),
    x.all(axis=0),
    x.any(),
    x.cumsum(axis=0),
    x.cumprod(1, np.float64),
    x.trace(),
    x.reshape(4),
    x.reshape(2, -1),
    x.reshape((4, 1), order="F"),
    x.transpose(1, 0),
    x.transpose(),
    x.swapaxes(0, 1),
    x.squeeze(),
    x.ravel(),
    x.flatten(order="F"),
    x.repeat(2, axis=0),
    x.diagonal(),
    x.take([0, 1], axis=1, mode="clip"),
    x.compress([True, False], axis=0),
    x.argmax(axis=0).choose([x[0], [1.0, 2.0]], mode="wrap"),
    x.nonzero()[0],
    x.argsort(axis=0, kind="stable"),
    x.argpartition(1, axis=0),
    x[0].searchsorted([1.0, 2.0], side="right"),
]
y.sort(axis=0)
y.partition(0)
y.put([0, -1], [1.0, 2.0], mode="wrap")
y.fill(1.0)
assert_type(copy.deepcopy(x), Tensor)
assert isinstance(pickle.loads(pickle.dumps(x)), Tensor)

# Functions.

functions: list[Tensor] = [
    tg.abs(x),
    tg.absolute(x),
    tg.acos(x),
    tg.acosh(x + 9),
    tg.add(x, 1),
    tg.all(x, axis=0),
    tg.amax(x),
    tg.amin(x, axis=(0, 1)),
    tg.any(x),
    tg.append(x, x, axis=0),
    tg.argmax(x, axis=0),
    tg.argmin(x, axis=0),
    *tg.array_split(x, 3, axis=1),
    tg.atleast_1d(x),
    tg.atleast_2d(x),
    *tg.atleast_3d(x, x),
    tg.average(x, axis=0, weights=[1.0, 2.0]),
    *tg.broadcast_arrays(x, 1.0),
    tg.broadcast_to(x[0], (3, 2)),
    tg.column_stack([x, x]),
    tg.concat([x, x]),
    tg.concatenate([x, x], axis=1, dtype=np.float64, casting="safe"),
    tg.copy(x),
    tg.count_nonzero(x),
    tg.cumprod(x, axis=0),
    tg.cumsum(x),
    tg.cumulative_prod(x, axis=0),
    tg.cumulative_sum(x, axis=1, include_initial=True),
    tg.delete(x, [0], axis=1),
    tg.diag(x, k=1),
    tg.diagflat(x),
    tg.diagonal(x, offset=1, axis1=0, axis2=1),
    tg.arccos(x),
    tg.arccosh(x + 9),
    tg.arcsin(x),
    tg.arcsinh(x),
    tg.arctan(x),
    tg.arctan2(x, 2.0),
    tg.arctanh(x),
    tg.around(x, decimals=1),
    tg.asin(x),
    tg.asinh(x),
    tg.atan(x),
    tg.atan2(x, 2.0),
    tg.atanh(x),
    tg.bitwise_and(mask, other),
    tg.bitwise_invert(mask),
    tg.bitwise_not(mask),
    tg.bitwise_or(mask, other),
    tg.bitwise_xor(mask, other),
    tg.cbrt(x),
    tg.ceil(x),
    tg.clip(x, 0.0, a_max=x),
    tg.clip(x, min=0, max=[1.0, 2.0]),
    tg.concatenate([x, x], axis=1),
    tg.copysign(x, 2.0),
    tg.cos(x),
    tg.cosh(x),
    tg.deg2rad(x),
    tg.degrees(x),
    tg.argpartition(x, [0, 1]),
    tg.argsort(x, axis=None, stable=True),
    tg.argwhere(x),
    tg.bincount([0, 1, 1], weights=tg.ones(3), minlength=2),
    tg.choose([0, 1], [x, 0.0], mode="clip"),
    tg.compress([True, False], x, axis=1),
    tg.digitize(x, [0.0, 1.0], right=True),
    tg.diff(x, n=1, axis=0, prepend=0.0),
    tg.divide(1, x),
    *tg.dsplit(x[None], [1]),
    tg.dstack([x, x]),
    tg.equal(x, x),
    tg.exp(x),
    tg.extract(mask, x),
    tg.flatnonzero(x),
    tg.interp(x, [0.0, 1.0], [1.0, 2.0], left=0.0),
    tg.expand_dims(x, 0),
    tg.flip(x, axis=(0, 1)),
    tg.fliplr(x),
    tg.flipud(x),
    *tg.gradient(x, 0.5, [0.0, 2.0], edge_order=1),
    tg.greater(x, 1),
    tg.greater_equal(x, 1),
    *tg.hsplit(x, 2),
    tg.hstack([x, x]),
    tg.exp2(x),
    tg.expm1(x),
    tg.fabs(x),
    tg.fix(x),
    tg.float_power(x, 2.0),
    tg.floor(x),
    tg.floor_divide(x, 2.0),
    tg.fmax(x, 2.0),
    tg.fmin(x, 2.0),
    tg.fmod(x, 2.0),
    tg.heaviside(x, 2.0),
    tg.hypot(x, 2.0),
    tg.invert(mask),
    tg.isfinite(x),
    tg.isinf(x),
    tg.isnan(x),
    tg.isneginf(x),
    tg.isposinf(x),
    tg.less(x, 1),
    tg.less_equal(x, 1),
    tg.log(x),
    tg.log10(x),
    tg.log1p(x),
    tg.log2(x),
    tg.logaddexp(x, 2.0),
    tg.logaddexp2(x, 2.0),
    tg.logical_and(mask, other),
    tg.logical_not(mask),
    tg.logical_or(mask, other),
    tg.logical_xor(x, 2.0),
    tg.matmul(x, x),
    tg.matrix_transpose(x),
    tg.max(x, axis=0),
    tg.maximum(x, 0.0),
    tg.mean(x, axis=(0, 1)),
    tg.median(x, axis=0),
    *tg.meshgrid(x[0], x[1], sparse=True, indexing="ij"),
    tg.min(x),
    tg.minimum(x, np.ones(2)),
    tg.moveaxis(x, 0, -1),
    tg.mod(x, 2.0),
    tg.multiply(x, [1.0, 2.0]),
    tg.nan_to_num(x, nan=1.0, posinf=2.0),
    tg.nanargmax(x),
    tg.nanargmin(x),
    tg.nancumprod(x),
    tg.nancumsum(x),
    tg.nanmax(x),
    tg.nanmean(x),
    tg.nanmin(x),
    tg.nanprod(x),
    tg.nanstd(x, ddof=1),
    tg.nansum(x, axis=0),
    tg.nanvar(x),
    tg.negative(x),
    tg.nonzero(x)[1],
    tg.not_equal(x, 1),
    tg.pad(x, ((1, 0), (0, 1)), mode="constant", constant_values=1.0),
    tg.percentile(x, 50.0),
    tg.permute_dims(x, (1, 0)),
    tg.power(x, 2),
    tg.prod(x, axis=(0, 1)),
    tg.ptp(x, axis=0),
    tg.quantile(x, [0.25, 0.75], axis=0),
    tg.ravel(x, order="F"),
    tg.repeat(x, [1, 2], axis=1),
    tg.reshape(x, (4,), order="F", copy=True),
    tg.resize(x, (2, 3)),
    tg.roll(x, (1, 2), axis=(0, 1)),
    tg.rollaxis(x, 1),
    tg.rot90(x, k=2),
    tg.sign(x),
    tg.sliding_window_view(x, 2, axis=1),
    *tg.split(x, [1], axis=0),
    tg.positive(x),
    tg.check_finite(x, "x"),
    tg.pow(x, 2.0),
    tg.rad2deg(x),
    tg.radians(x),
    tg.reciprocal(x),
    tg.remainder(x, 2.0),
    tg.reshape(x, (4,)),
    tg.rint(x),
    tg.round(x, decimals=1),
    tg.signbit(x),
    tg.sin(x),
    tg.sinc(x),
    tg.sinh(x),
    tg.partition(x, 1, axis=0),
    tg.searchsorted(x[0], x, side="right", sorter=[0, 1]),
    tg.select([mask, other], [x, 1.0], default=x),
    tg.sort(x, axis=0, kind="stable"),
    tg.sqrt(x),
    tg.square(x),
    tg.squeeze(x),
    tg.stack([x, x]),
    tg.std(x, axis=0, ddof=1),
    tg.subtract(x, x),
    tg.sum(x, keepdims=True),
    tg.swapaxes(x, 0, 1),
    tg.tan(x),
    tg.take(x, [0, 1], axis=0, mode="wrap"),
    tg.take_along_axis(x, tg.argsort(x), axis=-1),
    tg.tanh(x),
    tg.tile(x, (2, 1)),
    tg.trace(x, offset=1),
    tg.transpose(x, (1, 0)),
    tg.tril(x, k=-1),
    tg.triu(x),
    *tg.unstack(x, axis=1),
    tg.true_divide(x, 2.0),
    tg.trunc(x),
    tg.trapezoid(x, dx=0.5, axis=0),
    tg.var(x, ddof=1),
    *tg.vsplit(x, 2),
    tg.vstack([x, x]),
    tg.where(mask, x, 0.0),
]
quotient, rest = tg.divmod(x, 2)
assert all(isinstance(each, Tensor) for each in made + methods + functions)
tg.put(y, [0, 1], [1.0, 2.0], mode="clip")
tg.put_along_axis(y, x.argmax(axis=1, keepdims=True), 0.0, axis=1)
tg.place(y, mask, [1.0])
tg.putmask(y, mask, x)
tg.copyto(y, x, casting="same_kind", where=mask)
tg.fill_diagonal(y, 0.0, wrap=False)

# Linear algebra.

linalg = tg.linalg
a = x @ x.T + tg.eye(2)
matrices: list[Tensor] = [
    tg.cross(np.ones(3), [0.0, 1.0, 2.0]) * x[0, 0],
    tg.dot(x, x),
    tg.einsum("ij,jk->ik", x, x, optimize=True),
    tg.einsum(x, [0, 1], x, [1, 2], [0, 2]),
    tg.inner(x, x),
    tg.kron(x, x),
    tg.matvec(x, x[0]),
    tg.outer(x, x),
    tg.tensordot(x, x, axes=([1], [0])),
    tg.vdot(x, x),
    tg.vecdot(x, x, axis=-1),
    tg.vecmat(x[0], x),
    linalg.cholesky(a, upper=True),
    linalg.cond(a, 2),
    linalg.cross(tg.ones(3), np.ones(3), axis=0),
    linalg.det(a),
    linalg.diagonal(a, offset=1),
    linalg.trace(a),
    linalg.eigvalsh(a),
    linalg.inv(a),
    linalg.matmul(a, x),
    linalg.matrix_power(a, -2),
    linalg.matrix_rank(a),
    linalg.matrix_transpose(x),
    linalg.norm(x, ord="fro", axis=(0, 1)),
    linalg.matrix_norm(x, ord=2),
    linalg.vector_norm(x, axis=0, keepdims=True),
    linalg.multi_dot([a, x, a]),
    linalg.outer(x[0], x[1]),
    linalg.pinv(x),
    linalg.solve(a, x),
    linalg.svdvals(x),
    linalg.tensordot(x, x, 1),
    linalg.tensorinv(a, ind=1),
    linalg.tensorsolve(a, x[0]),
    linalg.vecdot(x, x),
    linalg.eigh(a, UPLO="U").eigenvectors,
    linalg.slogdet(a).logabsdet,
    *linalg.svd(x, full_matrices=False),
    *linalg.qr(x, mode="reduced"),
]
singular: type[ValueError] = linalg.LinAlgError
assert all(isinstance(each, Tensor) for each in matrices)

# Neural networks.

normal, mean, var = F.batch_norm(x, np.ones(2), np.zeros(2), axis=0, eps=1e-5, ddof=1)
neural: list[Tensor] = [
    F.batch_norm(x, 1.0, 0.0, mean=mean, var=var)[0],
    F.avg_pool1d(x, 2),
    F.avg_pool2d(tg.ones((1, 4, 4)), 2, count_include_pad=False),
    F.conv1d(x, tg.ones((1, 2, 1)), padding="same"),
    F.conv2d(tg.ones((1, 4, 4)), tg.ones((1, 1, 2, 2)), stride=(1, 2), padding=1),
    F.binary_cross_entropy_with_logits(x, x, weight=[1.0, 2.0], reduction="sum", pos_weight=2.0),
    F.cross_entropy(x, [0, 1]),
    F.cross_entropy(x, [0, -1], weight=[1.0, 2.0], ignore_index=-1, reduction="none", label_smoothing=0.1),
    F.dropout(x, 0.5, generator=tg.Generator()),
    F.embedding(np.array([0, 1]), x),
    F.index_add(x, 0, [0, 0], x),
    F.max_pool1d(x, 2, stride=1),
    F.max_pool2d(tg.ones((1, 4, 4)), (2, 2), padding=1),
    F.logsumexp(x, axis=(0, 1)),
    F.focal_loss(F.softmax(x), [0, 1], alpha=0.25, gamma=2.0),
    F.huber_loss(x, x, delta=0.5),
    F.kl_div(x, x, reduction="batchmean", log_target=True),
    F.l1_loss(x, x),
    F.layer_norm(x, 2, weight=x[0], bias=x[1]),
    F.linear(x, x, np.zeros(2)),
    F.log_softmax(x, axis=-1),
    F.margin_ranking_loss(x, x, np.ones((2, 2)), margin=0.5),
    F.mse_loss(x, x, reduction="sum"),
    F.nll_loss(x, [0, 1]),
    F.one_hot([0, 1], 3),
    F.elu(x, alpha=0.5),
    F.gelu(x),
    F.glu(x, axis=1),
    F.hardtanh(x, 0.0, 6.0),
    F.leaky_relu(x, negative_slope=0.1),
    F.selu(x),
    F.silu(x),
    F.softplus(x, beta=2.0),
    F.softsign(x),
    F.relu(x),
    F.rms_norm(x, (2,), eps=1e-6),
    F.scaled_dot_product_attention(x, x, x, is_causal=True),
    F.sigmoid(x),
    F.softmax(x),
    F.softmax_focal_loss(x, [0, 1], gamma=2.0),
    F.tanh(x),
]
tg.functional.relu(x).sum().backward()
optimizer: tg.optim.SGD = optim.SGD([x], lr=0.1, momentum=0.9, weight_decay=1e-4)
optimizer.zero_grad()
optimizer.step()
optimizer.lr = 0.01

# Gradients.

with tg.no_grad():
    x += 1.0


@tg.no_grad()
def evaluate(inputs: Tensor, scale: float = 1.0) -> Tensor:
    return inputs * scale


assert_type(evaluate(x, scale=2.0), Tensor)
testing = tg.testing
point = tg.tensor([1.0, 2.0], dtype=np.float64, requires_grad=True)
assert_type(testing.gradcheck(lambda a: a * a, point), bool)
wrong: type[AssertionError] = testing.GradientError
nowhere: type[testing.GradientError] = testing.NotDifferentiableError
assert_type(testing.gradgradcheck(lambda a: a**3, point), bool)


@tg.primitive(vjp=lambda g, x: 2 * g * x)
def squared(x: ArrayLike) -> Any:
    """x times x."""
    return np.square(x)


@tg.composite()
def cubed(x: ArrayLike) -> Tensor:
    """x times x times x."""
    return squared(x) * x


assert_type(squared(x), Tensor)
assert_type(cubed(x), Tensor)

# Transforms, and modes.


def cost(p: dict[str, Tensor], scale: float = 1.0) -> Tensor:
    return (p["w"] * p["w"]).sum() * scale


def double(x: Tensor) -> Tensor:
    return x * 2


slopes: dict[str, Tensor] = tg.grad(cost)({"w": x}, scale=2.0)
cost_now, slopes = tg.value_and_grad(cost)({"w": x})
several: tuple[Tensor, Tensor] = tg.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, 2.0)
slopes, extra = tg.grad(lambda p: (cost(p), "more"), has_aux=True)({"w": x})
each: Tensor = tg.elementwise_grad(np.tanh)(x)
rows: Tensor = tg.jacobian(double)(x)
curvature: Tensor = tg.hessian(lambda x: (x * x).sum())(x)
bent: Tensor = tg.hvp(lambda x: (x * x).sum())(x, x)
output, product = tg.vjp(double, x)
pulled: Tensor = product(x)
output, pushed = tg.jvp(double, (x,), (x,))
assert_type(tg.checkpoint(double)(x), Tensor)


@tg.jit
def doubled(x: Tensor) -> Tensor:
    return x * 2


@tg.jit(verify=1, copy=False, without=["pool"])
def tripled(x: Tensor) -> Tensor:
    return x * 3


try:
    both: tuple[Tensor, Tensor] = (doubled(x), tripled(x))
except tg.JitError:
    raise
source: str = doubled.source
kinds: list[Any] = tripled.signatures
doubled.report(profile=True)
with tg.detect_anomaly():
    double(x)

# Random numbers, and the scalar engine.

generator: tg.Generator = tg.Generator().manual_seed(1)
assert_type(generator.randn(2, 3), Tensor)
value: tg.Value = tg.Value(2.0, label="a") * 3 + 1
value.backward()
draw = tg.draw_dot(value).source, tg.draw_dot([loss], depth=2, max_nodes=None).source, tg.draw_dot(doubled).source
explore: Callable[[Tensor], Path] = tg.explore
