"""Figures: both formats, the same bytes twice, words on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.image import imread

from harness.reports.comparison.figure import draw_comparison
from harness.reports.drawing import MARKERS, STYLE


def test_same_cells_give_the_same_bytes(cells: dict[str, Any], tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        svg, png = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        draw_comparison(cells, svg, png)
        made.append((svg.read_bytes(), png.read_bytes()))
    assert made[0] == made[1]
    assert made[0][0].startswith(b"<?xml")
    assert imread(tmp_path / "first.png").shape[1] == 1440


def test_the_users_own_style_changes_nothing(cells: dict[str, Any], tmp_path: Path) -> None:
    draw_comparison(cells, tmp_path / "a.svg", tmp_path / "a.png")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        draw_comparison(cells, tmp_path / "b.svg", tmp_path / "b.png")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize("kind", ["cells", "simulated"])
def test_the_figure_says_what_is_published_and_what_is_ours(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STYLE, "svg.fonttype", "none")  # text as text, to be read here
    made = request.getfixturevalue(kind)
    draw_comparison(made, tmp_path / "f.svg", tmp_path / "f.png")
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
    assert ("not for the method" in text) == (kind == "simulated")


def test_rows_stay_apart_without_colour(cells: dict[str, Any]) -> None:
    assert len(set(MARKERS)) == len(MARKERS) >= len(cells["rows"])
