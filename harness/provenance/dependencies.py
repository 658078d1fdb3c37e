"""Dependencies: of runs on earlier stages, of results and shipped targets on runs, present or not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import HarnessError, UserError
from harness.provenance.stored import StoredRun, size_bytes, stored_runs
from harness.specs.fingerprints import Chain, Link, chain, chain_of
from harness.specs.library import Library
from harness.specs.resolve import NamedScale, Resolved
from harness.specs.run_settings import RunSettings
from harness.specs.settings import CollectionSettings
from harness.specs.target import with_runs
from harness.storage.files import read_json
from harness.storage.store import Store


class TargetRun(NamedTuple):
    """A run of shipped targets.

    Attributes:
        chain: its fingerprint and those that it stands on.
        rows: row, named with scale and target -> settings of the collection that the row is made on.
    """

    chain: Chain
    rows: dict[str, CollectionSettings]

    def rows_on(self, collection: CollectionSettings | None) -> list[str]:
        """Return the rows made on a collection; all where none is known.

        Rows of several scales have the same fingerprint where the content of a collection is all that tells
        them apart, as with BM25.
        """
        return [row for row, on in self.rows.items() if collection in (None, on)]


def target_runs(
    library: Library, collections: Sequence[str], on: Sequence[CollectionSettings] | None = None
) -> dict[str, TargetRun]:
    """Return the runs of all targets at all their scales, by fingerprint.

    Args:
        library: the specs.
        collections: fingerprints of collections; runs are listed for each, also where a scale uses another.
        on: settings of collections; only runs that are made on these. None for all.

    Raises:
        UserError: a spec is broken.
    """
    runs: dict[str, TargetRun] = {}
    for target in library.in_all_readings():
        loaded = library.target(target)
        for scale in (scale for scale in loaded.target.scales if library.reads(target, scale)):
            resolved = Resolved(loaded, NamedScale(scale, library.scale(scale)))
            for settings, row in _runs(resolved, on):
                named = f"{scale}/{target}: {row}"
                for links in (chain(settings, collection) for collection in collections):
                    runs.setdefault(links.last, TargetRun(links, {})).rows[named] = settings.collection
    return runs


def _runs(
    resolved: Resolved, collections: Sequence[CollectionSettings] | None
) -> Iterator[tuple[RunSettings, str]]:
    """Yield the runs of a target and their rows, on the datasets of which a store may hold some."""
    datasets, rows = resolved.target.datasets, with_runs(resolved.target.rows)
    for dataset in datasets if rows else ():
        made_on = resolved.collection(dataset)
        if made_on.available and (collections is None or made_on in collections):
            on = f", {dataset}" if len(datasets) > 1 else ""
            for seed in range(resolved.seeds):
                made = (row for row in rows if row.is_made_on(dataset))
                yield from ((resolved.run(row, seed, dataset), f"{row.name}{on}") for row in made)


def runs_in_results(results: Path) -> dict[str, list[str]]:
    """Return the runs named in results, `results/local` included: fingerprint -> folders of results."""
    folders: dict[str, list[str]] = {}
    for path in sorted(results.glob("**/provenance.json")):
        try:
            runs = [run["fingerprint"] for run in read_json(path)["runs"]]
        except (HarnessError, LookupError, TypeError) as error:
            fix = "reproduce the results again, or delete their folder"
            raise UserError("the file names no runs", where=str(path), fix=fix) from error
        for fingerprint in dict.fromkeys(runs):
            folders.setdefault(fingerprint, []).append(str(path.parent))
    return folders


def known_collections(store: Store, results: Path) -> list[str]:
    """Return the fingerprints of the collections in a store and behind the results in a folder."""
    from harness.reports.kinds import read_cells

    fingerprints = [_stored_fingerprint(path) for path in sorted((store.root / "collections").glob("*.zip"))]
    for path in sorted(results.glob("**/cells.json")):
        try:
            fingerprints += [about.fingerprint for about in read_cells(path).named_collections]
        except UserError:
            continue  # `harness report` reports what is wrong with it
    return list(dict.fromkeys(fingerprint for fingerprint in fingerprints if fingerprint))


def collections_of(runs: Sequence[StoredRun]) -> list[str] | None:
    """Return the fingerprints of the collections that runs are made on; none where one does not tell."""
    recorded = [_links(run) for run in runs]
    if not all(recorded):
        return None
    return list(dict.fromkeys(links[0].stands_on for links in recorded if links))


def chains(runs: Sequence[StoredRun]) -> dict[str, Chain | None]:
    """Return fingerprint -> chain of each run; none if its dependencies are not recorded."""
    return {run.fingerprint: _chain(run) for run in runs}


def above(fingerprint: str, of: dict[str, Chain | None]) -> list[str]:
    """Return the fingerprints of runs that depend on a run."""
    return [name for name, links in of.items() if links is not None and fingerprint in links.needs()]


def needs(of: dict[str, Chain | None]) -> Iterator[str]:
    """Yield the fingerprints of tokens, base runs and candidates that runs depend on."""
    for links in of.values():
        yield from links.needs() if links is not None else ()


def consequences(store: Store, results: Path, chosen: Sequence[StoredRun]) -> Iterator[str]:
    """Yield, as lines, runs to delete and what depends on them.

    Args:
        store: the store of the runs.
        results: root of results whose provenance may name them.
        chosen: the runs to delete.
    """
    named, of = runs_in_results(results), chains(stored_runs(store))
    going = {run.fingerprint for run in chosen}
    for run in chosen:
        yield f"{run.fingerprint}: {run.state}, {size_bytes(run.folder) / 1e6:.1f} MB"
        for folder in named.get(run.fingerprint, []):
            yield f"  {folder} names it and stays"
        others = [name for name in above(run.fingerprint, of) if name not in going]
        if others:
            shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
            stay = "depend on it and stay; the next such run trains it again"
            yield f"  {len(others)} run(s) {stay}: {shown}"


def _chain(run: StoredRun) -> Chain | None:
    links = _links(run)
    return chain_of(links) if links else None


def _links(run: StoredRun) -> list[Link] | None:
    try:
        return run.links()
    except UserError:
        return None


def _stored_fingerprint(path: Path) -> str | None:
    """Return the fingerprint in a collection's file, unchecked; none if the file is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("collection.json"))["fingerprint"])
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile):
        return None
