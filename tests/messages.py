"""What is asked of every error: its kind, one line, and the words that tell what happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def refused(kind: type[Exception], *words: str) -> Iterator[None]:
    """The block raises exactly `kind`, with one line that begins with the first of the words and holds the others."""
    with pytest.raises(kind) as caught:
        yield
    said = str(caught.value)
    assert type(caught.value) is kind
    assert len(said.splitlines()) == 1, said
    assert said.startswith(words[:1]), said
    for word in words:
        assert word in said, said
