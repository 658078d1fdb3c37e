"""Damaged results of one target end nothing of another; what can be drawn again is drawn again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_results import write_results

from harness.errors import UserError
from harness.reports.rendering import render, render_site
from harness.reports.site import PAGE


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scale = tmp_path_factory.mktemp("results") / "scratch"
    write_results(scale)
    render_site(scale.parent)
    return scale


def first(scale: Path) -> Path:
    return sorted(path.parent for path in scale.glob("*/*/cells.json"))[0]


@pytest.mark.parametrize("content", [b"", b"<svg ", b"\xff\xfe", None])
def test_a_drawing_that_is_damaged_is_drawn_again(rendered: Path, content: bytes | None) -> None:
    drawing = first(rendered) / "figure.svg"
    whole = drawing.read_bytes()
    drawing.unlink() if content is None else drawing.write_bytes(content)
    page = render_site(rendered.parent).read_text()
    assert drawing.read_bytes() == whole and f"{first(rendered).parent.name}/" in page


@pytest.mark.parametrize("name", ["cells.json", "provenance.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"version": 1, "kind": "cost"}', "[" * 99999])
def test_other_targets_stay_on_the_site(rendered: Path, name: str, content: str) -> None:
    damaged = first(rendered) / name
    whole = damaged.read_bytes()
    damaged.write_text(content)
    try:
        page = render_site(rendered.parent).read_text()
    finally:
        damaged.write_bytes(whole)
    assert page.count('<a href="scratch/') == len(list(rendered.glob("*/*/cells.json"))) - 1
    assert (rendered.parent / PAGE).exists()
    others = [path for path in rendered.glob("*/*/table.html") if path.parent != damaged.parent]
    assert all(damaged.parent.name + "/table.html" not in path.read_text() for path in others)


@pytest.mark.parametrize("change", [{"primary": "nothing"}, {"columns": []}, {"target": "a\ud800"}])
def test_parts_that_do_not_fit_together_are_one_line(tmp_path: Path, change: dict[str, object]) -> None:
    write_results(tmp_path)
    path = first(tmp_path) / "cells.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=r"cells\.json: damaged, or of another version .*reproduce") as raised:
        render(path.parent)
    assert "\n" not in str(raised.value)
