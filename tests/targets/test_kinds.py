"""Targets of other kinds than a comparison, by the command line, on a tiny simulation."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.application import app
from harness.errors import UserError
from harness.targets import reproduce
from tests.result_checks import check_cells, check_tables
from tests.targets.test_reproduce import Place, edit

pytestmark = pytest.mark.usefixtures("undrawn")

READINGS, CALIBRATION = "trisampler/table-5-readings", "calibration/a-a"
STATISTICS, SWEEP, COST = "simans/table-1", "simans/table-7", "trisampler/table-6"
CURVE, RANKS, DISTRIBUTIONS = "trisampler/figure-4", "simans/figure-1", "simans/figure-5"


def fewer_steps(spec: dict) -> None:
    spec["substitutes"]["both-towers"] |= {"steps": 4, "refresh": 2}
    spec["substitutes"]["base/retriever"]["steps"] = 8


def fewer_readings(spec: dict) -> None:
    spec["seeds"] = 2
    spec["rows"][0].pop("readings", None)
    spec["rows"][1]["readings"] = {"law.gap": ["raw", "standardised"]}
    spec["rows"][2]["readings"] = {"law.fill": ["uniform"], "law.gap": ["raw", "standardised"]}


def fewer_values(spec: dict) -> None:
    spec["rows"][0]["values"] = spec["rows"][0]["values"][:1]
    spec["rows"][1]["values"] = spec["rows"][1]["values"][:2]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = Place(tmp_path_factory.mktemp("kinds")).root
    edit(root / "experiments/scales/simulation.yaml", fewer_steps)
    edit(root / f"experiments/papers/{READINGS}.yaml", fewer_readings)
    edit(root / f"experiments/papers/{SWEEP}.yaml", fewer_values)
    edit(root / f"experiments/papers/{CALIBRATION}.yaml", lambda spec: spec.update(pairs=2, seeds=2))
    return root


@pytest.fixture
def run(root, monkeypatch):
    """Run a command in this process, which has imported everything, and without MLflow."""
    monkeypatch.chdir(root)
    for name in ("HARNESS_STORE", "HARNESS_EXPERIMENTS", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(reproduce, "mirrored", lambda stages, resolved, uses: nullcontext(stages))

    def run(command: str, target: str, *more: str) -> str:
        scale = () if command == "report" else ("--scale", "simulation")
        return CliRunner().invoke(app, [command, target, *scale, *more], catch_exceptions=False).stdout

    return run


@pytest.mark.slow
def test_a_specification_curve_from_spec_to_figure(root, run):
    folder = root / "results/local/simulation" / READINGS
    plan = json.loads(run("plan", READINGS, "--json"))
    assert len(plan) == 2 * (1 + 2 + 2) and {run["state"] for run in plan} == {"new"}
    assert "Trained 10 run" in run("reproduce", READINGS)
    check_tables(folder)
    check_cells(folder)
    cells = json.loads((folder / "cells.json").read_text())
    assert [(of["row"], of["pairs"]) for of in cells["summary"]] == [("Uniform Sampling", 2), ("SimANS", 2)]
    assert {run["fingerprint"] for run in plan} == {
        name for of in cells["readings"] for name in of["fingerprints"]
    }
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "provenance.json"}
    shutil.rmtree(folder)
    printed = run("reproduce", READINGS)
    assert "Trained 0 run" in printed and "pipeline check" in printed
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.name in before}


def test_rows_are_chosen_as_written_or_by_reading(root, run):
    chosen = ("--row", "TriSampler: fill uniform, gap raw", "--row", "SimANS")
    plan = run("plan", READINGS, "--seeds", "1", "--json", *chosen)
    assert [run["row"] for run in json.loads(plan)] == [
        "TriSampler: fill uniform, gap raw",
        "SimANS: gap raw",
        "SimANS: gap standardised",
    ]
    run("reproduce", READINGS, "--seeds", "1", *chosen)
    cells = json.loads((root / "results/local/simulation" / READINGS / "cells.json").read_text())
    assert [(pair["reading"], pair["other"]) for pair in cells["pairs"]] == [
        ("TriSampler: fill uniform, gap raw", "SimANS: gap raw")
    ]
    run("reproduce", READINGS, "--seeds", "1", "--row", "SimANS: gap raw")
    cells = json.loads((root / "results/local/simulation" / READINGS / "cells.json").read_text())
    assert len(cells["readings"]) == 1 + 2  # with all readings of the focus, which it is compared with


@pytest.mark.slow
def test_a_calibration_from_spec_to_figure(root, run):
    folder = root / "results/local/simulation" / CALIBRATION
    plan = json.loads(run("plan", CALIBRATION, "--json"))
    assert len({planned["fingerprint"] for planned in plan}) == len(plan) == 2 * 2 * 2
    assert len({need for planned in plan for need in planned["needs"]}) == 1 + 2 * 2 * 2  # tokens, two a pair
    assert "Trained 8 run" in run("reproduce", CALIBRATION)
    check_tables(folder)
    check_cells(folder)
    cells = json.loads((folder / "cells.json").read_text())
    assert [pair["sides"] for pair in cells["pairs"]] == [
        [f"Uniform: pair {pair}, side {side}" for side in "AB"] for pair in (1, 2)
    ]
    assert {found["intervals"] for found in cells["coverage"].values()} == {2}
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "provenance.json"}
    run("report", "calibration/a-a")
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.name in before}


def test_statistics_from_spec_to_figure(root, run):
    folder = root / "results/local/simulation" / STATISTICS
    assert json.loads(run("plan", STATISTICS, "--json")) == []
    assert "Trained 0 run" in run("reproduce", STATISTICS)
    check_tables(folder)
    check_cells(folder)
    cells = json.loads((folder / "cells.json").read_text())
    assert [cell["counted"] for cell in cells["rows"][0]["cells"]][:3] == [150, 20, 30]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("report", STATISTICS)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert "0 run(s) are in" in run("sync", STATISTICS)
    told = " ".join(run("explain", STATISTICS, "NQ", "Dev", "--local").split())
    assert "published 8757 on NQ: SimANS" in told and "counted 20 in planted" in told
    shutil.copytree(folder, root / "results/simulation" / STATISTICS)
    assert run("verify", STATISTICS).count(" OK") >= 8
    edit_json(root / "results/simulation" / STATISTICS / "cells.json", "rows", 0, "cells", 1, counted=21)
    assert "FAIL" in CliRunner().invoke(app, ["verify", STATISTICS, "--scale", "simulation"]).stdout


def test_a_sweep_from_spec_to_figure(root, run):
    folder = root / "results/local/simulation" / SWEEP
    plan = json.loads(run("plan", SWEEP, "--seeds", "2", "--json"))
    assert [of["row"] for of in plan[:3]] == [
        "AR2: negatives 1", "AR2+SimANS: negatives 1", "AR2+SimANS: negatives 5",
    ]  # fmt: skip
    assert "Trained 6 run" in run("reproduce", SWEEP, "--seeds", "2")
    check_tables(folder)
    check_cells(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("report", SWEEP)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    told = " ".join(run("explain", SWEEP, "AR2+SimANS: negatives 5", "--local").split())
    assert "published 78.1 % on Natural Questions" in told and "95 % CI over queries and seeds" in told
    shutil.copytree(folder, root / "results/simulation" / SWEEP)
    verified = run("verify", SWEEP, "--row", "AR2", "--store", str(root / "store"))
    assert "AR2: negatives 1" in verified and "FAIL" not in verified.partition("OK: every")[0]


def test_costs_from_spec_to_figure(root, run):
    folder = root / "results/local/simulation" / COST
    assert len(json.loads(run("plan", COST, "--seeds", "1", "--json"))) == 2
    run("reproduce", COST, "--seeds", "1")
    check_tables(folder)
    check_cells(folder)
    cells = json.loads((folder / "cells.json").read_text())
    medians = {row["name"]: [cell["reproduced"]["median"] for cell in row["cells"]] for row in cells["rows"]}
    assert all(seconds > 0 for row in medians.values() for seconds in row[:-1])
    assert medians["AR2+SimANS"][-1] == 0 < medians["AR2+TriSampler"][-1]  # s(d+, d-), which one law reads
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("report", COST)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    told = " ".join(run("explain", COST, "AR2+TriSampler", "drawing", "--local").split())
    assert "ms: drawing the negatives of a batch" in told and "no figure in TriSampler" in told
    shutil.copytree(folder, root / "results/simulation" / COST)
    verified = run("verify", COST, "--store", str(root / "store"))
    assert verified.count(" 100.0 %       OK") == 2 and "nDCG@10" in verified  # the scores; seconds differ


def test_curves_from_spec_to_figure(root, run):
    folder = root / "results/local/simulation" / CURVE
    run("reproduce", CURVE, "--seeds", "2", "--row", "SimANS")
    check_tables(folder)
    check_cells(folder)
    (row,) = json.loads((folder / "cells.json").read_text())["rows"]
    assert [point["step"] for point in row["points"]] == [0, 2, 4]
    seconds = [point["seconds"] for point in row["points"]]
    assert seconds == sorted(seconds) and seconds[0] == 0 < seconds[1]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("report", CURVE)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.copytree(folder, root / "results/simulation" / CURVE)
    verified = run("verify", CURVE, "--row", "SimANS", "--store", str(root / "store"))
    assert verified.count(" 100.0 %       OK") == 1 and "MRR@10" in verified


def test_gradients_over_ranks_from_spec_to_figure(root, run):
    edit(root / f"experiments/papers/{RANKS}.yaml", lambda spec: spec.update(ranks=20, queries=16))
    folder = root / "results/local/simulation" / RANKS
    run("reproduce", RANKS, "--seeds", "2")
    check_tables(folder)
    check_cells(folder)
    cells = json.loads((folder / "cells.json").read_text())
    assert [[of["seed"] for of in row["checkpoints"]] for row in cells["rows"]] == [[0, 1], [0, 1]]
    first, second = (row["checkpoints"][0]["curves"] for row in cells["rows"])
    assert first != second
    text = (folder / "table.md").read_text()
    assert "of 2 seeds" in text and "16 dev queries" in text
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    kept = sorted((root / "store").rglob("gradients/*/*.parquet"))
    times = [path.stat().st_mtime_ns for path in kept]
    run("reproduce", RANKS, "--seeds", "2")
    assert len(kept) == 8 and times == [path.stat().st_mtime_ns for path in kept]  # measured once
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    edit(root / f"experiments/papers/{RANKS}.yaml", lambda spec: spec.update(ranks=5000))
    with pytest.raises(UserError, match=r"5000 ranks, and only (\d+) documents .* to at most \1$"):
        run("plan", RANKS)
    with pytest.raises(UserError, match=r"prints no cells; read .*table\.md"):
        run("explain", RANKS, "Base", "--local")


def test_distributions_from_spec_to_figure(root, run):
    edit(root / f"experiments/papers/{DISTRIBUTIONS}.yaml", lambda spec: spec.update(ranks=10))
    folder = root / "results/local/simulation" / DISTRIBUTIONS
    run("reproduce", DISTRIBUTIONS, "--seeds", "2")
    check_tables(folder)
    check_cells(folder)
    cells = json.loads((folder / "cells.json").read_text())
    (row,) = cells["rows"]
    assert [of["seed"] for of in row["examples"]] == [0] * 4 + [1] * 4
    for of in row["examples"]:  # a = 0.5, b = 0: the chance falls with the distance to the positive's score
        nearest = min(range(len(of["gap"])), key=lambda rank: abs(of["gap"][rank]))
        assert max(of["first"]) == pytest.approx(of["first"][nearest])
    (kept,) = {path.stat().st_size > 0 for path in (root / "store").rglob("examples.parquet")}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run("reproduce", DISTRIBUTIONS, "--seeds", "2")
    assert kept and before == {path.name: path.read_bytes() for path in folder.iterdir()}
    edit(root / f"experiments/papers/{DISTRIBUTIONS}.yaml", lambda spec: spec.update(ranks=5000))
    with pytest.raises(UserError, match=r"5000 ranks, and only (\d+) candidates.* to at most \1$"):
        run("plan", DISTRIBUTIONS)
    edit(root / f"experiments/papers/{DISTRIBUTIONS}.yaml", lambda spec: spec.update(ranks=5, queries=10**4))
    with pytest.raises(UserError, match=r"10000 training queries, and only (\d+) have .* to at most \1$"):
        run("plan", DISTRIBUTIONS)
    edit(root / f"experiments/papers/{DISTRIBUTIONS}.yaml", lambda spec: spec.update(queries=4))

    def draw_nothing(spec):
        spec["rows"][0]["sampler"] = "in-batch"
        spec["scales"].remove("paper")  # its recipe has a ranker, which refuses that earlier

    edit(root / f"experiments/papers/{DISTRIBUTIONS}.yaml", draw_nothing)
    with pytest.raises(UserError, match="row 'SimANS': sampler 'in-batch' draws from no candidates"):
        run("plan", DISTRIBUTIONS)


def edit_json(path: Path, *place, **change) -> None:
    content = json.loads(path.read_text())
    inside = content
    for step in place:
        inside = inside[step]
    inside.update(change)
    path.write_text(json.dumps(content))


def test_half_a_pair_is_told(run):
    with pytest.raises(UserError, match="no pair has runs of both sides; name a row as in the spec"):
        run("reproduce", CALIBRATION, "--row", "Uniform: pair 1, side A")
