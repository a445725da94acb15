"""How NumPy's functions find the operation that answers for them when they are given a Tensor.

NumPy hands a call over by `__array_ufunc__` or `__array_function__`. What is in the table runs and is recorded; a
few functions that only ask a question get the plain arrays, those that write to a Tensor are assignments; everything
else is refused: no gradient is ever dropped in silence.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np

from .arguments import cast, real_dtype, refuse_gradients
from .mode import thread
from .op import SEQUENCE, Op, numpy_functions, table
from .ops.inverses import pinv_to_rtol
from .ops.partial import REDUCTIONS
from .variable import Variable, data_of, make, ndarray, variables_in
from .writing import WRITES

QUERIES = {  # of what an array is
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.can_cast,
    np.iscomplexobj,
    np.isrealobj,
    np.may_share_memory,
    np.shares_memory,
}
READS = {  # of the numbers in it
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.isclose,
    np.array_repr,
    np.array_str,
    np.array2string,
    np.save,
    np.savez,
    np.savetxt,
}
LIKE = {np.zeros_like, np.ones_like, np.full_like, np.empty_like}
DEFAULTS: dict[str, tuple[Any, ...]] = {  # of keywords that NumPy's functions take and operations do not
    "where": (True, np._NoValue),
    "initial": (np._NoValue, None),
    "casting": ("same_kind",),
    "order": ("K", "C"),
    "subok": (True, False),
    "writeable": (False,),
    "copy": (None,),
    "mean": (np._NoValue,),
    "correction": (np._NoValue,),
    "overwrite_input": (False,),
    "hermitian": (False,),
    "rtol": (np._NoValue,),
    "axes": ([(-2, -1), (-2, -1), (-2, -1)],),
}
REDUCE: dict[Any, str] = {
    np.add: "sum",
    np.multiply: "prod",
    np.maximum: "max",
    np.minimum: "min",
    np.logical_and: "all",
    np.logical_or: "any",
    np.logaddexp: "logsumexp",
}
WIDE = {**REDUCTIONS, "pinv": pinv_to_rtol}  # what answers where an operation has not the keyword that is given
ACCUMULATE: dict[Any, str] = {np.add: "cumsum", np.multiply: "cumprod"}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What `ufunc.method(*inputs, **keywords)` is for Tensors."""
    name = f"np.{ufunc.__name__}" if method == "__call__" else f"np.{ufunc.__name__}.{method}"
    if "out" in keywords and len(keywords["out"]) == 1:
        keywords = {**keywords, "out": keywords["out"][0]}
    along = {"reduce": REDUCE, "accumulate": ACCUMULATE}.get(method, {})
    if ufunc in along:
        axis = keywords.pop("axis", 0)
        return call(name, table[along[ufunc]], (*inputs, axis), keywords)
    op = numpy_functions.get(ufunc)
    if op is None or method not in ("__call__", "outer"):
        raise refusal(name)
    if method == "outer":
        x, y = inputs
        inputs = (table["reshape"].function(x, np.shape(x) + (1,) * np.ndim(y)), y)
    return call(name, op, inputs, keywords)


def call_function(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What `function(*args, **keywords)` is for Tensors."""
    if function is np.where and len(args) == 1 and not keywords:
        function = np.nonzero  # so NumPy says of it
    op = numpy_functions.get(function)
    if op is not None:
        names, nameless = parameters_of(function) if len(args) > 1 else ((), 0)
        kept = max(1, min(nameless, len(op.parameters)))
        if names[kept : len(args)] != op.parameters[kept : len(args)] and len(args) <= len(names):
            keywords, args = {**dict(zip(names[kept:], args[kept:], strict=False)), **keywords}, args[:kept]
        return call(name_of(function), op, args, dict(keywords))
    if function in WRITES:
        return WRITES[function](*args, **keywords)
    if function in QUERIES or function in READS or function in LIKE:
        watch = thread.mode.watch
        others = [*args[1:], *[value for name, value in keywords.items() if name != "a"]]  # than what it is to be like
        reads = function in READS or (function in LIKE and next(variables_in(others), None) is not None)
        if watch is not None and reads:
            watch.asks(f"{name_of(function)} asks for numbers")
        if function in LIKE:
            refuse_gradients(name_of(function), others)
        result = function(*data_of(args), **{key: data_of(value) for key, value in keywords.items()})
        if function not in LIKE:
            return result
        made = make(next(variables_in((*args, *keywords.values())))._result, result)
        if watch is not None:
            watch.made(made, None)
        return made
    raise refusal(name_of(function))


def name_of(function: Any) -> str:
    """As the user wrote it: np.sum, np.linalg.inv."""
    return f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)


@cache
def parameters_of(function: Any) -> tuple[tuple[str, ...], int]:
    """The names of the parameters that a function of NumPy takes by position; and how many it takes only so.

    () where it does not tell.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return (), 0
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    return names, sum(p.kind is p.POSITIONAL_ONLY for p in parameters)


def refusal(name: str) -> TypeError:
    return TypeError(
        f"{name} is no operation of tinygrad_lite, and would drop the gradient; "
        f"call it on t.numpy() where none is wanted"
    )


def call(name: str, op: Op, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Run an operation with the keywords that all of NumPy's functions have: out and dtype."""
    out, dtype = keywords.pop("out", None), keywords.pop("dtype", None)
    function, run, wide = op.function, op.call, WIDE.get(op.name)
    for keyword, value in list(keywords.items()):
        if keyword not in op.parameters:
            if any(value is default or repr(value) == repr(default) for default in DEFAULTS.get(keyword, ())):
                del keywords[keyword]
            elif wide is not None and keyword in inspect.signature(wide).parameters:
                function = run = wide
            else:
                raise TypeError(f"{name}: {keyword}= is not supported for Tensors")
        elif value is None and keyword == "keepdims":
            keywords[keyword] = False
    if dtype is not None:
        dtype = real_dtype(name, dtype)
        if "dtype" in op.parameters:
            keywords["dtype"] = dtype
        else:
            arguments = inspect.signature(function).bind(*args, **keywords)
            arguments.apply_defaults()
            bound = list(arguments.arguments.values())
            for i in op.promoted:
                each = bound[i]
                if each is not None:
                    bound[i] = [cast(v, dtype) for v in each] if op.kinds[i] is SEQUENCE else cast(each, dtype)
            return written(name, run(*bound), out)
    return written(name, function(*args, **keywords), out)


def written(name: str, result: Any, out: Any) -> Any:
    """The result, or where it is given `out`, with the result in it."""
    if out is None:
        return result
    if not isinstance(out, ndarray):
        raise TypeError(f"{name}: out= takes an ndarray; write into a Tensor with t[...] = value")
    if isinstance(result, Variable) and result._requires_grad:
        raise TypeError(f"{name}: out= would drop the gradient of the result; leave it out, or work within no_grad()")
    if out.shape != np.shape(result):
        raise ValueError(f"{name}: out= has shape {out.shape}, the result {np.shape(result)}")
    try:
        np.copyto(out, np.asarray(result), casting="same_kind")
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: out=: {error}") from None
    return out
