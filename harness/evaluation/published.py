"""Differences of published figures, and what their rounding leaves open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from harness.errors import UserError


def published_difference(
    figure: Mapping[str, Any] | None, baseline: Mapping[str, Any] | None
) -> dict[str, float] | None:
    """Return the difference of two published figures with the range implied by their rounding.

    A figure printed as 39.7 may be any value from 39.65 to 39.75; the ends of the range add both half units
    of the last printed digit.

    Returns:
        ``{"value", "low", "high"}`` as fractions (in other units: as printed), or None if either is missing.
    """
    if figure is None or baseline is None:
        return None
    (value, half), (base, base_half) = _printed(figure), _printed(baseline)
    difference, slack = value - base, half + base_half
    return {"value": float(difference), "low": float(difference - slack), "high": float(difference + slack)}


def published_interval(figure: Mapping[str, Any]) -> dict[str, float]:
    """Return the range implied by a published figure's rounding: ``{"low", "high"}``, fractions."""
    value, half = _printed(figure)
    return {"low": float(value - half), "high": float(value + half)}


def _printed(figure: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Value and half a unit of its last printed digit, in exact decimals."""
    match = re.search(r"[-+]?\d*\.?\d+", str(figure["printed"]))
    if match is None:
        raise UserError(f"the published figure {figure['printed']!r} contains no number")
    number = Decimal(match.group())
    factor = Decimal("0.01") if figure["unit"] == "percent" else Decimal(1)
    exponent = number.as_tuple().exponent
    return number * factor, Decimal(5).scaleb(int(exponent) - 1) * factor
