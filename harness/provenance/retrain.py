"""Why two runs differ: the links of their chains, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.provenance.stored import StoredRun, find_run_or_folder
from harness.storage.store import Store

NOTHING = "–"
Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Difference:
    """A key in which two runs differ.

    Attributes:
        stage: stage of the first link that it changes.
        key: dotted path of the key.
        values: its values in both runs, as text.
    """

    stage: str
    key: str
    values: tuple[str, str]


def explain_retrain(store: Store, one: str, other: str) -> list[str]:
    """Return, as lines, the first link in which two runs differ, and the keys that differ.

    Args:
        store: where the runs are looked up.
        one: fingerprint of a run, a prefix of it, or a folder.
        other: fingerprint of another run, a prefix of it, or a folder.

    Raises:
        UserError: no such run, or its folder does not record its links.
    """
    runs = (find_run_or_folder(store, one), find_run_or_folder(store, other))
    differences = compare_parts(_parts(runs[0]), _parts(runs[1]))
    lines = [
        f"{difference.stage}: {difference.key} {' | '.join(difference.values)}" for difference in differences
    ]
    return [_heading(runs, differences), *lines]


def compare_parts(one: Parts, other: Parts) -> list[Difference]:
    """Return the differences link by link, in their order; a key of several links is listed at the first.

    Args:
        one: stage -> dotted key -> value of one run, in the order of its links.
        other: stage -> dotted key -> value of the other run.
    """
    differences: dict[str, Difference] = {}
    longer, shorter = sorted((one, other), key=len, reverse=True)
    for stage in dict.fromkeys([*longer, *shorter]):
        if (stage in one) != (stage in other):
            there = tuple("has it" if stage in parts else "has none" for parts in (one, other))
            differences[stage] = Difference(stage, "this link", (there[0], there[1]))
            continue
        mine, theirs = one.get(stage, {}), other.get(stage, {})
        for key in dict.fromkeys([*mine, *theirs]):
            values = (_text(mine, key), _text(theirs, key))
            name = f"{stage}.{key}" if key == "version" else key
            if values[0] != values[1] and name not in differences:
                differences[name] = Difference(stage, key, values)
    return list(differences.values())


def _parts(run: StoredRun) -> Parts:
    """Return all that a run's fingerprint covers."""
    links = run.links()
    if not links:
        fix = "the run is older than this file; train it again"
        raise UserError("file is missing", where=str(run.folder / "links.json"), fix=fix)
    parts: Parts = {"collection": dict(_flat(run.settings().collection.model_dump()))}
    parts["collection"]["content"] = links[0].stands_on
    for link in links:
        parts[link.stage] = dict(_flat(link.parts)) | {"version": link.version}
    return parts


def _heading(runs: tuple[StoredRun, StoredRun], differences: list[Difference]) -> str:
    names = " and ".join(run.fingerprint for run in runs)
    if differences:
        return f"{names} differ from {differences[0].stage} on; that stage and all later ones run again"
    return f"{names} do not differ in anything that a fingerprint covers"


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
