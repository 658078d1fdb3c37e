"""The content of provenance.json as blocks of a report: environments and runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.reports.document import Field, NoteItem, Notes, fields
from harness.reports.pages import RunGroup, distinct_anchors
from harness.reports.text import NOTHING

SHOWN = ("torch", "transformers", "numpy", "ir-measures", "faiss-cpu", "faiss-gpu")
"""Packages whose versions the report prints; provenance.json has all packages."""

CONTINUED = "continued: "
"""Before the name of runs that are no rows, which rows continue."""


def environments(provenance: Any) -> Notes:
    """Return commit, hardware and packages of each environment, and the check of the collection."""
    items = [
        NoteItem(_environment(environment), f"Environment {number}")
        for number, environment in enumerate(provenance["environments"])
    ]
    if provenance["manifest"]:
        items.append(NoteItem(f"{provenance['manifest']}.", "Collection"))
    return Notes("Environments", tuple(items))


def run_groups(provenance: Any) -> tuple[RunGroup, ...]:
    """Return the runs of each row, then those that they continue."""
    several = len({run.get("dataset") for run in provenance["runs"]}) > 1
    runs = [(run["row"], run) for run in provenance["runs"]]
    runs += [(f"{CONTINUED}{run['row']}", run) for run in provenance.get("runs_below", [])]
    rows: dict[str, list[tuple[Field, ...]]] = {}
    for row, run in runs:
        rows.setdefault(row, []).append(_run(run, several=several))
    anchors = distinct_anchors("runs", rows)
    return tuple(RunGroup(row, anchors[row], tuple(lines)) for row, lines in rows.items())


def _run(run: Any, *, several: bool) -> tuple[Field, ...]:
    return fields(
        [
            f"{run['seed']}, {run['dataset']}" if several else str(run["seed"]),
            run["fingerprint"],
            NOTHING if run["seconds"] is None else f"{run['seconds']:.1f}",
            _time(run["finished"]),
            str(run["environment"]),
        ]
    )


def _environment(environment: Any) -> str:
    hardware, packages = environment["hardware"], environment["packages"]
    commit = environment["commit"] or "unknown"
    gpus = ", ".join(str(gpu["name"]) for gpu in hardware["gpus"]) or "no GPU"
    memory = hardware["memory_bytes"]
    parts = [
        f"commit {commit}{' with changes' if environment['dirty'] else ''}",
        f"{hardware['cpu']}, {hardware['cores']} cores, {environment['threads']} threads",
        *([f"{memory / 1e9:.0f} GB"] if memory else []),
        gpus,
        f"Python {environment['python']}",
        *(f"{name} {packages[name]}" for name in SHOWN if name in packages),
    ]
    return "; ".join(parts) + "."


def _time(finished: float | None) -> str:
    return NOTHING if finished is None else f"{datetime.fromtimestamp(finished, UTC):%Y-%m-%d %H:%M}"
