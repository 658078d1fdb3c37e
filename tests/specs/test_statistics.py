"""Targets of kind statistics: what a row must name, and that no runs stand behind them."""

from __future__ import annotations

import pytest

from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.target import with_runs

from .conftest import Broken

TABLE = "simans/table-1"
DATASETS = ["nq", "tqa", "ms-pas", "ms-doc"]


def test_nothing_is_trained_for_counts(library: Library) -> None:
    resolved = resolve(library, TABLE, "scratch")
    assert with_runs(resolved.target.rows) == []
    assert resolved.target.datasets == DATASETS
    assert resolved.collection("nq").kind == "harvested"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("dataset: nq", "dataset: nk"),
            "simans/table-1.yaml:15: key 'rows[0].dataset': unknown dataset 'nk'; did you mean 'nq'?",
        ),
        (
            ("    dataset: nq\n", ""),
            "simans/table-1.yaml:14: key 'rows[0].kind': row 'NQ' is of kind 'counted'; a counted row names",
        ),
        (
            ("kind: unavailable", "kind: unavailable\n    dataset: nq"),
            "key 'rows[4].kind': row 'Bing' is of kind 'unavailable'; a counted row names a `dataset`",
        ),
        (
            ("kind: unavailable", "kind: trained"),
            "simans/table-1.yaml:32: key 'rows[4].kind': 'trained' is not valid; (one of: counted",
        ),
        (("name: TQ\n", "name: NQ\n"), "simans/table-1.yaml:17: key 'rows[1].name': 'NQ' is given twice"),
        (("label: Dev", "label: Train"), ":8: key 'columns[1].label': 'Train' is given twice"),
        (('"8757", "3610"', '"8757"'), ":16: key 'rows[0].published': 3 published figures"),
        (("count: dev", "count: devs"), "key 'columns[1].count': 'devs' is not valid; did you mean 'dev'?"),
        (("scales:", "baseline: NQ\nscales:"), "key 'baseline': unknown key"),
    ],
)  # fmt: skip
def test_wrong_statistics_are_told(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken(f"papers/{TABLE}.yaml", change, target=TABLE)
    assert any(expected in line for line in lines), lines


def test_one_row_at_least_is_counted(broken: Broken) -> None:
    counted = [(f"    kind: counted\n    dataset: {of}\n", "    kind: published\n") for of in DATASETS]
    found = broken(f"papers/{TABLE}.yaml", *counted, target=TABLE)
    assert [line.split(": ", 1)[1] for line in found] == [
        "key 'rows': no row is counted; give one `kind: counted` and its `dataset`"
    ]
