"""`harness evaluate`: a checkpoint or a run file beside the rows of a target, and on a collection alone."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
import pandas as pd
import pytest

from tests.beir_folder import SPLITS, write_folder
from tests.place import TARGET, Place

pytestmark = pytest.mark.usefixtures("undrawn")

ON = ("--on", TARGET, "--scale", "simulation")

Call = Callable[..., str]


@pytest.fixture(scope="module")
def place(made: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A small table with its runs, the encoder of one of them, and its rankings as a run file."""
    place = made.copy(tmp_path_factory.mktemp("evaluate") / "place")
    shutil.copytree(trisampler(place) / "checkpoints/final", place.root / "released")
    packed = (trisampler(place) / "rankings/test.trec.gz").read_bytes()
    (place.root / "other.run").write_bytes(gzip.decompress(packed))
    write_folder(place.root / "mine")
    write_folder(place.root / "tested", "train", "dev")
    (place.root / "mine.run").write_text(run_of_mine())
    return place


def trisampler(place: Place) -> Path:
    named = {folder: json.loads((folder / "spec.json").read_text()) for folder in place.runs("continued")}
    return next(folder for folder, spec in named.items() if spec["sampler"]["preset"] == "trisampler")


def run_of_mine() -> str:
    """Rankings of the test queries of `write_folder`, the right document at places 1, 2, 3 and so on."""
    lines = []
    for place, query in enumerate(SPLITS["test"]):
        others = [n for n in range(40) if n != query][: place % 12]
        ranked = [*others, query]
        lines += [f"q{query} Q0 d{n} {rank} {90 - rank} x\n" for rank, n in enumerate(ranked, start=1)]
    return "".join(lines)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(place: Place, *arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        monkeypatch.setenv("COLUMNS", "200")
        assert place.call(monkeypatch, "evaluate", *arguments) == code
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return said.err if code else said.out

    return run


def row(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(of for of in result["rows"] if of["name"] == name)


def means(of: dict[str, Any]) -> list[float]:
    return [cell["reproduced"]["mean"] for cell in of["cells"]]


def committed(place: Place) -> dict[str, Any]:
    return dict(json.loads((place.results / "cells.json").read_text()))


def test_a_checkpoint_has_the_figures_of_the_run_that_trained_it(place: Place, call: Call) -> None:
    result = json.loads(call(place, "released", *ON, "--json"))
    own, twin, baseline = (row(result, name) for name in ("released", "TriSampler", "Uniform Sampling"))
    assert own["system"] and own["kind"] == "evaluated" and baseline["baseline"]
    assert means(own) == means(twin)
    cells = row(committed(place), "TriSampler")["cells"]
    labels = [column["label"] for column in committed(place)["columns"]]
    for column, cell, mine in zip(result["columns"], baseline["cells"], own["cells"], strict=True):
        of_table = cells[labels.index(column["label"])]
        assert cell["system_minus_row"]["value"] == pytest.approx(of_table["difference"]["value"], abs=1e-12)
        interval = of_table["difference"]["checkpoints"]
        assert cell["system_minus_row"]["checkpoints"]["low"] == pytest.approx(interval["low"], abs=1e-12)
        assert mine["reproduced"]["checkpoints"] == of_table["reproduced"]["checkpoints"]
    assert twin["cells"][0]["system_minus_row"]["checkpoints"]["same"]
    assert twin["cells"][0]["published"]["printed"] == "41.4"
    assert result["measured"][0]["queries"] == 30 and result["measured"][0]["simulation"]


def test_its_evaluation_is_a_run_that_is_reused_and_that_of_an_evaluated_row(
    place: Place, call: Call, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(place, "released", *ON)
    (folder,) = place.runs("evaluated")
    assert f"Evaluated 0, reused 1: run {folder.name}" in said
    assert (folder / "rankings/test.ir_metadata.yaml").exists()
    spec = f"extends: {TARGET}\nscales: [simulation]\nrows:\n  - {{name: BM25}}\n"
    spec += "  - {name: Released, kind: evaluated, checkpoint: released}\n"
    (place.root / "experiments/papers/trisampler/evaluated.yaml").write_text(spec)
    capsys.readouterr()
    plan = ("plan", "trisampler/evaluated", "--scale", "simulation", "--seeds", "1", "--json")
    assert place.call(monkeypatch, *plan) == 0
    planned = {run["row"]: run for run in json.loads(capsys.readouterr().out)}
    assert planned["Released"]["fingerprint"] == folder.name and planned["Released"]["state"] == "done"


@pytest.mark.slow
def test_a_run_of_the_store_is_named_by_its_fingerprint(place: Place, call: Call) -> None:
    fingerprint = trisampler(place).name
    result = json.loads(call(place, fingerprint[:10], *ON, "--json"))
    own = row(result, f"run {fingerprint[:8]}")
    assert means(own) == means(row(result, "TriSampler"))
    assert result["system"]["run"] == fingerprint


def test_a_run_file_has_the_figures_of_the_run_that_wrote_it(place: Place, call: Call) -> None:
    before = sorted((place.root / "store/runs").iterdir())
    result = json.loads(call(place, "other.run", *ON, "--json"))
    own = row(result, "other")
    assert (own["kind"], result["measured"][0]["run"]) == ("run file", None)
    assert means(own) == means(row(result, "TriSampler"))
    assert sorted((place.root / "store/runs").iterdir()) == before
    assert [line for line in result["remarks"] if not line.startswith("From ")] == []


def test_the_table_shows_rows_intervals_and_differences(place: Place, call: Call) -> None:
    said = call(place, "other.run", *ON)
    assert "other, evaluated on trisampler/table-5 at scale simulation" in said
    lines = [line.strip() for line in said.splitlines()]
    assert any(line.startswith("Uniform Sampling (baseline)") and "39.7" in line for line in lines)
    assert any(line.startswith("other (run file)") for line in lines)
    assert "minus" in said and "95 % CI" in said and "30 test queries (simulation)" in said
    assert f"From {place.results.relative_to(place.root)}, 1 seed: BM25, Base," in said


@pytest.mark.slow
def test_rows_without_results_come_from_the_store(place: Place, call: Call, tmp_path: Path) -> None:
    other = place.copy(tmp_path / "place")
    shutil.rmtree(other.root / "results")
    (other.root / "experiments/papers/trisampler/evaluated.yaml").unlink(missing_ok=True)
    result = json.loads(call(other, "other.run", *ON, "--json"))
    assert {of["source"] for of in result["rows"]} >= {"the store", "measured now"}
    assert row(result, "Uniform Sampling")["cells"][0]["system_minus_row"] is not None
    for folder in other.runs("continued"):
        if folder.name != trisampler(other).name:
            shutil.rmtree(folder)
    result = json.loads(call(other, "other.run", *ON, "--json"))
    (line,) = [line for line in result["remarks"] if line.startswith("The baseline, Uniform Sampling,")]
    assert "`harness reproduce trisampler/table-5 --scale simulation --row 'Uniform Sampling'`" in line


def test_rows_of_another_version_of_the_collection_are_shown_and_not_paired(
    place: Place, call: Call, tmp_path: Path
) -> None:
    other = place.copy(tmp_path / "place")
    cells = committed(other)
    cells["collection"]["fingerprint"] = "0" * 16
    (other.results / "cells.json").write_text(json.dumps(cells))
    shutil.rmtree(trisampler(other))
    result = json.loads(call(other, "other.run", *ON, "--json"))
    twin = row(result, "TriSampler")
    assert twin["cells"][0]["reproduced"] and twin["cells"][0]["system_minus_row"] is None
    assert row(result, "Uniform Sampling")["source"] == "the store"
    assert any("so that queries are not paired: TriSampler." in line for line in result["remarks"])


def test_a_run_file_on_a_collection_has_what_ir_measures_says(place: Place, call: Call) -> None:
    result = json.loads(call(place, "mine.run", "--on", "beir:mine", "--json"))
    (own,) = result["rows"]
    qrels = {f"q{n}": {f"d{n}": 1} for n in SPLITS["test"]}
    run = pd.DataFrame(
        [line.split() for line in run_of_mine().splitlines()],
        columns=["query_id", "q0", "doc_id", "rank", "score", "tag"],
    ).astype({"score": float})
    names = ["nDCG@10", "RR@10", "R@100", "R@1000"]
    direct = ir_measures.calc_aggregate([ir_measures.parse_measure(name) for name in names], qrels, run)
    assert means(own) == pytest.approx([direct[ir_measures.parse_measure(name)] for name in names])
    assert result["columns"][0]["label"] == "nDCG@10"
    assert own["cells"][0]["reproduced"]["checkpoints"]["low"] < means(own)[0]
    assert any(line.startswith("It ranks at most 12 documents a query") for line in result["remarks"])


@pytest.mark.slow
def test_a_collection_of_test_queries_alone_is_enough(place: Place, call: Call) -> None:
    said = call(place, "released", "--on", "beir:tested", "--measure", "RR(rel=2)@10")
    assert "RR(rel=2)@10" in said and "nDCG" not in said and "Evaluated 1, reused 0" in said
    again = json.loads(call(place, "released", "--on", "beir:tested", "--json"))
    whole = json.loads(call(place, "released", "--on", "beir:mine", "--json"))
    assert means(again["rows"][0]) == means(whole["rows"][0])
    dev = json.loads(call(place, "released", "--on", "beir:mine", "--split", "dev", "--json"))
    assert dev["measured"][0]["queries"] == 20
    assert dev["measured"][0]["run"] == whole["measured"][0]["run"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere.run", *ON), "nowhere.run: no such file; name a run file of TREC, plain or gzipped"),
        (("other.run", "--on", "trisampler/table-55"), "did you mean 'trisampler/table-5'?"),
        (("other.run", "--on", "trec:mine"), "--on trec:mine: 'trec' is no kind of collection"),
        (("other.run", "--on", "nq=beir:mine"), "--on: a collection is measured as it is"),
        (("other.run", "--on", "beir:nothing"), "nothing: no such folder"),
        (("other.run", "--on", "beir:mine"), "of beir/mine, such as 'q70', has a line; rank these queries"),
        (("other.run", *ON, "--split", "tset"), "--split: planted has no queries 'tset'"),
        (("other.run", *ON, "--dataset", "nq"), "has no columns on a dataset 'nq'"),
        (("other.run", *ON, "--measure", "AP"), "--measure: a target has measures of its own"),
        (("other.run", *ON, "--pooling", "mean"), "--pooling: a run file is not pooled; leave it out"),
        (("other.run", *ON, "--query-tokens", "9"), "--passage-tokens: a run file reads no texts"),
        (("other.run", "--on", "simans/table-2", "--scale", "simulation"), "add --dataset nq"),
        (("other.run", "--on", "simans/table-1", "--scale", "simulation"), "counts the datasets of a paper"),
        (("mine.run", "--on", "beir:mine", "--dataset", "nq"), "--dataset: a collection has no datasets"),
        (("mine.run", "--on", "beir:mine", "--measure", "nDGC@10"), "unknown measure 'nDGC@10'"),
        (("mine.run", "--on", "beir:mine", "--measure", "RR(rel=9)@10"), "counts grade 9, test has 2"),
        (("released", *ON, "--pooling", "avg"), "--pooling: unknown pooling 'avg'; (one of: cls"),
        (("released", *ON, "--passage-tokens", "9999"), "released: passage_tokens 9999 is more than the"),
        (("experiments", *ON), "experiments: its pooling is not configured; add --pooling mean or"),
    ],
)
def test_what_cannot_be_is_one_line(
    place: Place, call: Call, arguments: tuple[str, ...], expected: str
) -> None:
    said = call(place, *arguments, code=2)
    (line,) = [line for line in said.splitlines() if not line.startswith("specs: ")]
    assert line.startswith("error: ") and expected in line, line


def test_runs_without_a_retriever_say_what_to_name(place: Place, call: Call) -> None:
    (bm25,) = place.runs("bm25")
    said = call(place, bm25.name, *ON, code=2)
    assert (
        f"is BM25 and has no encoder; write its rankings by `harness export ranking {bm25.name} FILE`" in said
    )
    final = place.root / "part"
    final.mkdir()
    (final / "harness_part.json").write_text("{}")
    assert "name the run that trained it" in call(place, "part", *ON, code=2)
