"""The committed results are whole, are rendered from their cells, and show what the simulation must show."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from harness.evaluation.comparison import compare_rows
from harness.reports.comparison.table import render_markdown
from harness.reports.comparison.tidy import render_csv

RESULTS = Path(__file__).parents[1] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/*/*/cells.json") if "local" not in path.parts)


def cells_of(folder: Path) -> dict:
    return json.loads((folder / "cells.json").read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "/".join(folder.parts[-3:]))
def test_tables_are_those_of_their_cells(folder):
    cells = cells_of(folder)
    assert (folder / "table.md").read_text() == render_markdown(cells)
    assert (folder / "table.csv").read_text() == render_csv(cells)


def test_readme_shows_the_committed_table():
    readme = squeezed((RESULTS.parent / "README.md").read_text())
    table = (RESULTS / "quick/trisampler/table-5/table.md").read_text()
    rows = [line for line in squeezed(table) if line.startswith("|") and " ± " in line][:7]
    assert len(rows) == 7
    assert all(row in readme for row in rows)


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "/".join(folder.parts[-3:]))
def test_cells_are_those_of_their_per_query_scores(folder):
    cells = cells_of(folder)
    scores = pd.read_parquet(folder / "per_query.parquet")
    compared = {
        row["name"]: [cell["published"] for cell in row["cells"]]
        for row in cells["rows"]
        if row["kind"] != "reference"
    }
    made = compare_rows(
        scores,
        cells["columns"],
        compared,
        baseline=cells["baseline"],
        primary=cells["primary"],
        level=cells["level"],
    )
    for row in cells["rows"]:
        for place, cell in enumerate(row["cells"]):
            column = cells["columns"][place]
            own = scores[
                (scores["row"] == row["name"])
                & (scores["measure"] == column["measure"])
                & (scores["split"] == column["split"])
            ]
            assert own["value"].mean() == pytest.approx(cell["reproduced"]["mean"], abs=1e-12)
            block = made.differences.get(row["name"], [None] * len(row["cells"]))[place]
            if block is not None:
                assert block["value"] == pytest.approx(cell["difference"]["value"], abs=1e-12)
                assert block["checkpoints"]["low"] == pytest.approx(cell["difference"]["checkpoints"]["low"])


@pytest.mark.parametrize(
    ("target", "row"),
    [
        ("hard-negatives", "Uniform hard negatives"),
        ("false-negatives", "Top-k, known false negatives removed"),
    ],
)
def test_the_simulation_shows_what_it_must(target, row):
    """Hard negatives help and false negatives hurt, over five seeds, by both intervals at 99 %."""
    cells = cells_of(RESULTS / "simulation/calibration" / target)
    assert len(cells["seeds"]) == 5 and cells["level"] == 0.99 and cells["simulation"]
    found = next(line for line in cells["rows"] if line["name"] == row)
    place = [column["label"] for column in cells["columns"]].index(cells["primary"])
    difference = found["cells"][place]["difference"]
    assert difference["checkpoints"]["low"] > 0
    assert difference["method"]["low"] > 0


def test_the_quick_table_names_the_commit_that_froze_its_settings():
    cells = cells_of(RESULTS / "quick/trisampler/table-5")
    assert cells["settings_commit"] and len(cells["seeds"]) == 3
    assert cells["verdict"] == "pipeline check"
