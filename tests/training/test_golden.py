"""What training does is what it did, or its version says that it changed."""

from __future__ import annotations

import pytest

from harness.training import learner as learner_module

from .golden import FOLDER, committed, golden_run, phases, verdict, versions_of


@pytest.mark.parametrize("name", phases())
def test_a_phase_trains_as_it_did(bench, tmp_path, name):
    assert not verdict(name, golden_run(bench, tmp_path, name), committed(name), versions_of(name))


def test_every_recipe_and_none_else_is_golden():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == list(phases())


def test_a_changed_meaning_is_seen(bench, tmp_path, monkeypatch):
    """One part in a million in the learning rate fails; with a bumped version the file is asked for."""
    name, right = "base.retriever", learner_module.linear_schedule
    monkeypatch.setattr(learner_module, "linear_schedule", lambda *given: right(*given) * (1 + 1e-6))
    made, golden, versions = golden_run(bench, tmp_path, name), committed(name), versions_of(name)
    said = verdict(name, made, golden, versions)
    assert "losses" in said and "weights" in said and "bump VERSION of 'base'" in said
    said = verdict(name, made, golden, versions | {"base": versions["base"] + 1})
    assert said.endswith("python -m tests.training.golden --write")
    assert "pinned `tokenizers`" in verdict(name, made | {"tokens": "x"}, golden, versions)
