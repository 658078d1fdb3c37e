"""A target that extends another: what it takes over, what it changes, and where an error points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harness.errors import UserError
from harness.provenance.cell import explain_cell, find_cell
from harness.specs.kinds.comparison import Comparison
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.schema import schemas
from harness.specs.target import Trained
from harness.specs.yaml_file import read_yaml
from harness.storage.store import Store

from .conftest import SHIPPED, TABLE

BASE = f"experiments/papers/{TABLE}.yaml"
OWN = "experiments/papers/calibration/mine.yaml"


def write(library: Library, text: str, name: str = "calibration/mine") -> str:
    (library.root / f"papers/{name}.yaml").write_text(text)
    return name


def refused(library: Library, text: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        library.target(write(library, text))
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def line_of(library: Library, text: str) -> int:
    lines = (library.root / f"papers/{TABLE}.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def names(target: Any) -> list[str]:
    return [row.name for row in target.rows]


def test_a_file_without_changes_is_the_other_one(library: Library) -> None:
    mine = library.target(write(library, f"extends: {TABLE}\nnotes: []\n"))
    base = library.target(TABLE)
    assert mine.target == base.target.model_copy(update={"notes": []})
    assert (mine.name, mine.paper.title) == (
        "calibration/mine",
        library.target("calibration/a-a").paper.title,
    )


def test_what_the_file_says_goes_before(library: Library) -> None:
    mine = library.target(write(library, f"""
extends: {TABLE}
title: Mine
notes: []
remarks: null
shared: {{negatives: 7}}
rows:
  - {{name: First, kind: control, sampler: uniform}}
  - {{name: Base, note: Another}}
  - {{name: Behind the base run, kind: control, sampler: top-k}}
  - {{name: Behind that, kind: control, sampler: top-k}}
  - name: TriSampler
    published: null
    sampler: {{preset: trisampler, law: {{a: 0.3}}}}
""")).target  # fmt: skip
    base = library.target(TABLE).target
    assert isinstance(mine, Comparison) and isinstance(base, Comparison)
    assert (mine.title, mine.remarks, mine.columns) == ("Mine", [], base.columns)
    assert mine.shared == base.shared.model_copy(update={"negatives": 7})
    assert names(mine) == [
        "First", "BM25", "Base", "Behind the base run", "Behind that", *names(base)[2:],
    ]  # fmt: skip
    changed, plain = ({row.name: row for row in of.rows} for of in (mine, base))
    assert changed["Base"] == plain["Base"].model_copy(update={"note": "Another"})
    assert changed["TriSampler"].sampler is not None and changed["TriSampler"].sampler.law == {"a": 0.3}
    assert (changed["TriSampler"].published, changed["TriSampler"].note) == (None, plain["TriSampler"].note)
    assert changed["SimANS"] == plain["SimANS"]


def test_a_target_may_extend_one_that_extends(library: Library) -> None:
    write(library, "extends: trisampler/table-5-ar2\nnotes: []\nseeds: 4\n", "calibration/between")
    rows = "rows: [{name: 'Base, reranked', note: Read again}]"
    mine = library.target(write(library, f"extends: calibration/between\nseeds: 5\n{rows}\n")).target
    between = library.target("calibration/between").target
    assert isinstance(mine, Trained) and isinstance(between, Trained)
    assert (mine.seeds, between.seeds) == (5, 4)
    assert mine.shared.recipe == "ar2-continue" and names(mine) == names(between)
    assert [row.summary for row in mine.rows].count("Read again") == 1


def test_rows_that_stand_for_several_are_taken_over(library: Library) -> None:
    text = "extends: trisampler/table-5-readings\nseeds: 3\nnotes: []\n"
    mine = library.target(write(library, text))
    base = library.target("trisampler/table-5-readings")
    assert names(mine.target) == names(base.target) and len(names(mine.target)) > len(mine.written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "extends: trisampler/tabel-5\n",
            f"{OWN}:1: key 'extends': unknown target 'trisampler/tabel-5'; did you mean 'trisampler/",
        ),
        ("extends: [1]\n", f"{OWN}:1: key 'extends': unknown target '[1]'"),
        (
            "title: x\nextends: calibration/mine\n",
            f"{OWN}:2: key 'extends': the target extends itself: calibration/mine -> calibration/mine",
        ),
        (f"extends: {TABLE}\nseeds: null\n", f"{OWN}:2: key 'seeds': {BASE} has no such key to remove"),
        (
            f"extends: {TABLE}\nrows:\n- {{name: BM25, recipe: null}}\n",
            f"{OWN}:3: key 'rows[0].recipe': {BASE} has no such key to remove",
        ),
        (
            f"extends: {TABLE}\nrows: [{{name: BM25}},\n {{name: BM25}}]\n",
            f"{OWN}:3: key 'rows[1].name': 'BM25' is given twice",
        ),
        (f"extends: {TABLE}\ntitel: x\n", f"{OWN}:2: key 'titel': unknown key; did you mean 'title'?"),
        (f"extends: {TABLE}\ntitle: null\n", f"{OWN}:1: 'title' is missing; add it"),
        (f"extends: {TABLE}\nrows: 7\n", f"{OWN}:2: key 'rows': got 7; expected a list"),
        (f"extends: {TABLE}\nrows: [7]\n", f"{OWN}:2: key 'rows[0]': got 7; expected keys with values"),
        (f"extends: {TABLE}\nshared: [7]\n", f"{OWN}:2: key 'shared': got a list; expected keys with values"),
        (
            f"extends: {TABLE}\nshared:\n  candidates: 0\n",
            f"{OWN}:3: key 'shared.candidates': got 0; expected greater than 0",
        ),
        (
            f"extends: {TABLE}\nrows:\n  - name: TriSampler\n    sampler: trisampelr\n",
            f"{OWN}:4: key 'rows[0].sampler': unknown sampler 'trisampelr'; did you mean 'trisampler'?",
        ),
        (
            f"extends: {TABLE}\nrows:\n  - name: BM25\n  - name: TriSampler\n    sampler: null\n",
            f"{OWN}:4: key 'rows[1]': row 'TriSampler' has no sampler",
        ),
        (
            f"extends: {TABLE}\nrows:\n  - name: New\n    kind: control\n",
            f"{OWN}:3: key 'rows[0]': row 'New' has no sampler",
        ),
    ],
)  # fmt: skip
def test_an_error_points_to_the_file_that_is_wrong(library: Library, text: str, expected: str) -> None:
    lines = refused(library, text)
    assert any(line.startswith(expected) for line in lines), lines


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("notes: [D15", "notes", "key 'notes[0]': the paper's register has no note 'D15'"),
        (
            'published: ["41.4"',
            'published: ["41.4"',
            "key 'rows[5].published': 3 published figures for 1 columns; give one a column",
        ),
    ],
)
def test_what_was_taken_over_is_wrong_where_it_was_written(
    library: Library, text: str, at: str, expected: str
) -> None:
    """The other file's notes are of its own paper's register; its figures are of its own columns."""
    columns = "columns: [{label: MRR@10, dataset: ms-pas, measure: RR(rel=2)@10}]\n"
    lines = refused(library, f"extends: {TABLE}\n{columns if 'published' in text else ''}")
    assert any(line.startswith(f"{BASE}:{line_of(library, at)}: {expected}") for line in lines), lines


def test_a_circle_of_targets_is_named_whole(library: Library) -> None:
    write(library, "extends: calibration/mine\n", "calibration/other")
    (line,) = refused(library, "extends: calibration/other\n")
    assert line == (
        "experiments/papers/calibration/other.yaml:1: key 'extends': the target extends itself: "
        "calibration/mine -> calibration/other -> calibration/mine; end it somewhere"
    )


def test_a_broken_file_below_is_told_as_itself(library: Library) -> None:
    (library.root / f"papers/{TABLE}.yaml").write_text("title: [")
    (line,) = refused(library, f"extends: {TABLE}\n")
    assert line.startswith(f"{BASE}:")


def test_values_of_a_sweep_point_to_the_file_that_has_them(library: Library) -> None:
    sampler = "{preset: simans, law: {a: 1}}"
    text = f"extends: simans/figure-2a\nnotes: []\nrows:\n  - name: SimANS\n    sampler: {sampler}\n"
    (line,) = refused(library, text)
    assert line.startswith("experiments/papers/simans/figure-2a.yaml:20: key 'rows[0].values'"), line
    assert "the sampler sets it, too" in line


def test_a_figure_is_explained_by_the_line_that_has_its_row(library: Library, tmp_path: Path) -> None:
    rows = "rows:\n  - {name: SimANS, note: Mine}\n"
    resolved = resolve(library, write(library, f"extends: {TABLE}\nnotes: []\n{rows}"), "simulation")

    def spec_of(row: str) -> str:
        lines = explain_cell(library, Store(tmp_path), find_cell(resolved, tmp_path, row))
        return next(text for name, text in lines if name == "spec")

    assert spec_of("SimANS") == f"{OWN}:4"
    assert spec_of("TriSampler") == f"{BASE}:{line_of(library, 'name: TriSampler')}"


def test_editors_know_what_may_be_changed() -> None:
    schema = schemas()["target"]
    jsonschema.validate(
        yaml.safe_load(f"{{extends: {TABLE}, title: x, rows: [{{name: a, note: null}}]}}"), schema
    )
    for wrong in ("titel: x", "shared: {negatives: many}", "rows: [{note: x}]", "scales: scratch"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(f"extends: {TABLE}\n{wrong}"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"kind": "comparison", "title": "x"}, schema)


def test_the_example_of_the_page_is_the_shipped_target() -> None:
    page = (SHIPPED.parent / "docs/targets.md").read_text()
    example = yaml.safe_load(f"extends:{page.partition('extends:')[2].partition('```')[0]}")
    shipped = read_yaml(SHIPPED / "papers/trisampler/table-5-ar2.yaml").data
    for row in shipped["rows"]:
        row.pop("note", None)
    assert example == shipped
