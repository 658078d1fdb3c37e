"""A confirmation compares rows within the papers' settings and within tuned ones, nowhere across."""

from __future__ import annotations

import copy
import csv
import io
from typing import Any

import pytest
from sample import typed

from harness.reports.comparison.table import render_csv
from harness.reports.kinds import document_of
from harness.reports.renderers.markdown import render_markdown

TITLE = "## Difference from {} in MRR@10"


@pytest.fixture
def confirmed(cells: dict[str, Any]) -> dict[str, Any]:
    """The sample as a confirmation, as it was before its rows said what they are compared with."""
    return copy.deepcopy(cells) | {"kind": "confirmation"}


def with_baselines(cells: dict[str, Any], **minus: str) -> dict[str, Any]:
    for row in cells["rows"]:
        if row["name"] in minus:
            row["minus"] = minus[row["name"]]
        else:
            for cell in row["cells"]:
                cell["difference"] = None
    return cells


def test_what_was_compared_across_settings_is_not_shown(confirmed: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(confirmed)))
    assert "Difference from" not in text and "*" not in text.partition("| ")[2].partition("\n\n")[0]
    assert "Smallest detectable" not in text and "†" not in text
    lines = list(csv.DictReader(io.StringIO(render_csv(typed(confirmed)))))
    assert {line["difference"] for line in lines} == {""} and {line["holm_p"] for line in lines} == {""}


def test_each_baseline_has_its_own_table(confirmed: dict[str, Any]) -> None:
    uniform, top = "Uniform Sampling", "TopK Score Sampling"
    cells = with_baselines(confirmed, **{top: uniform, "TriSampler": top})
    text = render_markdown(document_of(typed(cells)))
    for baseline, row in ((uniform, top), (top, "TriSampler")):
        below = text.partition(f"{TITLE.format(baseline)}\n")[2].partition("\n## ")[0]
        assert [line.split("|")[1].strip().partition(" (")[0] for line in below.splitlines() if "| " in line][
            1:
        ] == [row]
    assert f"{uniform} (baseline)" in text and f"{top} (baseline)" in text
    assert "over the rows of each baseline" in text
    lines = list(csv.DictReader(io.StringIO(render_csv(typed(cells)))))
    assert {(line["row"], line["compared_with"]) for line in lines if line["compared_with"]} == {
        (top, uniform),
        ("TriSampler", top),
    }
