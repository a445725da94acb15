"""Every operation of the table in a program: replay equals eager, bit for bit, with its gradient."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.op import INDEX, ONE, SEQUENCE
from tinygrad_lite.program import JitError, jit
from tinygrad_lite.testing import strategies

from ..checks import change, every, listed, operations, wanted
from .test_replay import alike

FROM_DATA = ("nonzero", "flatnonzero", "argwhere", "unique", "extract", "compress")
LOOKS = ("average",)  # at numbers before it computes: whether the weights add up to 0


def tensors(op, args, turn):
    """The arguments with Tensors for all arrays, other ones at each turn; some of the floats require a gradient."""
    positions = [i for i in wanted(op, args) if (i + len(op.name)) % 3 or len(wanted(op, args)) == 1]

    def leaf(array):
        array = np.array(array)
        requires_grad = i in positions and array.dtype.kind == "f"
        if turn and array.dtype.kind == "f":
            array[...] = array * (1 + turn * 2**-20)
        elif turn and array.dtype.kind in "iu":
            array[...] = np.flip(array)
        return tg.tensor(array, requires_grad=requires_grad)

    made = []
    for i, arg in enumerate(args):
        kind = op.kinds[i]
        if kind is INDEX:
            made.append(with_tensors(arg, leaf))
        else:
            made.append(change(arg, leaf) if kind in (ONE, SEQUENCE) and arg is not None else arg)
    return made


def with_tensors(index, leaf):
    """An index with Tensors for its arrays of integers."""
    if isinstance(index, tuple):
        return tuple(with_tensors(each, leaf) for each in index)
    return leaf(index) if isinstance(index, np.ndarray) and index.dtype.kind in "iu" else index


def leaves_of(args):
    """The Tensors in arguments, however nested."""
    if isinstance(args, tg.Tensor):
        return [args]
    return [leaf for each in args for leaf in leaves_of(each)] if isinstance(args, (list, tuple)) else []


def filled(args, tensors):
    """The arguments with other Tensors."""
    if isinstance(args, tg.Tensor):
        return next(tensors)
    return type(args)([filled(each, tensors) for each in args]) if type(args) in (list, tuple) else args


def check_replay(op, args):
    args = [tg.Generator() if isinstance(arg, strategies.Repeating) else arg for arg in args]
    generators = [arg for arg in args if isinstance(arg, tg.Generator)]
    structure = tensors(op, args, 0)

    def run(leaves):
        given = filled(structure, iter(leaves))
        outputs = [each for each in listed(op.call(*given)) if isinstance(each, tg.Tensor)]
        if any(each.requires_grad for each in outputs):
            sum((each * each).sum() for each in outputs if each.requires_grad).backward()
        return outputs

    jitted = jit(run)
    for turn in (0, 0, 1, 2, 3):
        ours, theirs = (leaves_of(tensors(op, args, turn)) for _ in range(2))
        states = [each.get_state() for each in generators]
        expected = run(theirs)
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        for one, other in zip(expected, jitted(ours), strict=True):
            assert alike(one, other)
        for one, other in zip(theirs, ours, strict=True):
            assert (one.grad is None) == (other.grad is None)
            assert one.grad is None or alike(one.grad, other.grad)
    assert sum(map(len, jitted.replays.values())) == 1


@operations
def test_replay_equals_eager(op):
    if op.name in FROM_DATA:
        pytest.skip("the shape of its result depends on numbers: a JitError, see test_refused.py")
    every(op, check_refused if op.name in LOOKS else check_replay, max_examples=10)


def check_refused(op, args):
    try:
        check_replay(op, args)
    except JitError as error:
        if "asks for numbers" not in str(error):
            raise
