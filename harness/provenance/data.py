"""Collections as `harness data` looks at them: counts, checksums, and the papers' tables of datasets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.archive import load_collection
from harness.collections.built_in import build_own, collection_key, is_named
from harness.collections.collection import Collection
from harness.collections.layouts.registry import KINDS
from harness.collections.sources import source_of
from harness.errors import UserError
from harness.specs.collection_choice import NotAvailable
from harness.specs.kinds.statistics import Statistics
from harness.specs.library import Library
from harness.specs.named_collection import NamedCollection, read_option
from harness.specs.settings import CollectionSettings
from harness.storage.files import canonical_json
from harness.storage.places import data_folder
from harness.storage.store import Store

COUNTS = ("train", "dev", "test", "documents")
"""What the papers' tables of datasets count."""

BESIDE = ("LICENSE", "LICENCE", "PROVENANCE", "README", "COPYING")
"""How files begin that say where a folder comes from."""


class Counted(NamedTuple):
    """What a table of a paper counts of a dataset.

    Attributes:
        citation: the table.
        counts: what is counted -> number; without what the paper leaves out.
    """

    citation: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Dataset:
    """A dataset of the papers.

    Attributes:
        name: of its spec.
        title: as papers call it.
        counted: what their tables count of it.
        id: of `ir_datasets`, where it is public.
    """

    name: str
    title: str
    counted: tuple[Counted, ...]
    id: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        source = source_of(self.name)
        return {
            "name": self.name,
            "kind": "dataset",
            "summary": self.title,
            "collection": f"ir:{self.id}" if self.id else None,
            "published": [{"citation": of.citation, **of.counts} for of in self.counted],
            "licence": source.licence if source else None,
            "source": source.address if source else None,
        }


def kinds() -> list[dict[str, Any]]:
    """Return the layouts that can be read, for programs."""
    return [
        {
            "name": name,
            "kind": "layout",
            "summary": kind.summary,
            "collection": f"{name}:{'ID' if name == 'ir' else 'PATH'}",
            "files": kind.files or None,
        }
        for name, kind in KINDS.items()
    ]


def datasets(library: Library) -> list[Dataset]:
    """Return the datasets that tables of papers count, in the order of their names."""
    counted: dict[str, list[Counted]] = {}
    for name in library.targets():
        if library.target_yaml(name).data.get("kind") != "statistics":
            continue
        loaded = library.target(name)
        assert isinstance(loaded.target, Statistics)  # noqa: S101  (its kind says so)
        for row in loaded.target.rows:
            if row.dataset and row.published:
                printed = zip(loaded.target.columns, row.published, strict=True)
                counts: dict[str, int] = {of.count: int(text) for of, text in printed if text is not None}
                counted.setdefault(row.dataset, []).append(Counted(loaded.target.citation, counts))
    return [_dataset(library, name, _merged(of)) for name, of in sorted(counted.items())]


def _merged(tables: list[Counted]) -> tuple[Counted, ...]:
    """Return tables with those that count the same as one."""
    merged: dict[str, Counted] = {}
    for of in tables:
        same = merged.setdefault(canonical_json(of.counts), of)
        if same is not of:
            merged[canonical_json(of.counts)] = Counted(f"{same.citation}; {of.citation}", of.counts)
    return tuple(merged.values())


def _dataset(library: Library, name: str, counted: tuple[Counted, ...]) -> Dataset:
    spec = library.dataset(name)
    public = (of.id for of in spec.collections.values() if isinstance(of, NotAvailable) and of.id)
    return Dataset(name, spec.title, counted, next(public, None))


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
