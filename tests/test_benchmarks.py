"""Every benchmark runs, on sizes at which its figures mean nothing."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import Any

import pytest
import torch

from tests.benchmarks import gradients_across_ranks, paired, report, scaling
from tests.benchmarks.paired import Line, shares
from tests.place import CHECKOUT, TARGET, Place

SMALL: dict[str, dict[str, Any]] = {
    "batches": {"PAIRS": 300, "BATCH": 8, "ROUNDS": 1},
    "bucketing": {"PASSAGES": 8, "ROUNDS": 2},
    "encoding": {"SIZES": {"small": (32, 1, 6, None)}, "KINDS": ("pydocs",), "ROUNDS": 1},
    "draws": {"ROWS": 4, "K": 30, "N": 5, "ROUNDS": 1, "CALLS": (2, 1)},
    "gradients": {"RANKS": 6, "QUERIES": 2, "GROUPS": 2, "DOCUMENTS": 40, "EVERY": 3, "ASKED": 1},
    "gradients_across_ranks": {"QUERIES": 8, "COUNTS": (2,)},
    "interval_coverage": {},
    "memory": {"SIZE": (32, 1), "FEW": 8, "MANY": 16, "ROUNDS": 1},
    "mining": {"SIZES": ((6, 40),), "WIDTH": 8, "K": 5, "ROUNDS": 1},
    "preparing": {"PASSAGES": 300, "QUERIES": 40, "ROUNDS": 1},
    "ranks_alone": {"SIZE": (32, 1), "PASSAGES": 8, "ROUNDS": 1},
    "search": {"QUERIES": 5, "DOCUMENTS": 40, "WIDTH": 8, "K": 5, "ROUNDS": 1},
    "startup": {"ROUNDS": 1, "CASES": {"import": (("-c", "import harness"), ("-c", "pass"), None)}},
    "training_step": {"SIZES": {"small": (32, 1, 2)}, "KINDS": ("pydocs",), "STEPS": 2, "ROUNDS": 1},
}
"""Benchmark -> its sizes, of those that run in this process."""

SAID = {
    "batches": "masks: plain",
    "bucketing": "padded whole / bucketed: ",
    "draws": "a loop like the released one / ours",
    "encoding": "SentenceTransformer.encode / ours",
    "gradients": "| scratch: words of 384 | alone |",
    "gradients_across_ranks": "this trainer, 2 ranks: length 1.00, cosine 1.00",
    "interval_coverage": "the method, by cluster",
    "memory": "16 passages recomputed: 8 kept / ours",
    "mining": "without s(d+, d-): bare faiss / ours",
    "preparing": "datasets / ours",
    "ranks_alone": "a loop over buckets / ours",
    "search": "semantic_search / ours",
    "startup": "pass / ours",
    "training_step": "sentence-transformers' trainer / ours",
}
"""Benchmark -> a part of what it prints."""

NEEDS = {"preparing": ("datasets",), "training_step": ("datasets", "accelerate")}
"""Benchmark -> packages of the extra `bench`, without which it is left out."""

HELP = {"paired", "made", "report", "gpu", "scaling"}
"""What benchmarks share."""

OF_PROCESSES = {"memory"}
"""Benchmarks of several processes, each of which imports everything."""

OF_A_RUN = {"overhead": "in all", "recording": "recording in all"}
"""Benchmark of a training run, which has its own process and store -> what its last line begins with."""


def test_every_benchmark_is_run() -> None:
    files = {path.stem for path in (CHECKOUT / "tests/benchmarks").glob("*.py")}
    assert files == {*SMALL, *OF_A_RUN, *HELP}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in OF_PROCESSES)) for name in SMALL]
)
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


def test_a_ratio_is_the_median_over_rounds_with_the_middle_half() -> None:
    line = Line.of("case", "peer", [(1.0, 1.0), (1.0, 2.0), (2.0, 6.0), (1.0, 4.0), (1.0, 5.0)], asked=3.5)
    assert (line.ratio, line.low, line.high, line.ours, line.theirs) == (3.0, 2.0, 4.0, 1.0, 4.0)


def test_shares_name_what_takes_longest() -> None:
    def slow() -> None:
        sorted(range(200_000), key=lambda number: -number)

    assert "sorted" in shares(slow) or "lambda" in shares(slow)
    assert len(shares(slow, most=2).split(" %")) == 3


def test_the_page_says_what_is_reached(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(paired, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["benchmark", "--write"])
    rounds = [(1.0, 2.0), (1.0, 2.0)]
    lines = [Line.of("fast", "peer", rounds, asked=1.9), Line.of("slow", "peer", rounds, asked=2.1)]
    paired.tell("one", "One", [*lines, Line.of("free", "peer", rounds)])
    report.main(tmp_path)
    rows = [
        line.split("|") for line in (tmp_path / "README.md").read_text().splitlines() if "| peer " in line
    ]
    assert [row[5].strip() for row in rows if "fast" in row[1] or "slow" in row[1]] == ["yes", "no"]
    assert all(f"one: {name}" in (tmp_path / "ratios.svg").read_text() for name in ("fast", "slow", "free"))


def test_only_what_sums_whole_losses_gives_the_gradient_of_one_process(monkeypatch, capsys) -> None:
    monkeypatch.setattr(gradients_across_ranks, "QUERIES", 8)
    kept = []
    monkeypatch.setattr(gradients_across_ranks, "tell", lambda name, title, lines, *_: kept.extend(lines))
    gradients_across_ranks.main()
    for line in kept:
        if "this trainer" in line.arithmetic:
            assert (line.length, line.cosine) == pytest.approx((1, 1), abs=1e-12)
    assert min(line.cosine for line in kept) < 0.95
    assert max(line.length for line in kept) > 1.9


@pytest.mark.slow
def test_each_stage_goes_on_from_what_the_one_before_left(tmp_path, monkeypatch) -> None:
    for constant, value in {"QUERIES": 100, "SEARCHED": 20, "K": 20, "WORDS": 500}.items():
        monkeypatch.setattr(scaling, constant, value)
    scaling.generate(tmp_path / "beir", 300)
    for stage in scaling.STAGES.values():
        stage(tmp_path)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert lines.count("continued mining") == 1 and (tmp_path / "dev.trec.gz").exists()


def test_the_page_on_scaling_has_what_was_measured() -> None:
    measured = json.loads((CHECKOUT / scaling.RESULT).read_text())
    table = scaling.table([scaling.Spent(**spent) for spent in measured])
    assert table in (CHECKOUT / "docs/scaling.md").read_text()


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


@pytest.mark.slow
def test_the_script_for_a_gpu_runs_each_step_once(tmp_path, capsys) -> None:
    from tests.benchmarks import gpu

    out = tmp_path / "gpu.json"
    call = ["--out", str(out), "--device", "cpu", "--tiny"]
    assert gpu.main([*call, "--only", "two_ranks"]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["two_ranks"]["gradient_relative"] < 1e-5
    assert [name for name in gpu.STEPS if written[name] is None] == [n for n in gpu.STEPS if n != "two_ranks"]
    capsys.readouterr()
    assert gpu.main(call) == 0
    assert "two_ranks" not in capsys.readouterr().out
    whole = json.loads(out.read_text(encoding="utf-8"))
    assert whole["two_ranks"] == written["two_ranks"] and all(whole[name] for name in gpu.STEPS)
    assert whole["same_as_cpu"]["resumed_bit_for_bit"]
    assert whole["encoding_and_search"]["same_places_as_torch"]["faiss"] == 1
    assert all(line["mfu"] or line["error"] for line in whole["training"]["steps"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_the_script_says_so(tmp_path, capsys) -> None:
    from tests.benchmarks import gpu

    assert gpu.main(["--out", str(tmp_path / "gpu.json")]) == 2
    assert "no GPU is here" in capsys.readouterr().out and not (tmp_path / "gpu.json").exists()
