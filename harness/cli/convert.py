"""`harness convert`: a checkpoint that a paper released, as a folder that everything here opens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from harness.cli.output import say
from harness.storage.places import written_path


def convert(
    file: Annotated[
        str,
        typer.Argument(help="a released checkpoint, retriever or ranker: a file, a folder or a hub id"),
    ],
    folder: Annotated[Path, typer.Argument(help="to be written; recipes look below HARNESS_DATA")],
    config: Annotated[
        str | None,
        typer.Option(
            metavar="START",
            help="folder or hub id of the encoder whose sizes it has; by default a folder's own",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="START",
            help="folder or hub id of its tokenizer; else its own, that of a RoBERTa, or BERT's",
        ),
    ] = None,
    passages: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="the tower for passages, where it is released apart (DPR, ADORE)"),
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help="cls or mean, of an encoder whose files do not have it")
    ] = None,
) -> None:
    """Make a folder of a released checkpoint, for recipes, scales and `compare` (docs/checkpoints.md)."""
    from harness.encoders.pooling import Pooling
    from harness.encoders.released import convert as make
    from harness.encoders.weight_files import names_text

    place = written_path(folder, "FOLDER")
    done = make(
        str(written_path(file, "FILE")),
        place,
        config=config,
        tokenizer=tokenizer,
        passages=None if passages is None else str(written_path(passages, "--passages")),
        pooling=cast("Pooling | None", pooling),
    )
    towers = "" if done.kind == "ranker" else f", {'one tower' if done.shared else 'two towers'}"
    say(f"{place} holds the {done.kind} ({done.layout}{towers})")
    if done.unread:
        say(f"left out, as nothing depends on it: {names_text(done.unread)}")
