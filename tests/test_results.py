"""The committed results are whole, are rendered from their cells, and show what the simulation must show."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.reports.calibration.table import coverage_table
from harness.reports.kinds import REPORTS, read_cells
from harness.reports.renderers.markdown import pipe_table
from harness.reports.rendering import site_texts
from tests.cases import few
from tests.result_checks import CHECKS, cells_of, check_cells, check_tables, check_tuning

RESULTS = Path(__file__).parents[1] / "results"
TARGETS = sorted(path.parent for path in RESULTS.glob("*/*/*/cells.json") if "local" not in path.parts)
TUNINGS = sorted(path.parent for path in RESULTS.glob("*/tuning/*/trials.json"))
CONFIRMED = [folder / "confirmation" for folder in TUNINGS if (folder / "confirmation").exists()]
FOLDERS = [*TARGETS, *CONFIRMED]
README_TABLE = RESULTS / "quick/trisampler/table-5"
OF_EACH_KIND = {cells_of(folder)["kind"]: folder for folder in FOLDERS}.values()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "/".join(folder.parts[-3:]))
def test_tables_are_those_of_their_cells(folder):
    check_tables(folder)


@pytest.mark.parametrize(
    "folder", few(TUNINGS, *TUNINGS[-1:]), ids=lambda folder: "/".join(folder.parts[-3:])
)
def test_tunings_are_those_of_their_trials(folder):
    check_tuning(folder)


def test_the_site_is_that_of_its_results():
    """Where not: `harness report --all --publish`."""
    pages = site_texts(RESULTS)
    assert {path.parent for path in pages} == {RESULTS, *FOLDERS}
    assert [path for path, text in pages.items() if path.read_text() != text] == []


def test_readme_shows_the_committed_table():
    readme = squeezed((RESULTS.parent / "README.md").read_text())
    table = (RESULTS / "quick/trisampler/table-5/table.md").read_text()
    rows = [line for line in squeezed(table) if line.startswith("|") and " ± " in line][:7]
    assert len(rows) == 7
    assert all(row in readme for row in rows)


def test_the_docs_show_the_committed_coverage():
    text = (RESULTS.parent / "docs/statistics.md").read_text()
    begin, end = (f"<!-- coverage of calibration/a-a: {word} -->\n" for word in ("begin", "end"))
    shown = text.partition(begin)[2].partition(end)[0]
    folder = RESULTS / "simulation/calibration/a-a"
    if (folder / "cells.json").exists():
        assert shown.strip() == pipe_table(coverage_table(read_cells(folder / "cells.json")))
    else:
        assert "harness reproduce calibration/a-a --scale simulation --publish" in shown


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize(
    "folder", few(FOLDERS, README_TABLE, *OF_EACH_KIND), ids=lambda folder: "/".join(folder.parts[-3:])
)
def test_cells_are_those_of_their_per_query_scores(folder):
    check_cells(folder)


def test_results_of_every_kind_can_be_checked():
    assert set(CHECKS) == set(REPORTS)


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
    assert cells["settings_commit"] and len(cells["seeds"]) == 5
    assert cells["verdict"] == "pipeline check"


def test_readme_counts_the_readings_as_the_committed_curve_does():
    summary = {
        of["row"]: of for of in cells_of(RESULTS / "simulation/trisampler/table-5-readings")["summary"]
    }
    uniform, simans = summary["Uniform Sampling"], summary["SimANS"]
    runs = "written" in uniform  # where not, readings that are the same run are counted as often as written
    combinations, pairs = ("runs", "pairs of runs") if runs else ("written combinations", "written pairs")
    text = " ".join((RESULTS.parent / "README.md").read_text().split())
    assert f"above uniform sampling in {uniform['above']} of {uniform['pairs']} {combinations}" in text
    assert f"above SimANS in {simans['above']} of {simans['pairs']} {pairs}" in text
