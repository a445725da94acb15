"""The arguments of an operation: one dtype for them, and what to say when they are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .mode import thread
from .op import SEQUENCE, Op, table, unknown_gradient
from .variable import Variable, data_of, ndarray, variables_in

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

NUMBERS = frozenset({float, int, bool})  # NumPy, too, lets Python's numbers never widen an array
FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)
EXPLAINED = (
    np.linalg.LinAlgError,
    IndexError,
    ValueError,
    TypeError,
    ZeroDivisionError,
    OverflowError,
    ArithmeticError,
)


def promote(op: Op, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with the promoted inputs in one float dtype, by torch's rules, where a float is involved.

    Python and NumPy scalars, 0-d arrays, lists, integers and bools never widen a float Tensor.
    """
    given = [v for i in op.promoted for v in (args[i] if op.kinds[i] is SEQUENCE else (args[i],))]
    if given and all(isinstance(v, Variable) for v in given):
        same = given[0]._data.dtype
        if same.kind == "f" and all(v._data.dtype is same for v in given):
            return args
    promoted = list(args)
    for i in op.promoted:
        each = args[i]
        if each is not None:
            promoted[i] = [number(op, i, v) for v in each] if op.kinds[i] is SEQUENCE else number(op, i, each)
    dtype = result_dtype(op, [promoted[i] for i in op.promoted if args[i] is not None])
    if dtype is not None:
        for i in op.promoted:
            each = args[i]  # not what number() made of it: a list of floats may be wanted in float64
            if each is not None:
                promoted[i] = [cast(v, dtype) for v in each] if op.kinds[i] is SEQUENCE else cast(each, dtype)
    return tuple(promoted)


def is_absent(op: Op, i: int, value: Any) -> bool:
    """Whether an input that may be left out was left out.

    Raises TypeError for None elsewhere, and for a list with Tensors in it, whose gradient would be lost.
    """
    if value is None:
        if op.defaults.get(op.parameters[i], 0) is not None:
            raise TypeError(f"{op.name}: {op.parameters[i]} takes an array or a number, got None")
        return True
    if isinstance(value, (list, tuple)) and any(True for _ in variables_in(value)):
        raise TypeError(f"{op.name}: got a {type(value).__name__} of Tensors where one is wanted; stack() them")
    return False


def number(op: Op, i: int, value: Any) -> Any:
    """A Tensor or a Python number as it is; all else as an array, which must hold real numbers."""
    if isinstance(value, Variable) or value.__class__ in NUMBERS:
        return value
    is_absent(op, i, value)  # for the elements of a sequence
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{op.name}: {short(value)} is no array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{op.name}: takes real numbers, got {short(value)} ({array.dtype})")
    if not isinstance(value, (ndarray, np.generic)) and array.dtype.kind == "f":
        return array.astype(FLOAT32)  # a list of Python's floats
    return array


def result_dtype(op: Op, inputs: list[Any]) -> np.dtype[Any] | None:
    """The float dtype of the result; None where integers stay integers."""
    values = [v for each in inputs for v in (each if isinstance(each, list) else [each])]
    tensors = [v._data for v in values if isinstance(v, Variable)]
    arrays = [data_of(v) for v in values if v.__class__ not in NUMBERS]
    for strong in ([a for a in arrays if a.ndim > 0], tensors):
        dtypes = [a.dtype for a in strong if a.dtype.kind == "f"]
        if dtypes:
            return np.result_type(*dtypes)
    floats = op.floats or any(isinstance(v, float) for v in values) or any(a.dtype.kind == "f" for a in arrays)
    if not floats and arrays and op.carriers and np.result_type(*[a.dtype for a in arrays]).kind == "f":
        kinds = " and ".join(sorted({str(a.dtype) for a in arrays}))
        raise TypeError(f"{op.name}: no integer type holds both {kinds}; bring one to the other by astype()")
    return FLOAT32 if floats else None


def cast(value: Any, dtype: Any) -> Any:
    """The value in `dtype`; a Tensor by an operation, so that its gradient comes back in its own dtype."""
    if isinstance(value, Variable):
        return value if value._data.dtype == dtype else table["astype"].function(value, dtype)
    return np.asarray(value, dtype)


def explain(op: Op, values: Any, error: Exception) -> Exception:
    """The error as one line that names the operation and what it was given."""
    kind = next(kind for kind in EXPLAINED if isinstance(error, kind))
    said = (str(error).splitlines() or [type(error).__name__])[0]
    name, _, reason = said.partition(": ")
    if name in table:  # it is explained already, by op or by an operation that op is composed of
        return kind(f"{op.name}: {reason}")
    given = ", ".join(describe(values[i]) for i in sorted(op.singles + op.others) if values[i] is not None)
    return kind(f"{op.name}: {said} (given {given})")


def describe(value: Any) -> str:
    """An argument in a few words: dtype and shape of an array, else its repr."""
    if isinstance(value, ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, list) and any(isinstance(each, ndarray) for each in value):
        return f"[{', '.join(describe(each) for each in value)}]"
    return short(value)


def short(value: Any) -> str:
    """The beginning of a repr, in one line."""
    return f"{' '.join(repr(value).split()):.60}"


def refuse_unknown_gradient(name: str, parameter: str, value: Any) -> None:
    """Raise TypeError for an argument whose gradient is not known, where a Tensor in it requires one."""
    if thread.mode.grad and any(each._requires_grad for each in variables_in(value)):
        raise unknown_gradient(name, parameter)


def refuse_gradients(name: str, data: Any) -> None:
    """Raise TypeError for Tensors whose gradient would be lost in a Tensor that is made of their numbers."""
    if thread.mode.grad and any(each._requires_grad for each in variables_in(data)):
        raise TypeError(
            f"{name}: would drop the gradient of a Tensor; stack() several, multiply ones() by one, or detach()"
        )


def as_array(
    data: Any, dtype: DTypeLike | None, copy: bool, name: str = "tensor", floats: DTypeLike = np.float32
) -> NDArray[Any]:
    """The array for a Tensor: an array keeps its dtype, Python's floats become `floats`; only real numbers."""
    if dtype is not None:
        dtype = real_dtype(name, dtype)
    try:
        array = np.array(data_of(data), dtype=dtype, copy=copy or None)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {short(data)} is no array of numbers: {str(error).splitlines()[0]}") from None
    if dtype is None and array.dtype == np.float64 and not hasattr(data, "dtype") and not hasattr(data, "__array__"):
        array = array.astype(floats)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name}: takes float, int or bool, got {array.dtype}")
    return array


def real_dtype(name: str, dtype: Any) -> np.dtype[Any]:
    """The dtype, if Tensors can have it."""
    try:
        known: np.dtype[Any] = np.dtype(dtype)
    except TypeError as error:
        raise TypeError(f"{name}: {short(dtype)} is no dtype: {error}") from None
    if known.kind not in "fiub" or known.itemsize > 8:
        raise TypeError(f"{name}: takes a dtype of float, int or bool, got {known}")
    return known
