"""What a reader finds in the report of costs."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sample import typed
from sample_runs import record, some_collection, some_runs

from harness.errors import UserError
from harness.reports.cells import ReportContext
from harness.reports.cost.cells import build_cost
from harness.reports.kinds import REPORTS, document_of
from harness.reports.renderers.markdown import render_markdown
from harness.specs.library import Library
from harness.specs.resolve import resolve

REPORT = REPORTS["cost"]
SECONDS = {
    ("AR2+SimANS", 0): 0.2,
    ("AR2+SimANS", 1): 0.4,
    ("AR2+TriSampler", 0): 0.6,
    ("AR2+TriSampler", 1): 0.6,
}


def built(
    root: Path,
    seconds: dict[tuple[str, int], float],
    seeds: int = 2,
    failed: str = "",
    older: tuple[tuple[str, int], ...] = (),
) -> dict[str, Any]:
    """Cells of runs whose every step takes the same; refreshes take ten times that, and 50 steps apart.

    An older version made some, which do not tell similarities of documents apart.
    """
    resolved = resolve(Library.default(), "trisampler/table-6", "simulation")
    runs = [run for run in some_runs(resolved, root, seeds) if run.row != failed]
    reasons = {failed: "seed 0: the loss is nan"} if failed else {}
    for run in runs:
        record(run, seconds.get((run.row, run.seed)), (run.row, run.seed) not in older)
    collection = some_collection("small", {"train": 7, "dev": 3, "test": 4}, 12)
    context = ReportContext(resolved, runs, reasons, pd.DataFrame(), {resolved.dataset: collection})
    return build_cost(context).as_json()


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return built(tmp_path_factory.mktemp("runs"), SECONDS)


def test_medians_over_runs_and_their_ratio_to_the_baseline(cells: dict[str, Any]) -> None:
    simans, trisampler = cells["rows"]
    assert [cell["reproduced"]["median"] for cell in simans["cells"]] == pytest.approx(
        [0.3, 2.7, 0.054, 0.354, 0.01, 1.8, 0.9, 0.0]
    )
    step = simans["cells"][0]["reproduced"]
    assert (step["low"], step["high"], step["per_run"]) == (
        pytest.approx(0.25),
        pytest.approx(0.35),
        [0.2, 0.4],
    )
    assert trisampler["cells"][0]["ratio"] == pytest.approx(2.0)
    assert trisampler["cells"][1]["published_ratio"] == pytest.approx(110 / 85)
    assert cells["refresh"] == 50 and cells["hardware"] == [
        {"cpu": "A processor", "cores": 2, "threads": 1, "gpus": []}
    ]


def test_seconds_name_their_machine_and_are_not_the_papers(cells: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(cells)))
    assert "Machine: A processor, 2 cores, torch threads: 1, no GPU." in text
    assert "Seconds are those of this machine" in text and "not comparable with the paper's" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    lines = [[field.strip() for field in line.strip("|").split("|")] for line in table]
    assert lines[2][:5] == ["AR2+SimANS (baseline)", "2.9", "0.3 [0.25, 0.35]", "85", "2.7 [2.25, 3.15]"]
    assert lines[2][9] == "10 [10, 10]"  # drawing, in ms
    assert ["AR2+TriSampler", "C", "1.294", "2.222"] in lines


def said(cells: dict[str, Any]) -> str:
    """Its report, in one line."""
    return " ".join(render_markdown(document_of(typed(cells))).split())


def test_similarities_are_charged_to_the_row_that_reads_them(cells: dict[str, Any]) -> None:
    simans, trisampler = ([cell["reproduced"]["median"] for cell in row["cells"]] for row in cells["rows"])
    assert (simans[-1], trisampler[-1]) == (0.0, pytest.approx(0.6))
    assert (simans[1], trisampler[1]) == (pytest.approx(2.7), pytest.approx(6.0))
    assert "charged to the rows whose law reads it: AR2+TriSampler." in said(cells)
    assert "| AR2+TriSampler | s(d+, d-) | – | – |" in said(cells)


OLDER = ((("AR2+SimANS", 0),), (("AR2+TriSampler", 1),), tuple(SECONDS))


@pytest.mark.parametrize("older", OLDER)
def test_of_older_runs_similarities_are_part_of_mining_in_every_row(older: Any, tmp_path: Path) -> None:
    cells = built(tmp_path, SECONDS, older=older)
    assert [row["cells"][1]["reproduced"]["median"] for row in cells["rows"]] == pytest.approx([3.0, 6.0])
    assert {row["cells"][-1]["state"] for row in cells["rows"]} == {"missing"}
    assert "Some of these runs did not time s(d+, d-) apart" in said(cells)


def test_half_of_the_baselines_runs_stands_beside_the_rows(tmp_path: Path) -> None:
    seconds = {(row, seed): 0.2 + 0.1 * seed for row in ("AR2+SimANS", "AR2+TriSampler") for seed in range(4)}
    cells = built(tmp_path, seconds, seeds=4)
    half = cells["against_itself"][0]
    assert half["ratio"] == pytest.approx((0.2 * 0.4 / (0.3 * 0.5)) ** 0.5)
    assert half["low"] < 1 < half["high"]
    text = f"{half['ratio']:.3f} [{half['low']:.3f}, {half['high']:.3f}]"
    assert f"| AR2+SimANS, half against half | D a batch | – | {text} |" in said(cells)
    assert "what chance and machine alone give" in said(cells)


def test_too_few_seeds_or_older_cells_tell_no_ratio_of_chance(cells: dict[str, Any]) -> None:
    assert "| AR2+SimANS, half against half | D a batch | – | – |" in said(cells)
    assert "takes 4 seeds of the baseline" in said(cells)
    older = {key: value for key, value in cells.items() if key != "against_itself"}
    assert "half against half" not in said(older)


def test_the_data_are_in_seconds(cells: dict[str, Any]) -> None:
    rows = {(row["row"], row["cost"]): row for row in csv.DictReader(io.StringIO(REPORT.csv(typed(cells))))}
    assert len(rows) == 2 * 8
    assert float(rows["AR2+SimANS", "drawing"]["reproduced"]) == 0.01
    assert (rows["AR2+SimANS", "construction"]["published"], rows["AR2+SimANS", "drawing"]["published"]) == (
        "85.0",
        "",
    )


def test_one_run_has_no_quartiles(tmp_path: Path) -> None:
    text = render_markdown(document_of(typed(built(tmp_path, SECONDS, seeds=1))))
    assert "| 0.2 " in " ".join(text.split()) and "from one run" in text and "[0." not in text


def test_a_run_without_times_is_told_with_what_to_do(tmp_path: Path) -> None:
    fix = "harness reproduce TARGET --row 'AR2.TriSampler' --force"
    with pytest.raises(UserError, match=f"seed 1 of 'AR2.TriSampler' has no recorded times: .*{fix}"):
        built(tmp_path, {key: value for key, value in SECONDS.items() if key != ("AR2+TriSampler", 1)})


def test_a_row_that_failed_is_no_number(tmp_path: Path) -> None:
    text = " ".join(
        render_markdown(document_of(typed(built(tmp_path, SECONDS, failed="AR2+TriSampler")))).split()
    )
    assert "| AR2+TriSampler | 3.0 | failed | 110 | failed |" in text
    assert "Failed: AR2+TriSampler, seed 0: the loss is nan." in text


def test_the_figure_shows_the_parts_of_a_step(cells: dict[str, Any], tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        REPORT.draw(typed(cells), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
        contents.append((tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
    assert contents[0] == contents[1]
    for words in ("published, ", "drawing", "mining (per step)", "seconds per step", "A processor"):
        assert words in contents[0]
