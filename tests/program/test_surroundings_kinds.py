"""All ways in which a function may know something from outside: what changes there is recorded anew."""

from functools import partial

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.program import jit

from .common import A


class Thing:
    """An object with attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


WAYS = []


def way(make):
    """Of a function that gives another one, and what changes what that knows."""
    WAYS.append(make)
    return make


@way
def array_as_a_default():
    known = np.array([2.0])

    def f(x, known=known):
        return x * float(known[0])

    return f, lambda: known.__setitem__(0, 5)


@way
def mask_as_a_keyword_default():
    mask = np.array([True, True])

    def f(x, *, mask=mask):
        return x * 2 if mask.all() else x * 3

    return f, lambda: mask.__setitem__(0, False)


@way
def shape_of_a_default():
    known = tg.tensor(np.ones((2, 2)))

    def f(x, known=known):
        return x * known.shape[0]

    return f, lambda: setattr(known, "data", np.ones((5, 2)))


@way
def dtype_of_a_tensor():
    known = tg.tensor(A)
    return lambda x: x + tg.zeros((1,), dtype=known.dtype), lambda: setattr(known, "data", A.astype(np.float64))


@way
def shape_of_an_array():
    known = np.ones((2, 3))
    return lambda x: x * known.shape[0], lambda: setattr(known, "shape", (3, 2))


@way
def array_in_a_partial():
    known = np.array([2.0])
    return partial(lambda x, known: x * float(known[0]), known=known), lambda: known.__setitem__(0, 5)


@way
def keywords_of_a_partial():
    inner = partial(lambda x, known: x * known, known=2.0)
    return lambda x: inner(x), lambda: inner.keywords.__setitem__("known", 3.0)


@way
def defaults():
    def inner(x, known=2.0):
        return x * known

    return lambda x: inner(x), lambda: setattr(inner, "__defaults__", (3.0,))


@way
def keyword_defaults():
    def inner(x, *, known=2.0):
        return x * known

    return lambda x: inner(x), lambda: inner.__kwdefaults__.__setitem__("known", 3.0)


@way
def code():
    def inner(x):
        return x * 2

    return lambda x: inner(x), lambda: setattr(inner, "__code__", (lambda x: x * 3).__code__)


@way
def attribute_that_hasattr_misses():
    thing = Thing()
    return lambda x: x * thing.known if hasattr(thing, "known") else x, lambda: setattr(thing, "known", 3.0)


@way
def attribute_that_getattr_misses():
    thing = Thing()
    return lambda x: x * getattr(thing, "known", 1.0), lambda: setattr(thing, "known", 3.0)


@way
def attribute_that_is_tried():
    thing = Thing()

    def f(x):
        try:
            return x * thing.known
        except AttributeError:
            return x

    return f, lambda: setattr(thing, "known", 3.0)


@way
def attribute_that_goes():
    thing = Thing(known=2.0)

    def f(x):
        try:
            return x * thing.known
        except AttributeError:
            return x

    return f, lambda: delattr(thing, "known")


@way
def global_that_is_tried():
    def f(x):
        try:
            return x * KNOWN_LATER
        except NameError:
            return x

    return f, lambda: globals().__setitem__("KNOWN_LATER", 3.0)


@way
def slot_that_is_empty():
    class Slots:
        __slots__ = ("known",)

    thing = Slots()
    return lambda x: x * (thing.known if hasattr(thing, "known") else 2.0), lambda: setattr(thing, "known", 3.0)


@way
def private_slot():
    class Slots:
        __slots__ = ("__known",)

        def __init__(self, known):
            self.__known = known

        def get(self):
            return self.__known

    thing = Slots(2.0)
    return lambda x: x * thing.get(), lambda: Slots.__init__(thing, 3.0)


@way
def object_in_a_set():
    thing = Thing(known=2.0)
    things = {thing}
    return lambda x: x * sum(each.known for each in things), lambda: setattr(thing, "known", 3.0)


@way
def object_as_a_key():
    thing = Thing(known=2.0)
    things = {thing: 1.0}
    return lambda x: x * sum(each.known for each in things), lambda: setattr(thing, "known", 3.0)


@way
def attribute_of_a_dict():
    class Named(dict):
        pass

    thing = Named(a=1.0)
    thing.known = 2.0
    return lambda x: x * thing.known, lambda: setattr(thing, "known", 3.0)


@way
def attribute_of_a_list():
    class Layers(list):
        def forward(self, x):
            return x * self.known

    thing = Layers()
    thing.known = 2.0
    return lambda x: thing.forward(x), lambda: setattr(thing, "known", 3.0)


@way
def attribute_of_a_number():
    class Number(float):
        pass

    thing = Number(2.0)
    thing.known = 2.0
    return lambda x: x * thing.known, lambda: setattr(thing, "known", 3.0)


@way
def bytes_that_change():
    known = bytearray([2])
    return lambda x: x * known[0], lambda: known.__setitem__(0, 3)


@way
def method_of_a_dict():
    known = {"k": 2.0}
    get = known.get
    return lambda x: x * get("k"), lambda: known.__setitem__("k", 3.0)


@way
def array_in_a_descriptor():
    class Descriptor:
        def __init__(self):
            self.known = np.array([2.0])

        def __get__(self, instance, owner):
            return float(self.known[0])

    class Owner:
        known = Descriptor()

    thing = Owner()
    return lambda x: x * thing.known, lambda: vars(Owner)["known"].known.__setitem__(0, 3.0)


@way
def pattern():
    thing = Thing(known=2.0)

    def f(x):
        match thing:
            case Thing(known=number):
                return x * number

    return f, lambda: setattr(thing, "known", 3.0)


@pytest.mark.parametrize("make", WAYS)
def test_what_changes_is_recorded_anew(make):
    function, change = make()
    x, jitted = tg.tensor(A), jit(function)
    for _ in range(3):
        before = jitted(x)
        assert jitted.signatures, "it is a program"
    change()
    wanted = function(x)
    assert wanted.dtype != before.dtype or not np.array_equal(wanted.data, before.data)
    for _ in range(3):
        found = jitted(x)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found.data, wanted.data)


def test_attributes_that_a_function_sets_itself_are_no_change():
    thing = Thing(known=2.0)

    def f(x):
        thing.seen = x
        return x * getattr(thing, "known", 1.0)

    jitted = jit(f)
    for _ in range(4):
        np.testing.assert_array_equal(jitted(tg.tensor(A)).data, 2 * A)
    assert sum(map(len, jitted.replays.values())) == 1
