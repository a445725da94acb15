"""The lecture's names give what they give in PyTorch: golden/seed_run.json."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import tinygrad_lite as tg
from makemore.sampling import sample
from makemore.training import Run, Settings
from makemore.words import read_words

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "seed_run.json").read_text())


@pytest.fixture
def run(lecture_names):
    return Run(read_words(lecture_names), Settings())


def test_settings_are_those_of_the_recipe():
    recipe, settings = GOLDEN["recipe"], Settings()
    names = {"batch": "batch_size"}
    for name in ("block_size", "embedding", "hidden", "batch", "steps", "seed"):
        assert getattr(settings, names.get(name, name)) == recipe[name]


def test_numbers_of_examples(run):
    assert {name: len(part) for name, part in run.data._asdict().items()} == GOLDEN["examples"]


def test_first_200_losses(run):
    run.advance(200)
    np.testing.assert_allclose(run.losses[:200], GOLDEN["batch_loss_first_200_steps"], rtol=0, atol=5e-6)


@pytest.mark.slow
def test_whole_run(run):
    run.advance(run.settings.steps)
    assert run.done
    np.testing.assert_allclose(run.losses[::10_000], GOLDEN["batch_loss_every_10000_steps"], rtol=0, atol=2e-5)
    final = run.final_losses()
    assert final.keys() == GOLDEN["final_loss"].keys()
    for name, loss in final.items():
        assert loss == pytest.approx(GOLDEN["final_loss"][name], rel=0, abs=1e-5), name
    generator = tg.Generator().manual_seed(run.settings.seed + 10)
    names = list(islice(sample(run.model, run.vocabulary, run.settings.block_size, generator), 20))
    assert names == GOLDEN["names"]
