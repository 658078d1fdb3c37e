"""Readings: a row that stands for several becomes plain rows, and errors point to where it is written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from harness.errors import UserError
from harness.specs.describe import render_show, show_target
from harness.specs.fingerprints import chain
from harness.specs.kinds.readings import Reading
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.resolve import resolve
from harness.specs.sampler_paths import short_names

from .conftest import TABLE

NAME = "trisampler/open"
MEASURED = {"measures": True, "start": {"measures"}}
SPEC = """\
title: Readings
kind: readings
citation: a test
columns:
  - {label: MRR@10, dataset: ms-pas, measure: RR(rel=2)@10}
primary: MRR@10
focus: TriSampler
scales: [simulation]
shared: {recipe: continue-contrastive, candidates: 400, negatives: 15}
rows:
  - name: Uniform Sampling
    kind: trained
    sampler: uniform
  - name: TriSampler
    kind: trained
    sampler: {preset: trisampler, law: {fill: uniform}}
    readings:
      law.transitional: [0.5, 1.0]
      law.gap:
        - raw
        - standardised
      mask: [labelled, known-relevant]
  - name: SimANS
    kind: control
    sampler: simans
    readings:
      law.gap: [raw, standardised]
"""

Loaded = Callable[..., LoadedTarget]


@pytest.fixture
def loaded(library: Library) -> Loaded:
    """Replace texts in the spec above and load it."""

    def load(*changes: tuple[str, str]) -> LoadedTarget:
        text = SPEC
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        (library.root / f"papers/{NAME}.yaml").write_text(text)
        return library.target(NAME)

    return load


def test_a_row_stands_for_the_full_factorial_of_its_readings(loaded: Loaded) -> None:
    target = loaded().target
    assert [row.name for row in target.rows] == [
        "Uniform Sampling",
        "TriSampler: transitional 0.5, gap raw, mask labelled",
        "TriSampler: transitional 0.5, gap raw, mask known-relevant",
        "TriSampler: transitional 0.5, gap standardised, mask labelled",
        "TriSampler: transitional 0.5, gap standardised, mask known-relevant",
        "TriSampler: transitional 1.0, gap raw, mask labelled",
        "TriSampler: transitional 1.0, gap raw, mask known-relevant",
        "TriSampler: transitional 1.0, gap standardised, mask labelled",
        "TriSampler: transitional 1.0, gap standardised, mask known-relevant",
        "SimANS: gap raw",
        "SimANS: gap standardised",
    ]
    assert all(isinstance(row, Reading) and not row.readings for row in target.rows)
    row = target.rows[4]
    assert isinstance(row, Reading)
    assert row.reading_of == row.written == "TriSampler"
    assert row.reading == {"law.transitional": 0.5, "law.gap": "standardised", "mask": "known-relevant"}


def test_a_reading_is_trained_with_its_values_and_those_written_beside_them(
    loaded: Loaded, library: Library
) -> None:
    loaded()
    resolved = resolve(library, NAME, "simulation")
    sampler = resolved.run(resolved.loaded.rows("TriSampler")[-1], 0).sampler
    assert sampler is not None
    assert sampler.mask == "known-relevant"
    chosen = {key: getattr(sampler.law, key) for key in ("transitional", "gap", "fill", "angle")}
    assert chosen == {"transitional": 1.0, "gap": "standardised", "fill": "uniform", "angle": "off"}


def test_the_readings_that_a_table_trains_are_the_tables_own_runs(loaded: Loaded, library: Library) -> None:
    loaded(("{preset: trisampler, law: {fill: uniform}}", "trisampler"))
    table, open_ = resolve(library, TABLE, "simulation"), resolve(library, NAME, "simulation")
    (row,) = open_.loaded.rows("TriSampler: transitional 0.5, gap raw, mask labelled")
    (own,) = table.loaded.rows("TriSampler")
    made, shared = open_.run(row, 1), table.run(own, 1)
    assert chain(made, "0" * 16) == chain(shared, "0" * 16)
    assert made.model_dump(exclude=MEASURED) == shared.model_dump(exclude=MEASURED)


def test_rows_are_found_as_written_and_one_by_one(loaded: Loaded) -> None:
    target = loaded()
    assert len(target.rows("TriSampler")) == 8
    assert [row.name for row in target.rows("SimANS: gap raw")] == ["SimANS: gap raw"]
    assert [row.name for row in target.rows("Uniform Sampling")] == ["Uniform Sampling"]
    with pytest.raises(UserError, match=r"has no row 'SimANS: gap row'; did you mean 'SimANS'"):
        target.rows("SimANS: gap row")


def test_names_end_in_the_last_step_of_a_path_unless_two_end_alike() -> None:
    assert short_names(["law.gap", "source.count", "draw"]) == {
        "law.gap": "gap",
        "source.count": "count",
        "draw": "draw",
    }
    assert short_names(["law.gap", "source.gap"]) == {"law.gap": "law.gap", "source.gap": "source.gap"}


def test_show_lists_rows_as_written_with_the_number_of_their_readings(loaded: Loaded) -> None:
    target = loaded()
    shown = show_target(target)
    assert [row["name"] for row in shown["rows"]] == ["Uniform Sampling", "TriSampler", "SimANS"]
    assert all(set(row) == {"name", "kind", "recipe", "sampler", "published"} for row in shown["rows"])
    json.dumps(shown)
    stream = io.StringIO()
    Console(file=stream, width=120).print(render_show(target))
    lines = {line.split("  ")[0]: line.split() for line in stream.getvalue().splitlines() if line}
    assert "readings" in lines["row"]
    assert (lines["TriSampler"][-1], lines["SimANS"][-1]) == ("8", "2")


READ = "      law.gap: [raw, standardised]\n"
DRAWN = "      mask: [labelled, known-relevant]\n"


@pytest.mark.parametrize(
    ("change", "line", "expected"),
    [
        (("law.gap: [raw, ", "law.gap: [rwa, "), 27, "'rows[2].readings.law.gap': got 'rwa'; expected"),
        (("        - raw", "        - rwa"), 19, "'rows[1].readings.law.gap': got 'rwa'; expected 'raw'"),
        ((READ, "      law.gapp: [raw, cosine]\n"), 27, "has no parameter 'gapp'; did you mean 'gap'?"),
        ((READ, "      lwa.gap: [raw]\n"), 27, "'rows[2].readings.lwa.gap': unknown key; did you me"),
        ((READ, "      gap: [raw]\n"), 27, "'rows[2].readings.gap': unknown key"),
        ((READ, "      law: [raw]\n"), 27, "key 'rows[2].readings.law': got 'raw'; expected keys"),
        ((DRAWN, "      draw: [bets]\n"), 22, "'rows[1].readings.draw': unknown draw 'bets'; did you"),
        ((DRAWN, "      draw: []\n"), 22, "'rows[1].readings.draw': got a list; expected a list"),
        ((DRAWN, "      draw: best\n"), 22, "'rows[1].readings.draw': got 'best'; expected a list"),
        ((DRAWN, "      draw: [[best]]\n"), 22, "'rows[1].readings.draw[0]': got a list; expected a num"),
        ((DRAWN, "      draw: [{a: 1}]\n"), 22, "'rows[1].readings.draw[0]': got keys with values; exp"),
        ((DRAWN, "      draw: [null]\n"), 22, "'rows[1].readings.draw[0]': got nothing; expected a num"),
        ((DRAWN, "      draw: [best, best]\n"), 22, "'rows[1].readings.draw[1]': 'best' is given twice"),
        ((DRAWN, "      law.a: [1, 1.0]\n"), 22, "'rows[1].readings.law.a[1]': 1.0 is given twice"),
        ((DRAWN, "      law.fill: [uniform]\n"), 22, "'rows[1].readings.law.fill': the sampler sets it"),
        ((DRAWN, "      preset: [simans]\n"), 22, "'rows[1].readings.preset': the sampler sets it"),
        ((DRAWN, "      preset.a: [1]\n"), 22, "'preset' is set to 'trisampler' in `sampler`, with no p"),
        ((DRAWN, "      law: [raw]\n"), 22, "another path leads through 'law'; keep one of the two"),
        (("focus: TriSampler", "focus: Trisampler"), 7, "unknown row 'Trisampler'; did you mean 'TriS"),
        (("focus:", "baseline:"), 1, "'focus' is missing"),
        (("kind: control", "kind: published"), 24, "of kind 'readings' has rows made by training alone"),
        (("kind: control", "published: ['1']\n    kind: control"), 24, "shows no published figures"),
        (("primary:", "  - {label: R@5, dataset: ms-pas, measure: R@5}\nprimary:"), 6, "has one column"),
        (("name: SimANS", "name: 'TriSampler'"), 23, "'TriSampler' is given twice"),
        (("name: Uniform Sampling", "name: 'SimANS: gap raw'"), 23, "'SimANS: gap raw' is given twice"),
    ],
)  # fmt: skip
def test_wrong_readings_are_told_with_line_and_key(
    loaded: Loaded, change: tuple[str, str], line: int, expected: str
) -> None:
    with pytest.raises(UserError) as caught:
        loaded(change)
    assert any(expected in text for text in str(caught.value).splitlines()), caught.value
    assert f"experiments/papers/{NAME}.yaml:{line}: " in str(caught.value)
    assert len(set(str(caught.value).splitlines())) == len(str(caught.value).splitlines())


def test_readings_in_a_target_of_another_kind_are_refused(loaded: Loaded) -> None:
    with pytest.raises(UserError) as caught:
        loaded(("kind: readings", "kind: comparison"), ("focus: TriSampler", "baseline: Uniform Sampling"))
    assert [text.split("key ")[1].split(";")[0] for text in str(caught.value).splitlines()] == [
        "'rows[1].readings': a target of kind 'comparison' has no readings",
        "'rows[2].readings': a target of kind 'comparison' has no readings",
    ]


def test_an_unknown_or_missing_kind_is_told_with_those_there_are(loaded: Loaded) -> None:
    with pytest.raises(UserError, match="key 'kind': 'reading' is not valid; did you mean 'readings'"):
        loaded(("kind: readings", "kind: reading"))
    with pytest.raises(UserError, match="'kind' is missing"):
        loaded(("kind: readings\n", ""))


def test_a_sampler_wrong_by_itself_is_told_once(loaded: Loaded) -> None:
    with pytest.raises(UserError) as caught:
        loaded(("preset: trisampler", "preset: trisampelr"))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(UserError, match="nothing is drawn and nothing is shared") as caught:
        loaded(("sampler: uniform", "sampler: {preset: in-batch, topology: own}"))
    assert len(str(caught.value).splitlines()) == 1
