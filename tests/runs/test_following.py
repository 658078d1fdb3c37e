"""Rank 0 makes a table's runs as one process does; the others train with it and write nothing."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from harness.errors import RunError, UserError
from harness.progress import Progress
from harness.retrieval.ranks import ALONE, Ranks
from harness.runs.following import led
from harness.runs.run import Means
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.store import Store
from harness.targets.reproduce import plan, resolve_at
from harness.training import objectives
from harness.training.checkpoints import load_encoder
from tests.place import TARGET, Place, edit
from tests.runs.test_ar2 import AR2, new_place
from tests.runs.test_frozen import train_part
from tests.runs.test_late_interaction import late
from tests.smallest import fewest_steps
from tests.training.ranks import on_ranks

TOTAL = objectives.total_and_terms


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    """A place without the runs of its rows and the candidates of round 0; what they stand on is there."""
    place = made.copy(tmp_path / "place")
    for folder in place.runs("continued"):
        shutil.rmtree(folder)
    for candidates in (place.root / "store/candidates").iterdir():
        candidates.unlink()
    return place


def make(place: Place, ranks: Ranks, fails: bool = False, target: str = TARGET) -> list[str] | None:
    """Make the runs of a table as the first rank, or follow it; returns what became of each."""
    stages = Stages(Store(place.root / "store"), Progress(quiet=True), means=Means(ranks, recompute=True))
    if fails:
        objectives.total_and_terms = fail_once()
    with led(stages) as leading:
        if leading is None:
            return None
        library = Library(place.root / "experiments")
        runs = plan(resolve_at(library, target, "simulation", leading), leading, seeds=1)
        return [outcome(leading, run.settings) for run in runs]


def outcome(stages: Stages, settings: Any) -> str:
    try:
        return stages.run(settings, "run").folder.folder.name
    except RunError as error:
        return str(error)


def fail_once() -> Any:
    """Return what gives a loss that is no number the first time, and the right one afterwards."""
    called: list[int] = []

    def total(loss: Any, scores: Any) -> Any:
        called.append(1)
        total, terms = TOTAL(loss, scores)
        return (total * torch.nan if len(called) == 1 else total), terms

    return total


def files(folder: Path) -> set[str]:
    """The files of a run, without those that a mirror puts beside them."""
    return {path.name for path in folder.rglob("*") if "ir_metadata" not in path.name}


def same(path: Path, made: Place) -> bool:
    """Whether candidates of round 0 are those that one process mined."""
    one, other = (np.load(of) for of in (path, made.root / "store/candidates" / path.name))
    return all(np.array_equal(one[key], other[key]) for key in other.files)


@pytest.mark.slow
def test_runs_are_made_as_one_process_makes_them(place: Place, made: Place, tmp_path: Path) -> None:
    names, nothing = on_ranks(2, tmp_path / "ranks", partial(make, place))
    assert nothing is None
    expected = {folder.name for kind in ("continued", "base") for folder in made.runs(kind)}
    assert expected <= set(names)
    for folder in made.runs("continued"):
        other = place.root / "store/runs" / folder.name
        assert files(folder) == files(other)
        before, after = (pd.read_parquet(of / "per_query.parquet") for of in (folder, other))
        pd.testing.assert_frame_equal(before, after)
        weights, same = (load_encoder(of / "checkpoints/final").weights() for of in (folder, other))
        flat, other_flat = (torch.cat([w.ravel() for w in of.values()]) for of in (weights, same))
        assert torch.linalg.vector_norm(flat - other_flat) < 1e-4 * torch.linalg.vector_norm(flat)
        environment = json.loads((other / "environment.json").read_text())
        assert environment["means"] == {"ranks": 2, "recompute": True}
        assert "means" not in json.loads((folder / "environment.json").read_text())


def test_a_run_that_fails_on_all_ranks_leaves_the_next_one_to_them(
    place: Place, made: Place, tmp_path: Path
) -> None:
    names, _ = on_ranks(2, tmp_path / "ranks", partial(make, place, fails=True))
    failed = [name for name in names if "loss is nan at step 0" in name]
    assert len(failed) == 1
    assert [same(path, made) for path in (place.root / "store/candidates").iterdir()] == [True]
    assert len(place.runs("continued")) == len(made.runs("continued"))
    done = [folder for folder in place.runs("continued") if (folder / "done.json").exists()]
    assert len(done) == len(made.runs("continued")) - 1


def test_a_rank_that_does_not_see_the_store_says_so(made: Place, tmp_path: Path) -> None:
    library = Library(made.root / "experiments")
    here = Stages(Store(made.root / "store"), Progress(quiet=True))
    [*_, run] = plan(resolve_at(library, TARGET, "simulation", here), here, seeds=1)
    elsewhere = Stages(Store(tmp_path / "store"), Progress(quiet=True), means=Means(Ranks(1, 2)))
    with pytest.raises(UserError, match="which rank 0 has made; let them share a store"):
        elsewhere.run(run.settings, "run")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["cross-encoder", "late-interaction", "head", "last-layer"])
def test_rankers_taught_rows_and_parts_are_made_as_one_process_makes_them(tmp_path: Path, what: str) -> None:
    (tmp_path / "one").mkdir()
    place = new_place(tmp_path / "one")
    scale = place.root / "experiments/scales/simulation.yaml"
    if what == "late-interaction":
        edit(scale, late)
    if what in ("head", "last-layer"):
        train_part(place, what)
    edit(scale, fewest_steps)
    other = place.copy(tmp_path / "two")
    expected = make(place, ALONE, target=AR2)
    names, _ = on_ranks(2, tmp_path / "ranks", partial(make, other, target=AR2))
    assert names == expected
    for name in dict.fromkeys(names):
        before, after = (
            pd.read_parquet(of.root / f"store/runs/{name}/per_query.parquet") for of in (place, other)
        )
        assert before.drop(columns="value").equals(after.drop(columns="value"))
        assert (before["value"] - after["value"]).abs().mean() < 2e-3  # a rounding may change two places
