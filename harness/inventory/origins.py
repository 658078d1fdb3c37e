"""Under which collection and versions a run was made.

Neither stands in a run's folder, but its name is their hash: an origin is found by trying what is known.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from harness.specs.fingerprints import VERSION, Chain, chain
from harness.specs.settings import RunSettings
from harness.store import Store


@dataclass(frozen=True)
class Origin:
    """What a run's fingerprint was made of, beside its settings.

    Attributes:
        collection: fingerprint of the collection.
        versions: of the stages.
        chain: the run's fingerprints.
    """

    collection: str
    versions: dict[str, int]
    chain: Chain


def find_origin(settings: RunSettings, fingerprint: str, collections: Sequence[str]) -> Origin | None:
    """Return the origin of a run; none if no collection and version that is known gives its fingerprint.

    Args:
        settings: what the run was made from.
        fingerprint: its name.
        collections: fingerprints of collections.
    """
    for versions in _versions():
        for collection in collections:
            made = chain(settings, collection, versions)
            if made.last == fingerprint:
                return Origin(collection, versions, made)
    return None


def known_collections(store: Store, results: Path) -> list[str]:
    """Return the fingerprints of the collections in a store and behind the results in a folder."""
    found = [_told(path) for path in sorted((store.root / "collections").glob("*.zip"))]
    for path in sorted(results.glob("**/cells.json")):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8"))["collection"]["fingerprint"])
        except (OSError, ValueError, LookupError, TypeError):
            continue  # `harness report` says what is wrong with it
    return list(dict.fromkeys(fingerprint for fingerprint in found if fingerprint))


def _versions() -> Iterator[dict[str, int]]:
    """Yield the versions that there were, the present ones first."""
    for numbers in product(*(range(number, 0, -1) for number in VERSION.values())):
        yield dict(zip(VERSION, numbers, strict=True))


def _told(path: Path) -> str | None:
    """Return the fingerprint that a collection's file tells, unchecked; none where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("collection.json"))["fingerprint"])
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile):
        return None
