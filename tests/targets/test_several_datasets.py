"""A table over several datasets, by its command line: each column is that of a table of its dataset alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import harness
from harness.errors import UserError
from harness.reports.comparison.content import ComparisonCells
from harness.reports.rendering import RENDERED
from tests.place import ROWS, TARGET, Place, edit
from tests.result_checks import check_cells, check_tables

BOTH, OTHER = "trisampler/both", "trisampler/other"
CALL = (BOTH, "--scale", "simulation", "--seeds", "2")
EXTENDS = f"extends: {TARGET}\nscales: [simulation]\n"
MS, NQ = "MS MARCO passage", "Natural Questions"
COLUMNS = """
columns:
  - {label: MRR@10, dataset: nq, measure: RR(rel=2)@10}
  - {label: R@50, dataset: nq, measure: R(rel=2)@50}
  - {label: R@50, dataset: ms-pas, measure: Success(rel=2)@50}
primary: Natural Questions MRR@10
"""
OTHERS = (
    COLUMNS.replace("ms-pas", "nq")
    .replace("Natural Questions ", "")
    .replace("R@50, dataset: nq", "R, dataset: nq", 1)
)

Call = Callable[..., str]


@pytest.fixture(scope="module")
def place(made: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three tables: over both datasets, and over each alone, two seeds each; only the first is drawn."""
    place = made.copy(tmp_path_factory.mktemp("both") / "place")
    edit(place.root / "experiments/datasets/nq.yaml", another_world)
    papers = place.root / "experiments/papers"
    (papers / f"{BOTH}.yaml").write_text(f"{EXTENDS}{COLUMNS}")
    (papers / f"{OTHER}.yaml").write_text(f"{EXTENDS}{OTHERS}")
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, "reproduce", *CALL) == 0
        for page in ("render", "render_site"):
            patch.setattr(f"harness.targets.reproduce.{page}", lambda folder: None)
        for target in (TARGET, OTHER):
            assert place.call(patch, "reproduce", target, *CALL[1:]) == 0
    return place


def another_world(spec: dict[str, Any]) -> None:
    """Make it the world of the other dataset with another seed and fewer queries, without answers."""
    spec["collections"]["simulation"]["parameters"] |= {
        "intents_per_topic": 6, "confusability": 0.6, "answers": False, "seed": 1, "test_queries": 25,
    }  # fmt: skip


def results(place: Place, target: str = BOTH) -> Path:
    return place.root / "results/local/simulation" / target


def cells_of(place: Place, target: str = BOTH) -> dict[str, Any]:
    return dict(json.loads((results(place, target) / "cells.json").read_text()))


@pytest.fixture
def call(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert place.call(monkeypatch, *arguments) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


def test_each_column_is_that_of_a_table_of_its_dataset(place: Place) -> None:
    both, ms, nq = (cells_of(place, target) for target in (BOTH, TARGET, OTHER))
    alone = [(nq, "MRR@10"), (nq, "R"), (ms, "R@50"), (nq, "nDCG@10"), (ms, "nDCG@10"), (ms, "Success@20")]
    assert [column["label"] for column in both["columns"]] == [
        f"{NQ} MRR@10", f"{NQ} R@50", f"{MS} R@50", f"{NQ} nDCG@10", f"{MS} nDCG@10", f"{MS} Success@20",
    ]  # fmt: skip
    for place_of, (cells, label) in enumerate(alone):
        there = [column["label"] for column in cells["columns"]].index(label)
        for row, other in zip(both["rows"], cells["rows"], strict=True):
            mine, theirs = row["cells"][place_of], other["cells"][there]
            assert mine["reproduced"] == theirs["reproduced"]
            for block in filter(None, (mine["difference"], theirs["difference"])):
                del block["published"]
            assert mine["difference"] == theirs["difference"]


def test_both_datasets_are_told_of(place: Place) -> None:
    both, ms, nq = (cells_of(place, target) for target in (BOTH, TARGET, OTHER))
    assert "collection" not in both
    assert both["collections"] == {"nq": nq["collection"], "ms-pas": ms["collection"]}
    assert both["collections"]["nq"]["fingerprint"] != both["collections"]["ms-pas"]["fingerprint"]
    named = ComparisonCells.model_validate(both).named_collections  # as the columns stand, not by name
    assert [of.fingerprint for of in named] == [of["collection"]["fingerprint"] for of in (nq, ms)]
    for row, of_ms, of_nq in zip(both["rows"], ms["rows"], nq["rows"], strict=True):
        assert row["fingerprints"] == of_nq["fingerprints"] + of_ms["fingerprints"]
        for key in ("false_negatives", "diagnostics"):
            assert {name: of[key] for name, of in row["by_dataset"].items()} == {
                "nq": of_nq[key],
                "ms-pas": of_ms[key],
            }
    text = (results(place) / "table.md").read_text()
    assert re.findall("^- Collection of (.*?): planted", text, re.MULTILINE) == [NQ, MS]
    assert re.findall("^- Collection of (.*?): Queries with the same", text, re.MULTILINE) == [NQ, MS]
    filled = r"( \([0-9]+ % filled\))?"
    assert re.search(rf"\| TriSampler{filled}, {NQ} +\| +[0-9]", text)
    assert re.search(rf"\| TriSampler{filled}, {MS} +\| +[0-9]", text)
    assert "other measures and datasets are unadjusted" in text


def test_per_query_scores_are_kept_by_dataset(place: Place) -> None:
    scores = pd.read_parquet(results(place) / "per_query.parquet")
    own = scores[(scores["row"] == "TriSampler") & (scores["split"] == "test")]
    assert own.groupby(["dataset", "measure"])["query"].nunique().to_dict() == {
        ("ms-pas", "Success(rel=2)@50"): 30, ("ms-pas", "Success(rel=2)@20"): 30, ("ms-pas", "nDCG@10"): 30,
        ("nq", "R(rel=2)@50"): 25, ("nq", "RR(rel=2)@10"): 25, ("nq", "nDCG@10"): 25,
    }  # fmt: skip
    check_cells(results(place))


def test_all_renderings_show_the_columns_of_both(place: Place) -> None:
    check_tables(results(place))
    for name in ("table.md", "table.tex", "table.html"):
        text = (results(place) / name).read_text()
        assert f"{NQ} R@50" in text and f"{MS} R@50" in text
    lines = pd.read_csv(results(place) / "table.csv")
    assert list(lines["dataset"].unique()) == ["nq", "ms-pas"] and len(lines) == 6 * len(ROWS)
    assert {path.name for path in results(place).iterdir()} >= {*RENDERED}
    drawn = (results(place) / "figure.svg").read_text()
    assert f"published, {NQ}" in drawn and f"published, {MS}" in drawn


def test_a_plan_has_a_run_of_each_row_on_each_dataset(place: Place, call: Call) -> None:
    planned = json.loads(call("plan", *CALL, "--json"))
    keys = [(run["row"], run["dataset"], run["seed"]) for run in planned]
    assert keys == [(row, name, seed) for name in ("nq", "ms-pas") for seed in (0, 1) for row in ROWS]
    assert {run["state"] for run in planned} == {"done"}
    assert "ms-pas" in call("plan", *CALL)
    nq = {run["fingerprint"] for run in planned if run["dataset"] == "nq"}
    assert nq == {run["fingerprint"] for run in json.loads(call("plan", OTHER, *CALL[1:], "--json"))}


@pytest.mark.slow
def test_a_plan_leaves_what_cannot_be_had_without_fingerprints(
    place: Place, call: Call, tmp_path: Path
) -> None:
    again = place.copy(tmp_path / "place")
    published = {"documents": 1000, "train": 100, "dev": 10, "test": 10}
    edit(
        again.root / "experiments/datasets/ms-pas.yaml",
        lambda spec: spec["collections"].update(simulation={"kind": "not-available", "published": published}),
    )
    done = again.run("plan", *CALL, "--json")
    states = {(run["dataset"], run["state"]) for run in json.loads(done.stdout)}
    assert states == {("nq", "done"), ("ms-pas", "no collection")}
    refused = again.run("reproduce", *CALL)
    assert refused.returncode == 2 and "1,000 documents of this scale are not here" in refused.stderr


def test_a_figure_is_explained_by_the_runs_of_its_dataset(place: Place, call: Call) -> None:
    for label, name, queries in ((f"{NQ} R@50", "nq", 25), (f"{MS} R@50", "ms-pas", 30)):
        said = " ".join(
            call("explain", BOTH, "TriSampler", label, "--scale", "simulation", "--local").split()
        )
        runs = json.loads((results(place) / "provenance.json").read_text())["runs"]
        own = [run for run in runs if run["row"] == "TriSampler"]
        for run in own:
            assert (run["fingerprint"] in said) == (run["dataset"] == name)
        assert f"planted ({queries})" in said and "have changed since" not in said
        assert f"on {label.removesuffix(' R@50')}: TriSampler (AAAI 2024)" in said


def test_rows_are_compared_on_the_dataset_that_is_named(place: Place, call: Call) -> None:
    sides = (f"{BOTH}:TriSampler", f"{BOTH}:Uniform Sampling", "--scale", "simulation", "--seeds", "2")
    first, second = call("compare", *sides), call("compare", *sides, "--dataset", "ms-pas")
    assert "25 test queries" in first and "30 test queries" in second
    assert f"{NQ} MRR@10" in first and f"{NQ} MRR@10" not in second
    wrong = call("compare", *sides, "--dataset", "ms", code=2)
    assert "has no columns on a dataset 'ms'; did you mean 'ms-pas'?" in wrong


def test_runs_are_opened_and_looked_at_by_dataset(
    place: Place, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.root)
    opened = {
        name: harness.load(BOTH, row="TriSampler", scale="simulation", dataset=name)
        for name in ("nq", "ms-pas")
    }
    assert {name: len(run.collection.queries["test"]) for name, run in opened.items()} == {
        "nq": 25,
        "ms-pas": 30,
    }
    default = harness.load(BOTH, row="TriSampler", scale="simulation")
    assert default.run.fingerprint == opened["nq"].run.fingerprint
    with pytest.raises(UserError, match="has no columns on a dataset 'mspas'"):
        harness.load(BOTH, row="TriSampler", scale="simulation", dataset="mspas")
    call("analyse", "rounds", BOTH, "--scale", "simulation")
    call("analyse", "rounds", BOTH, "--scale", "simulation", "--dataset", "ms-pas")
    folder = place.root / "results/local/simulation/analysis" / BOTH
    told = [
        json.loads((folder / name / "provenance.json").read_text()) for name in ("rounds", "ms-pas/rounds")
    ]
    runs = [next(run for run in of["runs"] if run["row"] == "TriSampler")["fingerprint"] for of in told]
    assert runs == [opened[name].run.fingerprint for name in ("nq", "ms-pas")]


@pytest.mark.slow
def test_runs_of_both_are_known_in_the_store(place: Place, call: Call) -> None:
    listed = call("runs", "list")
    assert "2 more" in listed or "more" in listed
    run = json.loads((results(place) / "provenance.json").read_text())["runs"][-1]
    assert run["dataset"] == "ms-pas"
    shown = " ".join(call("runs", "show", run["fingerprint"]).split())
    assert (
        f"simulation/{BOTH}: {run['row']}, ms-pas" in shown and f"simulation/{TARGET}: {run['row']}" in shown
    )


@pytest.mark.slow
def test_committed_results_are_verified_by_dataset(place: Place, tmp_path: Path) -> None:
    again = Place.__new__(Place)
    again.root = tmp_path
    shutil.copytree(place.root / "experiments", tmp_path / "experiments")
    committed = tmp_path / "results/simulation" / BOTH
    shutil.copytree(results(place), committed)
    store = str(place.root / "store")
    done = again.run("verify", *CALL, "--store", store)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "FAIL" not in done.stdout.split("OK: every")[0]
    scores = pd.read_parquet(committed / "per_query.parquet")
    scores.loc[(scores["dataset"] == "ms-pas") & (scores["row"] == "BM25"), "value"] += 0.1
    scores.to_parquet(committed / "per_query.parquet", index=False)
    done = again.run("verify", *CALL, "--store", store)
    failed = [line for line in done.stdout.splitlines() if line.startswith("BM25") and "FAIL" in line]
    assert done.returncode == 1 and len(failed) == 3 and not any("100.0" in line for line in failed)
