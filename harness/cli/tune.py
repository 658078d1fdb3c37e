"""`harness tune`: tune settings on held-out training queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from harness.cli.options import CollectionOption, EncoderOption, ScaleOption
from harness.cli.output import say
from harness.reports.renderers.terminal import Terminal

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
) -> None:
    """Tune the settings of rows with equal budgets; run it again to resume."""
    from harness.cli.places import results_root
    from harness.errors import UserError
    from harness.specs.instead import Instead
    from harness.specs.library import Library
    from harness.specs.tuning_library import resolve_tuning

    library = Library.default(Instead.parse(collection or [], encoder))
    if listed:
        _list(library)
        return
    if name is None:
        raise UserError("no tuning is named", fix="name one; `harness tune --list` shows them")
    root = results_root(resolve_tuning(library, name, scale).resolved.instead, publish=publish)

    from harness.progress import Progress
    from harness.reports.renderers.terminal import render_terminal
    from harness.runs.stages import Stages
    from harness.storage.store import Store
    from harness.tuning.confirm import confirm as confirm_tuning
    from harness.tuning.report.render import render
    from harness.tuning.tune import run_tuning

    stages = Stages(Store.default(), Progress())
    finished = run_tuning(library, name, scale, stages, root, trials=trials, workers=workers, storage=storage)
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
