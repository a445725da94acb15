"""How NumPy's functions find the operation that answers for them when they are given a Tensor.

NumPy hands a call over by `__array_ufunc__` or `__array_function__`. What is in the table runs and is recorded; a
few functions that only ask a question get the plain arrays; everything else is refused: no gradient is ever dropped
in silence.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from .arguments import cast
from .op import SEQUENCE, Op, numpy_functions, table
from .variable import Variable, data_of, make, ndarray, variables_in

QUERIES = {
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.can_cast,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.isclose,
    np.iscomplexobj,
    np.isrealobj,
    np.may_share_memory,
    np.shares_memory,
    np.array_repr,
    np.array_str,
    np.array2string,
    np.save,
    np.savez,
    np.savetxt,
}
LIKE = {np.zeros_like, np.ones_like, np.full_like, np.empty_like}
REDUCE: dict[Any, str] = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What `ufunc.method(*inputs, **keywords)` is for Tensors."""
    name = f"np.{ufunc.__name__}" if method == "__call__" else f"np.{ufunc.__name__}.{method}"
    if "out" in keywords and len(keywords["out"]) == 1:
        keywords = {**keywords, "out": keywords["out"][0]}
    if method == "reduce" and table.get(REDUCE.get(ufunc, "")):
        axis = keywords.pop("axis", 0)
        return call(name, table[REDUCE[ufunc]], (*inputs, axis), keywords)
    op = numpy_functions.get(ufunc)
    if op is None or method not in ("__call__", "outer"):
        raise refusal(name)
    if method == "outer":
        x, y = inputs
        inputs = (table["reshape"].function(x, np.shape(x) + (1,) * np.ndim(y)), y)
    return call(name, op, inputs, keywords)


def call_function(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What `function(*args, **keywords)` is for Tensors."""
    op = numpy_functions.get(function)
    if op is not None:
        return call(f"np.{function.__name__}", op, args, dict(keywords))
    if function in QUERIES or function in LIKE:
        result = function(*data_of(args), **{key: data_of(value) for key, value in keywords.items()})
        if function in QUERIES:
            return result
        first = next(variables_in((*args, *keywords.values())))
        return make(first._result, result)
    raise refusal(f"np.{function.__name__}")


def refusal(name: str) -> TypeError:
    return TypeError(
        f"{name} is no operation of tinygrad_lite, and would drop the gradient; "
        f"call it on t.numpy() where none is wanted"
    )


def call(name: str, op: Op, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Run an operation with the keywords that all of NumPy's functions have: out and dtype."""
    out, dtype = keywords.pop("out", None), keywords.pop("dtype", None)
    for keyword, default in (("where", True), ("casting", "same_kind"), ("order", "K"), ("subok", True)):
        if keyword in keywords and keyword not in op.parameters:
            if keywords[keyword] is not default and keywords[keyword] != default:
                raise TypeError(f"{name}: {keyword}= is not supported for Tensors")
            del keywords[keyword]
    for keyword in ("initial", "signature", "axes"):
        if keyword in keywords and keyword not in op.parameters:
            raise TypeError(f"{name}: {keyword}= is not supported for Tensors")
    if dtype is not None:
        if "dtype" in op.parameters:
            keywords["dtype"] = dtype
        else:
            signature = inspect.signature(op.function).bind(*args, **keywords)
            signature.apply_defaults()
            bound = list(signature.args)
            for i in op.promoted:
                each = bound[i]
                bound[i] = [cast(v, dtype) for v in each] if op.kinds[i] is SEQUENCE else cast(each, dtype)
            args, keywords = tuple(bound), {}
    result = op.function(*args, **keywords)
    if out is None:
        return result
    if not isinstance(out, ndarray):
        raise TypeError(f"{name}: out= takes an ndarray; write into a Tensor with t[...] = value")
    if isinstance(result, Variable) and result._requires_grad:
        raise TypeError(f"{name}: out= would drop the gradient of the result; leave it out, or work within no_grad()")
    try:
        np.copyto(out, data_of(result), casting="same_kind")
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: out=: {error}") from None
    return out
