"""Expressions as text: arithmetic and the table's functions, of numbers and arrays, and nothing else."""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .creation import tensor
from .op import PLAIN, table
from .tensor import Tensor

LONGEST, LARGEST = 5_000, 10_000  # characters of a text; elements of an array

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


class ExpressionError(ValueError):
    """What is no expression here, or can't be computed, in one line."""


def evaluate(text: str) -> tuple[Tensor, dict[str, Tensor]]:
    """The last expression of `x=2; y=[1, 2]; x*y + x**2` as a Tensor (float64), and the variables.

    Statements are separated by `;` or lines: assignments of names, and at last the expression. There are numbers, all
    of them floats, lists of them for arrays, names, `+ - * / ** @`, and calls of the table's functions, whose plain
    arguments, such as axis, are whole numbers, tuples, True, False, None or strings.

    Raises ExpressionError for everything else.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"the text has {len(text):,} characters; {LONGEST:,} are the most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python finds odd is refused below
            statements = ast.parse(text.strip()).body
        with np.errstate(all="ignore"):  # nan and inf are shown
            return Evaluation().run(statements)
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise ExpressionError(f"this is not an expression: {error.msg}{where}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is too deep or too large") from None


class Evaluation:
    """The variables so far, and how each kind of expression is computed."""

    def __init__(self) -> None:
        self.variables: dict[str, Tensor] = {}

    def run(self, statements: list[ast.stmt]) -> tuple[Tensor, dict[str, Tensor]]:
        """All statements in their order; the value of the last one."""
        if not statements or not isinstance(statements[-1], ast.Expr):
            raise ExpressionError('there is no expression at the end; write it like "x=2; y=3; x*y + x**2"')
        for statement in statements[:-1]:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.variables[name] = leaf(self.value(value))
                case _:
                    raise ExpressionError(
                        f"only assignments such as x=2 come before the last expression: {said(statement)}"
                    )
        root = self.value(statements[-1].value)
        if not isinstance(root, Tensor) or root.is_leaf:
            raise ExpressionError('the last expression computes nothing of a variable; write it like "x=2; x*x"')
        return root, self.variables

    def value(self, node: ast.expr) -> Any:
        """A Tensor, a float, or an array of constants."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return checked(node, float, number)
            case ast.List():
                return checked(node, array, self.literal(node))
            case ast.Name(id=name):
                if name not in self.variables:
                    raise ExpressionError(f"{name} has no value; assign one before, such as {name}=2")
                return self.variables[name]
            case ast.UnaryOp(op=sign) if type(sign) in UNARY:
                return checked(node, UNARY[type(sign)], self.value(node.operand))
            case ast.BinOp(op=sign) if type(sign) in BINARY:
                return checked(node, BINARY[type(sign)], self.value(node.left), self.value(node.right))
            case ast.Call(func=ast.Name(id=name)):
                return self.call(name, node)
        raise ExpressionError(
            f"{said(node)} is not allowed: there are numbers, lists of them, names, + - * / ** @, and functions"
        )

    def call(self, name: str, node: ast.Call) -> Any:
        """What a function of the table gives."""
        op = table.get("absolute" if name == "abs" else name)
        if op is None:
            raise ExpressionError(f"there is no function {name}; docs/operations.md lists all")
        kinds = dict(zip(op.parameters, op.kinds, strict=True))
        by_place = list(op.kinds) if op.star is None else [*op.kinds[: op.star], *[op.kinds[op.star]] * len(node.args)]
        args = [self.argument(each, kind == PLAIN) for each, kind in zip(node.args, by_place, strict=False)]
        args += [self.value(each) for each in node.args[len(by_place) :]]  # too many: the function says so
        if any(each.arg is None for each in node.keywords):
            raise ExpressionError(f"{said(node)}: ** is not allowed among arguments")
        keywords = {
            str(each.arg): self.argument(each.value, kinds.get(str(each.arg)) == PLAIN) for each in node.keywords
        }
        return checked(node, op.function, *args, **keywords)

    def argument(self, node: ast.expr, is_plain: bool) -> Any:
        """A plain argument, or arrays: whole numbers stay whole here, for they may be indices."""
        if is_plain:
            return self.literal(node)
        try:
            return self.literal(node)
        except ExpressionError:
            if isinstance(node, (ast.List, ast.Tuple)):  # of Tensors, perhaps
                return [self.value(each) for each in node.elts]
            return self.value(node)

    def literal(self, node: ast.expr) -> Any:
        """Numbers, True, False, None, a string, or lists and tuples of these."""
        match node:
            case ast.Constant(value=int() | float() | str() | None as constant):
                if isinstance(constant, int) and abs(constant) > LARGEST:
                    raise ExpressionError(f"{said(node)}: whole numbers up to {LARGEST:,} may stand here")
                return constant
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.List(elts=parts):
                return [self.literal(each) for each in parts]
            case ast.Tuple(elts=parts):
                return tuple([self.literal(each) for each in parts])
        raise ExpressionError(f"{said(node)}: numbers may stand here, and lists of them")


def leaf(value: Any) -> Tensor:
    """A variable: a result as it is, and constants as a Tensor that gets a gradient."""
    return value if isinstance(value, Tensor) else tensor(value, requires_grad=True, dtype=np.float64)


def array(parts: list[Any]) -> Any:
    """A list of numbers, of lists of equal length, and so on."""
    try:
        return np.array(parts, np.float64)
    except (TypeError, ValueError):
        raise ExpressionError("a list holds numbers, or lists of equal length") from None


def checked(node: ast.expr, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """What a function gives, if that is a real number or a Tensor that is not too large."""
    try:
        result = function(*args, **keywords)
    except (ExpressionError, MemoryError, RecursionError):
        raise
    except OverflowError:
        raise ExpressionError(f"{said(node)} is too large for a float") from None
    except Exception as error:
        raise ExpressionError(f"{said(node)}: {(str(error).splitlines() or [type(error).__name__])[0]}") from None
    if isinstance(result, complex) or not isinstance(result, (float, np.floating, np.ndarray, Tensor)):
        raise ExpressionError(f"{said(node)} is not a real number or an array")
    if np.size(result) > LARGEST:
        raise ExpressionError(f"{said(node)} has {np.size(result):,} elements; {LARGEST:,} are the most")
    return result


def said(node: ast.AST) -> str:
    """A part of the text, in few characters."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:56]} ..."
