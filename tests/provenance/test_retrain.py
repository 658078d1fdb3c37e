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
