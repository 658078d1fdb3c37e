"""Retriever and ranker together, by the command line: shared stages, stopped in each phase, in the table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

from harness.negatives.mining import save_candidates
from harness.training.checkpoints import latest_checkpoint
from harness.training.learner import Learner
from tests.place import Place, edit

pytestmark = pytest.mark.usefixtures("undrawn")

AR2 = "trisampler/table-5-ar2"
CALL = ("reproduce", AR2, "--scale", "simulation", "--seeds", "1")
ROWS = ("BM25", "Base", "Base, reranked", "Uniform Sampling", "TriSampler")
TAUGHT = ROWS[-2:]


def few_rows(spec: dict[str, Any]) -> None:
    spec["rows"] = [row for row in spec["rows"] if row["name"] in ROWS]
    spec.pop("compare", None)  # of rows that are not left
    spec["rows"][-1]["recipe"] = "ar2-paper"


def new_place(root: Path) -> Place:
    place = Place(root)
    edit(root / f"experiments/papers/{AR2}.yaml", few_rows)
    return place


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = new_place(tmp_path_factory.mktemp("taught"))
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, *CALL) == 0
    return place


@pytest.fixture(scope="module")
def cells(taught: Place) -> dict[str, Any]:
    return json.loads((results(taught) / "cells.json").read_text())


def results(place: Place) -> Path:
    return place.root / "results/local/simulation" / AR2


def told(run: Path) -> dict[str, Any]:
    return json.loads((run / "done.json").read_text())


def made_of(place: Place) -> dict[str, bytes]:
    """The weights of all that was trained."""
    runs = place.root / "store/runs"
    found = [
        *runs.glob("*/checkpoints/final/*.safetensors"),
        *runs.glob("*/checkpoints/ranker/*.safetensors"),
    ]
    return {str(path.relative_to(runs)): path.read_bytes() for path in found}


def scores_of(place: Place) -> dict[str, pd.DataFrame]:
    runs = place.root / "store/runs"
    return {path.parent.name: pd.read_parquet(path) for path in runs.glob("*/per_query.parquet")}


def test_rows_share_warm_retriever_candidates_and_warm_ranker(taught, monkeypatch, capsys):
    assert taught.call(monkeypatch, "plan", *CALL[1:], "--json") == 0
    by_row = {run["row"]: run for run in json.loads(capsys.readouterr().out)}
    assert {run["state"] for run in by_row.values()} == {"done"}
    shared = {by_row["Base"]["fingerprint"], by_row["Base, reranked"]["fingerprint"]}
    candidates = {path.stem for path in (taught.root / "store/candidates").glob("*.npz")}
    assert len(candidates) == 1
    for row in TAUGHT:
        assert shared | candidates < set(by_row[row]["needs"])
    assert candidates < set(by_row["Base, reranked"]["needs"])
    assert len(taught.runs("base")) == len(taught.runs("ranker")) == 1


def stop_at_step(name: str, own_step: int) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        update = Learner.update

        def stopping(learner: Learner, loss: Any, step: int) -> dict[str, float]:
            if (learner.name, step) == (name, own_step):
                raise KeyboardInterrupt
            return update(learner, loss, step)

        monkeypatch.setattr(Learner, "update", stopping)

    return patch


def stop_mining(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(*arguments: Any) -> None:
        save_candidates(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.runs.products.save_candidates", stopping)


def stop_evaluating(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(*arguments: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.runs.evaluation.compared_on_lists", stopping)


STOPS = {
    "base retriever": stop_at_step("base", 41),
    "mining": stop_mining,
    "base ranker": stop_at_step("ranker", 23),
    "base ranker's evaluation": stop_evaluating,
    "retriever's turn": stop_at_step("continued", 14),
    "ranker's turn": stop_at_step("continued ranker", 1),
    "evaluation": stop_evaluating,
}


@pytest.mark.slow
def test_stopped_in_each_phase_it_continues_bit_for_bit(taught, tmp_path):
    place = new_place(tmp_path)
    for phase, stop in STOPS.items():
        with pytest.MonkeyPatch.context() as patch:
            stop(patch)
            assert place.call(patch, *CALL) == 130, phase
        if phase == "ranker's turn":
            both_are_in_its_checkpoint(place)
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, *CALL) == 0
    assert made_of(place) == made_of(taught)
    whole, parts = scores_of(taught), scores_of(place)
    assert whole.keys() == parts.keys()
    for run, scores in whole.items():
        pd.testing.assert_frame_equal(scores, parts[run], check_exact=True)
    assert (results(place) / "cells.json").read_bytes() == (results(taught) / "cells.json").read_bytes()


def both_are_in_its_checkpoint(place: Place) -> None:
    (run,) = place.runs("continued")
    checkpoint = latest_checkpoint(run / "checkpoints")
    assert checkpoint is not None and set(checkpoint.optimizer) == {"retriever", "ranker"}
    (warm,) = place.runs("ranker")
    ranker = load_file(warm / "checkpoints/final/model.safetensors")
    held = {name.removeprefix("ranker.") for name in checkpoint.weights if name.startswith("ranker.")}
    assert held == set(ranker) and len(checkpoint.weights) > len(held)


@pytest.mark.slow
def test_a_corrupt_ranker_is_told_and_made_again(taught, tmp_path, monkeypatch, capsys):
    place = taught.copy(tmp_path / "place")
    more = {"label": "R@5", "measure": "R(rel=2)@5"}  # so that rankings are read again
    edit(place.root / "experiments/datasets/ms-pas.yaml", lambda spec: spec["further"].append(more))
    folder = place.runs("continued")[0] / "checkpoints/ranker"
    spoilt = folder / "model.safetensors"
    spoilt.write_bytes(spoilt.read_bytes()[:-4] + b"four")
    assert place.call(monkeypatch, *CALL) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 2 and f"delete the folder {folder.relative_to(place.root)}" in shown
    shutil.rmtree(folder)
    assert place.call(monkeypatch, *CALL) == 0
    assert made_of(place) == made_of(taught)


def test_another_depth_of_reranking_is_evaluated_again(taught, tmp_path, monkeypatch):
    place = taught.copy(tmp_path / "place")
    scale = place.root / "experiments/scales/simulation.yaml"
    edit(scale, lambda spec: spec["ranker"].update(reranked=5))
    assert place.call(monkeypatch, *CALL) == 0
    assert made_of(place) == made_of(taught)
    before, after = scores_of(taught), scores_of(place)
    for run in (*place.runs("ranker"), *place.runs("continued")):
        assert told(run)["reranked"] == 5
        assert not before[run.name].equals(after[run.name])


def figures(cells: dict[str, Any], column: str) -> dict[str, float | None]:
    place = [of["label"] for of in cells["columns"]].index(column)
    blocks = {row["name"]: row["cells"][place]["reproduced"] for row in cells["rows"]}
    return {name: block and block["mean"] for name, block in blocks.items()}


def test_retriever_and_ranker_on_its_top_k_both_stand_in_the_table(taught, cells):
    alone, reranked = figures(cells, "MRR@10"), figures(cells, "MRR@10 reranked")
    assert reranked["BM25"] is None and reranked["Base"] is None
    assert reranked["Base, reranked"] == alone["Base, reranked"] != alone["Base"]
    assert all(reranked[row] not in {None, alone[row]} for row in TAUGHT)
    text = (results(taught) / "table.md").read_text()
    further = text.partition("## Further measures")[2].partition("##")[0]
    lines = {
        line.split("|")[1].strip(): line.split("|")[2].strip() for line in further.splitlines() if "|" in line
    }
    assert lines["BM25 (reference)"] == lines["Base (reference)"] == "–"
    assert "not run" not in text


def test_the_ranker_is_reported_where_there_is_one(taught, cells):
    blocks = {row["name"]: row["ranker"] for row in cells["rows"] if "ranker" in row}
    assert set(blocks) == {"Base, reranked", *TAUGHT}
    lists = {row: block["lists"] for row, block in blocks.items()}
    assert {of["lists"] for of in lists.values()} == {20}
    assert blocks["Base, reranked"]["training"] == {}
    assert set(blocks["Uniform Sampling"]["training"]) == {
        "agreement", "teacher_first", "loss/distillation", "loss/ranker",
    }  # fmt: skip
    assert {"loss/adversarial-paper", "loss/distillation"} < set(blocks["TriSampler"]["training"])
    table = (results(taught) / "table.md").read_text().partition("## The ranker")[2].partition("##")[0]
    assert "20 dev queries" in table and table.count("\n| ") == 3 + 1


def test_a_ranker_learns_and_teaches(cells):
    """Here with tiny models; at the scale of the simulation `calibration/distillation` says how far."""
    lists = {row["name"]: row["ranker"]["lists"] for row in cells["rows"] if "ranker" in row}
    warm = lists["Base, reranked"]
    assert warm["right ranker"] > 1 / 16
    for row in TAUGHT:
        assert lists[row]["divergence base ranker"] < warm["divergence base ranker"]
