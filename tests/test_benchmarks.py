"""Every benchmark runs, on sizes at which its figures mean nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

from tests.place import CHECKOUT, TARGET, Place

SMALL: dict[str, dict[str, Any]] = {
    "batches": {"PAIRS": 300, "BATCH": 8, "ROUNDS": 1},
    "bucketing": {"PASSAGES": 8, "ROUNDS": 2},
    "draws": {"ROWS": 4, "K": 30, "N": 5, "ROUNDS": 1},
    "gradients": {"RANKS": 6, "QUERIES": 2, "GROUPS": 2, "DOCUMENTS": 40, "EVERY": 3, "ASKED": 1},
    "interval_coverage": {},
}
"""Benchmark -> its sizes, of those that run in this process."""

SAID = {
    "batches": "masks: plain",
    "bucketing": "padded whole / bucketed: ",
    "draws": "ratio",
    "gradients": "| scratch: words of 384 | alone |",
    "interval_coverage": "the method, by cluster",
}
"""Benchmark -> a part of what it prints."""

OF_A_RUN = {"overhead": "in all", "recording": "recording in all"}
"""Benchmark of a training run, which has its own process and store -> what its last line begins with."""


def test_every_benchmark_is_run() -> None:
    files = {path.stem for path in (CHECKOUT / "tests/benchmarks").glob("*.py")}
    assert files == {*SMALL, *OF_A_RUN}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_prints_its_ratios(name: str, monkeypatch, capsys) -> None:
    module = importlib.import_module(f"tests.benchmarks.{name}")
    for constant, value in SMALL[name].items():
        assert hasattr(module, constant)
        monkeypatch.setattr(module, constant, value)
    module.main(*([1] if name == "interval_coverage" else []))
    told = capsys.readouterr().out
    assert SAID[name] in told and "nan" not in told


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_benchmark_of_a_run_prints_shares(name: str, tmp_path) -> None:
    place = Place(tmp_path / "place")
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", TARGET, "TriSampler", "simulation"],
        cwd=place.root,
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(OF_A_RUN[name])
