"""`harness export`: a finished run's retriever and rankings, for use elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import say
from harness.storage.places import written_path

export = typer.Typer(
    help="Write a finished run's model or rankings, for use elsewhere.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Run = Annotated[
    str, typer.Argument(help="a fingerprint, see `harness runs list`, or a prefix that one run has")
]


@export.command("model")
def model(run: Run, folder: Annotated[Path, typer.Argument(help="to be written")]) -> None:
    """Write the retriever with a card, as SentenceTransformer and transformers open it."""
    from harness.api.export import export_model
    from harness.api.run import load_run

    place = written_path(folder, "FOLDER")
    export_model(load_run(run), place)
    say(f"{place} holds the retriever")


@export.command("ranking")
def ranking(
    run: Run,
    file: Annotated[Path, typer.Argument(help="to be written; packed if it ends in .gz")],
    split: Annotated[str, typer.Option(help="test, dev, or a further test set")] = "test",
) -> None:
    """Write the rankings of a split in the format of TREC."""
    from harness.api.export import export_ranking
    from harness.api.run import load_run

    place = written_path(file, "FILE")
    export_ranking(load_run(run), split, place)
    say(f"{place} holds the rankings of {split}")
