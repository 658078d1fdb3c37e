"""What a reader finds in the report of curves."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from sample import typed
from sample_runs import record, some_collection, some_runs, some_scores

from harness.evaluation.measures import DEV_MEASURE
from harness.reports.cells import ReportContext
from harness.reports.curve.cells import build_curve
from harness.reports.kinds import REPORTS, document_of
from harness.reports.renderers.markdown import render_markdown
from harness.specs.library import Library
from harness.specs.resolve import resolve

REPORT = REPORTS["curve"]
SCORES = {
    ("Base", 0): [0.0, 0.5],
    ("Base", 1): [0.0, 0.6],
    ("SimANS", 0): [0.5, 0.7],
    ("SimANS", 1): [0.5, 0.8],
    ("TriSampler", 0): [0.5, 0.9],
    ("TriSampler", 1): [0.5, 1.0],
}


def built(root: Path, seconds: float | None) -> dict[str, Any]:
    """Two seeds of two dev queries, watched once, at step 2, where each is half way up."""
    resolved = resolve(Library.default(), "trisampler/figure-4", "simulation")
    runs = some_runs(resolved, root)
    for run in runs:
        record(run, seconds)
        run.folder.log("continued dev", 2, **{DEV_MEASURE: 0.4 + 0.1 * run.seed})
    scores = REPORT.scores(resolved, some_scores(resolved, SCORES, split="dev"))
    collection = some_collection("small", {"train": 7, "dev": 2, "test": 4}, 12)
    context = ReportContext(resolved, runs, {}, scores, {resolved.dataset: collection})
    return build_curve(context).as_json()


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return built(tmp_path_factory.mktemp("runs"), 0.5)


def test_rows_begin_together_and_end_at_their_own_runs(cells: dict[str, Any]) -> None:
    simans, trisampler = cells["rows"]
    assert [point["step"] for point in simans["points"]] == [0, 2, 150]
    assert simans["points"][0] == trisampler["points"][0]
    assert simans["points"][0]["per_seed"] == pytest.approx([0.25, 0.3])
    assert simans["points"][1]["per_seed"] == pytest.approx([0.4, 0.5])
    assert simans["points"][2]["per_seed"] == pytest.approx([0.6, 0.65])
    assert trisampler["points"][2]["mean"] == pytest.approx(0.725)
    assert [point["seconds"] for point in simans["points"]] == pytest.approx(
        [0.0, 1.0, 6.5]
    )  # mined at 2, for 5


def test_a_line_a_step_with_seconds_and_interval(cells: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(cells)))
    table = [line for line in text.splitlines() if line.startswith("|")]
    lines = [[field.strip() for field in line.strip("|").split("|")] for line in table]
    assert lines[0][1:4] == ["SimANS MRR@10", "SimANS 95 % CI over seeds", "SimANS seconds"]
    point = cells["rows"][0]["points"][2]
    interval = f"[{100 * point['low']:.1f}, {100 * point['high']:.1f}]"
    assert lines[4][:4] == ["150", "62.5", interval, "6.5"]
    assert "Step 0 is Base, which all rows continue" in text and "A processor" in text


def test_runs_without_recorded_seconds_show_steps_alone(tmp_path: Path) -> None:
    cells = built(tmp_path, None)
    assert "not recorded" in render_markdown(document_of(typed(cells)))
    REPORT.draw(typed(cells), tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 0


def test_the_data_hold_every_seed(cells: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(REPORT.csv(typed(cells)))))
    assert len(rows) == 2 * 3 * 2
    last = [row for row in rows if row["row"] == "TriSampler" and row["step"] == "150"]
    assert [(row["seed"], float(row["value"])) for row in last] == [("0", 0.7), ("1", 0.75)]
    assert {row["split"] for row in rows} == {"dev"}


def test_the_figure_has_steps_and_seconds(cells: dict[str, Any], tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        REPORT.draw(typed(cells), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
        contents.append((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
    assert contents[0] == contents[1]
    for words in ("optimizer steps", "seconds of training", "MRR@10 on dev (%)", "CI over seeds"):
        assert words in contents[0]
