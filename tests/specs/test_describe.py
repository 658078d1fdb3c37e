"""What `harness list` and `harness show` say."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from harness.specs.describe import list_targets, render_list, render_show, show_target
from harness.specs.library import Library

from .conftest import TABLE


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
