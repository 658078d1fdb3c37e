"""Phases of no steps, which leave their start as it is; checkpoints by dataset, of retriever and ranker."""

from __future__ import annotations

import pytest
import yaml

from harness.provenance.settings_text import scale_text
from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import (
    BaseRun,
    RankerRun,
    RunSettings,
    TaughtRun,
    read_run_settings,
    starts,
)
from harness.specs.scale_notes import scale_notes

from .conftest import Broken, breaking

TARGET = "trisampler/table-5-ar2"
RECIPE = """\
summary: A retriever and a ranker as they are.
citation: a test
phases:
  - name: retriever
    start: {checkpoint: {ms-pas: some/retriever, nq: other/retriever}}
    negatives: {sampler: in-batch}
    loss: softmax-cross-entropy
    optimizer: {clip_norm: 2.0, weight_decay: 0.0}
    schedule: {lr_warmup_share: 0.1}
    steps: 0
  - name: ranker
    trains: ranker
    start: given/retriever
    checkpoint: {ms-pas: some/ranker, nq: other/ranker}
    negatives: {sampler: uniform, candidates: 30, negatives: 3}
    loss: softmax-cross-entropy
    optimizer: {clip_norm: 2.0, weight_decay: 0.0}
    schedule: {lr_warmup_share: 0.1}
    steps: {ms-pas: 0}
  - name: both
    start: given/retriever
    negatives: {sampler: uniform, candidates: 30, negatives: 3}
    loss: softmax-cross-entropy
    optimizer: {clip_norm: 2.0, weight_decay: 0.0}
    schedule: {lr_warmup_share: 0.1}
    steps: 0
    ranker: {start: given/ranker}
"""
PLACE = "recipes/given.yaml"


@pytest.fixture
def given(shipped: Library) -> Library:
    """TriSampler's table with a ranker, continued from a retriever and a ranker that are given."""
    (shipped.root / PLACE).write_text(RECIPE)
    path = shipped.root / "recipes/ar2-continue.yaml"
    spec = yaml.safe_load(path.read_text())
    spec["phases"][0]["start"] = spec["phases"][0]["ranker"]["start"] = "given/both"
    path.write_text(yaml.safe_dump(spec))
    path = shipped.root / f"papers/{TARGET}.yaml"
    path.write_text(path.read_text().replace("base/ranker", "given/ranker"))
    return shipped


@pytest.fixture
def refused(given: Library) -> Broken:
    return breaking(given)


def row(resolved: Resolved, name: str, seed: int = 0) -> RunSettings:
    return resolved.run(resolved.loaded.rows(name)[0], seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", ["simulation", "scratch", "quick", "paper"])
def test_a_run_begins_with_the_checkpoints_of_its_dataset_at_every_scale(given: Library, scale: str) -> None:
    run = row(resolve(given, TARGET, scale), "TriSampler")
    assert isinstance(run, TaughtRun) and isinstance(run.start, TaughtRun) and run.start == run.teacher
    ranker, retriever = run.start.teacher, run.start.start
    assert isinstance(ranker, RankerRun) and isinstance(retriever, BaseRun)
    assert ranker.start == retriever and retriever.encoder.start == "some/retriever"
    assert ranker.ranker.model_dump()["start"] == "some/ranker" and ranker.pair_tokens > 30
    assert [of.phase.steps for of in (retriever, ranker, run.start)] == [0, 0, 0]
    assert run.phase.steps > 0 and starts(run) == {"some/retriever", "some/ranker"}
    assert read_run_settings(run.model_dump_json()) == run


def test_what_is_left_as_it_is_is_one_run_for_all_seeds(given: Library) -> None:
    resolved = resolve(given, TARGET, "simulation")
    one, other = row(resolved, "TriSampler", 0), row(resolved, "TriSampler", 1)
    assert isinstance(one, TaughtRun) and isinstance(other, TaughtRun)
    assert one.seed != other.seed and one.start == other.start and one.teacher == other.teacher


def test_notes_say_that_there_are_no_steps(given: Library) -> None:
    path = given.root / "recipes/ar2-continue.yaml"
    spec = yaml.safe_load(path.read_text())
    spec["phases"][0]["steps"] = 0
    path.write_text(yaml.safe_dump(spec))
    resolved = resolve(given, TARGET, "simulation")
    run, notes = row(resolved, "TriSampler"), scale_notes(resolved)
    assert isinstance(run, TaughtRun)
    assert scale_text("quick", run).endswith("base no steps; continued no steps; continued no steps")
    assert any("no steps" in note for note in notes), notes


def test_the_content_of_the_rankers_checkpoint_is_in_its_fingerprint(
    given: Library, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.setattr("harness.collections.checkpoint_place.on_hub", lambda start: "and no hub")
    (tmp_path / "some/ranker").mkdir(parents=True)
    weights, named = tmp_path / "some/ranker/model.safetensors", set()
    run = row(resolve(given, TARGET, "simulation"), "TriSampler")
    for content in (b"one", b"other!"):
        weights.write_bytes(content)
        named.add(chain(run, "collection").last)
    (tmp_path / "some/ranker").rename(tmp_path / "some/moved")
    moved = RECIPE.replace("some/ranker", "some/moved")
    (given.root / PLACE).write_text(moved)
    again = row(resolve(given, TARGET, "simulation"), "TriSampler")
    named.add(chain(again, "collection").last)
    assert len(named) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{ms-pas: some/retriever, nq: other/retriever}", "{nq: other/retriever}",
         "phase 'given/retriever' has no checkpoint on dataset 'ms-pas'; add it to recipes/given.yaml, below "
         "`retriever`"),
        ("{ms-pas: some/ranker, nq: other/ranker}", "{nq: other/ranker}",
         "phase 'given/ranker' has no checkpoint on dataset 'ms-pas'"),
        ("steps: {ms-pas: 0}", "steps: {nq: 0}", "phase 'given/ranker' has no substitute for `refresh`"),
        ("{ms-pas: some/retriever, nq: other/retriever}", "{}", "phases[0].start"),
        ("    ranker: {start:", "    checkpoint: some/ranker\n    ranker: {start:",
         "it is of a phase that trains a ranker; write `start: {checkpoint: ...}` for a retriever"),
        ("steps: {ms-pas: 0}", "steps: -1", "steps"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_a_line(refused: Broken, old: str, new: str, said: str) -> None:
    lines = refused(PLACE, (old, new), target=TARGET)
    assert any(said in line for line in lines), lines
