"""Tables of `harness runs`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from harness.errors import UserError
from harness.provenance.dependencies import (
    TargetRun,
    chains,
    collections_of,
    known_collections,
    runs_in_results,
    target_runs,
)
from harness.provenance.mlflow_runs import mlflow_place
from harness.provenance.settings_text import sampler_lines, scale_text, seeds_text
from harness.provenance.speed import speed_lines
from harness.provenance.stored import StoredRun, size_bytes, stored_runs, touched
from harness.records.run_folder import PER_QUERY, RunFolder
from harness.specs.library import Library
from harness.specs.run_settings import EvaluatedRun, RunSettings, StartedRun, TrainedRun
from harness.storage.store import Store

UNITS = (("kB", 1e3), ("MB", 1e6), ("GB", 1e9))
AGES = (("min", 60.0), ("h", 3600.0), ("d", 86400.0))


def size_text(size: float) -> str:
    """Return a size in the largest unit in which it is at least 1.

    >>> size_text(1_500_000), size_text(12)
    ('1.5 MB', '0.0 kB')
    """
    unit, factor = next(((u, f) for u, f in reversed(UNITS) if size >= f), UNITS[0])
    return f"{size / factor:.1f} {unit}"


def age_text(seconds: float) -> str:
    """Return an age in the largest unit in which it is at least 1.

    >>> age_text(7200), age_text(3)
    ('2 h', '0 min')
    """
    unit, factor = next(((u, f) for u, f in reversed(AGES) if seconds >= f), AGES[0])
    return f"{seconds / factor:.0f} {unit}"


def render_runs(library: Library, store: Store, results: Path) -> Table:
    """Return the runs of a store as a table, the newest last."""
    headers = (
        "fingerprint",
        "row",
        "kind",
        "recipe",
        "sampler",
        "collection",
        "seed",
        "state",
        "size",
        "age",
    )
    table = Table(*headers, box=None, pad_edge=False)
    runs = sorted(stored_runs(store), key=lambda run: touched(run.folder))
    targets = _targets(library, store, results, runs)
    for run in runs:
        rows = _rows(targets, run)
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        last = [run.state, size_text(size_bytes(run.folder)), age_text(time.time() - touched(run.folder))]
        line = [run.fingerprint, f"{rows[0]}{more}" if rows else "", *_columns(run), *last]
        table.add_row(*map(Text, line))
    return table


def _targets(
    library: Library, store: Store, results: Path, runs: Sequence[StoredRun]
) -> dict[str, TargetRun]:
    """Return the runs of shipped targets that stored ones may be; to find all of them takes long."""
    if not runs:
        return {}
    settings = [_settings(run) for run in runs]
    made_on = None if None in settings else [of.collection for of in settings if of]
    known = collections_of(runs)
    return target_runs(library, known_collections(store, results) if known is None else known, made_on)


def _settings(run: StoredRun) -> RunSettings | None:
    try:
        return run.settings()
    except UserError:
        return None


def render_run(library: Library, store: Store, results: Path, run: StoredRun) -> Table:
    """Return details of one run as a table."""
    from harness.provenance.cell import render_cell

    return render_cell(list(_about(library, store, results, run)))


def _columns(run: StoredRun) -> list[str]:
    """Return kind, recipe, sampler, collection and seed."""
    settings = _settings(run)
    if settings is None:
        return ["?"] * 5
    recipe = settings.recipe if isinstance(settings, StartedRun) else ""  # a base run serves several
    seed = str(settings.seed) if isinstance(settings, TrainedRun) else ""
    return [settings.kind, recipe, settings.preset or "", settings.collection.kind, seed]


def _rows(targets: Mapping[str, TargetRun], run: StoredRun) -> list[str]:
    """Return the rows of shipped targets that a run makes, on the collection that it was made on."""
    if run.fingerprint not in targets:
        return []
    settings = _settings(run)
    return targets[run.fingerprint].rows_on(settings.collection if settings else None)


def _about(library: Library, store: Store, results: Path, run: StoredRun) -> Iterator[tuple[str, str]]:
    settings, result = run.settings(), run.result()
    yield "run", f"{run.folder}, {settings.kind}, {run.state}, {size_text(size_bytes(run.folder))}"
    collections = known_collections(store, results)
    for row in _rows(target_runs(library, collections), run):
        yield "row", row
    for folder in runs_in_results(results).get(run.fingerprint, []):
        yield "in", folder
    if isinstance(settings, StartedRun):
        yield "recipe", settings.recipe
    if isinstance(settings, EvaluatedRun):
        yield "checkpoint", settings.checkpoint.start
    if isinstance(settings, TrainedRun):
        yield "seeds", seeds_text(settings)
        yield "scale", scale_text("settings", settings).partition(": ")[2]
        yield from sampler_lines(settings.sampler)
    chain = chains([run])[run.fingerprint]
    yield "depends on", " ".join(chain.needs()) if chain else "not recorded"
    mirrored = mlflow_place(store.tracking_uri, run.fingerprint)
    if mirrored:
        yield "MLflow", mirrored
    if result.get("seconds") is not None:
        yield "took", f"{result['seconds']:g} s"
    yield from speed_lines(list(RunFolder(run.folder).metrics()))
    yield from _means(run)


def _means(run: StoredRun) -> Iterator[tuple[str, str]]:
    if run.state == "done" and (run.folder / PER_QUERY).exists():
        scores = RunFolder(run.folder).per_query()
        for (measure, split), values in scores.groupby(["measure", "split"])["value"]:
            yield str(measure), f"{values.mean():.4f} on {split}"
