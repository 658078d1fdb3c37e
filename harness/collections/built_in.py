"""The collections that specs may name: how each is made, and what names a prepared one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.collections.beir import beir_hash, data_folder, load_beir
from harness.collections.collection import Collection
from harness.collections.planted import build_planted
from harness.collections.pydocs import build_pydocs, pins_of
from harness.collections.pydocs.manifest import ManifestOverlap, compare_with_manifest
from harness.errors import UserError
from harness.storage.files import content_hash

BUILT_IN = ("planted", "pydocs")
"""Names of the collections that are made here; no paper was measured on one of them."""


def build_collection(kind: str, parameters: dict[str, Any]) -> Collection:
    """Make a collection of a kind.

    Raises:
        UserError: a file that it is made from is missing or wrong.
    """
    if kind == "beir":
        folder = data_folder(parameters["folder"])
        return _complete(load_beir(**{**parameters, "folder": folder}), folder)
    return build_planted(**parameters) if kind == "planted" else build_pydocs()


def _complete(collection: Collection, folder: Path) -> Collection:
    """Refuse a collection that no table can be made on, though it may serve analyses."""
    missing = [f"qrels/{split}.tsv" for split in ("train", "dev") if split not in collection.queries]
    if missing:
        fix = "a table is trained on train and watched on dev; `load_beir` takes less"
        raise UserError(f"{' and '.join(missing)} missing", where=str(folder), fix=fix)
    return collection


def stand_in(collection: str, dataset: str) -> str | None:
    """Return which collection stands in for a paper's dataset, in words; None where it is the paper's own.

    A folder's collection is the paper's own where it has the name of the dataset.
    """
    named = collection.removeprefix("beir/")
    own = named != collection and named.casefold() == dataset.casefold()
    stands_in = collection in BUILT_IN or (named != collection and not own)
    return f"{collection} stands in for {dataset}" if stands_in else None


def collection_key(kind: str, settings: dict[str, Any]) -> str:
    """Return what names the prepared collection of these settings, and of the pins or files behind it.

    Raises:
        UserError: such a file is missing.
    """
    made_from: Any = pins_of() if kind == "pydocs" else {}
    if kind == "beir":
        made_from = beir_hash(data_folder(settings["parameters"]["folder"]))
    return f"{kind}-{content_hash('collection', 1, settings, made_from)}"


def manifest_overlap(collection: Collection) -> ManifestOverlap | None:
    """Return how `pydocs` compares with its committed manifest; none for other collections."""
    return compare_with_manifest(collection) if collection.name == "pydocs" else None
