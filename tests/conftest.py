"""What tests of several folders need."""

import hashlib
import os
from pathlib import Path

import pytest

from makemore.download import SHA256
from makemore.words import lecture_names as downloaded_names


@pytest.fixture(scope="session")
def lecture_names():
    """The lecture's names.txt: from $MAKEMORE_NAMES, or else where `makemore download` keeps it."""
    path = Path(os.environ.get("MAKEMORE_NAMES") or downloaded_names())
    if not path.exists():
        pytest.skip(f"{path} is missing: set MAKEMORE_NAMES to the lecture's names.txt, or run `makemore download`")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256, f"{path} is not the lecture's names.txt"
    return path
