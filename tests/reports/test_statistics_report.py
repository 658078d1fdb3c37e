"""What a reader finds in the report of statistics."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sample import typed
from sample_runs import some_collection

from harness.reports.cells import ReportContext
from harness.reports.kinds import REPORTS, document_of
from harness.reports.renderers.markdown import render_markdown
from harness.reports.statistics.cells import build_statistics
from harness.specs.library import Library
from harness.specs.resolve import resolve

REPORT = REPORTS["statistics"]


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    resolved = resolve(Library.default(), "simans/table-1", "simulation")
    collections = {
        "nq": some_collection("small", {"train": 7, "dev": 3, "test": 2}, 1234),
        "ms-pas": some_collection("smaller", {"train": 5, "dev": 4}, 99),
    }
    return build_statistics(ReportContext(resolved, [], {}, pd.DataFrame(), collections)).as_json()


def test_each_count_is_of_the_rows_own_collection(cells: dict[str, Any]) -> None:
    counted = {row["name"]: [cell["counted"] for cell in row["cells"]] for row in cells["rows"]}
    assert counted == {
        "NQ": [7, 3, 2, 1234],
        "TQ": [None] * 4,
        "MS Pas": [5, 4, None, 99],
        "MS Doc": [None] * 4,
        "Bing": [None] * 4,
    }
    states = {row["name"]: {cell["state"] for cell in row["cells"]} for row in cells["rows"]}
    assert states["TQ"] == {"missing"} and states["Bing"] == {"unavailable"}
    assert states["MS Pas"] == {"ok", "missing"}
    assert cells["rows"][0]["cells"][3]["published"] == {
        "printed": "21015324", "value": 21015324.0, "unit": "count",
    }  # fmt: skip


def test_published_counts_stand_beside_ours_and_missing_ones_are_words(cells: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(cells)))
    table = [line for line in text.splitlines() if line.startswith("|")]
    lines = [[field.strip() for field in line.strip("|").split("|")] for line in table]
    by_name = {line[0]: line[1:] for line in lines}
    assert by_name["NQ"] == ["58,880", "7", "8,757", "3", "3,610", "2", "21,015,324", "1,234", "small"]
    assert by_name["MS Pas"][4:6] == ["–", "missing"]
    assert by_name["Bing (unavailable)"][:2] == ["1,861,102", "unavailable"]
    assert text.split("\n\n")[1].startswith("Simulation. SimANS (EMNLP 2022), Table 1. ")
    assert "small, fingerprint" in text and "Note H2 (low)" in text


def test_the_data_are_whole_numbers_or_nothing(cells: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(REPORT.csv(typed(cells)))))
    assert len(rows) == 5 * 4
    counts = {(row["row"], row["count"]): (row["published"], row["counted"]) for row in rows}
    assert counts["NQ", "documents"] == ("21015324", "1234")
    assert counts["MS Pas", "test"] == ("", "") and counts["Bing", "train"] == ("1861102", "")


def test_the_figure_draws_what_there_is(cells: dict[str, Any], tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        REPORT.draw(typed(cells), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
        contents.append((tmp_path / f"{name}.svg").read_bytes())
    text = contents[0].decode()
    assert contents[0] == contents[1]
    assert all(word in text for word in ("published", "here", "Documents", "Bing", "unavailable"))
