"""Where a figure comes from, with a store and without one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.provenance.cell import explain_cell, find_cell
from harness.provenance.mlflow_runs import mlflow_place
from harness.provenance.settings_text import piece_text
from harness.specs.library import Library
from harness.specs.resolve import resolve
from tests.stores import EXPERIMENTS, TABLE, put, settings_of

RESULTS = Path(__file__).parents[2] / "results"
LIBRARY = Library(EXPERIMENTS)


def explained(store, results=RESULTS, row="TriSampler", column=None, scale="simulation", target=TABLE):
    """The lines of a cell, the parts of one thing joined."""
    cell = find_cell(resolve(LIBRARY, target, scale), results, row, column)
    facts: dict[str, str] = {}
    for name, text in explain_cell(LIBRARY, store, cell):
        key = name or list(facts)[-1]
        facts[key] = f"{facts[key]}\n{text}" if key in facts else text
    return facts


def cells_of(scale="simulation"):
    return json.loads((RESULTS / scale / TABLE / "cells.json").read_text())


def test_a_published_cell_is_explained_without_a_store(store):
    lines, cells = explained(store), cells_of()
    assert lines["published"].startswith("41.4 % on MS MARCO passage: TriSampler (AAAI 2024), Table 5")
    path, number = lines["spec"].rsplit(":", 1)
    assert "name: TriSampler" in (EXPERIMENTS.parent / path).read_text().splitlines()[int(number) - 1]
    assert "law trisampler(a 0.25" in lines["sampler"] and "K = 50, n = 15" in lines["sampler"]
    assert cells["provider"]["RR(rel=2)@10"] in lines["measure"]
    mean = next(row for row in cells["rows"] if row["name"] == "TriSampler")["cells"][0]["reproduced"]["mean"]
    assert lines["reproduced"].startswith(f"{100 * mean:.1f} ± ")
    for block in ("reproduced", "to Uniform Sampling"):
        assert lines[block].count("CI over queries: [") == 1
        assert lines[block].count("CI over queries and seeds: [") == 1
    assert "not in this store" in lines["seed 0"] and "commit" in lines["trained with"]
    assert all(note["id"] in lines["note"] for note in cells["notes"])


def test_a_store_adds_folders_rankings_and_mlflow(store, tmp_path):
    """With results made from the present settings."""
    folder = put(store, settings_of("TriSampler"))
    (folder / "rankings").mkdir()
    (folder / "rankings/test.trec.gz").write_bytes(b"")
    with sqlite3.connect(store.root / "mlflow.db") as database:
        database.execute("CREATE TABLE tags (key, value, run_uuid)")
        database.execute("CREATE TABLE runs (run_uuid, start_time, lifecycle_stage)")
        for run, stage in (("abb", "deleted"), ("abc", "active")):
            database.execute("INSERT INTO tags VALUES ('fingerprint', ?, ?)", (folder.name, run))
            database.execute("INSERT INTO runs VALUES (?, 1, ?)", (run, stage))
    results = tmp_path / "results"
    shutil.copytree(RESULTS / "simulation" / TABLE, results / "simulation" / TABLE)
    for name in ("cells.json", "provenance.json"):
        path = results / "simulation" / TABLE / name
        text = path.read_text().replace(cells_of()["collection"]["fingerprint"], "0123456789abcdef")
        row = next(row for row in cells_of()["rows"] if row["name"] == "TriSampler")
        path.write_text(text.replace(row["fingerprints"][0], folder.name))
    lines = explained(store, results)
    assert lines["seed 0"].splitlines() == [
        str(folder), f"ranking {folder / 'rankings/test.trec.gz'}", "MLflow run abc"
    ]  # fmt: skip
    assert "settings or versions of stages have changed" in lines["seed 1"]
    there = mlflow_place("http://me:word@127.0.0.1:1", folder.name)
    assert there == f"at http://***@127.0.0.1:1, search: tags.fingerprint = '{folder.name}'"
    (store.root / "mlflow.db").write_bytes(b"torn")
    assert mlflow_place(store.tracking_uri, folder.name) is None


def test_columns_go_by_label_or_measure_and_the_primary_comes_first(store):
    assert explained(store)["cell"] == explained(store, column="RR(rel=2)@10")["cell"]
    assert (
        "87.9" not in explained(store)["published"] and "89.1" in explained(store, column="R@50")["published"]
    )
    assert explained(store, column="nDCG@10")["published"].startswith("no figure in")


def test_references_and_what_is_not_made_yet(store, tmp_path):
    assert explained(store, row="BM25")["settings"] == "BM25; nothing is trained"
    shown = explained(store, row="Base")["sampler"].splitlines()
    assert shown[0] == "in-batch: nothing drawn, mask labelled" and len(shown) == 2
    lines = explained(store, tmp_path)
    assert "harness reproduce trisampler/table-5 --scale simulation" in lines["reproduced"]
    assert "seed 0" not in lines and "41.4" in lines["published"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"row": "Trisampler"}, "did you mean 'TriSampler'"),
        ({"column": "MRR@100"}, "did you mean 'MRR@10'"),
        ({"target": "trisampler/table-5-readings"}, "name one of them: 'TriSampler: "),
    ],
)
def test_what_is_not_a_cell_is_a_wrong_call(store, arguments, words):
    with pytest.raises(UserError, match=words) as caught:
        explained(store, **arguments)
    assert caught.value.exit_code == 2


def test_pieces_are_written_with_what_they_hold():
    assert piece_text(None) == "none, nothing is drawn"
    union = {
        "name": "union",
        "of": [{"name": "gold"}, {"name": "subset", "of": {"name": "top-k"}, "keep": 3}],
    }
    assert piece_text(union) == "union(of gold + subset(of top-k, keep 3))"
