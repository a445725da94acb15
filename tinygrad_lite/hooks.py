"""Hooks: functions of the user's, and `retain_grad()`, that see the gradients of a tensor on their way."""

from __future__ import annotations

from typing import Any, TypeAlias
from weakref import ReferenceType

import numpy as np

from .variable import Variable, make

Hook: TypeAlias = tuple[
    int, Any
]  # which output of the node; a function of its cotangent, or a reference to who keeps it


class Handle:
    """What `register_hook` returns."""

    __slots__ = ("_hook", "_hooks")

    def __init__(self, hooks: list[Hook], hook: Hook) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Call the hook no more."""
        self._hooks[:] = [each for each in self._hooks if each is not self._hook]


def add_hook(hooks: list[Hook], hook: Hook) -> Handle:
    """Enter a hook behind those that are there; what keeps the gradient comes last, and sees what they made of it."""
    place = sum(each[1].__class__ is not ReferenceType for each in hooks)
    hooks.insert(len(hooks) if hook[1].__class__ is ReferenceType else place, hook)
    return Handle(hooks, hook)


def is_keeper(hook: Hook, variable: Variable) -> bool:
    """Whether a hook is there to keep the gradient of this tensor."""
    return hook[1].__class__ is ReferenceType and hook[1]() is variable


def run_hooks(hooks: list[Hook], index: int, grad: Any, cls: type[Variable], recorded: bool, name: str) -> Any:
    """What the hooks of an output make of its cotangent; as it came, an array, or a Tensor where it is recorded."""
    for each, hook in list(hooks):
        if each != index or grad is None:
            continue
        if hook.__class__ is ReferenceType:
            retain(hook(), grad)
            continue
        given = np.copy(grad)  # it may be on its way to other tensors too
        given = given if isinstance(given, Variable) else make(cls, given)
        changed = hook(given)
        changed = given if changed is None else changed
        if not isinstance(changed, Variable):
            raise TypeError(f"register_hook: a hook returns a Tensor or None, got {type(changed).__name__} for {name}")
        wanted, got = (f"{a.dtype}{list(a.shape)}" for a in (given._data, changed._data))
        if wanted != got:
            raise ValueError(f"register_hook: a hook returned {got} for the gradient of {name}, which is {wanted}")
        kept: Any = changed if recorded else changed._data
        grad = np.copy(kept)  # by the hook, perhaps
    return grad


def retain(variable: Variable | None, grad: Any) -> None:
    """Add a cotangent to the `_grad` of a tensor that asked for it and is still there."""
    if variable is not None:
        copy: Any = np.copy(grad)
        copy = copy if isinstance(copy, Variable) else make(variable._result, copy)
        variable._grad = copy if variable._grad is None else variable._grad + copy
