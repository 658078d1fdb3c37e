"""What tables say of negatives that a law did not choose, and of runs of an earlier trainer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.reports.comparison.content import ComparisonCells
from harness.reports.comparison.table import comparison_document
from harness.reports.footnotes import filled_note
from harness.reports.renderers.markdown import render_markdown
from harness.specs.fingerprints import TRAINED_BY

COMMITTED = Path(__file__).parents[2] / "results/simulation/simans/table-6/cells.json"


def made(**first: object) -> str:
    """A committed comparison, its first row with a sampler changed, as Markdown."""
    content = json.loads(COMMITTED.read_text(encoding="utf-8"))
    row = next(row for row in content["rows"] if row["sampler"])
    content.update(first.pop("top", {}))
    row |= first | {"name": "Law"}
    content["baseline"] = next(of["name"] for of in content["rows"] if of is not row and of["fingerprints"])
    return render_markdown(comparison_document(ComparisonCells.model_validate(content)))


@pytest.mark.parametrize(
    ("filled", "named", "noted"),
    [
        (None, False, None),
        (0.0, False, None),
        (0.0004, False, "under 0.1 % of its negatives"),
        (0.2, False, "20.0 % of its negatives"),
        (0.473, True, "47.3 % of its negatives"),
        (1.0, True, "100.0 % of its negatives"),
    ],
)
def test_a_row_with_more_than_a_fifth_filled_is_named_with_it(filled, named, noted):
    text = made(filled=filled, kind="trained")
    assert (f"Law ({round(100 * filled)} % filled)" in text) if named else ("% filled)" not in text)
    assert (noted in text) if noted else ("Filled up:" not in text)


@pytest.mark.parametrize(
    ("stages", "earlier"),
    [({}, True), (TRAINED_BY, False), ({**TRAINED_BY, "run": TRAINED_BY["run"] - 1}, True)],
)
def test_a_table_of_an_earlier_trainer_says_so(stages, earlier):
    assert ("Made by an earlier version of the trainer" in made(top={"stages": stages})) == earlier


def test_many_rows_have_one_line_for_their_fillings():
    assert filled_note({"a": None, "b": 0.2, "c": 0.0}) == []
    [line] = filled_note({"a": None, "b": 0.21, "c": 0.93, "d": 0.1})
    assert "2 of 3 rows" in line and "most in c, 93 %" in line


def test_both_denominators_of_false_negatives_stand_in_the_table():
    counted = {"known_relevant_drawn": 30, "drawn": 1000, "share": 0.03, "unlabelled": 0.612}
    text = made(false_negatives=counted, kind="trained", diagnostics=None)
    [line] = [line for line in text.splitlines() if line.startswith("| Law") and "3.00 %" in line]
    assert "61.2 %" in line
