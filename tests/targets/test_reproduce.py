"""The whole path by its command line: made, found again, killed and continued."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from harness.evaluation.measures import parse_measure
from harness.reports.rendering import RENDERED
from harness.reports.site import PAGE
from tests.beir_folder import write_folder
from tests.cases import few
from tests.place import TARGET, Place, edit
from tests.result_checks import check_cells, check_tables


def test_every_file_of_a_result_is_written(made):
    names = {path.name for path in made.results.iterdir()}
    assert names == {*RENDERED} | {"cells.json", "provenance.json", "per_query.parquet"}
    table = (made.results / "table.md").read_text()
    assert "simulation" in table.lower() and "pipeline check" in table


def test_a_second_run_trains_nothing_and_writes_the_same_cells(made):
    before = (made.results / "cells.json").read_bytes()
    seconds = {folder.name: (folder / "done.json").stat().st_mtime_ns for folder in made.runs("continued")}
    done = made.reproduce()
    assert done.returncode == 0 and "Trained 0 run" in done.stdout
    assert (made.results / "cells.json").read_bytes() == before
    assert seconds == {
        folder.name: (folder / "done.json").stat().st_mtime_ns for folder in made.runs("continued")
    }


def test_the_command_line_of_ir_measures_gives_the_tables_figures(made):
    cells = json.loads((made.results / "cells.json").read_text())
    for row in cells["rows"]:
        rankings = made.root / "store/runs" / row["fingerprints"][0] / "rankings"
        for column, cell in zip(cells["columns"], row["cells"], strict=True):
            files = [str(rankings / f"{column['split']}.{kind}") for kind in ("qrels", "trec.gz")]
            command = [sys.executable, "-m", "ir_measures", *files, column["measure"]]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            name, value = printed.strip().split("\t")
            assert name == str(parse_measure(column["measure"]))
            assert float(value) == pytest.approx(cell["reproduced"]["mean"], abs=5e-5)


def test_rankings_have_metadata_beside_them(made):
    for folder in (made.root / "store/runs").iterdir():
        for ranking in (folder / "rankings").glob("*.trec.gz"):
            split = ranking.name.removesuffix(".trec.gz")
            told = yaml.safe_load(ranking.with_name(f"{split}.ir_metadata.yaml").read_text())
            first = gzip.decompress(ranking.read_bytes()).split(b"\n")[0].decode().split()
            assert len(first) == 6 and told["tag"] == first[-1] == folder.name
            assert told["data"]["test collection"]["qrels"] == f"{split}.qrels"
            assert told["implementation"]["executable"]["cmd"].endswith(f"{TARGET} --scale simulation")


def test_the_table_is_rendered_again_from_its_cells_alone(made, tmp_path):
    folder = tmp_path / "results/local/simulation" / TARGET
    folder.mkdir(parents=True)
    for name in ("cells.json", "provenance.json", "per_query.parquet"):
        shutil.copy(made.results / name, folder / name)
    done = Place.at(tmp_path).say("report", TARGET)
    assert done.code == 0, done.err
    for name in (*RENDERED, f"../../../{PAGE}"):
        assert (folder / name).read_bytes() == (made.results / name).read_bytes(), name


@pytest.mark.slow
def test_committed_results_are_verified_and_a_wrong_one_is_found(made, tmp_path):
    shutil.copytree(made.root / "experiments", tmp_path / "experiments")
    again, committed = Place.__new__(Place), tmp_path / "results/simulation" / TARGET
    again.root = tmp_path
    shutil.copytree(made.results, committed)
    call = ("verify", TARGET, "--scale", "simulation", "--row", "BM25", "--row", "Base")
    done = again.run(*call)
    assert done.returncode == 0, done.stderr
    assert "3 stages (collection, base runs, runs): 3 OK" in done.stdout and "Other than" not in done.stdout
    assert not (tmp_path / "store").exists()
    scores = pd.read_parquet(committed / "per_query.parquet")
    scores.loc[scores["row"] == "BM25", "value"] += 0.1
    scores.to_parquet(committed / "per_query.parquet", index=False)
    provenance = json.loads((committed / "provenance.json").read_text())
    provenance["environments"][0]["threads"] = 7
    base = next(run for run in provenance["runs"] if run["row"] == "Base")
    base |= {"weights": "other", "dev": base["dev"] + 0.1}
    (committed / "provenance.json").write_text(json.dumps(provenance))
    done = again.run("verify", TARGET, "--scale", "simulation", "--store", str(made.root / "store"))
    assert done.returncode == 1
    assert "FAIL" in done.stdout and "threads: 7 | 1" in done.stdout
    assert "Base, seed 0: " in done.stderr + done.stdout and "4 OK, 1 FAIL" in done.stdout
    assert "near" not in done.stdout.split("OK: every")[0]
    done = again.run("verify", "trisampler/table-5-readings", "--scale", "simulation", "--store", "store")
    assert done.returncode == 2 and "no results to verify" in done.stderr


def test_runs_share_base_and_first_candidates(made):
    plan = json.loads(made.say("plan", TARGET, "--scale", "simulation", "--seeds", "1", "--json").out)
    assert [run["state"] for run in plan] == ["done"] * 4
    by_row = {run["row"]: run for run in plan}
    assert by_row["Uniform Sampling"]["needs"] == by_row["TriSampler"]["needs"]
    assert by_row["Base"]["fingerprint"] in by_row["TriSampler"]["needs"]
    assert len(made.runs("base")) == 1 and len(made.runs("continued")) == 2
    losses = [json.loads(line) for line in (made.runs("base")[0] / "metrics.jsonl").open()]
    assert sum("loss" in line for line in losses) == 64


def test_false_negatives_are_counted_with_their_denominator(made):
    cells = json.loads((made.results / "cells.json").read_text())
    row = next(row for row in cells["rows"] if row["name"] == "Uniform Sampling")
    counted = row["false_negatives"]
    assert counted["drawn"] == 30 * 16 * 15
    assert 0 < counted["known_relevant_drawn"] < counted["drawn"]
    assert counted["share"] == counted["known_relevant_drawn"] / counted["drawn"]


def test_per_query_scores_yield_the_cells(made):
    cells = json.loads((made.results / "cells.json").read_text())
    scores = pd.read_parquet(made.results / "per_query.parquet")
    for row in cells["rows"]:
        own = scores[(scores["row"] == row["name"]) & (scores["split"] == "test")]
        for column, cell in zip(cells["columns"], row["cells"], strict=True):
            if column["split"] == "test":
                values = own[own["measure"] == column["measure"]]["value"]
                assert len(values) == 30
                assert values.mean() == pytest.approx(cell["reproduced"]["mean"])


def test_mlflow_holds_every_run_once(made):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{made.root / 'store/mlflow.db'}")
    experiment = client.get_experiment_by_name("trisampler")
    found = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["fingerprint"] for run in found) == sorted(
        path.name for path in (made.root / "store/runs").iterdir()
    )
    assert all(run.info.status == "FINISHED" for run in found)


MOMENTS = {
    "base": lambda place: any(place.root.glob("store/runs/*/checkpoints/step-00000024")),
    "mining": lambda place: any(place.root.glob("store/candidates/*")),
    "continued": lambda place: any(
        any(folder.glob("checkpoints/step-00000020")) for folder in place.runs("continued")
    ),
    "evaluation": lambda place: any(any(folder.glob("rankings/*")) for folder in place.runs("continued")),
}


@pytest.mark.slow
def test_killed_in_every_phase_it_continues_and_ends_with_the_same_cells(made, tmp_path):
    place = Place(tmp_path)
    for moment, reached in MOMENTS.items():
        process = subprocess.Popen(
            place.command("reproduce", TARGET, "--scale", "simulation", "--seeds", "1"),
            cwd=place.root,
            env=place.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and not reached(place):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, f"it ended before {moment}"
    done = place.reproduce()
    assert done.returncode == 0, done.stderr
    assert (place.results / "cells.json").read_bytes() == (made.results / "cells.json").read_bytes()


@pytest.fixture
def said(monkeypatch, capsys) -> Callable[..., str]:
    """What a command that fails says, in this process, which has imported everything."""

    def said(place: Place, *arguments: str) -> str:
        capsys.readouterr()
        assert place.call(monkeypatch, *arguments) == 2
        told = capsys.readouterr()
        assert "Traceback" not in told.err + told.out
        return told.err

    return said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reproduce", "trisampler/table-55"], "did you mean 'trisampler/table-5'"),
        (["reproduce", TARGET, "--scale", "simulatoin"], "did you mean 'simulation'"),
        (["reproduce", TARGET, "--scale", "simulation", "--row", "Trisampler"], "did you mean 'TriSampler'"),
        (["reproduce", TARGET, "--seeds", "three"], "--seeds"),
        (["frobnicate"], "frobnicate"),
        (["show", "trisampler"], "unknown target"),
        (["report", "trisampler/table-9"], "no results"),
        (["report"], "name a target, or say --all"),
    ],
)
def test_a_wrong_call_is_one_clear_message(made, arguments, words):
    done = made.say(*arguments)
    assert done.code == 2
    assert words in done.err
    done.check()


def test_the_best_checkpoint_on_dev_is_kept_beside_the_last(made):
    for run in made.runs("continued"):
        told = json.loads((run / "done.json").read_text())["best"]
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        watched = {line["step"]: line[told["measure"]] for line in lines if line["phase"] == "continued dev"}
        assert set(watched) == {10, 20} and told["value"] >= max(watched.values())
        kept = (run / "checkpoints/best/model.safetensors").exists()
        assert kept == (told["step"] != 30)
        assert not kept or watched[told["step"]] == told["value"]


@pytest.mark.parametrize(
    "victim", few(["per_query.parquet", "done.json", "checkpoints/final/model.safetensors"], "done.json")
)
def test_a_corrupt_file_is_one_clear_message(made, said, tmp_path, victim):
    place = tmp_path / "place"
    shutil.copytree(made.root, place)
    kind = "base" if "final" in victim else "continued"
    again = Place.__new__(Place)
    again.root = place
    if kind == "base":  # its encoder is read again only by a row that is not done
        for folder in again.runs("continued"):
            shutil.rmtree(folder)
    for folder in again.runs(kind):
        (folder / victim).write_bytes(b"torn")
    told = said(again, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    assert "corrupt" in told and str(Path(victim).parent.name or victim) in told


@pytest.mark.slow
def test_another_measure_is_evaluated_without_training(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "place")
    again = Place.__new__(Place)
    again.root = tmp_path / "place"
    weights = {path: path.stat().st_mtime_ns for path in again.root.glob("store/runs/*/checkpoints/final/*")}
    edit(
        again.root / "experiments/datasets/ms-pas.yaml",
        lambda spec: spec["further"].append({"label": "R@5", "measure": "R(rel=2)@5"}),
    )
    done = again.reproduce()
    assert done.returncode == 0, done.stderr
    cells = json.loads((again.results / "cells.json").read_text())
    assert "R@5" in [column["label"] for column in cells["columns"]]
    assert weights == {
        path: path.stat().st_mtime_ns for path in again.root.glob("store/runs/*/checkpoints/final/*")
    }
    old = json.loads((made.results / "cells.json").read_text())
    assert cells["rows"][3]["cells"][0]["reproduced"] == old["rows"][3]["cells"][0]["reproduced"]


@pytest.mark.slow
def test_a_dataset_may_be_measured_on_dev(made, tmp_path):
    """Nothing is trained or evaluated again: the same runs, other queries, and a line that says so."""
    again = made.copy(tmp_path / "place")
    path = again.root / "experiments/datasets/ms-pas.yaml"
    edit(path, lambda spec: spec["collections"]["simulation"].update(measured="dev"))
    done = again.reproduce()
    assert done.returncode == 0 and "Trained 0 run" in done.stdout, done.stderr
    cells = json.loads((again.results / "cells.json").read_text())
    assert {column["split"] for column in cells["columns"]} == {"dev"}
    scores = pd.read_parquet(again.results / "per_query.parquet")
    first = scores[(scores["split"] == "dev") & (scores["measure"] == cells["columns"][0]["measure"])]
    for row in cells["rows"]:
        values = first[first["row"] == row["name"]]["value"]
        assert len(values) == 20
        assert values.mean() == pytest.approx(row["cells"][0]["reproduced"]["mean"])
    assert "Measured on dev: the same queries that are watched" in (again.results / "table.md").read_text()


def test_a_measured_split_that_the_collection_lacks_is_one_line(made, said, tmp_path):
    again = made.copy(tmp_path / "place")
    mine = again.root / "mine"
    (mine / "qrels").mkdir(parents=True)
    (mine / "corpus.jsonl").write_text('{"_id": "d", "text": "a"}\n')
    (mine / "queries.jsonl").write_text('{"_id": "q", "text": "a"}\n{"_id": "r", "text": "b"}\n')
    for split, query in (("train", "q"), ("dev", "r")):
        (mine / f"qrels/{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{query}\td\t1\n")
    path = again.root / "experiments/datasets/ms-pas.yaml"
    choice = {"kind": "beir", "parameters": {"folder": "mine"}}
    edit(path, lambda spec: spec["collections"].update(simulation=choice))
    told = said(again, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    assert told.strip().endswith(
        "beir/mine has no test queries, on which dataset 'ms-pas' is measured; "
        "give it some, or set `measured` for simulation in datasets/ms-pas.yaml"
    )


def test_a_grade_that_no_judgement_of_the_files_has_is_one_line(made, said, tmp_path):
    again = made.copy(tmp_path / "place")
    mine = again.root / "mine"
    (mine / "qrels").mkdir(parents=True)
    (mine / "corpus.jsonl").write_text('{"_id": "d", "text": "a"}\n')
    queries = [f'{{"_id": "{query}", "text": "a"}}\n' for query in "qrs"]
    (mine / "queries.jsonl").write_text("".join(queries))
    for split, query in (("train", "q"), ("dev", "r"), ("test", "s")):
        (mine / f"qrels/{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{query}\td\t1\n")
    choice = {"kind": "beir", "parameters": {"folder": "mine"}}
    path = again.root / "experiments/datasets/ms-pas.yaml"
    edit(path, lambda spec: spec["collections"].update(simulation=choice, scratch=choice, quick=choice))
    path = again.root / f"experiments/papers/{TARGET}.yaml"
    edit(path, lambda spec: spec["columns"][1].update(measure="R(rel=3)@50"))
    told = said(again, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    assert told.strip().endswith(
        "beir/mine: 'R(rel=3)@50' counts grade 3, test has 2 at most; "
        "write rel=2 or less for dataset 'ms-pas'"
    )


@pytest.mark.slow
def test_answers_that_no_query_of_the_files_has_are_one_line_and_with_them_it_is_made(made, said, tmp_path):
    again = made.copy(tmp_path / "place")
    mine = write_folder(again.root / "mine")
    choice = {"kind": "beir", "parameters": {"folder": "mine"}}
    path = again.root / "experiments/datasets/ms-pas.yaml"
    edit(path, lambda spec: spec["collections"].update(simulation=choice, scratch=choice, quick=choice))
    path = again.root / f"experiments/papers/{TARGET}.yaml"
    edit(path, lambda spec: spec["columns"][1].update(measure="AnswerHit@2"))
    line = 1 + next(n for n, text in enumerate(path.read_text().splitlines()) if "AnswerHit@2" in text)
    command = ("plan", TARGET, "--scale", "simulation", "--seeds", "1")
    told = said(again, *command).strip()
    assert told.partition("error: ")[2].startswith(
        f"experiments/papers/{TARGET}.yaml:{line}: key 'columns[1].measure': 'AnswerHit@2' reads answers, "
        "and no test query of beir/mine has any; take a measure of judgements"
    )
    asked = [json.loads(text) for text in (mine / "queries.jsonl").read_text().splitlines()]
    answered = [query | {"answers": [query["text"].split()[0]]} for query in asked]
    (mine / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in answered))
    assert again.run(*command).returncode == 0


def test_what_a_reader_must_know_of_a_collection_stands_under_its_table(made, tmp_path):
    again = made.copy(tmp_path / "place")
    mine = again.root / "mine"
    (mine / "qrels").mkdir(parents=True)
    words = ("apple", "pear", "plum", "river", "stone", "cloud")
    documents = [(f"d{number}", f"{word} tree") for number, word in enumerate(words)]
    queries = [(f"q{number}", word) for number, word in enumerate(words)]
    copies = [("copy", "apple tree"), ("q5", "cloud")]
    for name, texts in (("corpus", [*documents, *copies]), ("queries", queries)):
        lines = [json.dumps({"_id": key, "text": text}) + "\n" for key, text in texts]
        (mine / f"{name}.jsonl").write_text("".join(lines))
    for split, numbers in (("train", (0, 1)), ("dev", (2, 3)), ("test", (4, 5))):
        judged = "".join(f"q{number}\td{number}\t1\n" for number in numbers)
        (mine / f"qrels/{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    choice = {"kind": "beir", "parameters": {"folder": "mine"}}
    edit(
        again.root / "experiments/datasets/ms-pas.yaml",
        lambda spec: spec["collections"].update(simulation=choice),
    )
    edit(again.root / f"experiments/papers/{TARGET}.yaml", lambda spec: spec.pop("remarks", None))
    done = again.say("reproduce", TARGET, "--scale", "simulation", "--seeds", "1", "--row", "BM25")
    assert done.code == 0, done.err
    table = (again.results / "table.md").read_text()
    assert "Collection: Queries with the id of a document, taken out of their own rankings" in table
    assert "Collection: Documents with the text of another: 2." in table
    (row,) = [
        row for row in json.loads((again.results / "cells.json").read_text())["rows"] if row["name"] == "BM25"
    ]
    assert (
        row["cells"][0]["reproduced"]["mean"] == 1
    )  # its own document would be first, and nothing of it relevant


@pytest.mark.slow
def test_pairs_are_compared_beside_the_baseline(made, tmp_path):
    """Nothing is trained again, no other figure moves but Holm's, and explain knows of them."""
    again, named = made.copy(tmp_path / "place"), [["TriSampler", "Base"], ["BM25", "TriSampler"]]
    edit(again.root / f"experiments/papers/{TARGET}.yaml", lambda spec: spec.update(compare=named))
    done = again.reproduce()
    assert done.returncode == 0 and "Trained 0 run" in done.stdout, done.stderr
    assert "minus" in done.stdout
    old, cells = (json.loads((place.results / "cells.json").read_text()) for place in (made, again))
    assert "pairs" not in old and [pair["rows"] for pair in cells["pairs"]] == named
    means = {row["name"]: [cell["reproduced"]["mean"] for cell in row["cells"]] for row in cells["rows"]}
    for pair in cells["pairs"]:
        one, other = (means[name] for name in pair["rows"])
        for place, block in enumerate(pair["cells"]):
            assert block["value"] == pytest.approx(one[place] - other[place])
            assert block["checkpoints"]["low"] <= block["value"] <= block["checkpoints"]["high"]
            assert (block["holm_p"] is not None) == (place == 0)
    for row, before in zip(cells["rows"], old["rows"], strict=True):
        assert [cell["reproduced"] for cell in row["cells"]] == [
            cell["reproduced"] for cell in before["cells"]
        ]
    check_tables(again.results)
    check_cells(again.results)
    said = again.run("explain", TARGET, "TriSampler", "--scale", "simulation", "--local").stdout
    assert "TriSampler minus Base" in said and "BM25 minus TriSampler" in said


def test_broken_specs_are_told_with_file_and_line(said, tmp_path):
    place = Place(tmp_path)
    path = tmp_path / "experiments/papers/trisampler/table-5.yaml"
    path.write_text(path.read_text().replace("sampler: trisampler", "sampler: trisamper\n  stepz: 3"))
    assert "table-5.yaml:" in said(place, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1")


def test_a_missing_folder_of_specs_is_told(made, tmp_path):
    environment = made.environment() | {"HARNESS_EXPERIMENTS": str(tmp_path / "nowhere")}
    done = subprocess.run(
        made.command("list"), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "no such folder" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_clusters_change_intervals_and_train_nothing(made, tmp_path):
    """The table counts its clusters, `compare` goes by them, and means stay as they are."""
    again = made.copy(tmp_path / "place")
    edit(
        again.root / "experiments/datasets/ms-pas.yaml",
        lambda spec: spec["collections"]["simulation"].update(clusters="positive"),
    )
    done = again.reproduce()
    assert done.returncode == 0 and "Trained 0 run" in done.stdout, done.stderr
    scores = pd.read_parquet(again.results / "per_query.parquet")
    clusters = scores[scores["split"] == "test"].drop_duplicates("query")["cluster"].nunique()
    queries = scores[scores["split"] == "test"]["query"].nunique()
    assert 1 < clusters < queries
    assert f"{clusters} clusters of {queries} test queries" in (again.results / "table.md").read_text()
    old, new = (json.loads((place.results / "cells.json").read_text()) for place in (made, again))
    for row, before in zip(new["rows"], old["rows"], strict=True):
        for cell, was in zip(row["cells"], before["cells"], strict=True):
            assert cell["reproduced"]["mean"] == was["reproduced"]["mean"]
            assert cell["reproduced"]["checkpoints"]["df"] < was["reproduced"]["checkpoints"]["df"]
    check_tables(again.results)
    told = again.run("compare", f"{TARGET}:BM25", f"{TARGET}:Base", "--scale", "simulation")
    assert told.returncode == 0, told.stderr
    (report,) = (again.root / "results").glob("**/compare/*/*.md")
    assert f"{clusters} clusters of {queries} queries" in report.read_text()
