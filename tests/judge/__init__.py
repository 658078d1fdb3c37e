"""What every run of every shipped target is, and what three small targets come to: both committed.

A change of structure moves no settings and no fingerprint, and makes the same bytes. Where one is meant to
move, ``python -m tests.judge --write`` writes the record again and prints the table old -> new.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.target import Trained, with_runs

FOLDER = Path(__file__).parent
CHECKOUT = FOLDER.parents[1]
SHIPPED = Library(CHECKOUT / "experiments")
COLLECTION = "collection"
"""Stands for the fingerprint of a collection, which is not built here."""

Record = dict[str, Any]


READ = ("simans/table-2@released", "trisampler/table-2@released-start")
"""Targets in readings whose settings are recorded, enough for each recipe of a reading to be."""


def targets() -> list[str]:
    """Return the targets of the papers, and what tunings wrote beside their committed results."""
    written = sorted((CHECKOUT / "results").glob("*/*/*/target.yaml"))
    return [*SHIPPED.targets(), *READ, *(str(path) for path in written)]


def cases() -> Iterator[tuple[str, str]]:
    """Yield (target, scale) of all targets whose rows are runs."""
    for name in targets():
        target = SHIPPED.target(name).target
        if isinstance(target, Trained):
            yield from ((name, scale) for scale in target.scales if SHIPPED.reads(name, scale))


def record(target: str, scale: str) -> Record:
    """Return settings and fingerprint of each run of a target at a scale.

    Returns:
        ``common``, dotted key -> value of what all runs share; ``runs``, by row and seed, the ``fingerprint``
        and the settings that are not shared.
    """
    resolved = resolve(SHIPPED, target, scale)
    runs = dict(_runs(resolved))
    flat = {name: _flat(settings.model_dump(mode="json")) for name, settings in runs.items()}
    first = next(iter(flat.values()))
    common = {key: value for key, value in first.items() if all(_has(of, key, value) for of in flat.values())}
    return {
        "common": common,
        "runs": {
            name: {
                "fingerprint": chain(settings, COLLECTION).last,
                **{key: value for key, value in flat[name].items() if key not in common},
            }
            for name, settings in runs.items()
        },
    }


def path_of(target: str, scale: str) -> Path:
    """Return the committed record of a target at a scale."""
    name = SHIPPED.target(target).name
    return FOLDER / "settings" / scale / f"{name}.json"


def committed(target: str, scale: str) -> Record:
    """Return the committed record of a target at a scale."""
    return dict(json.loads(path_of(target, scale).read_text(encoding="utf-8")))


def moved(before: Record, after: Record) -> list[tuple[str, str, str]]:
    """Return (run, old, new) of the fingerprints that are not the same."""
    old, new = before["runs"], after["runs"]
    return [
        (name, old[name]["fingerprint"], new[name]["fingerprint"])
        for name in old
        if name in new and old[name]["fingerprint"] != new[name]["fingerprint"]
    ]


def _runs(resolved: Resolved) -> Iterator[tuple[str, Any]]:
    for seed in range(resolved.seeds):
        for row in with_runs(resolved.target.rows):
            yield f"{row.name}, seed {seed}", resolved.run(row, seed)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the leaves of nested mappings by their dotted paths."""
    if not isinstance(value, Mapping) or not value:
        return {path: value}
    below = (_flat(part, f"{path}.{key}" if path else str(key)) for key, part in value.items())
    return {key: leaf for leaves in below for key, leaf in leaves.items()}


def _has(settings: Mapping[str, Any], key: str, value: Any) -> bool:
    return key in settings and settings[key] == value
