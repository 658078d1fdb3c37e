"""What `harness list` and `harness show` say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from harness.errors import UserError
from harness.specs.describe import list_targets, render_list, render_show, show_target
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.scale_notes import scale_notes

from .conftest import TABLE, Broken


def test_list_has_the_keys_of_the_contract(library: Library, tmp_path: Path) -> None:
    made = tmp_path / "results/scratch" / TABLE / "cells.json"
    made.parent.mkdir(parents=True)
    made.write_text("{}")
    found = {line["target"]: line for line in list_targets(library, tmp_path / "results")}
    assert all(set(line) == {"target", "title", "kind", "scales", "status"} for line in found.values())
    assert found[TABLE]["status"] == "made at scratch"
    assert found["calibration/hard-negatives"]["status"] == "not made yet"
    json.dumps(found)


def test_a_broken_spec_does_not_hide_the_others(library: Library, tmp_path: Path) -> None:
    (library.root / "papers/calibration/hard-negatives.yaml").write_text("title: [")
    found = {line["target"]: line["status"] for line in list_targets(library, tmp_path)}
    assert found[TABLE] == "not made yet"
    assert found["calibration/hard-negatives"] == "broken"


def test_drawings_are_listed_with_the_reason_and_cannot_be_shown(library: Library, tmp_path: Path) -> None:
    found = {line["target"]: line for line in list_targets(library, tmp_path)}
    drawing = found["simans/figure-4"]
    assert (drawing["kind"], drawing["scales"]) == ("drawing", [])
    assert drawing["status"] == "not reproducible: an illustration without data or axes"
    with pytest.raises(UserError, match=r"simans/figure-4 cannot be reproduced: an illustration"):
        library.target("simans/figure-4")


def test_drawings_of_a_broken_paper_hide_no_others(library: Library, tmp_path: Path) -> None:
    (library.root / "papers/simans/paper.yaml").write_text("title: [")
    found = [line["target"] for line in list_targets(library, tmp_path) if line["kind"] == "drawing"]
    assert found == ["trisampler/figure-2"]


def test_a_column_that_is_quoted_alone_is_shown_and_told_below_the_table(library: Library) -> None:
    loaded = library.target("ar2/table-5")
    rows = {row["name"]: row["published"][-1] for row in show_target(loaded)["rows"]}
    assert rows["w/o R"] == {"printed": "1.70", "value": 1.7, "unit": "number"}
    resolved = resolve(library, "ar2/table-5", "simulation")
    assert "Printed, and not measured here: entropy AR2-G 2.10, w/o R 1.70." in scale_notes(resolved)
    assert "entropy" not in [column.label for column in resolved.columns]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("  - {label: entropy}\n", "  - {label: entropy}\n  - {label: entropy}\n"),
            "'entropy' is given twice",
        ),
        (("quoted:\n  - {label: entropy}\n", ""), "5 published figures for 4 columns"),
        (("{label: entropy}", "{label: entropy, measure: nDCG@10}"), "key 'quoted[0].measure': unknown key"),
    ],
)
def test_wrong_quoted_columns_are_told(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken("papers/ar2/table-5.yaml", change, target="ar2/table-5")
    assert any(expected in line for line in lines), lines


def test_show_has_the_keys_of_the_contract(library: Library) -> None:
    shown = show_target(library.target(TABLE))
    assert set(shown) == {"target", "paper", "title", "kind", "columns", "rows", "notes"}
    assert all(set(column) == {"label", "dataset", "measure"} for column in shown["columns"])
    assert all(set(row) == {"name", "kind", "recipe", "sampler", "published"} for row in shown["rows"])
    assert all(set(note) == {"id", "severity", "text"} for note in shown["notes"])
    assert all(len(row["published"]) == len(shown["columns"]) for row in shown["rows"])
    rows = {row["name"]: row for row in shown["rows"]}
    assert rows["TriSampler"]["published"][0] == {"printed": "41.4", "value": 0.414, "unit": "percent"}
    assert rows["TriSampler"]["recipe"] == "continue-contrastive"
    assert rows["SimANS"]["published"] == [None, None, None]
    json.dumps(shown)


def test_people_see_names_and_figures(library: Library, tmp_path: Path) -> None:
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    console.print(render_list(list_targets(library, tmp_path)))
    console.print(render_show(library.target(TABLE)))
    text = console.export_text()
    assert all(word in text for word in (TABLE, "not made yet", "TriSampler", "41.4", "D26"))
