"""Finished runs of a store, and what they stand on: found, never made."""

from __future__ import annotations

from harness.collections.collection import Collection
from harness.errors import UserError, nearest
from harness.provenance.stored import StoredRun
from harness.runs.stages import Stages
from harness.specs.loaded import LoadedTarget
from harness.specs.models import Row, with_runs
from harness.specs.resolve import Resolved
from harness.specs.settings import CollectionSettings
from harness.storage.store import PUBLISHED
from harness.targets.reproduce import wanted


def row_with_runs(loaded: LoadedTarget, name: str) -> Row:
    """Return the row of a target, of whose runs there are some to find.

    Raises:
        UserError: no such row, or no run of ours stands behind it.
    """
    row = loaded.row(name)
    made = with_runs([row])
    if not made:
        address = f"{loaded.name}:{row.name}"
        raise UserError(f"{address} is {row.kind}: no run of ours stands behind it", fix="name another row")
    return made[0]


def finished_runs(
    stages: Stages, resolved: Resolved, row: Row, seeds: int | None, dataset: str
) -> dict[int, StoredRun]:
    """Return the finished runs of a row by seed, counted from 0.

    Args:
        stages: over the store.
        resolved: the target at a scale.
        row: one with runs.
        seeds: how many; the spec's number by default.
        dataset: on which.

    Raises:
        UserError: there is none.
    """
    there = stages.collection_path(resolved.collection(dataset)).exists()
    runs = {
        run.seed: StoredRun(stages.store.run(stages.chain(run.settings).last))
        for run in (wanted(resolved, seeds, [row.name]) if there else [])
        if run.dataset == dataset
    }
    finished = {seed: run for seed, run in runs.items() if run.state == "done"}
    if not finished:
        raise not_made(stages, resolved, row)
    return finished


def dataset_of(resolved: Resolved, name: str | None) -> str:
    """Return the dataset of a name, the target's first by default.

    Raises:
        UserError: the target has no such dataset.
    """
    known = resolved.target.datasets
    if name is not None and name not in known:
        raise UserError(f"{resolved.name} has no columns on a dataset '{name}'", fix=nearest(name, known))
    return name or resolved.dataset


def not_made(stages: Stages, resolved: Resolved, row: Row, seed: int | None = None) -> UserError:
    """Return what to say of a row without a finished run, of one seed or at all."""
    committed = PUBLISHED / resolved.scale.name / resolved.name
    figures = f"; {committed} has its figures, but no rankings" if (committed / "cells.json").exists() else ""
    of_seed = "" if seed is None else f" of seed {seed}"
    more = "" if seed is None or seed < resolved.seeds else f" --seeds {seed + 1}"
    return UserError(
        f"{resolved.name}:{row.name} has no finished run{of_seed} at scale {resolved.scale.name} "
        f"in {stages.store.root}{figures}",
        fix=f"run `harness reproduce {resolved.name} --scale {resolved.scale.name} --row '{row.name}'{more}`",
    )


def refuse_unfinished(run: StoredRun) -> None:
    """Refuse a run that did not come to its end.

    Raises:
        UserError: it is unfinished.
    """
    if run.state != "done":
        fix = "go on with it by `harness reproduce` and its target, or name one of its checkpoints"
        raise UserError(f"run {run.fingerprint} is not finished", where=str(run.folder), fix=fix)


def stored_collection(stages: Stages, settings: CollectionSettings) -> Collection:
    """Return a collection that the store holds; it is not built here.

    Raises:
        UserError: the store does not hold it, or it is not available at all.
    """
    path = stages.collection_path(settings)
    if settings.available and not path.exists():
        fix = "copy it there, or make a target on it by `harness reproduce`"
        raise UserError(f"collection {settings.kind} is not in the store", where=str(path), fix=fix)
    return stages.collection(settings)


def refuse_other_content(
    stages: Stages, name: str, content: str | None, settings: CollectionSettings
) -> None:
    """Refuse a run that was made on another state of its collection than the store holds.

    Args:
        stages: over the store.
        name: what messages call the run.
        content: fingerprint of the collection that the run stands on; none where that is not told.
        settings: of the collection.

    Raises:
        UserError: they differ.
    """
    collection = stages.collection(settings)
    if content not in (None, collection.fingerprint):
        what = f"{name} stands on {collection.name} {content}, here lies {collection.fingerprint}"
        where = str(stages.collection_path(settings))
        raise UserError(what, where=where, fix="take the collection of the machine that made the run")
