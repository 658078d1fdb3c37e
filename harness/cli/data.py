"""`harness data`: collections, listed, shown, prepared and compared with the papers' tables."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from harness.cli.options import JsonOption
from harness.cli.output import say

data = typer.Typer(
    help="List, show, prepare and verify collections.", no_args_is_help=True, rich_markup_mode=None
)

Collection = Annotated[
    str,
    typer.Argument(
        metavar="[DATASET=]KIND:PLACE", help="such as beir:FOLDER, nq=dpr:FOLDER or ir:msmarco-passage"
    ),
]


@data.command("list")
def list_data(as_json: JsonOption = False) -> None:
    """List the layouts that are read, and the papers' datasets with their counts."""
    from harness.provenance.data_text import render_list
    from harness.provenance.datasets import datasets, kinds
    from harness.reports.renderers.terminal import Terminal
    from harness.specs.library import Library

    known = datasets(Library.default())
    if as_json:
        _print([*kinds(), *(dataset.as_json() for dataset in known)])
    else:
        Terminal().print(render_list(kinds(), known))


@data.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="such as beir:FOLDER; or a dataset of the papers")
    ],
    as_json: JsonOption = False,
) -> None:
    """Read a collection: counts, checksum, licence, source, and what was dropped."""
    from harness.provenance.data import facts, named
    from harness.provenance.data_text import dataset_text, facts_text
    from harness.provenance.datasets import datasets
    from harness.specs.library import Library
    from harness.storage.store import Store

    library = Library.default()
    dataset = next((of for of in datasets(library) if of.name == name), None)
    if dataset is not None:
        shown, lines = dataset.as_json(), dataset_text(dataset)
    else:
        of = named(library, name)
        shown = facts(of, of.read(), of.prepared(Store.default()))
        lines = facts_text(shown)
    if as_json:
        _print(shown)
    else:
        say("\n".join(lines))


@data.command()
def prepare(name: Collection, as_json: JsonOption = False) -> None:
    """Put a collection in the store, where tables on it look for it."""
    from harness.cli.opening import open_stages
    from harness.provenance.data import named
    from harness.specs.library import Library

    settings, stages = named(Library.default(), name).settings, open_stages()
    collection = stages.collections.get(settings)
    path, fingerprint = str(stages.collections.path(settings)), collection.fingerprint
    if as_json:
        _print({"name": collection.name, "fingerprint": fingerprint, "path": path})
    else:
        say(f"{collection.name}, fingerprint {fingerprint}: {path}")


@data.command()
def verify(name: Collection, as_json: JsonOption = False) -> None:
    """Compare a collection with what is prepared of it and with the papers' tables: a line per difference."""
    from harness.provenance.data import differences, named
    from harness.specs.library import Library
    from harness.storage.store import Store

    of = named(Library.default(), name)
    collection, prepared = of.read(), of.prepared(Store.default())
    lines = list(differences(of, collection, prepared))
    if as_json:
        dataset = of.dataset.name if of.dataset else None
        _print({"name": collection.name, "dataset": dataset, "differences": lines})
    else:
        against = f"the tables of {of.dataset.title}" if of.dataset else "no table: no paper counts it"
        stored = "what is prepared" if prepared.exists() else "nothing prepared"
        say("\n".join([*lines, f"{collection.name}, compared with {stored} and {against}"]))
    if lines:
        raise typer.Exit(1)


def _print(what: Any) -> None:
    typer.echo(json.dumps(what, indent=1, ensure_ascii=False))
