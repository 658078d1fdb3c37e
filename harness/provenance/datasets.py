"""The layouts that collections are read in, and the datasets that the papers' tables count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.collections.layouts.registry import KINDS
from harness.collections.sources import source_of
from harness.specs.collection_choice import NotAvailable
from harness.specs.kinds.statistics import Statistics
from harness.specs.library import Library
from harness.storage.files import canonical_json

COUNTS = ("train", "dev", "test", "documents")
"""What the papers' tables of datasets count."""


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
