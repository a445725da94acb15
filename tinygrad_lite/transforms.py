"""Functions of functions: derivatives of any order, as new functions.

What a function is differentiated by are Tensors, arrays, Python's floats, and dicts, lists and tuples of them, however
nested: a list is a structure of its elements, not an array. What is returned has the same structure. Transforms
compose: `grad(grad(f))`, `jacobian(grad(f))`, the `jvp` of a `grad`, or the `grad` of what calls `jvp`.

Each transform gives the function an alias of the input: a leaf, or where the input carries a gradient itself, a
recorded copy without a copy. The inner derivative ends at the alias; what lies beyond belongs to whoever is outside.
So derivatives carry the graph of what else they depend on, such as parameters that the function reads. Under
`no_grad` they carry none; the transforms themselves work there too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeAlias

import numpy as np

from .arguments import as_array, short
from .backward import Paths, constant, edge_of, tensors
from .graph import apply, held, new_number
from .mode import recording, thread, traces
from .op import Array, Op
from .tensor import Tensor
from .variable import Variable, make, refuse_stale

Tree: TypeAlias = Any  # Tensors in dicts, lists and tuples

__all__ = ["elementwise_grad", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function that returns one number: `grad(f)(x)` has the structure and shapes of x.

    argnums: by which of the positional arguments; several give a tuple. All others, and keywords, are passed on.
    has_aux: f returns (number, more), and the result is (gradient, more).

    Raises TypeError for inputs that are no floats and where f returns no Tensor of floats, ValueError where it returns
    more than one number or argnums are out of range. An input that f does not depend on has zeros.
    """

    def gradient(call: Call) -> Any:
        _, grads = call.gradient()
        return (grads, call.aux) if has_aux else grads

    return transform("grad", f, argnums, has_aux, gradient)


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The value and the gradient of a function that returns one number, as a pair. Arguments are those of `grad`.

    has_aux: f returns (number, more), and the result is ((number, more), gradient).
    """

    def value_and_gradient(call: Call) -> Any:
        value, grads = call.gradient()
        return ((value, call.aux) if has_aux else value), grads

    return transform("value_and_grad", f, argnums, has_aux, value_and_gradient)


def elementwise_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The derivative at each element of a function that works on each element alone.

    For other functions it is the gradient of the sum of all that they return. Arguments are those of `grad`.
    """
    return transform("elementwise_grad", f, argnums, False, lambda call: call.pull_ones())


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """All derivatives of what a function returns, of shape output.shape + input.shape.

    Where the function returns a structure, or inputs are structures, the result has the structure of the outputs, and
    in it, for each output, that of the inputs. It takes one walk back for each element of the outputs. Arguments are
    those of `grad`; has_aux: f returns (outputs, more), and the result is (derivatives, more).
    """

    def derivatives(call: Call) -> Any:
        rows = call.rows()
        return (rows, call.aux) if has_aux else rows

    return transform("jacobian", f, argnums, has_aux, derivatives)


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """All second derivatives of a function, of shape input.shape + input.shape where it returns one number.

    Of a structure x, or of several inputs, the result has for each input the structure of the inputs again:
    `hessian(f, (0, 1))(x, y)[0][1]` has the shape x.shape + y.shape. It is the jacobian of the jacobian.
    """
    first = transform("hessian", f, argnums, False, Call.rows)
    return transform("hessian", first, argnums, False, Call.rows)


def hvp(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The product of the second derivatives of a function with a vector: `hvp(f)(x, v)`, without making a matrix.

    f returns one number; v, the last positional argument, has the structure and shapes of x, or with several argnums
    is a tuple of such. The cost is a few times that of f.
    """
    gradient = transform("hvp", f, argnums, False, lambda call: call.gradient()[1])

    @wraps(f)
    def product(*args: Any, **keywords: Any) -> Any:
        if len(args) < 2:
            raise TypeError("hvp: takes the arguments of the function and then a vector: hvp(f)(x, v)")
        call = Call("hvp", gradient, argnums, args[:-1], keywords)
        result = call.pull(cotangents("hvp", args[-1], call.output, call.outputs))
        call.close()
        return result

    return product


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """`f(*primals)`, and a function that takes v, shaped as this value, to the product of v with the Jacobian.

    That function gives what has the structure of the input, or for several a tuple, and may be called often.
    has_aux: f returns (output, more), and the result is (output, function, more).
    """
    if not primals:
        raise TypeError("vjp: takes a function and its arguments: vjp(f, x)")
    call = Call("vjp", f, 0 if len(primals) == 1 else range(len(primals)), primals, {}, has_aux)

    def product(v: Tree) -> Any:
        return call.pull(cotangents("vjp", v, call.output, call.outputs), keep=True)

    value = call.shown()
    call.close()
    return (value, product, call.aux) if has_aux else (value, product)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """`f(*primals)`, and its derivative along `tangents`, which have the structure and shapes of the primals.

    The derivative comes of differentiating `vjp` by its v, in which it is linear; so the rules of the table serve here
    too (Townsend, "A new trick for calculating Jacobian vector products", 2017). It costs two walks back.
    has_aux: f returns (output, more), and the result is (output, derivative, more).
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (list, tuple)):
            raise TypeError(f"jvp: {name} must be a tuple, got {type(given).__name__}")
    call = Call("jvp", f, tuple(range(len(primals))), tuple(primals), {}, has_aux)
    along = cotangents("jvp", tuple(tangents), tuple(primals), call.inputs)
    result = call.shown(), call.push(along)
    call.close()
    return (*result, call.aux) if has_aux else result


def transform(
    name: str, f: Callable[..., Any], argnums: Any, has_aux: bool, derive: Callable[[Call], Any]
) -> Callable[..., Any]:
    """The function that runs `f` and returns what `derive` makes of the call."""
    if not callable(f):
        raise TypeError(f"{name}: takes a function, got {short(f)}")

    @wraps(f)
    def derived(*args: Any, **keywords: Any) -> Any:
        call = Call(name, f, argnums, args, keywords, has_aux)
        derivatives = derive(call)
        call.close()
        return derivatives

    return derived


def _alias(x: Array) -> Array:
    return x


_alias.__annotations__["x"] = "ArrayLike"
ALIAS = Op(_alias, lambda g: g, view=True)


def alias(x: Variable) -> Any:
    """The same array as a tensor of its own, to be differentiated by; where x carries a gradient, recorded."""
    return apply(ALIAS, (x,)) if x._requires_grad and thread.mode.grad else leaf_of(x)


def leaf_of(x: Any) -> Any:
    """A leaf that requires a gradient, of an array, or in the memory of a tensor."""
    if not isinstance(x, Variable):
        x = make(Tensor, x)
    if thread.mode.watch is not None:
        thread.mode.watch.meets(x)
    leaf = make(x._result, x._data)
    leaf._memory, leaf._requires_grad = x._memory, True
    return leaf


class Call:
    """One call of a function, recorded, that is to be differentiated by some of its arguments."""

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        argnums: Any,
        args: tuple[Any, ...],
        keywords: dict[str, Any],
        has_aux: bool = False,
    ) -> None:
        self.name, self.since = name, new_number()
        self.single = isinstance(argnums, (int, np.integer))
        positions = [check_argnum(name, i, len(args)) for i in ((argnums,) if self.single else argnums)]
        if len(set(positions)) < len(positions):
            raise ValueError(f"{name}: argnums names an argument twice: {short(argnums)}")
        self.given = tuple([args[i] for i in positions])
        self.inputs = [as_input(name, f"argument {i}{path}", x) for i in positions for path, x in leaves(args[i])]
        self.aliases = [alias(x) for x in self.inputs]
        self.edges = [edge_of(each) for each in self.aliases]  # the function may write to them
        fill = iter(self.aliases)
        changed = dict(zip(positions, [rebuild(each, fill) for each in self.given], strict=True))
        with recording(True):
            result = f(*[changed.get(i, arg) for i, arg in enumerate(args)], **keywords)
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"{name}: with has_aux the function must return a pair, got {short(result)}")
            result, aux = result
            self.aux = rebuild(aux, iter([self.outward(each) for _, each in leaves(aux)]))
        self.output = result
        self.outputs = [check_output(name, each) for _, each in leaves(result)]
        self.paths = self.paths_from(self.outputs)
        self.cls: Any = self.outputs[0]._result if self.outputs else Tensor

    def close(self) -> None:
        """Nobody differentiates by the inputs of this call any more: what is around it need not lead there."""
        for each in self.aliases:
            if each._node is None:
                each._requires_grad = False

    def paths_from(self, outputs: Sequence[Variable]) -> Paths:
        """The ways from outputs to the inputs."""
        return Paths([edge_of(each) for each in outputs], self.edges, self.since)

    def outward(self, value: Any) -> Any:
        """What the function returned, without the graph where nothing outside of it requires a gradient."""
        if not isinstance(value, Tensor) or not value._requires_grad:
            return value
        if thread.mode.grad and self.paths_from([value]).open:
            return value
        return value.detach()

    def shown(self) -> Any:
        """What the function returned, for the user."""
        return rebuild(self.output, iter([self.outward(each) for each in self.outputs]))

    def structured(self, values: Sequence[Any]) -> Any:
        """What belongs to the inputs, one by one, in their structure."""
        fill = iter(values)
        built = tuple([rebuild(each, fill) for each in self.given])
        return built[0] if self.single else built

    def pull(self, weights: Sequence[Any], keep: bool = False) -> Any:
        """The gradients of the inputs, for these cotangents of the outputs, in the structure of the inputs."""
        recorded = thread.mode.grad and (self.paths.open or any(each._requires_grad for each in weights))
        given = weights if recorded else [each._data for each in weights]
        grads = self.paths.pull(given, self.cls, keep or recorded, recorded)
        return self.structured(tensors(self.cls, grads, self.inputs, weights))

    def pull_ones(self) -> Any:
        """The gradients of the sum of all outputs."""
        return self.pull([constant(self.cls, np.ones(each.shape, each.dtype)) for each in self.outputs])

    def gradient(self) -> tuple[Any, Any]:
        """The one number that was returned, and its gradients."""
        if len(self.outputs) != 1 or self.outputs[0] is not self.output:
            raise TypeError(f"{self.name}: the function must return one Tensor, got {short(self.output)}")
        if self.outputs[0].size != 1:
            raise ValueError(
                f"{self.name}: the function must return one number, got shape {self.outputs[0].shape}; "
                "sum() it, or take the jacobian"
            )
        value = self.shown()
        return value, self.pull_ones()

    def rows(self) -> Any:
        """The derivatives of each element of each output, in the structure of the outputs."""
        return rebuild(self.output, iter([self.structured(self.rows_of(each)) for each in self.outputs]))

    def rows_of(self, output: Tensor) -> list[Any]:
        """The derivatives of each element of an output by each input: of the shapes of both, one after the other."""
        paths = self.paths_from([output])
        recorded = thread.mode.grad and paths.open
        found: list[Any] = [np.zeros((output.size, *x._data.shape), x._data.dtype) for x in self.inputs]
        if recorded or traces():
            found = [list(rows) for rows in found]
        for row in range(output.size):
            unit = np.zeros(output.shape, output.dtype)
            unit.reshape(-1)[row] = 1
            pulled = paths.pull([constant(self.cls, unit) if recorded or traces() else unit], self.cls, True, recorded)
            for rows, each in zip(found, pulled, strict=True):
                if each is not None:
                    rows[row] = each
        built = []
        for rows, x in zip(found, self.inputs, strict=True):
            if any(isinstance(each, Variable) for each in rows):
                rows = np.stack(rows)
            else:
                rows = np.asarray(rows, x._data.dtype)
            rows = np.reshape(rows, output.shape + x._data.shape)
            built.append(rows if isinstance(rows, Variable) else make(self.cls, rows))
        return built

    def push(self, tangents: Sequence[Any]) -> Any:
        """The derivatives of the outputs along tangents of the inputs, in the structure of the outputs."""
        weights = [constant(self.cls, np.zeros(each.shape, each.dtype)) for each in self.outputs]
        for each in weights:
            each._requires_grad = True
        since = new_number()
        grads = self.paths.pull(weights, self.cls, True, True)
        paths = Paths([None if each is None else edge_of(each) for each in grads], weights, since)
        recorded = thread.mode.grad and (self.paths.open or any(each._requires_grad for each in tangents))
        given = tangents if recorded else [each._data for each in tangents]
        pushed = paths.pull(given, self.cls, recorded, recorded)
        return rebuild(self.output, iter(tensors(self.cls, pushed, self.outputs, tangents)))


def check_argnum(name: str, position: Any, count: int) -> int:
    """The position of an argument, from 0."""
    if not isinstance(position, (int, np.integer)) or isinstance(position, bool):
        raise TypeError(f"{name}: argnums are integers, got {short(position)}")
    if not -count <= position < count:
        raise ValueError(f"{name}: argnums has {position}, but the function was given {count} positional arguments")
    return int(position) % count


def as_input(name: str, label: str, value: Any) -> Tensor:
    """A Tensor of floats of an input, which may be an array or a Python float."""
    x = value if isinstance(value, Tensor) else None
    if x is None:
        try:
            x = make(Tensor, as_array(held(value), None, False))
        except (TypeError, ValueError):
            raise TypeError(f"{name}: {label} is {short(value)}; takes Tensors, arrays and floats") from None
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name}: {label} is {x.dtype}, which has no derivative; give floats, or leave it out of argnums"
        )
    return x


def check_output(name: str, value: Any) -> Tensor:
    """What the function returned, if it can be differentiated."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: the function must return a Tensor, got {type(value).__name__}")
    if value.dtype.kind != "f":
        raise TypeError(f"{name}: the function returned {value.dtype}; only floats have a derivative")
    refuse_stale(name, value)
    return value


def cotangents(name: str, v: Tree, tree: Tree, like: Sequence[Variable]) -> list[Any]:
    """The vectors that were given for outputs or inputs, as Tensors of their shapes and dtypes."""
    wanted = [path for path, _ in leaves(tree)]
    given = sorted(leaves(v), key=lambda leaf: wanted.index(leaf[0]) if leaf[0] in wanted else len(wanted))
    if [path for path, _ in given] != wanted:
        raise ValueError(f"{name}: the vector must have the structure {outline(tree)}, got {outline(v)}")
    checked = []
    for (path, value), x in zip(given, like, strict=True):
        each = value if isinstance(value, Tensor) else make(Tensor, as_array(value, None, False, f"{name}: the vector"))
        if each.shape != x._data.shape:
            raise ValueError(f"{name}: the vector{path} has shape {each.shape}, wanted {x._data.shape}")
        checked.append(each if each.dtype == x._data.dtype else each.astype(x._data.dtype))
    return checked


def outline(tree: Tree) -> str:
    """The structure in a few words."""
    paths = [path for path, _ in leaves(tree)]
    return "of one Tensor" if paths == [""] else f"{type(tree).__name__} of {', '.join(paths) or 'nothing'}"


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    """What is in dicts, lists and tuples, and how to get there; None is nothing."""
    if isinstance(tree, dict):
        for key, each in tree.items():
            yield from leaves(each, f"{path}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for i, each in enumerate(tree):
            yield from leaves(each, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def rebuild(tree: Tree, fill: Iterator[Any]) -> Tree:
    """The same dicts, lists and tuples with other contents."""
    if isinstance(tree, dict):
        return {key: rebuild(each, fill) for key, each in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [rebuild(each, fill) for each in tree]
        if isinstance(tree, list):
            return parts
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return None if tree is None else next(fill)
