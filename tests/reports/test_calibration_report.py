"""What a reader finds in the report of a calibration."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sample import COLUMNS, LEVEL, sample_cells, typed

from harness.evaluation.comparison import difference_block
from harness.reports.calibration.cells import coverages
from harness.reports.calibration.table import coverage_table
from harness.reports.kinds import REPORTS, document_of
from harness.reports.renderers.markdown import pipe_table, render_markdown
from harness.reports.renderers.terminal import render_terminal

REPORT = REPORTS["calibration"]


def sample_calibration(seeds: int = 3, pairs: int = 20) -> dict[str, Any]:
    """Pairs whose seeds vary enough for the checkpoints' interval to miss 0 now and then."""
    rng = np.random.default_rng(3)
    blocks = []
    for pair in range(1, pairs + 1):
        differences = rng.normal(0, 0.008, (seeds, 1)) + rng.normal(0, 0.05, (seeds, 150))
        first = difference_block(differences[:1], LEVEL)
        labels = {"pair": pair, "sides": [f"Uniform: pair {pair}, side {side}" for side in "AB"]}
        labels["first_seed"] = {"value": first["value"], "checkpoints": first["checkpoints"]}
        blocks.append({**labels, "fingerprints": [[], []], **difference_block(differences, LEVEL)})
    content = sample_cells(seeds, simulation=True)
    for key in ("baseline", "rows", "smallest_difference", "verdict_reason", "reproducibility"):
        del content[key]
    row = {"name": "Uniform", "kind": "control", "recipe": "r", "sampler": "uniform", "summary": ""}
    content |= {"target": "calibration/a-a", "title": "A against A", "kind": "calibration"}
    content |= {"columns": [COLUMNS[0] | {"published": False}], "row": row, "pairs": blocks}
    return json.loads(json.dumps(content | {"coverage": coverages(blocks, LEVEL)}, sort_keys=True))


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    return sample_calibration()


def fields(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[field.strip() for field in line.strip("|").split("|")] for line in lines]


def test_coverage_stands_first_beside_its_nominal_level(cells: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(cells)))
    assert text.split("\n\n")[1].startswith("Simulation. ")
    assert text.split("\n\n")[3:5] == ["## Coverage", pipe_table(coverage_table(typed(cells)))]
    lines = fields(pipe_table(coverage_table(typed(cells))))
    assert [line[0] for line in lines[2:]] == [
        "over queries (3 seeds)", "over queries and seeds (3 seeds)", "over queries (one seed)",
    ]  # fmt: skip
    coverage = cells["coverage"]["checkpoints"]
    assert lines[2][1] == f"{coverage['covered']} of 20 ({100 * coverage['share']:.0f} %)"
    assert lines[2][2:4] == ["95 %", f"[{100 * coverage['low']:.1f} %, {100 * coverage['high']:.1f} %]"]
    assert lines[2][4:] == [f"{100 * coverage['mean_width']:.2f}", f"{100 * coverage['sd']:.2f}"]


def test_intervals_that_miss_0_are_as_many_as_counted(cells: dict[str, Any]) -> None:
    lines = fields(render_markdown(document_of(typed(cells))).partition("## Pairs")[2])[2:]
    for place, kind in enumerate(("checkpoints", "method", "first_seed"), start=2):
        missed = sum(line[place].startswith("**misses 0: ") for line in lines)
        assert missed == 20 - cells["coverage"][kind]["covered"]
    assert sum(line[2].startswith("**misses 0: ") for line in lines) > 0
    rows = list(csv.DictReader(io.StringIO(REPORT.csv(typed(cells)))))
    assert len(rows) == 3 * 20
    single = [row for row in rows if row["seeds"] == "1"]
    assert sum(row["covers_0"] == "True" for row in single) == cells["coverage"]["first_seed"]["covered"]
    assert float(single[0]["difference"]) == cells["pairs"][0]["first_seed"]["value"]


def test_one_seed_has_one_kind_of_interval(tmp_path: Path) -> None:
    one = sample_calibration(1)
    lines = fields(pipe_table(coverage_table(typed(one))))[2:]
    assert [line[0] for line in lines] == ["over queries (one seed)"]
    assert "allows no conclusion about the method" in render_markdown(document_of(typed(one)))
    REPORT.draw(typed(one), tmp_path / "f.svg", tmp_path / "f.png")


def test_console_fits_80_columns(cells: dict[str, Any]) -> None:
    stream = io.StringIO()
    Console(file=stream, width=80).print(render_terminal(document_of(typed(cells))))
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    assert f"{cells['coverage']['method']['covered']} of 20" in stream.getvalue()


def test_the_figure_has_the_same_bytes_again_and_counts_what_covers(
    cells: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        REPORT.draw(typed(cells), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    REPORT.draw(typed(cells), tmp_path / "c.svg", tmp_path / "c.png")
    text = (tmp_path / "c.svg").read_text(encoding="utf-8")
    names = {"checkpoints": "over queries (3 seeds):", "method": "over queries and seeds (3 seeds):"}
    for kind, name in names.items():
        assert name in text
        assert f"{cells['coverage'][kind]['covered']} of 20 cover 0" in text
    assert "Simulation. " in text and "(points)" in text
