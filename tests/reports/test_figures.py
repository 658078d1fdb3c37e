"""Figures: both formats, the same bytes twice, words on them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from sample import typed

from harness.reports import drawing
from harness.reports.comparison.figure import _draw_line, draw_comparison
from harness.reports.drawing import MARKERS


def test_same_cells_give_the_same_bytes(cells: dict[str, Any], tmp_path: Path) -> None:
    figures = []
    for name in ("first", "second"):
        svg, png = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        draw_comparison(typed(cells), svg, png)
        figures.append((svg.read_bytes(), png.read_bytes()))
    assert figures[0] == figures[1]
    assert figures[0][0].startswith(b"<?xml")
    assert imread(tmp_path / "first.png").shape[1] == 1440


def test_the_users_own_style_changes_nothing(cells: dict[str, Any], tmp_path: Path) -> None:
    draw_comparison(typed(cells), tmp_path / "a.svg", tmp_path / "a.png")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        draw_comparison(typed(cells), tmp_path / "b.svg", tmp_path / "b.png")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("kind", ["cells", "simulated"])
def test_the_figure_says_what_is_published_and_what_is_ours(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    cells = request.getfixturevalue(kind)
    draw_comparison(typed(cells), tmp_path / "f.svg", tmp_path / "f.png")
    text = (tmp_path / "f.svg").read_text(encoding="utf-8")
    for words in (
        "published, MS MARCO passages",
        "reproduced, minus Uniform Sampling",
        "MRR@10 (%)",
        "pipeline check",
    ):
        assert words in text
    assert ("reproduced, planted (simulation)" in text) == (kind == "simulated")
    assert ("Simulation. " in text) == (kind == "simulated")
    assert ("not run" in text) == (kind == "simulated")
    assert ("not over seeds" in text) == (kind == "simulated")


@pytest.mark.parametrize("state", ["failed", "unavailable"])
def test_a_cell_without_a_figure_says_why(cells: dict[str, Any], state: str, tmp_path: Path) -> None:
    changed = copy.deepcopy(cells)
    changed["rows"][-1]["cells"][0] |= {"state": state, "reproduced": None, "difference": None}
    draw_comparison(typed(changed), tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").count(f">{state}<") == 1


def test_published_figures_have_the_interval_of_their_rounding(cells: dict[str, Any]) -> None:
    figure = Figure()
    axes = list(figure.subplots(1, 3))
    _draw_line(axes, typed(cells), 0, first=True)
    bars = [line.get_xdata() for line in axes[0].get_lines() if len(line.get_xdata()) == 2]
    published = [row["cells"][0]["published"] for row in cells["rows"] if row["cells"][0]["published"]]
    middles = [100 * figure["value"] for figure in published]
    assert [float(np.mean(bar)) for bar in bars] == pytest.approx(middles)
    assert [float(np.ptp(bar)) for bar in bars] == pytest.approx([0.1] * len(bars))


def test_rows_stay_apart_without_colour(cells: dict[str, Any]) -> None:
    assert len(set(MARKERS)) == len(MARKERS) >= len(cells["rows"])


def test_rows_that_are_quoted_alone_stand_in_the_table_only(cells: dict[str, Any], tmp_path: Path) -> None:
    quoted = copy.deepcopy(cells)
    row = copy.deepcopy(next(row for row in quoted["rows"] if row["name"] == "TriSampler"))
    row |= {"name": "Quoted", "kind": "published"}
    for cell in row["cells"]:
        cell |= {"reproduced": None, "difference": None, "state": "not run"}
    quoted["rows"].append(row)
    for name, of in {"without": cells, "with": quoted}.items():
        draw_comparison(typed(of), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    drawn, other = ((tmp_path / f"{name}.svg").read_text(encoding="utf-8") for name in ("with", "without"))
    said = f"Rows that are quoted alone, 1 of {len(quoted['rows'])}, stand in the table."
    assert said in drawn and "Quoted" not in drawn.replace(said, "")
    assert "quoted alone" not in other and "TriSampler" in other


def test_a_compact_figure_keeps_its_letters_and_the_places_of_its_lines() -> None:
    path, text = b'<path d="M 1.123456 -2.5\nL 3.999999 4"/>', b'<text x="0.127">0.0033 at 1.2345</text>'
    short = b'<path d="M 1.12 -2.5\nL 4 4"/>', b'<text x="0.13">0.0033 at 1.2345</text>'
    assert (
        drawing._compact(b"  <g>\n   " + path + text + b"\n  </g>\n")
        == b"<g>\n" + b"".join(short) + b"\n</g>\n"
    )
