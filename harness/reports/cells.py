"""The parts of cells.json, provenance.json and per_query.parquet that all kinds of target share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.collections.clusters import clusters_of
from harness.collections.collection import Collection
from harness.errors import RunError
from harness.evaluation.measures import describe_provider
from harness.records.run_folder import RunFolder
from harness.reports.content import OWN_TABLE, VERSION
from harness.specs.fingerprints import TRAINED_BY
from harness.specs.resolve import Resolved
from harness.specs.run_settings import RunSettings
from harness.specs.scale_notes import scale_notes
from harness.specs.settings import RERANKED
from harness.specs.target import Measured


@dataclass(frozen=True)
class FinishedRun:
    """A row's run of one seed on a dataset."""

    row: str
    dataset: str
    seed: int
    settings: RunSettings
    folder: RunFolder


@dataclass(frozen=True)
class ReportContext:
    """What cells are built from.

    Attributes:
        resolved: the target at a scale.
        runs: of the rows that were made.
        failed: row -> why it could not be made; none of its runs count.
        per_query: scores of the runs.
        collections: dataset -> the collection on which they were made.
    """

    resolved: Resolved
    runs: Sequence[FinishedRun]
    failed: Mapping[str, str]
    per_query: pd.DataFrame
    collections: Mapping[str, Collection]

    def runs_of(self, row: str) -> list[FinishedRun]:
        """Return the runs of a row."""
        return [run for run in self.runs if run.row == row]


def refuse_failed_rows(failed: Mapping[str, str]) -> None:
    """Raise an error if a row failed, for reports that need all rows.

    Raises:
        RunError: a row failed.
    """
    for row, reason in failed.items():
        more = f" ({len(failed)} rows failed)" if len(failed) > 1 else ""
        raise RunError(f"{reason}{more}", where=row)


def read_per_query(runs: Sequence[FinishedRun]) -> pd.DataFrame:
    """Return the per-query values of all runs: columns row, seed, dataset, split, measure, query, value.

    Raises:
        UserError: a file is missing or corrupt.
    """
    order = ["row", "seed", "dataset", "split", "measure", "query", "value"]
    frames = [run.folder.per_query().assign(row=run.row, seed=run.seed, dataset=run.dataset) for run in runs]
    return pd.concat(frames, ignore_index=True)[order] if frames else pd.DataFrame(columns=order)


def with_clusters(
    per_query: pd.DataFrame, resolved: Resolved, collections: Mapping[str, Collection]
) -> pd.DataFrame:
    """Return per-query values with a column ``cluster``, if a dataset of the target has clusters."""
    clustered = [name for name in collections if resolved.clusters(name) is not None]
    if not clustered:
        return per_query
    cluster = per_query["query"].copy()
    for name in clustered:
        for split, queries in collections[name].queries.items():
            of = (per_query["dataset"] == name) & per_query["split"].isin([split, split + RERANKED])
            cluster[of] = per_query["query"][of].map(clusters_of(queries))
    return per_query.assign(cluster=cluster)


Described = dict[str, Any]
"""A part of cells.json before its model checks it."""


def describe_spec(resolved: Resolved) -> Described:
    """Return the cells' keys that come from the spec, which all kinds of target share."""
    target, instead = resolved.target, resolved.instead
    own = {"own": {"options": instead.options, "place": instead.place}} if instead else {}
    return {
        **own,
        "version": VERSION,
        "target": resolved.name,
        "paper": resolved.paper,
        "title": target.title,
        "source": target.citation,
        "scale": resolved.scale.name,
        "kind": target.kind,
        "unit": target.unit,
        "reading_notes": scale_notes(resolved),
        "verdict": OWN_TABLE if instead else "pipeline check",
        "notes": resolved.notes(),
    }


def describe_collection(collection: Collection) -> Described:
    """Return the name, fingerprint and sizes of a collection, and its account where there is one."""
    said = collection.about.get("account")
    return {
        **({"account": said} if said else {}),
        "name": collection.name,
        "fingerprint": collection.fingerprint,
        "documents": len(collection.documents),
        "queries": {split: len(queries) for split, queries in collection.queries.items()},
    }


def _clustered(collection: Collection) -> str:
    """Return what intervals are over, as a sentence."""
    counts = []
    for split, queries in collection.queries.items():
        if split != "train":
            clusters = len(set(clusters_of(queries).values()))
            counts.append(f"{clusters:,} clusters of {len(queries):,} {split} queries")
    return (
        "Queries with the same labelled positives are one cluster, and intervals and tests over queries are "
        f"over clusters: {', '.join(counts)}."
    )


def _described(context: ReportContext, dataset: str) -> Described:
    """Return a collection as `describe_collection` does, and the clusters of its queries."""
    collection = context.collections[dataset]
    described = describe_collection(collection)
    if context.resolved.clusters(dataset) is None:
        return described
    return described | {"account": [*described.get("account", []), _clustered(collection)]}


def describe_target(context: ReportContext, columns: Sequence[Described]) -> Described:
    """Return what the cells of runs begin with: what was made, on what, and what is open.

    Collections are written as ``collection`` where there is one, else as ``collections``, by dataset.
    """
    resolved, collections, target = context.resolved, context.collections, context.resolved.target
    compared = {"primary": target.primary, "level": target.level} if isinstance(target, Measured) else {}
    described = {name: _described(context, name) for name in collections}
    return {
        **describe_spec(resolved),
        "simulation": any(of.simulation for of in collections.values()),
        **(
            {"collection": next(iter(described.values()))}
            if len(described) == 1
            else {"collections": described}
        ),
        "provider": {
            measure: describe_provider(measure) for measure in sorted({c["measure"] for c in columns})
        },
        "settings_commit": resolved.settings_commit(),
        "stages": TRAINED_BY,
        **compared,
        "seeds": sorted({run.seed for run in context.runs}),
        "columns": list(columns),
    }


def describe_made(runs: Sequence[FinishedRun]) -> Described:
    """Return which runs made a row, and the share of their negatives that was filled up."""
    results = [run.folder.result() for run in runs]
    counts = [(of["filled"], of["drawn"]) for of in results if of.get("drawn") and "filled" in of]
    filled = sum(some for some, _ in counts) / sum(drawn for _, drawn in counts) if counts else None
    return {"fingerprints": [run.folder.folder.name for run in runs], "filled": filled}


def primary_scores(resolved: Resolved, per_query: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of the primary column only, which keeps the file of many rows small."""
    column = resolved.primary
    keys = ("dataset", "measure", "split")
    return per_query[(per_query[[*keys]] == [getattr(column, key) for key in keys]).all(axis="columns")]


def build_provenance(
    runs: Sequence[FinishedRun],
    runs_below: Sequence[FinishedRun],
    measures: Mapping[str, str],
    overlap: str | None,
) -> dict[str, Any]:
    """Return the content of provenance.json: runs, environments, times, and the result of each stage.

    Args:
        runs: the finished runs.
        runs_below: what they continue, as far as they are no rows themselves.
        measures: dataset -> the measure whose mean over ``dev`` a stage is expected to reach again.
        overlap: how the built-in collection compares with its manifest, where it is used.
    """
    environments: list[Described] = []

    def entry(run: FinishedRun) -> Described:
        environment = run.folder.environment()
        if environment not in environments:
            environments.append(environment)
        result = run.folder.result()
        return {
            "row": run.row,
            "dataset": run.dataset,
            "seed": run.seed,
            "seconds": result.get("seconds"),
            "finished": result.get("finished"),
            "environment": environments.index(environment),
            **reached(run.folder, measures[run.dataset]),
        }

    made, continued = [entry(run) for run in runs], [entry(run) for run in runs_below]
    return {"manifest": overlap, "environments": environments, "runs": made, "runs_below": continued}


def reached(folder: RunFolder, measure: str) -> Described:
    """Return a finished run's fingerprint, hash of weights, and mean of a measure over ``dev``."""
    scores = folder.per_query()
    selected = scores[(scores["split"] == "dev") & (scores["measure"] == measure)]["value"]
    return {
        "fingerprint": folder.folder.name,
        "weights": folder.result().get("weights"),
        "dev": float(selected.mean()) if len(selected) else None,
    }
