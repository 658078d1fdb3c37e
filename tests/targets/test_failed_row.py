"""A row whose training fails leaves the others their table."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.cases import first
from tests.place import TARGET, Place

pytestmark = pytest.mark.usefixtures("undrawn")


def forget(place: Place, preset: str) -> None:
    for folder in place.runs("continued"):
        if json.loads((folder / "spec.json").read_text())["sampler"]["preset"] == preset:
            shutil.rmtree(folder)


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    return made.copy(tmp_path / "place")


def no_number(*_: object) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return torch.tensor(float("nan"), requires_grad=True), {}


def out_of_memory(*_: object) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB")


@pytest.mark.parametrize(
    ("fault", "reason"),
    first(
        1,
        [
            (no_number, r"seed 0: continued: the loss is nan at step 0, queries .*; lower the learning rate"),
            (out_of_memory, r"seed 0: continued: memory does not suffice \(CUDA out of memory.\); lower .*"),
        ],
    ),
)
def test_a_row_that_fails_is_named_and_the_others_have_their_table(
    place: Place, made: Place, fault, reason: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    forget(place, "trisampler")
    call = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
    with monkeypatch.context() as patch:
        patch.setattr("harness.training.objectives.total_and_terms", fault)
        assert place.call(patch, *call) == 1
    shown = capsys.readouterr()
    said = re.search(rf"TriSampler: failed \(({reason})\)\.", " ".join(shown.out.split()))
    assert said is not None
    assert f"error: {TARGET}: 1 row(s) failed: TriSampler" in shown.err and "Traceback" not in shown.err
    cells, before = (json.loads((of.results / "cells.json").read_text()) for of in (place, made))
    rows, earlier = ({row["name"]: row for row in of["rows"]} for of in (cells, before))
    assert rows["TriSampler"]["reason"] == said[1]
    assert {cell["state"] for cell in rows["TriSampler"]["cells"]} == {"failed"}
    assert all(cell["reproduced"] is None for cell in rows["TriSampler"]["cells"])
    assert all(rows[name] == earlier[name] for name in rows if name != "TriSampler")
    assert "TriSampler" not in set(pd.read_parquet(place.results / "per_query.parquet")["row"])
    assert place.call(monkeypatch, "explain", TARGET, "TriSampler", "--local", "--scale", "simulation") == 0
    assert f"failed: {said[1]}" in " ".join(capsys.readouterr().out.split())
    assert place.call(monkeypatch, *call) == 0  # nothing of the failure stays
    assert (place.results / "cells.json").read_bytes() == (made.results / "cells.json").read_bytes()


def test_where_every_row_fails_there_is_no_table(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    shutil.rmtree(place.root / "results")
    for preset in ("trisampler", "uniform"):
        forget(place, preset)
    monkeypatch.setattr("harness.training.objectives.total_and_terms", no_number)
    rows = ("--row", "TriSampler")  # and the baseline
    code = place.call(monkeypatch, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1", *rows)
    assert code == 1
    assert "the loss is nan" in capsys.readouterr().err
    assert not place.results.exists()
