"""Targets of kind cost: columns of seconds, in the units of the paper."""

from __future__ import annotations

import pytest

from harness.specs.library import Library
from harness.specs.resolve import figures, resolve
from harness.specs.target import with_runs

from .conftest import Broken

TABLE, SWEEP = "trisampler/table-6", "simans/table-7"


def test_a_cost_target_makes_ordinary_runs(library: Library) -> None:
    resolved = resolve(library, TABLE, "simulation")
    table = resolve(library, "trisampler/table-5", "simulation")
    (one,), (other,) = (
        with_runs(of.loaded.rows(name)) for of, name in ((resolved, "AR2+TriSampler"), (table, "TriSampler"))
    )
    measured = {"measures": True, "collection": True, "start": {"measures", "collection"}}
    made, known = (of.model_dump(exclude=measured) for of in (resolved.run(one, 0), table.run(other, 0)))
    assert made == known
    assert resolved.run(one, 0).measures == ("nDCG@10",)
    assert resolved.target.compared_with == "AR2+SimANS"


def test_milliseconds_are_seconds_inside(library: Library) -> None:
    loaded = library.target(SWEEP)
    found = figures(loaded, loaded.rows("AR2: negatives 5")[0])
    assert found["R@5"] == {"printed": "76.9", "value": 0.769, "unit": "percent"}
    assert found["latency"] == {"printed": "330", "value": 0.33, "unit": "ms"}


@pytest.mark.parametrize(
    ("target", "change", "expected"),
    [
        (
            TABLE,
            ("dataset: nq", "dataset: nk"),
            ":6: key 'dataset': unknown dataset 'nk'; did you",
        ),
        (
            TABLE,
            ("cost: all", "cost: al"),
            ":11: key 'columns[3].cost': 'al' is not valid; did you",
        ),
        (TABLE, ("unit: ms", "unit: h"), ":12: key 'columns[4].unit': 'h' is not valid"),
        (
            TABLE,
            ('"2.943", null', '"2.943"'),
            ":26: key 'rows[0].published': 7 published figures",
        ),
        (
            TABLE,
            ("baseline: AR2+SimANS", "baseline: SimANS"),
            ":16: key 'baseline': unknown row",
        ),
        (
            TABLE,
            ("kind: trained\n    sampler: simans", "kind: reference\n    evaluates: bm25"),
            "key 'rows[0].kind': a target of kind 'cost' has rows made by training alone",
        ),
        (
            SWEEP,
            ('["76.4", "210"]', '["76.4"]'),
            "key 'rows[0].values[0].published': 1 published figures",
        ),
    ],
)
def test_wrong_costs_are_told(broken: Broken, target: str, change: tuple[str, str], expected: str) -> None:
    lines = broken(f"papers/{target}.yaml", change, target=target)
    assert any(expected in line for line in lines), lines
