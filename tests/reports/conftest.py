"""Cells that the reports' tests share; made once, tests that change them copy them."""

from __future__ import annotations

from typing import Any

import pytest
from sample import sample_cells


@pytest.fixture(scope="session")
def cells() -> dict[str, Any]:
    return sample_cells()


@pytest.fixture(scope="session")
def simulated() -> dict[str, Any]:
    """A simulation with one seed and one row that was not run."""
    return sample_cells(1, simulation=True, missing="TriSampler")
