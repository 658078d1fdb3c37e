"""Printed numbers: 0 has no sign, and no interval of a measure goes beyond the values that it can take."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.analysis.interval_table import interval_table
from harness.reports.renderers.csv import render_frame
from harness.reports.text import Style, decimal_text
from harness.tuning.report.text import number_text

SMALL = [sign * size for sign in (-1, 1) for size in (0.0, 1e-300, 1e-9, 4e-4, 4.9e-4, 5.1e-4, 0.04, 0.06)]
"""Numbers of which some round to 0 in any of the formats, and some in none."""

NEGATIVE_ZERO = re.compile(r"-0(\.0*)?(?![\d.])")


@pytest.mark.parametrize(("decimals", "signed"), itertools.product(range(5), (True, False)))
def test_a_number_that_rounds_to_0_has_no_sign(decimals: int, signed: bool) -> None:
    for value in SMALL:
        text = decimal_text(value, decimals, signed=signed)
        assert not NEGATIVE_ZERO.search(text) and not re.fullmatch(r"\+0(\.0*)?", text)
        assert float(text) == pytest.approx(value, abs=0.51 * 10**-decimals)


@pytest.mark.parametrize("style", [Style(100.0, 1), Style(100.0, 2), Style(1.0, 3), Style(1.0, 0)])
def test_no_table_prints_minus_0(style: Style) -> None:
    for low, high in itertools.product(SMALL, SMALL):
        ends = {"low": low, "high": high}
        frame = pd.DataFrame([{"row": "a", "of": "b", "value": low, **ends}])
        texts = [
            style.number(low, signed=True),
            style.number(low),
            style.interval_of(ends),
            interval_table(frame, index="row", columns="of", digits=style.decimals).iloc[0, 0],
        ]
        assert not any(NEGATIVE_ZERO.search(text) for text in texts)


@pytest.mark.parametrize("column", [[-0.0, 1.5], [-0.0, None], [-0.0, "text"]])
def test_a_spreadsheet_has_no_minus_0(column: list[Any]) -> None:
    assert render_frame(pd.DataFrame({"value": column})).splitlines()[1] == "0.0"
    assert number_text(-0.0) == "0"


@pytest.mark.parametrize(
    ("low", "high", "signed", "text"),
    [
        (-0.713, 2.463, False, "[0.0, 100.0]"),
        (0.98, 1.02, False, "[98.0, 100.0]"),
        (-0.02, 0.5, False, "[0.0, 50.0]"),
        (-1.4, 0.3, True, "[-100.0, +30.0]"),
        (0.3, 1.4, True, "[+30.0, +100.0]"),
        (-0.02, 0.5, True, "[-2.0, +50.0]"),
    ],
)
def test_an_interval_ends_where_its_values_do(low: float, high: float, signed: bool, text: str) -> None:
    style = Style(100.0, 1)
    if signed:
        assert style.interval_of({"low": low, "high": high}) == text
    else:
        assert style.interval(Between(low, high), signed=False) == text


class Between:
    """An interval."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high


def test_no_interval_of_random_shares_leaves_them() -> None:
    generator = np.random.default_rng(1)
    for low, width in generator.normal(0, 2, (200, 2)):
        text = Style(100.0, 1).interval(Between(low, low + abs(width)), signed=False)
        assert all(0 <= float(end) <= 100 for end in text.strip("[]").split(", "))
