"""`harness tune`: tune settings on held-out training queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from harness.cli.opening import open_library, shared_stages
from harness.cli.options import (
    CollectionOption,
    EncoderOption,
    GpusOption,
    RanksOption,
    RecomputeOption,
    ScaleOption,
)
from harness.cli.output import say
from harness.reports.renderers.terminal import Terminal
from harness.storage.stopping import launched

if TYPE_CHECKING:
    from harness.specs.library import Library


def tune(  # noqa: PLR0913, PLR0917 - the options of a command
    name: Annotated[
        str | None, typer.Argument(help="for example simans-a-b; see `harness tune --list`")
    ] = None,
    scale: ScaleOption = "quick",
    trials: Annotated[
        int | None, typer.Option(min=1, help="trials of each study; by default as in the spec")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=1000, help="number of worker processes")] = 1,
    storage: Annotated[
        str | None,
        typer.Option(help="path of a journal file, or URL of a database; by default SQLite in the store"),
    ] = None,
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
    publish: Annotated[bool, typer.Option(help="write to results/, not to results/local/")] = False,
    confirm: Annotated[
        bool,
        typer.Option(help="then evaluate the best and the papers' settings on test, with fresh seeds, once"),
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="list what can be tuned")] = False,
    ranks: RanksOption = None,
    gpus: GpusOption = None,
    recompute: RecomputeOption = False,
) -> None:
    """Tune the settings of rows with equal budgets; run it again to resume."""
    from harness.cli.launch import on_processes
    from harness.cli.places import results_root
    from harness.errors import UserError
    from harness.specs.tuning_library import resolve_tuning

    library = open_library(collection, encoder)
    if listed:
        _list(library)
        return
    if name is None:
        raise UserError("no tuning is named", fix="name one; `harness tune --list` shows them")
    root = results_root(resolve_tuning(library, name, scale).resolved.instead, publish=publish)
    if workers > 1 and (ranks or gpus or recompute or launched()):
        what, fix = "workers take a trial each, on one process", "leave --workers out, or the others"
        raise UserError(what, where="--workers with --ranks, --gpus or --recompute", fix=fix)
    on_processes(ranks, gpus)

    from harness.reports.renderers.terminal import render_terminal
    from harness.tuning.confirm import confirm as confirm_tuning
    from harness.tuning.report.render import render
    from harness.tuning.tune import run_tuning

    with shared_stages(recompute=recompute) as stages:
        if stages is None:
            return
        finished = run_tuning(
            library, name, scale, stages, root, trials=trials, workers=workers, storage=storage
        )
        if confirm:
            confirm_tuning(finished.folder, library, stages)
    Terminal().print(render_terminal(render(finished.folder)))
    say(f"\nWritten: {finished.folder}")


def search() -> None:
    """Refuse the command's earlier name."""
    from harness.errors import UserError

    raise UserError("`harness search` has a new name", fix="write `harness tune`, with the same arguments")


def _list(library: Library) -> None:
    from harness.errors import UserError
    from harness.specs.tuning_library import load_tuning, tuning_names

    table = Table("tuning", "title", "target", "studies", "trials", box=None, pad_edge=False)
    for name in tuning_names(library):
        try:
            tuning = load_tuning(library, name)
        except UserError as error:
            table.add_row(name, str(error), "", "", "broken")
            continue
        table.add_row(name, tuning.title, tuning.target, str(len(tuning.studies)), str(tuning.trials))
    Terminal().print(table)
