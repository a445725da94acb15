"""Runs one script of reads, views and writes in three ways, in step: ours, torch's, and by hand.

By hand means forward mode: each value goes along with its derivatives by every element of the leaves, and a view is
a view of both. Nothing is saved for later there, so nothing can be out of date.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

import tinygrad_lite as tg

from .torch_backend import torch

LEAVES = [np.array([0.5, -1.25, 0.75]), np.array([[0.25, 1.5, -0.5], [-0.75, 0.5, 1.25]])]
CONSTANTS = [np.array([1.5, 0.25, -0.5]), np.array([[0.5, -0.25, 1.0], [1.25, 0.75, -1.5]])]
SIZE = sum(leaf.size for leaf in LEAVES)

READS: list[Any] = [0, -1, slice(1, None), slice(None, -1), (slice(None), 0), (slice(None), slice(1, None)), ..., None]
COPIES: list[Any] = [[0, 0, 1], [-1, 0], ([0, 1], [1, 1])]
WRITES: list[Any] = [*READS, [1, 0], ([0, 1], [1, 2])]
OPERANDS = 3  # a variable, a number, an ndarray


class Step(NamedTuple):
    """One line of a script. a and b choose variables, `form` an index or what kind of operand b is."""

    name: str
    a: int = 0
    b: int = 0
    form: int = 0
    quiet: bool = False  # within no_grad()


class Dual(NamedTuple):
    """A value and its derivatives by all elements of the leaves, along a last axis of their own."""

    value: np.ndarray
    tangent: np.ndarray

    @staticmethod
    def constant(value: Any) -> Dual:
        value = np.asarray(value, float)
        return Dual(value, np.zeros((*value.shape, SIZE)))

    def index(self, index: Any) -> Dual:
        value = self.value[index]
        if not isinstance(value, np.ndarray):  # an element is a view, too
            value = self.value[(*index, ...) if isinstance(index, tuple) else (index, ...)]
        return Dual(value, self.tangent[index])

    def copy(self) -> Dual:
        return Dual(self.value.copy(), self.tangent.copy())


def combine(name: str, x: Dual, y: Dual) -> Dual:
    """x + y, x - y, x * y or x / y."""
    u, v = x.value[..., None], y.value[..., None]
    if name == "add":
        value, tangent = x.value + y.value, x.tangent + y.tangent
    elif name == "subtract":
        value, tangent = x.value - y.value, x.tangent - y.tangent
    elif name == "multiply":
        value, tangent = x.value * y.value, x.tangent * v + u * y.tangent
    else:
        value, tangent = x.value / y.value, x.tangent / v - u * y.tangent / (v * v)
    return Dual(np.array(value), np.broadcast_to(tangent, (*value.shape, SIZE)).copy())


def tangents_of_leaves() -> list[Dual]:
    ones, start, leaves = np.eye(SIZE), 0, []
    for leaf in LEAVES:
        leaves.append(Dual(leaf.copy(), ones[start : start + leaf.size].reshape(*leaf.shape, SIZE).copy()))
        start += leaf.size
    return leaves


def apply(name: str, x: Any, y: Any) -> Any:
    """The same on Tensors of ours or torch's."""
    if name == "add":
        return x + y
    if name == "subtract":
        return x - y
    return x * y if name == "multiply" else x / y


def apply_in_place(name: str, x: Any, y: Any) -> Any:
    if name == "add":
        x += y
    elif name == "subtract":
        x -= y
    elif name == "multiply":
        x *= y
    else:
        x /= y
    return x


def bring_up_to_date(x: Any) -> None:
    """Have torch look for the node of a view: until then, it takes one of a constant, written to since, for a leaf."""
    if isinstance(x, torch.Tensor) and torch.is_grad_enabled():
        assert x.grad_fn is None or x.requires_grad


BINARY = ("add", "subtract", "multiply")
IN_PLACE = (*BINARY, "divide")


class Lockstep:
    """The variables of a script, in all three ways. `run` makes one step and compares."""

    def __init__(self) -> None:
        self.ours: list[Any] = [tg.tensor(leaf, requires_grad=True) for leaf in LEAVES]
        self.theirs: list[Any] = [torch.tensor(leaf, requires_grad=True) for leaf in LEAVES]
        self.duals = tangents_of_leaves()
        self.leaves, self.their_leaves = list(self.ours), list(self.theirs)
        self.time = 0
        self.seen: dict[int, int] = {}  # when each variable was made or itself written to
        self.written: list[tuple[int, int]] = []  # when which variable was written to with a gradient
        self.touched: list[tuple[int, int]] = []  # when which variable was written to at all
        self.unrecorded: set[int] = set()  # views taken within no_grad()
        self.frozen: dict[int, int] = {}  # when those were taken, and parts; and views of them
        self.haunted: set[int] = set()  # what torch computed of what requires a gradient there alone
        for constant in CONSTANTS:
            self.ours.append(tg.tensor(constant))
            self.theirs.append(torch.tensor(constant))
            self.duals.append(Dual.constant(constant.copy()))

    def run(self, step: Step) -> None:
        a, b = step.a % len(self.ours), step.b % len(self.ours)
        self.time += 1
        if step.name == "backward":
            return self.backward(a, bool(step.form % 2))
        if not self.possible(step, a, b):
            return None
        try:
            with tg.no_grad() if step.quiet else nullcontext():
                made = self.step(self.ours, step, a, b)
        except RuntimeError as error:
            self.refused(step, a, b, str(error))
        else:
            self.follow(step, a, b, made)
        return self.compare_values()

    def possible(self, step: Step, a: int, b: int) -> bool:
        """Whether shapes and indices fit."""
        x, y = self.duals[a].value, self.operand(self.duals, step, b).value
        try:
            if step.name == "view":
                return x[self.index(READS, step)].size > 0
            if step.name == "part":
                return x.ndim > 0
            if step.name == "copy":
                x[self.index(COPIES, step)]
            elif step.name == "flatten":
                arrays = (x, self.ours[a].data, self.theirs[a].detach().numpy())
                return all(array.flags.c_contiguous for array in arrays)
            elif step.name in BINARY:
                np.broadcast_shapes(x.shape, np.shape(y))
            elif step.name.startswith("in-place"):
                return self.fits(y, x.shape)
            elif step.name.startswith("set"):
                return self.fits(y, np.shape(x[self.index(WRITES, step)]))
        except (IndexError, ValueError):
            return False
        return True

    @staticmethod
    def fits(y: Any, shape: tuple[int, ...]) -> bool:
        return np.broadcast_shapes(np.shape(y), shape) == shape

    @staticmethod
    def index(indices: list[Any], step: Step) -> Any:
        return indices[step.form // OPERANDS % len(indices)]

    def operand(self, variables: list[Any], step: Step, b: int) -> Any:
        """What stands on the right: a variable, a number, or an array (for torch a tensor)."""
        kind = step.form % OPERANDS
        if kind == 0:
            return variables[b]
        if kind == 1:
            return Dual.constant(1.5) if variables is self.duals else 1.5
        array = np.array([2.0, -1.0, 0.5])
        if variables is self.duals:
            return Dual.constant(array)
        return torch.tensor(array) if variables is self.theirs else array

    def step(self, variables: list[Any], step: Step, a: int, b: int) -> Any:
        """The step on Tensors of ours or torch's: the new variable, or None where it only writes."""
        x, y = variables[a], self.operand(variables, step, b)
        name = step.name
        if name == "detach":
            return x.detach()
        bring_up_to_date(x)
        if name in BINARY:
            return apply(name, x, y)
        if name == "tanh":
            return x.tanh()
        if name == "square":
            return x**2
        if name == "view":
            return x[self.index(READS, step)]
        if name == "part":
            return list(x)[step.form % len(x)]
        if name == "copy":
            return x[self.index(COPIES, step)]
        if name == "transpose":
            return x.T if x.ndim == 2 else x[...]
        if name == "flatten":
            return x.reshape(-1)
        if name == "clone":
            return x.clone()
        if name == "in-place square":
            x **= 2
        elif name.startswith("in-place "):
            apply_in_place(name[9:], x, y)
        elif name == "set":
            x[self.index(WRITES, step)] = y
        elif name.startswith("set "):
            index = self.index(WRITES, step)
            part = apply_in_place(name[4:], x[index], y)
            bring_up_to_date(x)
            x[index] = part
        return None

    def is_stale(self, i: int) -> bool:
        """Whether a variable was written to with a gradient through another one, since it was made or written to."""
        if i in self.frozen and any(t > self.frozen[i] and self.owner(a) is self.owner(i) for t, a in self.touched):
            return True
        return any(
            time > self.seen.get(i, 0) and a != i and self.shares(i, a, derivatives=not self.unrecorded & {i, a})
            for time, a in self.written
        )

    def is_phantom(self, i: int) -> bool:
        """Whether a variable requires a gradient in torch alone, which takes a view of a leaf, taken within no_grad(),
        for another leaf.
        """
        return bool(self.theirs[i].requires_grad) and not self.ours[i].requires_grad

    def haunt(self, step: Step, a: int, b: int) -> None:
        """Note what a step makes of, or writes to with, a variable that requires a gradient in torch alone."""
        if not step.quiet and any(i in self.haunted or self.is_phantom(i) for i in self.operands(step, a, b)):
            same = {i for i in range(len(self.ours)) if self.owner(i) is self.owner(a)}
            self.haunted |= same if self.writes(step) else {len(self.ours)}

    @staticmethod
    def writes(step: Step) -> bool:
        return step.name.startswith(("in-place", "set"))

    def operands(self, step: Step, a: int, b: int) -> set[int]:
        """The variables that a step reads or writes to."""
        is_binary = step.name in BINARY or (self.writes(step) and step.name != "in-place square")
        return {a, b} if is_binary and step.form % OPERANDS == 0 else {a}

    def owner(self, i: int) -> np.ndarray:
        """The array in whose memory a variable lies."""
        value = self.duals[i].value
        return value if value.base is None else value.base

    def shares(self, i: int, a: int, derivatives: bool) -> bool:
        """Whether two variables are views of one memory, and of one graph: a detached twin is not."""
        return np.may_share_memory(self.duals[i][derivatives], self.duals[a][derivatives])

    def by_hand(self, step: Step, a: int, b: int) -> Dual | None:
        x, y, name = self.duals[a], self.operand(self.duals, step, b), step.name
        made, view = None, False
        if name in BINARY:
            made = combine(name, x, y)
        elif name == "tanh":
            value = np.array(np.tanh(x.value))
            made = Dual(value, x.tangent * (1 - value * value)[..., None])
        elif name == "square":
            made = combine("multiply", x, x)
        elif name == "view":
            made, view = x.index(self.index(READS, step)), True
        elif name == "part":
            made, view = x.index(step.form % len(x.value)), True
        elif name == "copy":
            made = x.index(self.index(COPIES, step)).copy()
        elif name == "transpose":
            made, view = (Dual(x.value.T, x.tangent.swapaxes(0, 1)) if x.value.ndim == 2 else x.index(...)), True
        elif name == "flatten":
            made, view = Dual(x.value.reshape(-1), x.tangent.reshape(-1, SIZE)), True
            assert np.shares_memory(made.tangent, x.tangent) or not x.value.size
        elif name == "clone":
            made = x.copy()
        elif name == "detach":
            return Dual(x.value, np.zeros_like(x.tangent))
        if made is not None:
            return Dual(made.value if view else made.value.copy(), np.zeros_like(made.tangent)) if step.quiet else made
        index = ... if name.startswith("in-place") else self.index(WRITES, step)
        if name == "set":
            new = y.copy()
        elif name == "in-place square":
            new = combine("multiply", x, x)
        else:
            new = combine(name.split()[1], x.index(index), y)
        x.value[index] = new.value
        if not step.quiet:
            x.tangent[index] = new.tangent
        return None

    def refused(self, step: Step, a: int, b: int, error: str) -> None:
        """Ours raised: it must be for a reason that we know, and torch must agree where it is about a leaf."""
        assert "\n" not in error
        if "so its own gradient can't be followed" in error:
            assert self.is_stale(a) or (step.form % OPERANDS == 0 and self.is_stale(b)), f"a false alarm: {error}"
            return
        if "overlaps with what is written" in error:
            assert step.form % OPERANDS == 0, f"a false alarm: {error}"
            assert np.shares_memory(self.duals[a].value, self.duals[b].value), f"a false alarm: {error}"
            return
        assert any(why in error for why in ("leaf", "this view comes from")), error
        try:
            with torch.no_grad() if step.quiet else nullcontext():
                self.step(self.theirs, step, a, b)
        except RuntimeError:
            return
        raise AssertionError(f"torch allows what we refuse: {error}")

    def follow(self, step: Step, a: int, b: int, made: Any) -> None:
        """The same step by hand and by torch."""
        self.haunt(step, a, b)
        try:
            with torch.no_grad() if step.quiet else nullcontext():
                theirs = self.step(self.theirs, step, a, b)  # raises nothing: it refuses nothing that we allow
        except RuntimeError:
            assert any(map(self.is_phantom, self.operands(step, a, b))), "torch refuses what we allow"
            detached = [*self.theirs[:a], self.theirs[a].detach(), *self.theirs[a + 1 :]]
            with torch.no_grad():
                theirs = self.step(detached, step, a, b)
        dual = self.by_hand(step, a, b)
        if made is None:
            self.touched.append((self.time, a))
        if made is None and not step.quiet and self.ours[a].requires_grad:
            self.written.append((self.time, a))
            self.seen[a] = self.time
        if made is not None:
            assert dual is not None
            is_view = step.name in ("view", "part", "transpose", "flatten")
            self.seen[len(self.ours)] = self.seen.get(a, 0) if is_view else self.time
            if is_view and step.quiet:
                self.unrecorded.add(len(self.ours))
            if is_view and (step.quiet or step.name == "part" or a in self.frozen):
                self.frozen[len(self.ours)] = self.frozen.get(a, self.time)
            self.ours.append(made)
            self.duals.append(dual)
            assert theirs.requires_grad or not made.requires_grad
            self.theirs.append(theirs)

    def compare_values(self) -> None:
        for i, (ours, dual) in enumerate(zip(self.ours, self.duals, strict=True)):
            np.testing.assert_allclose(ours.data, dual.value, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(self.theirs[i].detach(), dual.value, rtol=1e-9, atol=1e-12)

    def tame(self) -> bool:
        """Whether no value has grown so far that rounding would blur the comparison."""
        return all((np.abs(dual.value) < 1e3).all() and (np.abs(dual.tangent) < 1e4).all() for dual in self.duals)

    def backward(self, a: int, direct: bool) -> None:
        """The gradient of a weighted sum of a variable, in all three ways."""
        ours, dual = self.ours[a], self.duals[a]
        weights = np.linspace(1, 2, dual.value.size).reshape(dual.value.shape)
        wanted = (weights[..., None] * dual.tangent).reshape(-1, SIZE).sum(0)
        for leaf, their_leaf in zip(self.leaves, self.their_leaves, strict=True):
            leaf.grad = their_leaf.grad = None
        error = self.our_backward(ours, weights, direct, wanted)
        if error == "stale":
            assert self.is_stale(a), "a false alarm"
            return
        if error == "skip":
            return
        if error is None:
            np.testing.assert_allclose(flat_gradients(self.leaves), wanted, rtol=1e-8, atol=1e-10)
        else:
            assert all(leaf.grad is None for leaf in self.leaves)
        if not self.theirs[a].requires_grad:
            return
        try:
            (self.theirs[a] * torch.tensor(weights)).sum().backward(retain_graph=True)
        except RuntimeError as refused:
            refusal = str(refused)
        else:
            refusal = None
        if refusal is not None and error is None and a in self.haunted:
            return  # it goes on to what requires a gradient there alone; ours was compared by hand
        assert refusal is None or error is not None, f"torch refuses what we follow: {refusal}"
        assert refusal is not None or error is None, f"a false alarm: {error}"
        if refusal is not None:
            return
        np.testing.assert_allclose(flat_gradients(self.their_leaves), wanted, rtol=1e-8, atol=1e-10)

    def our_backward(self, ours: Any, weights: np.ndarray, direct: bool, wanted: np.ndarray) -> str | None:
        """None where it went well, "skip" where there is nothing to compare, "stale", or what else was wrong."""
        try:
            root = ours if direct else (ours * weights).sum()
            if not root.requires_grad:
                (ours * 1)  # says so where it is out of date
                assert not wanted.any(), "the gradient is lost"
                return "skip"
            root.backward(weights if direct else None, retain_graph=True)
        except RuntimeError as error:
            text = str(error)
            assert "\n" not in text
            if "so its own gradient can't be followed" in text:
                return "stale"
            assert "changed in place since" in text
            return text
        return None


def flat_gradients(leaves: list[Any]) -> np.ndarray:
    return np.concatenate(
        [np.zeros(leaf.shape).ravel() if leaf.grad is None else np.asarray(leaf.grad).ravel() for leaf in leaves]
    )
