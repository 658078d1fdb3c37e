"""`harness convert`: a checkpoint that AR2 or SimANS released, as a folder that everything here opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.output import say
from harness.storage.places import written_path


def convert(
    file: Annotated[Path, typer.Argument(help="a released checkpoint: one file, of a retriever or a ranker")],
    folder: Annotated[Path, typer.Argument(help="to be written; recipes look below HARNESS_DATA")],
    config: Annotated[
        str,
        typer.Option(
            metavar="START",
            help="folder or hub id of the encoder whose sizes it has: what it was trained from",
        ),
    ],
    tokenizer: Annotated[
        str, typer.Option(metavar="START", help="folder or hub id of its tokenizer")
    ] = "google-bert/bert-base-uncased",
) -> None:
    """Make a folder of a checkpoint that AR2 or SimANS released, for recipes, scales and `compare`."""
    from harness.encoders.released import convert as make

    place = written_path(folder, "FOLDER")
    kind = make(written_path(file, "FILE"), place, config=config, tokenizer=tokenizer)
    say(f"{place} holds the {kind}")
