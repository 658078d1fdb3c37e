"""The kinds of collection that specs may name: how to make them, and the keys of prepared ones."""

from __future__ import annotations

from typing import Any, cast, get_type_hints

from harness.collections.collection import OWN, Collection
from harness.collections.harvested.build import build_harvested
from harness.collections.harvested.names import NAMES
from harness.collections.harvested.registry import HARVESTS
from harness.collections.layouts.assemble import Choices, assemble
from harness.collections.layouts.registry import PLACE, open_layout
from harness.collections.planted import build_planted
from harness.collections.pydocs import build_pydocs, pins_of
from harness.collections.pydocs.manifest import ManifestOverlap, compare_with_manifest
from harness.collections.sources import is_named
from harness.errors import UserError
from harness.storage.files import content_hash

BUILT_IN = ("planted", "pydocs", *NAMES)
"""Names of the built-in collections; no paper reports results on them."""


MEASURED_ALONE = "measured_alone"
"""Parameter of a collection on which nothing is trained, so that test queries are enough."""

READING = {"beir": 2}
"""Kind of a collection -> number of how it is read, raised when that changes, else 1. 2 reads answers."""

BUILDING = {
    "pydocs": "reads the installed packages, half a minute on a core that is free",
    "harvested": "reads the installed packages, a minute on a core that is free",
}
"""Kind of a collection whose making takes long -> what it does, and for how long."""


def build_collection(kind: str, parameters: dict[str, Any]) -> Collection:
    """Make a collection of a kind.

    Raises:
        UserError: a source file is missing or invalid.
    """
    if kind in OWN:
        collection, where = build_own(kind, parameters), str(parameters[PLACE[kind]])
        return collection if parameters.get(MEASURED_ALONE) else _complete(collection, where)
    if kind == "harvested":
        return build_harvested(parameters["name"])
    return build_planted(**parameters) if kind == "planted" else build_pydocs()


def build_own(kind: str, parameters: dict[str, Any]) -> Collection:
    """Read a collection of one's own, with whatever splits it has.

    Args:
        kind: a layout of `layouts/registry.py`.
        parameters: as a spec has them.

    Raises:
        UserError: a file is missing or invalid.
    """
    choices = {key: value for key, value in parameters.items() if key in get_type_hints(Choices)}
    return assemble(kind, open_layout(kind, parameters), **cast("Choices", choices))


def _complete(collection: Collection, where: str) -> Collection:
    """Refuse a collection that no table can be made on, though it may serve analyses."""
    missing = [f"qrels/{split}.tsv" for split in ("train", "dev") if split not in collection.queries]
    if missing:
        fix = "a table is trained on train and watched on dev; `harness evaluate` and `load_beir` take less"
        raise UserError(f"{' and '.join(missing)} missing", where=where, fix=fix)
    return collection


def stand_in(collection: str, dataset: str) -> str | None:
    """Return a sentence on the collection that replaces a paper's dataset; None if it is the paper's own.

    A collection of one's own is the paper's own if it has the name of the dataset.
    """
    kind, _, named = collection.partition("/")
    is_own = kind in OWN and bool(named)
    stands_in = collection in BUILT_IN or (is_own and not is_named(named, dataset))
    return f"{collection} stands in for {dataset}" if stands_in else None


def collection_key(kind: str, settings: dict[str, Any]) -> str:
    """Return the key of a prepared collection: a hash of its settings and of its pins or files.

    Raises:
        UserError: a source file is missing.
    """
    made_from: Any = pins_of() if kind == "pydocs" else {}
    if kind == "harvested":
        made_from = pins_of(HARVESTS[settings["parameters"]["name"]].packages)
    if kind in OWN:
        made_from = open_layout(kind, settings["parameters"]).content()
    return f"{kind}-{content_hash('collection', READING.get(kind, 1), settings, made_from)}"


def departure(collection: Collection) -> str | None:
    """Return how a built-in collection differs from the one of the committed figures; None if it does not."""
    overlap = manifest_overlap(collection)
    if overlap is not None:
        return overlap.summary if overlap.share < 1 else None
    harvest = next((of for name, of in HARVESTS.items() if name == collection.name), None)
    if harvest is None or collection.fingerprint == harvest.fingerprint:
        return None
    return f"{collection.name} has the fingerprint {collection.fingerprint}, not {harvest.fingerprint}"


def manifest_overlap(collection: Collection) -> ManifestOverlap | None:
    """Return the comparison of `pydocs` with its committed manifest; None for other collections."""
    return compare_with_manifest(collection) if collection.name == "pydocs" else None
