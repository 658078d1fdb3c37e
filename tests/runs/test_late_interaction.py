"""A ranker over the frozen states of its retriever, by the command line: stopped, and in the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.encoders.late_interaction import LateInteraction
from harness.storage.files import read_object
from tests.place import Place, edit
from tests.runs.test_ar2 import CALL, TAUGHT, made_of, new_place, results, stop_at_step, stop_evaluating

pytestmark = pytest.mark.usefixtures("undrawn")

KIND = {"kind": "late-interaction", "reranked": 10}


def late(scale: dict[str, Any]) -> None:
    scale["encoder"]["pooling"] = "mean"
    scale["ranker"] = KIND


def late_place(root: Path) -> Place:
    place = new_place(root)
    edit(root / "experiments/scales/simulation.yaml", late)
    return place


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = late_place(tmp_path_factory.mktemp("late") / "place")
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, *CALL) == 0
    return place


def test_all_rows_read_the_same_states_in_half_precision(taught: Place) -> None:
    (states,) = (taught.root / "store/states").iterdir()
    assert read_object(states / "done.json")["trains"] == "late-interaction"
    flat = np.load(states / "documents.npy")
    assert flat.dtype == np.float16 and flat.shape[1] == 32
    (run,) = taught.runs("ranker")
    assert "states" in [link["stage"] for link in json.loads((run / "links.json").read_text())]


def test_the_plan_says_what_its_states_take(
    taught: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taught.call(monkeypatch, "plan", *CALL[1:]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Frozen encoder below a late interaction: " in said
    assert "(done)" in said and "32 x 2 bytes a token" in said


def test_ranker_and_rows_are_in_the_table_and_can_be_loaded(
    taught: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = json.loads((results(taught) / "cells.json").read_text())
    assert {row["name"] for row in cells["rows"] if "ranker" in row} == {"Base, reranked", *TAUGHT}
    monkeypatch.chdir(taught.root)
    row = harness.load(CALL[1], row="Base, reranked", scale="simulation", store=taught.root / "store")
    assert isinstance(row.ranker, LateInteraction)


@pytest.mark.slow
def test_stopped_in_each_phase_it_continues_bit_for_bit(taught: Place, tmp_path: Path) -> None:
    place = late_place(tmp_path / "place")
    for stop in (
        stop_at_step("ranker", 23),
        stop_evaluating,
        stop_at_step("continued", 14),
        stop_at_step("continued ranker", 1),
    ):
        with pytest.MonkeyPatch.context() as patch:
            stop(patch)
            assert place.call(patch, *CALL) == 130
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, *CALL) == 0
    assert made_of(place) == made_of(taught)
    assert (results(place) / "cells.json").read_bytes() == (results(taught) / "cells.json").read_bytes()
