"""Sweeps: a row at each value of one parameter, and what is told when a value does not fit."""

from __future__ import annotations

import pytest

from harness.specs.kinds.sweep import Point
from harness.specs.library import Library
from harness.specs.resolve import figures, resolve

from .conftest import Broken

TABLE = "simans/table-7"


def test_a_row_stands_for_its_points(library: Library) -> None:
    resolved = resolve(library, TABLE, "simulation")
    rows = resolved.loaded.rows("AR2+SimANS")
    assert [row.name for row in rows] == [f"AR2+SimANS: negatives {n}" for n in (1, 5, 11, 15)]
    assert [row.name for row in resolved.loaded.written] == ["AR2", "AR2+SimANS"]
    runs = [resolved.run(row, 0) for row in rows if isinstance(row, Point)]
    assert [run.sampler.negatives for run in runs if run.sampler] == [1, 5, 11, 15]
    assert len({run.start.seed for run in runs if run.start}) == 1
    printed = [figures(resolved.loaded, row)["R@5"] for row in rows]
    assert [figure["printed"] for figure in printed if figure] == ["77.5", "78.1", "78.3", "78.7"]


def test_the_last_point_is_the_run_of_a_table_with_as_many_negatives(library: Library) -> None:
    swept = resolve(library, "trisampler/figure-3", "simulation")
    table = resolve(library, "trisampler/table-5", "simulation")
    (point,) = swept.loaded.rows("TriSampler: negatives 15")
    assert isinstance(point, Point) and point.at == 15
    row = next(row for row in table.target.rows if row.name == "TriSampler")
    one, other = swept.run(point, 0), table.run(row, 0)
    measured = {"measures": True, "collection": True, "start": {"measures", "collection"}}
    assert one.model_dump(exclude=measured) == other.model_dump(exclude=measured)


def test_a_parameter_of_the_sampler_is_swept_too(library: Library) -> None:
    path = library.root / f"papers/{TABLE}.yaml"
    text = path.read_text().replace("parameter: negatives", "parameter: law.a")
    head, _, rest = text.partition("  - name: AR2\n")
    path.write_text(head + "  - name: AR2+SimANS\n" + rest.partition("  - name: AR2+SimANS\n")[2])
    resolved = resolve(library, TABLE, "simulation")
    points = [row for row in resolved.target.rows if isinstance(row, Point)]
    assert [row.name for row in points] == [f"AR2+SimANS: a {n}" for n in (1, 5, 11, 15)]
    samplers = [resolved.run(row, 0).sampler for row in points]
    assert [(sampler.law.a, sampler.negatives) for sampler in samplers if sampler] == [
        (float(n), 15) for n in (1, 5, 11, 15)
    ]


FIVE = '{at: 5, published: ["76.9", "330"]}'


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((FIVE, FIVE.replace("5", "1", 1)), ":23: key 'rows[0].values[1].at': 1 is given twice; keep one"),
        ((FIVE, "{at: 0}"), ":23: key 'rows[0].values[1].at': got 0; expected a whole number above 0"),
        (
            (FIVE, '{at: 5, published: ["76.9"]}'),
            ":23: key 'rows[0].values[1].published': 1 published figures for 2 columns",
        ),
        (
            (FIVE, FIVE.replace("published", "publshed")),
            ":23: key 'rows[0].values[1].publshed': unknown key; did you mean 'published'?",
        ),
        (
            ("parameter: negatives", "parameter: negative"),
            ":11: key 'parameter': 'negative' is no parameter; `negatives`, `learning_rate`, or a path",
        ),
        (
            ("parameter: negatives", "parameter: law.width"),
            ":22: key 'rows[0].values[0].at': law 'uniform' has no parameter 'width'",
        ),
        (
            ("sampler: uniform\n", 'sampler: uniform\n    published: ["1"]\n'),
            ":21: key 'rows[0].published': published figures of a sweep stand with the values",
        ),
        (
            ("kind: trained\n    sampler: uniform", "kind: reference\n    evaluates: base/retriever"),
            ":19: key 'rows[0].kind': rows of a sweep are made by training, or quoted",
        ),
    ],
)
def test_wrong_sweeps_are_told(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken(f"papers/{TABLE}.yaml", change, target=TABLE)
    assert any(expected in line for line in lines), lines


def test_a_path_that_the_sampler_sets_is_not_swept(broken: Broken) -> None:
    lines = broken(
        f"papers/{TABLE}.yaml",
        ("parameter: negatives", "parameter: law.a"),
        ("sampler: simans", "sampler: {preset: simans, law: {a: 0.5}}"),
        target=TABLE,
    )
    assert any("key 'rows[1].values': the sampler sets it, too" in line for line in lines), lines
