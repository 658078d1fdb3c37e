"""A collection as `harness data` looks at it: counts, checksums, and what the papers' tables count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.collections.archive import load_collection
from harness.collections.built_in import build_own, collection_key
from harness.collections.collection import Collection
from harness.collections.sources import is_named, source_of
from harness.errors import UserError
from harness.provenance.datasets import Dataset, datasets
from harness.specs.library import Library
from harness.specs.named_collection import NamedCollection, read_option
from harness.specs.settings import CollectionSettings
from harness.storage.places import data_folder
from harness.storage.store import Store

BESIDE = ("LICENSE", "LICENCE", "PROVENANCE", "README", "COPYING")
"""How files begin that say where a folder comes from."""


@dataclass(frozen=True)
class Named:
    """A collection that a command names, and the dataset of the papers that it is.

    Attributes:
        collection: kind and place.
        dataset: the dataset that it is; none where it is none of the papers'.
    """

    collection: NamedCollection
    dataset: Dataset | None

    @property
    def settings(self) -> CollectionSettings:
        """Its settings, as those of a table on it.

        Raises:
            UserError: it is no collection.
        """
        return CollectionSettings(kind=self.collection.kind, parameters=self.collection.choice().settings)

    def prepared(self, store: Store) -> Path:
        """Return the file of the prepared collection, there or not.

        Raises:
            UserError: it is no collection.
        """
        settings = self.settings
        return store.collection(collection_key(settings.kind, settings.model_dump()))

    def read(self) -> Collection:
        """Read its files, whether it is prepared or not.

        Raises:
            UserError: a file is missing or invalid.
        """
        return build_own(self.collection.kind, self.settings.parameters)


def named(library: Library, text: str) -> Named:
    """Return the collection that a command names.

    Args:
        library: the specs.
        text: ``KIND:PLACE``, with ``DATASET=`` before it where its name does not say which dataset it is.

    Raises:
        UserError: it is not written so, or there is no such kind or dataset.
    """
    wanted, collection = read_option(text, text)
    known = datasets(library)
    if wanted:
        chosen = next((of for of in known if of.name == wanted), None)
        if chosen is None:
            names = ", ".join(of.name for of in known)
            raise UserError(
                f"no table of the papers counts '{wanted}'", where=text, fix=f"name one of {names}"
            )
        return Named(collection, chosen)
    title = collection.title
    alike = (of for of in known if title == of.id or is_named(title, of.title) or is_named(title, of.name))
    return Named(collection, next(alike, None))


def facts(of: Named, collection: Collection, prepared: Path) -> dict[str, Any]:
    """Return what there is to know of a collection, for programs."""
    source, beside = source_of(of.collection.title), _beside(of.collection)
    return {
        "name": collection.name,
        "collection": str(of.collection),
        "dataset": of.dataset.name if of.dataset else None,
        "documents": len(collection.documents),
        "queries": {split: len(queries) for split, queries in collection.queries.items()},
        "judgements": {
            split: sum(map(len, queries.qrels.values())) for split, queries in collection.queries.items()
        },
        "answered": {split: len(queries.answers) for split, queries in collection.queries.items()},
        "measured": of.collection.choice().measured,
        "titles": collection.about["titles"],
        "dev": collection.about["dev"],
        "fingerprint": collection.fingerprint,
        "prepared": str(prepared) if prepared.exists() else None,
        "licence": source.licence if source else None,
        "source": source.address if source else None,
        "read": beside,
        "dropped": collection.about.get("dropped", {}),
        "account": collection.about["account"],
    }


def differences(of: Named, collection: Collection, prepared: Path) -> Iterator[str]:
    """Yield where a collection differs from what is prepared of it, and from the tables of the papers.

    Args:
        of: the collection that a command names.
        collection: read of its files.
        prepared: the file of the prepared one, there or not.

    Raises:
        UserError: the prepared one is damaged.
    """
    if prepared.exists():
        stored = load_collection(prepared).fingerprint
        if stored != collection.fingerprint:
            yield f"checksum: {stored} prepared, {collection.fingerprint} in its files"
    counts = {split: len(queries) for split, queries in collection.queries.items()}
    counts["documents"] = len(collection.documents)
    for counted in of.dataset.counted if of.dataset else ():
        for what, published in counted.counts.items():
            here = counts.get(what, 0)
            if here != published:
                unit = "documents" if what == "documents" else f"{what} queries"
                yield f"{unit}: {here:,} here, {published:,} in {counted.citation}"


def _beside(collection: NamedCollection) -> list[str]:
    """Return the files of a folder that say where it comes from."""
    if collection.kind == "ir":
        return [f"https://ir-datasets.com/{collection.place.split('/', maxsplit=1)[0]}.html"]
    folder = data_folder(collection.place)
    if not folder.is_dir():
        return []
    return sorted(str(path) for path in folder.iterdir() if path.name.upper().startswith(BESIDE))
