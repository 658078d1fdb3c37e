"""What a reader finds in the report of a sweep."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sample import typed
from sample_runs import record, some_collection, some_runs, some_scores

from harness.reports.cells import ReportContext
from harness.reports.kinds import REPORTS, document_of
from harness.reports.renderers.markdown import render_markdown
from harness.reports.sweep.cells import build_sweep, swept_scores
from harness.specs.library import Library
from harness.specs.resolve import resolve

REPORT = REPORTS["sweep"]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """SimANS at 1 and 5 negatives, two seeds of four queries; the other points were not run."""
    resolved = resolve(Library.default(), "simans/table-7", "simulation")
    one, five = "AR2+SimANS: negatives 1", "AR2+SimANS: negatives 5"
    scores = some_scores(
        resolved,
        {(one, 0): [0, 1, 0, 1], (one, 1): [0, 1, 1, 1], (five, 0): [1, 1, 1, 0], (five, 1): [1, 1, 1, 1]},
    )
    runs = [run for run in some_runs(resolved, tmp_path_factory.mktemp("runs")) if run.row in (one, five)]
    for run in runs:
        record(run, 0.1 if run.row == one else 0.2 + 0.1 * run.seed)
    collection = some_collection("small", {"train": 7, "dev": 3, "test": 4}, 12)
    scores, collections = swept_scores(resolved, scores), {resolved.dataset: collection}
    return build_sweep(ReportContext(resolved, runs, {}, scores, collections)).as_json()


def test_each_point_has_the_mean_of_its_own_runs(cells: dict[str, Any]) -> None:
    points = {point["name"]: point for point in cells["points"]}
    assert len(points) == 8 and cells["parameter"] == "negatives"
    one, five = (points[f"AR2+SimANS: negatives {n}"] for n in (1, 5))
    assert one["cells"][0]["reproduced"]["per_seed"] == [0.5, 0.75]
    assert one["cells"][0]["reproduced"]["mean"] == 0.625
    assert (five["at"], five["cells"][0]["reproduced"]["mean"]) == (5, 0.875)
    assert five["cells"][0]["published"] == {"printed": "78.1", "value": 0.781, "unit": "percent"}
    assert points["AR2: negatives 5"]["cells"][0]["state"] == "missing"
    assert five["fingerprints"] == [f"AR2+SimANS: negatives 5, seed {seed}" for seed in (0, 1)]


def test_a_line_a_point_and_what_was_not_run_is_no_number(cells: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(cells)))
    table = [line for line in text.splitlines() if line.startswith("|")]
    lines = [[field.strip() for field in line.strip("|").split("|")] for line in table][2:]
    assert [[*line[:4], *line[5:]] for line in lines][3:6] == [
        ["AR2", "15", "77.9", "not run", "630", "not run"],
        ["AR2+SimANS", "1", "77.5", "62.5 ± 17.7", "210", "100 [100, 100]"],
        ["AR2+SimANS", "5", "78.1", "87.5 ± 17.7", "340", "250 [225, 275]"],
    ]
    assert "Measured on A processor, 2 cores" in text
    block = cells["points"][5]["cells"][0]["reproduced"]["method"]
    assert block["low"] < 0 and block["high"] > 1
    assert lines[5][4] == "[0.0, 100.0]"  # no share lies beyond
    assert "Published figures on Natural Questions; reproduced on small (simulation)" in text


def test_the_data_hold_every_point_unrounded(cells: dict[str, Any]) -> None:
    every = list(csv.DictReader(io.StringIO(REPORT.csv(typed(cells)))))
    rows = {(row["row"], row["at"]): row for row in every if row["column"] == "R@5"}
    seconds = {(row["row"], row["at"]): row for row in every if row["column"] == "latency"}
    assert len(rows) == len(seconds) == 8
    assert (seconds["AR2+SimANS", "5"]["reproduced"], seconds["AR2+SimANS", "5"]["published"]) == (
        "0.25",
        "0.34",
    )
    assert rows["AR2+SimANS", "1"]["reproduced"] == "0.625" and rows["AR2+SimANS", "1"]["seeds"] == "2"
    assert (rows["AR2", "1"]["state"], rows["AR2", "1"]["reproduced"]) == ("missing", "")


def test_published_has_a_panel_of_its_own_where_the_paper_prints_figures(
    cells: dict[str, Any], tmp_path: Path
) -> None:

    def drawn(cells: dict[str, Any]) -> str:
        REPORT.draw(typed(cells), tmp_path / "f.svg", tmp_path / "f.png")
        return (tmp_path / "f.svg").read_text(encoding="utf-8")

    text = drawn(cells)
    assert text == drawn(cells)
    assert "published, Natural Questions" in text and "reproduced, small (simulation)" in text
    assert text.count(">R@5 (%)<") == 2 and ">negatives<" in text
    bare = json.loads(json.dumps(cells))
    for point in bare["points"]:
        point["cells"][0]["published"] = point["costs"][0]["published"] = None
    assert "published, " not in drawn(bare)
    assert "The paper has a plot without printed figures." in render_markdown(document_of(typed(bare)))
