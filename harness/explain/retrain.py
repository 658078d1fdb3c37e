"""Why one run is not another: the links of their chains, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.inventory.origins import Origin, find_origin, known_collections
from harness.inventory.stored import StoredRun, find_run_or_folder
from harness.specs.fingerprints import VERSION, links
from harness.store import Store

STAGES = ("collection", "tokens", "warm-up", "candidates", "run", "bm25")
NOTHING = "–"
NOT_KNOWN = (
    "note: {} was made from a collection, a file or versions of stages that are not known here; "
    "those are not compared"
)
Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Difference:
    """A key in which two runs differ.

    Attributes:
        stage: the first link that it changes.
        key: dotted.
        values: of the one and the other, as text.
    """

    stage: str
    key: str
    values: tuple[str, str]


def explain_retrain(store: Store, results: Path, one: str, other: str) -> list[str]:
    """Return, as lines, which link of two runs differs first, and which keys differ.

    Args:
        store: where the runs are looked for.
        results: tells of collections that are not in the store.
        one: fingerprint, a prefix of it, or a folder.
        other: the same.

    Raises:
        UserError: there is no such run, or its settings cannot be read.
    """
    runs = (find_run_or_folder(store, one), find_run_or_folder(store, other))
    collections = known_collections(store, results)
    origins = [find_origin(run.settings(), run.fingerprint, collections) for run in runs]
    known = None not in origins
    one_parts, other_parts = (
        _parts(run, origin if known else None) for run, origin in zip(runs, origins, strict=True)
    )
    found = compare_parts(one_parts, other_parts)
    lines = [f"{difference.stage}: {difference.key} {' | '.join(difference.values)}" for difference in found]
    unknown = [run.fingerprint for run, origin in zip(runs, origins, strict=True) if origin is None]
    return [
        _heading(runs, found, known),
        *lines,
        *(NOT_KNOWN.format(name) for name in dict.fromkeys(unknown)),
    ]


def compare_parts(one: Parts, other: Parts) -> list[Difference]:
    """Return what differs, link by link; a key that several links hold is told at the first.

    Args:
        one: stage -> dotted key -> value.
        other: the same.
    """
    found: dict[str, Difference] = {}
    for stage in STAGES:
        if (stage in one) != (stage in other):
            there = tuple("has it" if stage in parts else "has none" for parts in (one, other))
            found[stage] = Difference(stage, "this link", (there[0], there[1]))
            continue
        mine, theirs = one.get(stage, {}), other.get(stage, {})
        for key in dict.fromkeys([*mine, *theirs]):
            values = (_text(mine, key), _text(theirs, key))
            name = f"{stage}.{key}" if key == "version" else key
            if values[0] != values[1] and name not in found:
                found[name] = Difference(stage, key, values)
    return list(found.values())


def _parts(run: StoredRun, origin: Origin | None) -> Parts:
    """Return all that a run's fingerprint covers; of an unknown origin, what its settings tell."""
    settings = run.settings()
    parts: Parts = {"collection": dict(_flat(settings.collection.model_dump()))}
    if origin is not None:
        parts["collection"]["content"] = origin.collection
    for link in links(settings, origin.collection if origin else "", origin.versions if origin else VERSION):
        parts[link.stage] = dict(_flat(link.parts)) | ({"version": link.version} if origin else {})
    return parts


def _heading(runs: tuple[StoredRun, StoredRun], found: list[Difference], known: bool) -> str:
    names = " and ".join(run.fingerprint for run in runs)
    if found:
        return f"{names} part at {found[0].stage}; it and all that stands on it is made again"
    if known or runs[0].fingerprint == runs[1].fingerprint:
        return f"{names}: nothing that a fingerprint covers differs"
    return f"{names}: what can be compared here does not differ"


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


def _text(parts: Mapping[str, Any], key: str) -> str:
    if key not in parts:
        return NOTHING
    value = parts[key]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
