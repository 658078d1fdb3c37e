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
    "encoding": {"SIZES": {"small": (32, 1, 6, None)}, "KINDS": ("pydocs",), "ROUNDS": 1},
    "draws": {"ROWS": 4, "K": 30, "N": 5, "ROUNDS": 1},
    "gradients": {"RANKS": 6, "QUERIES": 2, "GROUPS": 2, "DOCUMENTS": 40, "EVERY": 3, "ASKED": 1},
    "gradients_across_ranks": {"QUERIES": 8, "COUNTS": (2,)},
    "interval_coverage": {},
    "mining": {"PAIRS": 6, "DOCUMENTS": 40, "WIDTH": 8, "K": 5, "ROUNDS": 1},
    "training_step": {"SIZES": {"small": (32, 1, 2)}, "KINDS": ("pydocs",), "STEPS": 2, "ROUNDS": 1},
}
"""Benchmark -> its sizes, of those that run in this process."""

SAID = {
    "batches": "masks: plain",
    "bucketing": "padded whole / bucketed: ",
    "draws": "ratio",
    "encoding": "SentenceTransformer.encode / ours",
    "gradients": "| scratch: words of 384 | alone |",
    "gradients_across_ranks": "this trainer, 2 ranks: length 1.00, cosine 1.00",
    "interval_coverage": "the method, by cluster",
    "mining": "without s(d+, d-): bare faiss / ours",
    "training_step": "sentence-transformers' trainer / ours",
}
"""Benchmark -> a part of what it prints."""

NEEDS = {"training_step": ("datasets", "accelerate")}
"""Benchmark -> packages of the extra `bench`, without which it is left out."""

HELP = {"paired", "made", "report"}
"""What benchmarks share."""

OF_A_RUN = {"overhead": "in all", "recording": "recording in all"}
"""Benchmark of a training run, which has its own process and store -> what its last line begins with."""


def test_every_benchmark_is_run() -> None:
    files = {path.stem for path in (CHECKOUT / "tests/benchmarks").glob("*.py")}
    assert files == {*SMALL, *OF_A_RUN, *HELP}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_prints_its_ratios(name: str, monkeypatch, capsys) -> None:
    for package in NEEDS.get(name, ()):
        pytest.importorskip(package)
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
