"""The collections that are made here: which there are, and what names a prepared one."""

from __future__ import annotations

from typing import Any

from harness.collections.collection import Collection
from harness.collections.planted import build_planted
from harness.collections.pydocs import build_pydocs, pins_of
from harness.collections.pydocs.manifest import ManifestOverlap, compare_with_manifest
from harness.files import content_hash

BUILT_IN = ("planted", "pydocs")
"""Names of the collections that are made here; no paper was measured on one of them."""


def build_collection(kind: str, parameters: dict[str, Any]) -> Collection:
    """Make a collection of a kind."""
    return build_planted(**parameters) if kind == "planted" else build_pydocs()


def stand_in(collection: str, dataset: str) -> str | None:
    """Return which collection stands in for a paper's dataset, in words; None where it is the paper's own."""
    return f"{collection} stands in for {dataset}" if collection in BUILT_IN else None


def collection_key(kind: str, settings: dict[str, Any]) -> str:
    """Return what names the prepared collection of these settings; for `pydocs` the pins are among them."""
    return f"{kind}-{content_hash('collection', 1, settings, pins_of() if kind == 'pydocs' else {})}"


def manifest_overlap(collection: Collection) -> ManifestOverlap | None:
    """Return how `pydocs` compares with its committed manifest; none for other collections."""
    return compare_with_manifest(collection) if collection.name == "pydocs" else None
