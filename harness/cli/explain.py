"""`harness explain` and `harness verify`: what stands behind results."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import CollectionOption, EncoderOption, ScaleOption, SeedsOption, Target
from harness.cli.output import say
from harness.errors import UserError
from harness.reports.renderers.terminal import Terminal
from harness.storage.places import written_path
from harness.storage.store import Store
from harness.storage.unusable import check_writable


def explain(
    target: Annotated[str | None, typer.Argument(help="for example trisampler/table-5")] = None,
    row: Annotated[str | None, typer.Argument(help="its name, or one reading of it")] = None,
    column: Annotated[str | None, typer.Argument(help="label or measure; the primary one by default")] = None,
    scale: ScaleOption = "quick",
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
    local: Annotated[bool, typer.Option(help="of results/local/, not of results/")] = False,
    why_retrain: Annotated[
        tuple[str, str] | None,
        typer.Option(help="two runs, by fingerprint, a prefix of it, or folder: in what do they differ?"),
    ] = None,
) -> None:
    """Show where a figure of a table comes from, or why two runs differ."""
    from harness.cli.places import results_root
    from harness.provenance.cell import explain_cell, find_cell, render_cell
    from harness.provenance.retrain import explain_retrain
    from harness.specs.instead import Instead
    from harness.specs.library import Library
    from harness.specs.resolve import resolve

    store, library = Store.default(), Library.default(Instead.parse(collection or [], encoder))
    if why_retrain is not None:
        for line in explain_retrain(store, *why_retrain):
            say(line)
        return
    if target is None or row is None:
        rows = [one.name for one in library.target(target).written] if target else []
        fix = "name a row: " + ", ".join(rows) if rows else "harness explain TARGET ROW [COLUMN]"
        raise UserError("nothing to explain", fix=fix)
    resolved = resolve(library, target, scale)
    root = results_root(resolved.instead, publish=not local and not resolved.instead)
    cell = find_cell(resolved, root, row, column)
    Terminal().print(render_cell(explain_cell(library, store, cell)))


def verify(
    target: Target,
    scale: ScaleOption = "quick",
    seeds: SeedsOption = None,
    row: Annotated[list[str] | None, typer.Option(help="only this row; may be repeated")] = None,
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
    store: Annotated[
        Path | None, typer.Option(help="store to use; runs that are finished there are reused")
    ] = None,
) -> None:
    """Reproduce committed results in a fresh store, and compare them query by query."""
    from harness.cli.places import results_root
    from harness.progress import Progress
    from harness.runs.stages import Stages
    from harness.specs.instead import Instead
    from harness.specs.library import Library
    from harness.specs.resolve import resolve
    from harness.targets.reproduce import resolve_at
    from harness.targets.verify import render_verification
    from harness.targets.verify import verify as make_again

    library = Library.default(Instead.parse(collection or [], encoder))
    instead = resolve(library, target, scale).instead
    if store is not None:
        store = _usable(store)
    with tempfile.TemporaryDirectory(prefix="harness-verify-") as fresh:
        stages = Stages(Store(store or Path(fresh)), Progress())
        resolved = resolve_at(library, target, scale, stages)
        verification = make_again(
            resolved, stages, results_root(instead, publish=not instead), seeds=seeds, rows=row or []
        )
    Terminal().print(render_verification(verification))
    if verification.failed:
        raise typer.Exit(1)


def _usable(store: Path) -> Path:
    """Return the folder of a store that a command names; one that cannot be written is refused at once."""
    root = written_path(store, "--store")
    try:
        check_writable(root)
    except OSError as error:
        fix = "name a folder that may be read and written"
        raise UserError(f"cannot be used ({error.strerror})", where=f"--store {root}", fix=fix) from error
    return root
