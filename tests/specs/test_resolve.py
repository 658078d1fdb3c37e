"""What a row becomes: recipe, dataset, scale and seed put together."""

from __future__ import annotations

import pytest

from harness.negatives.registry import make_draw, make_law
from harness.specs.library import Library
from harness.specs.resolve import Resolved, figure, resolve
from harness.specs.run_settings import RunSettings, read_run_settings
from harness.specs.scale_notes import scale_notes
from harness.specs.target import Trained
from harness.training.topologies.registry import make_topology

from .conftest import TABLE


@pytest.fixture
def table(library: Library) -> Resolved:
    return resolve(library, TABLE, "scratch")


def run(table: Resolved, row: str, seed: int = 0) -> RunSettings:
    return table.run(table.loaded.rows(row)[0], seed)


def test_rows_differ_in_the_sampler_alone(table: Resolved) -> None:
    uniform, trisampler = run(table, "Uniform Sampling"), run(table, "TriSampler")
    assert uniform.sampler != trisampler.sampler
    assert uniform.model_copy(update={"sampler": None}) == trisampler.model_copy(update={"sampler": None})
    assert uniform.phase is not None and uniform.start is not None and uniform.start.phase is not None
    assert uniform.start.sampler is not None and uniform.start.sampler.source is None
    assert uniform.start.sampler.topology == make_topology("in-batch")
    assert uniform.start.phase.refresh is None


def test_settings_come_from_their_owners(table: Resolved) -> None:
    settings, scale = run(table, "TriSampler"), table.scale.spec
    recipe = table.loaded.recipes["continue-contrastive"].last
    substitute = scale.substitutes[recipe.trains]
    assert settings.phase is not None
    assert settings.phase.steps == substitute.steps
    assert settings.phase.refresh == substitute.refresh
    assert settings.phase.learning_rate == substitute.rate
    assert settings.phase.clip_norm == recipe.optimizer.clip_norm
    assert settings.encoder.model_dump() == scale.encoder.model_dump()
    assert settings.collection.kind == "pydocs"


def test_candidates_are_capped_and_it_is_said(table: Resolved) -> None:
    sampler, cap = run(table, "TriSampler").sampler, table.scale.spec.candidates_cap
    assert sampler is not None
    assert sampler.candidates == min(400, cap)
    assert any(f"K = 400 is capped to {cap}" in note for note in scale_notes(table)) == (cap < 400)


def test_law_parameters_are_complete_and_overridden(library: Library) -> None:
    spec = library.root / "papers/trisampler/table-5.yaml"
    changed = "sampler: {preset: trisampler, draw: best, law: {transitional: 1, fill: uniform}}"
    spec.write_text(spec.read_text().replace("sampler: trisampler", changed))
    sampler = run(resolve(library, TABLE, "scratch"), "TriSampler").sampler
    assert sampler is not None
    assert sampler.draw == make_draw("best")
    assert sampler.law.transitional == 1.0
    assert sampler.law.fill == "uniform"
    assert sampler.law.a == 0.25
    assert sampler.law == make_law("trisampler", {"transitional": 1, "fill": "uniform"})


def test_seeds_of_the_phases_are_separate_and_shared_by_rows(table: Resolved) -> None:
    first, second = run(table, "TriSampler", 0), run(table, "TriSampler", 1)
    assert first.start is not None and second.start is not None
    assert second.start.seed - first.start.seed == second.seed - first.seed == 1
    assert first.start.seed != first.seed
    assert run(table, "Uniform Sampling", 1).start == second.start


def test_reference_rows(table: Resolved) -> None:
    assert run(table, "BM25").kind == "bm25"
    base = run(table, "Base")
    assert (base.kind, base.recipe, base.phase_name, base.below) == ("base", "base", "retriever", {})
    assert base == run(table, "TriSampler").start


def test_control_without_drawn_negatives(library: Library) -> None:
    calibration = resolve(library, "calibration/hard-negatives", "simulation")
    in_batch, uniform = run(calibration, "In-batch only"), run(calibration, "Uniform hard negatives")
    assert in_batch.phase is not None
    assert uniform.phase is not None
    assert in_batch.sampler is not None
    assert in_batch.sampler.source is None
    assert in_batch.sampler.topology == make_topology("in-batch")
    assert in_batch.phase.steps == uniform.phase.steps
    assert calibration.seeds == 5
    other = resolve(library, "calibration/false-negatives", "simulation")
    masked = run(other, "Top-k, known false negatives removed").sampler
    assert masked is not None
    assert masked.mask == "known-relevant"


def test_columns(library: Library) -> None:
    table = resolve(library, TABLE, "scratch")
    labels = [(column.label, column.split, column.published) for column in table.columns]
    assert labels == [
        ("MRR@10", "test", True), ("R@50", "test", True), ("R@1k", "test", True),
        ("nDCG@10", "test", False), ("Success@20", "test", False),
    ]  # fmt: skip
    row = table.loaded.rows("TriSampler")[0]
    assert [figure and figure["value"] for figure in table.published(row)] == [
        0.414,
        0.891,
        0.989,
        None,
        None,
    ]


def test_settings_survive_their_file(table: Resolved) -> None:
    settings = run(table, "TriSampler")
    assert read_run_settings(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("printed", "unit", "value"),
    [("39.7", "percent", 0.397), ("0.320", "fraction", 0.32), ("100", "percent", 1.0), ("2.9", "s", 2.9)],
)
def test_figures_have_no_float_dust(printed: str, unit: str, value: float) -> None:
    assert figure(printed, unit) == {"printed": printed, "value": value, "unit": unit}


def test_comments_and_titles_do_not_change_the_settings(library: Library, table: Resolved) -> None:
    before, before_hash = run(table, "TriSampler"), table.settings_hash()
    for file, old, new in (
        ("papers/trisampler/table-5.yaml", "title: ", "title: Another "),
        ("papers/trisampler/table-5.yaml", '"39.7"', '"39.8"'),
        ("recipes/continue-contrastive.yaml", "summary: ", "summary: Another "),
        ("scales/scratch.yaml", "summary: ", "# a comment\nsummary: Another "),
    ):
        path = library.root / file
        path.write_text(path.read_text().replace(old, new, 1))
    after = resolve(library, TABLE, "scratch")
    assert run(after, "TriSampler") == before
    assert after.settings_hash() == before_hash


def test_commit_is_named_only_while_the_settings_are_those_it_froze(
    library: Library, table: Resolved
) -> None:
    scale = library.root / "scales/scratch.yaml"
    text = scale.read_text().partition("frozen:")[0]
    scale.write_text(f"{text}frozen: [{{commit: abc1234, settings: '{table.settings_hash()}'}}]\n")
    assert resolve(library, TABLE, "scratch").settings_commit() == "abc1234"
    scale.write_text(scale.read_text().replace("candidates_cap: ", "candidates_cap: 1"))
    assert resolve(library, TABLE, "scratch").settings_commit() is None


def test_settings_that_the_quick_scale_calls_frozen_are_those_of_a_target(library: Library) -> None:
    targets = [name for name in library.in_all_readings() if "quick" in library.target(name).target.scales]
    resolved = [resolve(library, name, "quick") for name in targets if library.reads(name, "quick")]
    used = {each.settings_hash() for each in resolved if isinstance(each.target, Trained)}
    frozen = [of.settings for of in library.scale("quick").frozen]
    assert len(frozen) == len(set(frozen)) and set(frozen) <= used
