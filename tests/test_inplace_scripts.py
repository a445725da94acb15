"""Short scripts that write in place, run on ours and on torch: the same numbers and gradients, or an error in both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .inplace import agrees

SCRIPTS: dict[str, Callable[[Any, Any, Any], Any]] = {}


def script(function: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    SCRIPTS[function.__name__] = function
    return function


@script
def matmul_never_reads_its_output(lib, a, b):
    h = a @ b
    h += 1.0
    return h


@script
def add_never_reads_its_inputs(lib, a, b):
    h = a * 2.0
    y = h + b
    h += 5.0
    return y


@script
def sum_never_reads_its_input(lib, a, b):
    h = a * 2.0
    y = h.sum(0)
    h *= 5.0
    return y + b


@script
def mul_reads_its_input(lib, a, b):
    h = a * 2.0
    y = h * b
    h += 1.0
    return y


@script
def mul_by_a_constant_reads_only_the_constant(lib, a, b):
    h = a * 2.0
    y = h * 3.0
    h += 1.0
    return y


@script
def mul_reads_what_the_other_needs(lib, a, b):
    h = a * 2.0
    y = h * b.detach()
    h += 1.0
    return y


@script
def exp_reads_its_output(lib, a, b):
    h = a.exp()
    h += b
    return h


@script
def exp_never_reads_its_input(lib, a, b):
    h = a * 2.0
    y = h.exp()
    h += b
    return y


@script
def tanh_reads_its_output(lib, a, b):
    h = a.tanh()
    h *= b
    return h


@script
def log_reads_its_input(lib, a, b):
    h = a * a + 1.0
    y = h.log()
    h += 1.0
    return y


@script
def an_input_changed_through_a_view(lib, a, b):
    h = a * 2.0
    v = h[0]
    y = h * b
    with lib.no_grad():
        v += 1.0
    return y


@script
def an_input_changed_through_its_base(lib, a, b):
    h = a * 2.0
    y = h[0] * b
    with lib.no_grad():
        h += 1.0
    return y


@script
def an_input_changed_through_its_detached_twin(lib, a, b):
    h = a * 2.0
    y = h * b
    d = h.detach()
    d += 1.0
    return y


@script
def an_input_changed_under_no_grad(lib, a, b):
    h = a * 2.0
    y = h * b
    with lib.no_grad():
        h[0] = 0.0
    return y


@script
def a_change_before_the_reading_is_fine(lib, a, b):
    h = a * 2.0
    h += 1.0
    h[0] = b
    return h * b


@script
def a_leaf(lib, a, b):
    a += 1.0
    return a


@script
def assignment_to_a_leaf(lib, a, b):
    a[0] = 1.0
    return a


@script
def a_view_of_a_leaf(lib, a, b):
    v = a[0]
    v += 1.0
    return a


@script
def a_view_of_a_view_of_a_leaf(lib, a, b):
    v = a.reshape(3, 2)[1]
    v *= 2.0
    return v


@script
def an_item_of_a_leaf(lib, a, b):
    a[0] += b
    return a


@script
def a_leaf_under_no_grad(lib, a, b):
    with lib.no_grad():
        a += 1.0
        a[0] = 2.0
        a[1] *= 3.0
    return a * 2.0


@script
def a_leaf_under_no_grad_after_it_was_saved(lib, a, b):
    y = a * b
    with lib.no_grad():
        a += 1.0
    return y


@script
def a_detached_leaf(lib, a, b):
    d = a.detach()
    d += 1.0
    return a * 2.0 + d


@script
def gradient_through_assignment(lib, a, b):
    out = lib.zeros(3)
    out[0] = b[1] * 2.0
    out[1:] = a[0, :2]
    return out


@script
def assignment_stops_what_was_there(lib, a, b):
    out = a * b
    out[0] = 7.0
    return out


@script
def assignment_of_a_number_where_all_is_overwritten(lib, a, b):
    out = a * b
    out[:] = 7.0
    return out + a


@script
def item_plus_equals(lib, a, b):
    out = a * 2.0
    out[0] += b
    out[1] *= b
    out[:, 1] -= a[:, 0]
    out[0, 2] /= b[0]
    return out


@script
def item_plus_equals_on_a_constant(lib, a, b):
    out = lib.zeros(2, 3)
    out[0] += b
    out[1, 1:] += a[0, 1:]
    return out


@script
def item_plus_equals_by_an_array(lib, a, b):
    out = a * 2.0
    out[[0, 1], [2, 0]] += b[:2]
    return out


@script
def item_plus_equals_by_a_mask(lib, a, b):
    out = a * 2.0
    out[out > 0] *= 3.0
    return out


@script
def from_a_copy_of_its_own_neighbour(lib, a, b):
    x = a * 2.0
    x[0] = x[1].clone()
    return x


@script
def assigned_to_itself(lib, a, b):
    x = a * 2.0
    x[:] = x.clone()
    return x


@script
def a_chain_of_writes(lib, a, b):
    x = a * 1.0
    for i in range(2):
        x[i] = x[1 - i].clone() * b
        x += 1.0
        x[:, i] -= b[:2]
    return x


@script
def a_loop_that_fills(lib, a, b):
    out = lib.zeros(3)
    for i in range(3):
        out[i] = a[0, i] * b[i]
    return out


@script
def writes_into_what_was_written(lib, a, b):
    out = lib.zeros(3)
    out[0] = b[0] * b[1]
    out[1] = out[0].clone() * 2.0
    out[0] = 3.0
    return out


@script
def saved_then_assigned(lib, a, b):
    x = a * 2.0
    y = x * x
    x[0] = 1.0
    return y


@script
def a_view_of_a_written_tensor(lib, a, b):
    x = a * 2.0
    x += b
    return x[0] * b


@script
def a_view_taken_anew(lib, a, b):
    x = a * 2.0
    v = x[0]
    x[0] = b * b
    v = x[0]
    return v * 2.0


@script
def a_row_is_written_through_its_view(lib, a, b):
    x = a * 2.0
    v = x[0]
    v += b
    return v * 3.0


@script
def a_value_is_broadcast(lib, a, b):
    x = a * 2.0
    x[:, 1:] = b[0]
    return x


@script
def a_value_with_leading_axes(lib, a, b):
    x = a * 2.0
    x[0] = b.reshape(1, 1, 3)
    return x


@script
def a_value_of_one_element(lib, a, b):
    x = a * 2.0
    x[0, 1] = b[:1].reshape(1, 1)[0, 0]
    return x


@script
def the_value_changes_later(lib, a, b):
    x, v = lib.zeros(3), b * 2.0
    x[:] = v
    v += 100.0
    return x


@script
def the_value_is_a_view_of_the_target_elsewhere(lib, a, b):
    x = a * 2.0
    x[1] = x[0] * 3.0
    return x


@script
def an_empty_write(lib, a, b):
    x = a * 2.0
    x[0:0] = b
    return x


@script
def a_zero_dimensional_target(lib, a, b):
    x = a.sum()
    x += b.sum()
    x *= b[0]
    return x


@script
def product_of_rows_in_turn(lib, a, b):
    c = a * 1.0
    c[0] *= c[1].clone()
    c[1] *= c[0].clone()
    return c


@script
def expanded_then_written(lib, a, b):
    h = a * 2.0
    h -= h.mean(0)
    return h / (h * h).sum()


@pytest.mark.parametrize("name", SCRIPTS)
def test_as_torch(name: str) -> None:
    agrees(SCRIPTS[name])
