"""The story from a spec to its table: plan the runs, make those that are missing, publish what they say."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from harness.collections.built_in import manifest_overlap
from harness.collections.checkpoint_place import refuse_missing
from harness.collections.clusters import clusters_of
from harness.collections.collection import Collection
from harness.errors import HarnessError, RunError, UserError
from harness.estimate.parameters import refuse_other_sizes
from harness.evaluation.measures import grade_of, reads_answers
from harness.records.run_folder import RunFolder
from harness.reports.cells import (
    FinishedRun,
    ReportContext,
    build_provenance,
    read_per_query,
    refuse_failed_rows,
    with_clusters,
)
from harness.reports.content import Cells
from harness.reports.kinds import REPORTS
from harness.reports.rendering import render, render_site
from harness.runs.old_store import OLD_FIX, old_runs
from harness.runs.stages import Stages
from harness.specs.fingerprints import Chain
from harness.specs.library import Library
from harness.specs.measure_checks import NO_ANSWERS, placed_measures
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RunSettings, starts
from harness.specs.settings import RERANKED
from harness.specs.target import with_runs
from harness.storage.files import canonical_json, read_object, write_json, write_parquet
from harness.storage.leases import BusyError
from harness.storage.store import Store
from harness.storage.unusable import check_writable
from harness.targets.mirror import mirrored
from harness.targets.on_workers import make_on_workers


@dataclass(frozen=True)
class WantedRun:
    """A run that a target needs, before a collection and a store are looked at.

    Attributes:
        row: name of the row.
        dataset: name of the dataset.
        seed: number of the seed, from 0.
        settings: resolved.
    """

    row: str
    dataset: str
    seed: int
    settings: RunSettings

    @property
    def key(self) -> tuple[str, str, int]:
        """Return row, dataset and seed, by which it is known in its target."""
        return self.row, self.dataset, self.seed

    def as_json(self) -> dict[str, Any]:
        """Return it as `harness plan --json` prints it where no collection gives it a fingerprint."""
        entry = {"fingerprint": None, "row": self.row, "dataset": self.dataset, "seed": self.seed}
        return entry | {"state": "no collection", "needs": [], "estimate_s": None}


@dataclass(frozen=True)
class PlannedRun(WantedRun):
    """A run that a target needs, looked up in a store.

    Attributes:
        chain: its fingerprints.
        state: done, resume (there is a folder), or new.
        estimate_s: seconds that runs like it took in this store, where there are any.
    """

    chain: Chain
    state: str
    estimate_s: float | None

    def as_json(self) -> dict[str, Any]:
        """Return it as `harness plan --json` prints it."""
        return {
            "fingerprint": self.chain.last,
            "row": self.row,
            "dataset": self.dataset,
            "seed": self.seed,
            "state": self.state,
            "needs": self.chain.needs(),
            "estimate_s": self.estimate_s,
        }


@dataclass(frozen=True)
class Reproduction:
    """A reproduced target.

    Attributes:
        cells: of the table.
        folder: where they were written.
        trained: number of runs that were made.
        reused: number of runs that were finished before, or by another process.
        failed: row -> why it could not be made.
    """

    cells: Cells
    folder: Path
    trained: int
    reused: int
    failed: Mapping[str, str]


def resolve_at(library: Library, target: str, scale: str, stages: Stages) -> Resolved:
    """Load a target at a scale, with the further test sets of its collections.

    Raises:
        UserError: a collection is not available, lacks the split that is measured, or has no interval there;
            or a checkpoint has other sizes than the scale says.
    """
    resolved = resolve(library, target, scale)
    refuse_other_sizes(resolved.scale.spec.published_sizes, scale)
    further = {name: _further(resolved, stages, name) for name in resolved.target.datasets}
    collections = {name: stages.collections.get(resolved.collection(name)) for name in further}
    _refuse_unreached(resolved, collections)
    _refuse_unanswered(library, resolved, collections)
    REPORTS[resolved.target.kind].check(resolved, collections)
    resolved = replace(resolved, splits=further)
    _refuse_no_interval(library, resolved, collections)
    return resolved


def _refuse_no_interval(library: Library, resolved: Resolved, collections: Mapping[str, Collection]) -> None:
    """Refuse a column with fewer than two queries or clusters, whose cells would have no interval."""
    if not resolved.target.infers_over_queries:
        return
    for name, split in dict.fromkeys((column.dataset, column.split) for column in resolved.columns):
        choice = ("collections", resolved.scale.name)
        queries = collections[name].queries[split.removesuffix(RERANKED)]
        if len(queries) < 2:
            what = f"{split} has one query, and an interval needs two"
            raise library.dataset_yaml(name).error(choice, what, "add queries, or measure another split")
        if resolved.clusters(name) and len(set(clusters_of(queries).values())) < 2:
            what = f"all {len(queries):,} {split} queries are of one cluster, which has no interval"
            fix = "remove the key, or add queries with other labelled positives"
            raise library.dataset_yaml(name).error((*choice, "clusters"), what, fix)


def _refuse_unreached(resolved: Resolved, collections: Mapping[str, Collection]) -> None:
    """Refuse a measure that counts a grade which no judgement has: its column would hold zeros alone."""
    for column in resolved.columns:
        if reads_answers(column.measure):
            continue
        qrels = collections[column.dataset].queries[column.split.removesuffix(RERANKED)].qrels
        highest = max((grade for judged in qrels.values() for grade in judged.values()), default=0)
        if grade_of(column.measure) > highest:
            what = f"'{column.measure}' counts grade {grade_of(column.measure)}, {column.split} has {highest}"
            fix = f"write rel={highest} or less for dataset '{column.dataset}'"
            if not highest:
                fix = "measure answers (AnswerHit), or a split with judgements"
            raise UserError(f"{what} at most", where=collections[column.dataset].name, fix=fix)


def _refuse_unanswered(library: Library, resolved: Resolved, collections: Mapping[str, Collection]) -> None:
    """Refuse a measure that reads answers where no query has any: its column would hold zeros alone."""
    unanswered = {
        (column.dataset, column.measure): f"no {split} query of {collections[column.dataset].name} has any"
        for column in resolved.columns
        if reads_answers(column.measure)
        and not collections[column.dataset].queries[split := column.split.removesuffix(RERANKED)].answers
    }
    for place, measure, dataset in placed_measures(resolved.loaded):
        if (dataset, measure) in unanswered:
            yaml_file = library.target_yaml(resolved.loaded.path or resolved.name)
            what = f"'{measure}' reads answers, and {unanswered[dataset, measure]}"
            raise yaml_file.error(place or ("scales",), what, NO_ANSWERS)


def _further(resolved: Resolved, stages: Stages, dataset: str) -> list[str]:
    """Return the further test sets of a dataset's collection, which has the queries that are measured."""
    collection, measured = (
        stages.collections.get(resolved.collection(dataset)),
        resolved.measured(dataset),
    )
    if measured not in collection.queries:
        raise UserError(
            f"{collection.name} has no {measured} queries, on which dataset '{dataset}' is measured",
            fix=f"give it some, or set `measured` for {resolved.scale.name} in datasets/{dataset}.yaml",
        )
    return [split for split in collection.queries if split not in {"train", "dev", "test"}]


def plan(
    resolved: Resolved, stages: Stages, seeds: int | None = None, rows: Sequence[str] = ()
) -> list[PlannedRun]:
    """Return the runs of a target, in the order of its rows, as they stand in a store.

    Raises:
        UserError: no such row.
    """
    return look_up(wanted_runs(resolved, seeds, rows), stages)


def look_up(runs: Sequence[WantedRun], stages: Stages) -> list[PlannedRun]:
    """Return runs as they stand in a store; their collections are available.

    Raises:
        UserError: a checkpoint that is to be trained or evaluated is not to be had.
    """
    planned, took = [], durations(stages.store)
    old = old_runs(stages.store)
    if old:
        stages.progress.say(f"note: {old} run(s) of the store were made before phases had names; {OLD_FIX}")
    for run in runs:
        for start in starts(run.settings):
            refuse_missing(start, f"row '{run.row}'")
        links = stages.collections.chain(run.settings)
        state = _state(stages.store, links.last)
        alike = took.get(phases_of_run(run.settings.model_dump(mode="json")), [])
        estimate = 0.0 if state == "done" else round(median(alike), 1) if alike else None
        planned.append(PlannedRun(run.row, run.dataset, run.seed, run.settings, links, state, estimate))
    return planned


def wanted_runs(resolved: Resolved, seeds: int | None = None, rows: Sequence[str] = ()) -> list[WantedRun]:
    """Return the runs of a target, dataset by dataset, seed by seed, in the order of its rows.

    Raises:
        UserError: no such row.
    """
    named = [row for name in rows for row in resolved.loaded.rows(name)]
    chosen = with_runs({row.name: row for row in named}.values() if named else resolved.target.rows)
    return [
        WantedRun(row.name, dataset, seed, resolved.run(row, seed, dataset))
        for dataset in resolved.target.datasets
        for seed in range((seeds or resolved.seeds) if chosen else 0)
        for row in chosen
        if row.is_made_on(dataset)
    ]


def reproduce(
    resolved: Resolved,
    stages: Stages,
    results: Path,
    *,
    seeds: int | None = None,
    rows: Sequence[str] = (),
    force: bool = False,
) -> Reproduction:
    """Make a target's table, training only what the store does not hold.

    Args:
        resolved: the target at a scale.
        stages: makes runs.
        results: root below which `<scale>/<paper>/<target>/` is written.
        seeds: how many seeds; the spec's number by default.
        rows: only these rows, beside the one that they are compared with; all by default.
        force: forget the runs of these rows and train them again.

    Raises:
        RunError: every row failed, or one of a target that needs all of its rows.
    """
    torch.set_num_threads(resolved.scale.spec.threads)
    planned = plan(resolved, stages, seeds, _with_compared(resolved, rows))
    if force:
        planned = _forget(planned, stages)
    folder = results / resolved.scale.name / resolved.name
    check_writable(folder)
    with mirrored(stages, resolved, plan(resolved, stages, seeds)) as recorded:
        without = make_on_workers(resolved, rows_in_turn(planned), recorded)
        finished, failed = _finish(resolved, planned, recorded, without)
        cells = publish(resolved, recorded, finished, failed, folder)
        render_site(results)
    made = sum(run.state != "done" and run.chain.last in recorded.made for run in planned)
    return Reproduction(cells, folder, made, len(finished) - made, failed)


def _finish(
    resolved: Resolved, planned: Sequence[PlannedRun], stages: Stages, without: Mapping[str, str]
) -> tuple[list[FinishedRun], dict[str, str]]:
    """Make the runs that are missing; those that another process is making are waited for last.

    Args:
        resolved: the target at a scale.
        planned: its runs.
        stages: makes them.
        without: fingerprints of runs that could not be made, and why.

    Returns:
        The runs of the rows that could be made, and why the others could not. A row of which one seed fails,
        on any dataset, has failed: a mean over the seeds that went well would flatter it.
    """
    failed: dict[str, str] = {}
    folders: dict[tuple[str, str, int], RunFolder] = {}

    def make(run: PlannedRun, wait: bool) -> None:
        which = resolved.seed_text(run.dataset, run.seed)
        try:
            if run.chain.last in without:
                raise RunError(without[run.chain.last])
            folders[run.key] = stages.run(run.settings, f"{run.row}, {which}", wait=wait).folder
        except RunError as error:
            reason = " ".join(str(error).split())
            failed.setdefault(run.row, f"{which}: {reason}")
            stages.progress.say(f"failed: {run.row}, {failed[run.row]}")

    for wait in (False, True):
        for run in rows_in_turn(planned):
            if run.row not in failed and run.key not in folders:
                with suppress(BusyError):
                    make(run, wait)
    return [
        FinishedRun(*run.key, run.settings, folders[run.key]) for run in planned if run.row not in failed
    ], failed


def rows_in_turn(planned: Sequence[PlannedRun]) -> list[PlannedRun]:
    """Return runs in the order in which they are made: seed by seed, every other seed's rows backwards.

    A machine that grows slower meanwhile falls on all rows alike, and no row is always the one after a base
    run.
    """
    seeds: dict[tuple[str, int], list[PlannedRun]] = {}
    for run in planned:
        seeds.setdefault((run.dataset, run.seed), []).append(run)
    return [run for (_, seed), runs in seeds.items() for run in (runs[::-1] if seed % 2 else runs)]


def publish(
    resolved: Resolved,
    stages: Stages,
    finished: Sequence[FinishedRun],
    failed: Mapping[str, str],
    folder: Path,
) -> Cells:
    """Write a target's cells, provenance and per-query scores, then render them."""
    report = REPORTS[resolved.target.kind]
    if not finished:
        refuse_failed_rows(failed)
    for run in finished:
        report.measure(stages, resolved, run)
    collections = {
        name: stages.collections.get(resolved.collection(name)) for name in resolved.target.datasets
    }
    per_query = with_clusters(report.scores(resolved, read_per_query(finished)), resolved, collections)
    cells = report.build(ReportContext(resolved, finished, failed, per_query, collections))
    overlap = next(filter(None, map(manifest_overlap, collections.values())), None)
    write_json(folder / "cells.json", cells.as_json())
    provenance = build_provenance(
        finished,
        runs_below(stages, finished),
        {name: resolved.primary_on(name).measure for name in resolved.target.datasets if finished},
        overlap.summary if overlap else None,
    )
    write_json(folder / "provenance.json", provenance)
    write_parquet(per_query, folder / "per_query.parquet")
    render(folder)
    return cells


def runs_below(stages: Stages, finished: Sequence[FinishedRun]) -> list[FinishedRun]:
    """Return the runs below others that are no rows themselves, in the order of their use."""
    by_fingerprint = {run.folder.folder.name: run for run in finished}
    before = set(by_fingerprint)
    for run in finished:
        for stage, fingerprint in stages.collections.chain(run.settings).runs_below:
            folder = stages.store.run(fingerprint)
            if fingerprint not in by_fingerprint and (folder / "done.json").exists():
                by_fingerprint[fingerprint] = replace(run, row=stage, folder=RunFolder(folder))
    return [run for fingerprint, run in by_fingerprint.items() if fingerprint not in before]


def _with_compared(resolved: Resolved, rows: Sequence[str]) -> list[str]:
    """Return the rows that a command names, with the row that they are compared with unless it is there."""
    compared = resolved.target.compared_with
    there = {row.written for name in rows for row in resolved.loaded.rows(name)}
    return [compared, *rows] if rows and compared and compared not in there else list(rows)


def _state(store: Store, fingerprint: str) -> str:
    folder = store.run(fingerprint)
    return "done" if (folder / "done.json").exists() else "resume" if folder.exists() else "new"


def _forget(planned: list[PlannedRun], stages: Stages) -> list[PlannedRun]:
    for run in planned:
        with stages.workshop.lease(run.chain.last, run.row):  # another process may be training it
            shutil.rmtree(stages.store.run(run.chain.last), ignore_errors=True)
    return [replace(run, state="new") for run in planned]


def durations(store: Store) -> dict[str, list[float]]:
    """Return the seconds that finished runs took, by their phases."""
    took: dict[str, list[float]] = {}
    for done in sorted((store.root / "runs").glob("*/done.json")):
        try:
            spec, seconds = read_object(done.parent / "spec.json"), read_object(done).get("seconds")
        except HarnessError:
            continue
        if isinstance(seconds, float | int) and seconds:
            took.setdefault(phases_of_run(spec), []).append(float(seconds))
    return took


def phases_of_run(spec: dict[str, Any]) -> str:
    """Return what decides how long a run takes, as text."""
    return canonical_json([spec.get(key) for key in ("kind", "phase", "encoder", "checkpoint")])
