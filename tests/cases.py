"""Cases of a test, few of which run in `make test`; `make test-all` runs all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def few(values: Iterable[Any], *kept: Any) -> list[Any]:
    """All values of a parameter, those that are not kept marked slow."""
    return [value if value in kept else pytest.param(value, marks=pytest.mark.slow) for value in values]


def first(number: int, cases: Sequence[tuple[Any, ...]]) -> list[Any]:
    """All cases of several parameters, those after the first ones marked slow."""
    return [*cases[:number], *(pytest.param(*case, marks=pytest.mark.slow) for case in cases[number:])]
