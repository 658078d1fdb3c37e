"""A frame as CSV that a spreadsheet can open: a text in it is no formula."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.errors import printable

FORMULA = tuple("=+-@＝＋－＠\t\r\n")
"""First letters of what a spreadsheet would run, unless it is a number (OWASP, CSV injection)."""


def render_frame(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a frame as CSV with a heading; texts that begin like a formula get an apostrophe before them.

    Args:
        frame: the lines, without their index.
        float_format: format of its numbers; by default all their digits.
    """
    shown = {
        place: _unsigned_zero(frame.iloc[:, place])
        if pd.api.types.is_numeric_dtype(frame.dtypes.iloc[place])
        else pd.Series([_plain(value) for value in frame.iloc[:, place]], frame.index, dtype=object)
        for place in range(frame.shape[1])
    }
    table = pd.DataFrame(shown, index=frame.index).set_axis([_plain(name) for name in frame.columns], axis=1)
    return str(table.to_csv(index=False, float_format=float_format, lineterminator="\n"))


def _unsigned_zero(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of numbers in which 0 has no sign."""
    return column + 0.0 if pd.api.types.is_float_dtype(column.dtype) else column


def _plain(value: Any) -> Any:
    """Return a text on one line that no spreadsheet runs; 0 without a sign; other values as they are."""
    if not isinstance(value, str):
        return value + 0.0 if isinstance(value, float) else value
    return f"'{printable(value)}" if value.startswith(FORMULA) and not _is_number(value) else printable(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
