"""Which link of two runs differs first, and in what."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.provenance.retrain import explain_retrain
from harness.specs.fingerprints import VERSION, chain, links
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, TaughtRun
from harness.specs.settings import CheckpointSettings
from tests.stores import COLLECTION, EXPERIMENTS, put, settings_of


@pytest.fixture
def explained(store):
    """What is said of TriSampler's run and another one."""

    def explain(settings, versions=VERSION, **more):
        one = put(store, settings_of("TriSampler"))
        other = put(store, settings, versions, **more)
        return explain_retrain(store, one.name, other.name)

    return explain


def changed(part, **values):
    """TriSampler's settings with values of one part changed, in what it continues as well if it is shared."""
    settings = settings_of("TriSampler")
    new = {part: getattr(settings, part).model_copy(update=values)}
    start = settings.start.model_copy(update=new if part in ("tokens", "encoder") else {})
    return settings.model_copy(update={**new, "start": start})


def test_the_first_link_and_all_keys(explained):
    settings = changed("encoder", hidden=32, dropout=0.2).model_copy(update={"seed": 7})
    lines = explained(settings)
    assert "differ from base on;" in lines[0]
    assert lines[1:] == [
        "base: encoder.hidden 64 | 32",
        "base: encoder.dropout 0.1 | 0.2",
        "run: seed 200 | 7",
    ]


@pytest.mark.parametrize(
    ("part", "values", "line"),
    [
        ("tokens", {"vocabulary": 9000}, "tokens: tokens.vocabulary 8000 | 9000"),
        ("encoder", {"start": "x"}, "tokens: encoder.start fresh | x"),
        ("sampler", {"candidates": 40}, "candidates: sampler.candidates 50 | 40"),
        ("sampler", {"mask": "positive-only"}, "candidates: sampler.mask labelled | positive-only"),
        ("sampler", {"negatives": 3}, "run: sampler.negatives 15 | 3"),
        ("phase", {"steps": 3}, "run: phase.steps 150 | 3"),
    ],
)
def test_each_link(explained, part, values, line):
    lines = explained(changed(part, **values))
    assert f"differ from {line.partition(':')[0]} on;" in lines[0]
    assert lines[1:] == [line]


def test_another_collection(store):
    one = put(store, settings_of("TriSampler"))
    put(store, settings_of("TriSampler"), collection="f" * 16)
    other = chain(settings_of("TriSampler"), "f" * 16).last
    lines = explain_retrain(store, one.name, other)
    assert lines[1:] == [f"collection: content {COLLECTION} | {'f' * 16}"]


def test_another_version_of_a_stage(explained):
    lines = explained(settings_of("TriSampler"), {**VERSION, "candidates": 1, "run": 1})
    assert lines[1:] == ["candidates: version 2 | 1", f"run: version {VERSION['run']} | 1"]


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (
            "both-towers",
            "head",
            ["states: this link has none | has it", "run: phase.trains both-towers | head"],
        ),
        ("head", "last-layer", ["states: trains head | last-layer", "run: phase.trains head | last-layer"]),
    ],
)
def test_states_of_a_frozen_encoder_are_a_link(store, one, other, said):
    names = [put(store, changed_phase(settings_of("TriSampler"), trains=part)).name for part in (one, other)]
    lines = explain_retrain(store, *names)
    assert "differ from states on;" in lines[0]
    assert lines[1:] == said


def test_another_version_of_states_is_told_and_another_base_before_them(store):
    head = changed_phase(settings_of("TriSampler"), trains="head")
    versions = {**VERSION, "states": VERSION["states"] + 1}
    one, other = put(store, head), put(store, changed_phase(head, steps=7), versions)
    lines = explain_retrain(store, one.name, other.name)
    assert lines[1:] == ["states: version 1 | 2", "run: phase.steps 150 | 7"]
    base = head.model_copy(update={"start": changed_phase(head.start, steps=7)})
    lines = explain_retrain(store, one.name, put(store, base).name)
    assert lines[1:] == ["base: phase.steps 200 | 7"]


def test_rankers_differ_in_their_own_link(store):
    table = resolve(Library(EXPERIMENTS), "trisampler/table-5-ar2", "simulation")
    ranker = table.run(table.loaded.rows("TriSampler")[0], 0).teacher
    names = [put(store, settings).name for settings in (ranker, changed_phase(ranker, steps=7))]
    assert explain_retrain(store, *names)[1:] == ["ranker: phase.steps 200 | 7"]


def changed_phase(settings, **values):
    """Settings of a run with values of its phase changed."""
    return settings.model_copy(update={"phase": settings.phase.model_copy(update=values)})


def test_a_run_that_does_not_tell_its_links_is_named(store):
    one, other = (put(store, settings_of("TriSampler", seed)) for seed in (0, 1))
    (other / "links.json").unlink()
    with pytest.raises(UserError, match=f"{other.name}/links.json: file is missing"):
        explain_retrain(store, one.name, other.name)


def test_runs_of_two_kinds_and_one_with_itself(store):
    trained, base = put(store, settings_of("TriSampler")), put(store, settings_of("Base"))
    lines = explain_retrain(store, trained.name, base.name)
    assert lines[1:] == ["candidates: this link has it | has none", "run: this link has it | has none"]
    lines = explain_retrain(store, trained.name, trained.name)
    assert len(lines) == 1 and "do not differ in anything that a fingerprint covers" in lines[0]


def test_every_key_of_the_settings_is_in_a_link_or_known_not_to_matter():
    table = resolve(Library(EXPERIMENTS), "trisampler/table-5-ar2", "simulation")
    taught = table.run(table.loaded.rows("TriSampler")[0], 0)
    assert isinstance(taught, TaughtRun) and isinstance(taught.teacher, RankerRun)
    common = {key: getattr(taught, key) for key in (*RunSettings.model_fields, "tokens")}
    checkpoint = CheckpointSettings(start="nowhere", pooling=None)
    evaluated = EvaluatedRun(**common | {"kind": "evaluated"}, checkpoint=checkpoint)
    names_and_evaluation = {"kind", "recipe", "phase_name", "collection", "measures", "depth", "reranked"}
    for settings in (taught, taught.teacher, evaluated):
        hashed = {key.partition(".")[0] for link in links(settings, COLLECTION) for key in link.parts}
        below = set(settings.below)
        unhashed = {"seed"} if settings is evaluated else set()
        assert set(type(settings).model_fields) - hashed - below - names_and_evaluation == unhashed
