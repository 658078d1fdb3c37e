"""Estimates with intervals as a table of texts."""

from __future__ import annotations

import pandas as pd

from harness.reports.text import decimal_text


def interval_table(
    frame: pd.DataFrame,
    *,
    index: str | list[str],
    columns: str,
    value: str = "value",
    ends: tuple[str, str] = ("low", "high"),
    factor: float = 1.0,
    digits: int = 1,
) -> pd.DataFrame:
    """Return a table of texts such as ``12.3 [11.8, 12.9]``, in the order of the frame.

    Args:
        frame: frame of an analysis, one line per estimate.
        index: column or columns that name the table's rows.
        columns: column that names the table's columns.
        value: column of the estimates.
        ends: columns with the ends of the intervals.
        factor: factor of all numbers; 100 for percent.
        digits: decimal places.
    """
    low, high = ends
    texts = [
        "" if pd.isna(line[value]) else _text([factor * line[of] for of in (value, low, high)], digits)
        for _, line in frame.iterrows()
    ]
    keys = [index] if isinstance(index, str) else index
    wide = frame.assign(text=texts).pivot(index=keys, columns=columns, values="text")
    order = pd.Index(frame[columns].unique(), name=columns)
    table: pd.DataFrame = wide.reindex(frame.set_index(keys).index.unique())[order].fillna("")
    return table


def _text(numbers: list[float], digits: int) -> str:
    value, low, high = (decimal_text(number, digits) for number in numbers)
    return f"{value} [{low}, {high}]"
