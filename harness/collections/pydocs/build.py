"""Building `pydocs` from the installed packages: harvest, clean, deduplicate, split, judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.collections.collection import Collection
from harness.collections.pydocs.clean import Entry, clean
from harness.collections.pydocs.clusters import deduplicate
from harness.collections.pydocs.harvest import Docstring, read_docstrings
from harness.collections.pydocs.packages import PACKAGES, canonical, pinned_version, read_pins, source_files
from harness.collections.pydocs.see_also import NameIndex, make_see_also
from harness.collections.pydocs.splits import cluster_entries, make_queries
from harness.storage.places import shipped

CONSTRAINTS = shipped("constraints.txt")
"""File of the pinned versions."""


def pins_of(packages: Sequence[str] = PACKAGES, constraints: Path | None = None) -> dict[str, str]:
    """Return the pinned version of each harvested package; they are the key of the collection."""
    pins = read_pins(constraints or CONSTRAINTS)
    return {canonical(package): pins.get(canonical(package), "") for package in packages}


def build_pydocs(constraints: Path | None = None, packages: Sequence[str] = PACKAGES) -> Collection:
    """Build ``pydocs`` from the docstrings of the installed, pinned packages.

    Equal pins yield the same collection on all platforms and Python versions.

    Args:
        constraints: file of ``==`` pins; by default that of the project.
        packages: distributions to harvest; by default all of `PACKAGES`.

    Returns:
        Documents in order of their ids; queries ``train``, ``dev``, ``test`` and ``see-also``.

    Raises:
        UserError: a package is not pinned or not installed in the pinned version, or a file does not parse.
    """
    pins = read_pins(constraints or CONSTRAINTS)
    versions = {canonical(package): pinned_version(package, pins) for package in packages}
    docstrings = harvest(packages)
    entries = deduplicate([entry for entry in map(clean, docstrings) if entry])
    groups = cluster_entries(entries)
    queries = {split: make_queries(split, groups, entries) for split in ("train", "dev", "test")}
    names = NameIndex(f"{docstring.package}:{docstring.name}" for docstring in docstrings)
    queries["see-also"] = make_see_also(entries, names, groups)
    return Collection(
        name="pydocs",
        simulation=False,
        document_ids=tuple(entry.id for entry in entries),
        documents=tuple(entry.body for entry in entries),
        queries=queries,
        about={
            "versions": versions,
            "documents": _by_package(entry.id for entry in entries),
            "queries": {
                split: _by_package(query[2:] for query in split_queries.ids)
                for split, split_queries in queries.items()
            },
            "words": _lengths(entries),
        },
    )


def harvest(packages: Iterable[str]) -> list[Docstring]:
    """Read all docstrings of installed packages; of several with the same id, the first counts."""
    docstrings: dict[tuple[str, str], Docstring] = {}
    for package in packages:
        for file in source_files(package):
            for docstring in read_docstrings(file):
                docstrings.setdefault((docstring.package, docstring.name), docstring)
    return list(docstrings.values())


def _by_package(ids: Iterable[str]) -> dict[str, int]:
    """Count the ids of each package, and all ids."""
    counts = Counter(known.split(":")[0] for known in ids)
    return {"all": counts.total(), **dict(sorted(counts.items()))}


def _lengths(entries: Sequence[Entry]) -> dict[str, dict[str, int]]:
    """Return the median and the 90 % quantile of the words of summaries and documents."""
    counted = {
        "query": sorted(len(entry.summary.split()) for entry in entries if entry.summary),
        "document": sorted(len(entry.body.split()) for entry in entries),
    }
    return {
        part: {"median": lengths[len(lengths) // 2], "nine in ten": lengths[len(lengths) * 9 // 10]}
        for part, lengths in counted.items()
        if lengths
    }
