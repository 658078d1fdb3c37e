"""The content of provenance.json as blocks of a report: environments and runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.reports.document import NoteItem, Notes, Table, TableColumn, fields
from harness.reports.text import NOTHING

SHOWN = ("torch", "transformers", "numpy", "ir-measures", "faiss-cpu", "faiss-gpu")
"""Packages whose versions the report prints; provenance.json has all packages."""


def environments(provenance: Any) -> Notes:
    """Return commit, hardware and packages of each environment, and the check of the collection."""
    items = [
        NoteItem(_environment(environment), f"Environment {number}")
        for number, environment in enumerate(provenance["environments"])
    ]
    if provenance["manifest"]:
        items.append(NoteItem(f"{provenance['manifest']}.", "Collection"))
    return Notes("Environments", tuple(items))


def run_table(provenance: Any) -> Table:
    """Return a table with a line for each run."""
    columns = (
        TableColumn("Row", names=True),
        TableColumn("seed"),
        TableColumn("run", names=True),
        TableColumn("seconds"),
        TableColumn("finished (UTC)"),
        TableColumn("environment"),
    )
    several = len({run.get("dataset") for run in provenance["runs"]}) > 1
    rows = tuple(
        fields(
            [
                f"{run['row']}, {run['dataset']}" if several else run["row"],
                str(run["seed"]),
                run["fingerprint"],
                NOTHING if run["seconds"] is None else f"{run['seconds']:.1f}",
                _time(run["finished"]),
                str(run["environment"]),
            ]
        )
        for run in provenance["runs"]
    )
    return Table("Runs", columns, rows)


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
