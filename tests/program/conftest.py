"""Fixtures that several modules take."""

import pytest

from tinygrad_lite.program import tables

from .embedded import WAYS, taken


@pytest.fixture(scope="module")
def small_tables():
    """By way of the table wherever that can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "WAYS", WAYS[1:])
        patch.setattr(tables, "cost", lambda code: -taken(code))
        patch.setattr(tables, "may_save", lambda rows: True)
        yield
