"""Finished runs of a store and their collections: looked up, never trained or built."""

from __future__ import annotations

from harness.collections.collection import Collection
from harness.errors import UserError, nearest
from harness.provenance.stored import StoredRun
from harness.runs.stages import Stages
from harness.specs.loaded import LoadedTarget
from harness.specs.resolve import Resolved
from harness.specs.settings import CollectionSettings
from harness.specs.target import Row, with_runs
from harness.storage.store import published_results
from harness.targets.reproduce import wanted_runs


def row_with_runs(loaded: LoadedTarget, name: str) -> Row:
    """Return a row of a target that has runs.

    Raises:
        UserError: no such row, or the row has no runs of ours.
    """
    row = loaded.row(name)
    rows = with_runs([row])
    if not rows:
        address = f"{loaded.name}:{row.name}"
        raise UserError(f"{address} is {row.kind} and has no runs of ours", fix="name another row")
    return rows[0]


def finished_runs(
    stages: Stages, resolved: Resolved, row: Row, seeds: int | None, dataset: str
) -> dict[int, StoredRun]:
    """Return the finished runs of a row by seed, counted from 0.

    Args:
        stages: over the store.
        resolved: the target at a scale.
        row: a row with runs.
        seeds: number of seeds; by default that of the spec.
        dataset: dataset of the runs.

    Raises:
        UserError: no run of the row is finished.
    """
    there = stages.collections.path(resolved.collection(dataset)).exists()
    runs = {
        run.seed: StoredRun(stages.store.run(stages.collections.chain(run.settings).last))
        for run in (wanted_runs(resolved, seeds, [row.name]) if there else [])
        if run.dataset == dataset
    }
    finished = {seed: run for seed, run in runs.items() if run.state == "done"}
    if not finished:
        raise missing_run(stages, resolved, row)
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


def missing_run(stages: Stages, resolved: Resolved, row: Row, seed: int | None = None) -> UserError:
    """Return the error for a row without a finished run, of one seed or of any."""
    committed = published_results() / resolved.scale.name / resolved.name
    figures = f"; {committed} has its figures, but no rankings" if (committed / "cells.json").exists() else ""
    of_seed = "" if seed is None else f" of seed {seed}"
    more = "" if seed is None or seed < resolved.seeds else f" --seeds {seed + 1}"
    return UserError(
        f"{resolved.name}:{row.name} has no finished run{of_seed} at scale {resolved.scale.name} "
        f"in {stages.store.root}{figures}",
        fix=f"run `harness reproduce {resolved.name} --scale {resolved.scale.name} --row '{row.name}'{more}`",
    )


def refuse_unfinished(run: StoredRun) -> None:
    """Refuse an unfinished run.

    Raises:
        UserError: the run is unfinished.
    """
    if run.state != "done":
        fix = "resume it by `harness reproduce` and its target, or name one of its checkpoints"
        raise UserError(f"run {run.fingerprint} is not finished", where=str(run.folder), fix=fix)


def stored_collection(stages: Stages, settings: CollectionSettings) -> Collection:
    """Return a collection from the store; it is not built here.

    Raises:
        UserError: the store does not hold it, or it is not available at all.
    """
    path = stages.collections.path(settings)
    if settings.available and not path.exists():
        fix = "copy it there, or run `harness reproduce` with a target on it"
        raise UserError(f"collection {settings.kind} is not in the store", where=str(path), fix=fix)
    return stages.collections.get(settings)


def refuse_other_content(
    stages: Stages, name: str, content: str | None, settings: CollectionSettings
) -> None:
    """Refuse a run whose collection differs from the one in the store.

    Args:
        stages: over the store.
        name: name of the run in messages.
        content: fingerprint of the run's collection; none if it is not recorded.
        settings: settings of the collection.

    Raises:
        UserError: the fingerprints differ.
    """
    collection = stages.collections.get(settings)
    if content not in (None, collection.fingerprint):
        what = f"{name} uses {collection.name} {content}, the store has {collection.fingerprint}"
        where = str(stages.collections.path(settings))
        raise UserError(what, where=where, fix="copy the collection from the machine that trained the run")
