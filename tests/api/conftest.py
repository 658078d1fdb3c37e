"""Rows of a small table, opened."""

from __future__ import annotations

import pytest

import harness
from tests.place import TARGET


@pytest.fixture
def opened(made, monkeypatch):
    """Opens rows of a small table with one seed."""
    monkeypatch.setenv("HARNESS_EXPERIMENTS", str(made.root / "experiments"))

    def row(name="TriSampler", **more):
        arguments = {"scale": "simulation", "store": made.root / "store"} | more
        return harness.load(TARGET, row=name, **arguments)

    return row
