"""What tests of several files of this folder need."""

import pytest

from makemore import checkpoint
from makemore.__main__ import main

from .commands import SMALL
from .runs import small_run


@pytest.fixture
def saved(tmp_path):
    """A folder with a run of 10 steps."""
    checkpoint.save(small_run(10), tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "run"
    assert main(["train", "--out", str(folder), *SMALL]) == 0
    return folder


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("Zoë\r\némile\r\n\r\nинди\r\nZoë\r\nMaría José\r\n李\r\nben\r\nnoah\r\nmia".encode())
    return path
