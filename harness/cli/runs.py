"""`harness runs`: the runs of the store, looked at and deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.output import say
from harness.reports.renderers.terminal import Terminal
from harness.storage.store import Store, published_results

runs = typer.Typer(
    help="List, show and delete runs of the store.", no_args_is_help=True, rich_markup_mode=None
)

Run = Annotated[str, typer.Argument(help="a fingerprint, or a prefix that one run has")]


@runs.command("list")
def list_runs() -> None:
    """List the runs of the store, the newest last."""
    from harness.provenance.describe import render_runs
    from harness.specs.library import Library

    Terminal().print(render_runs(Library.default(), Store.default(), published_results()))


@runs.command()
def show(run: Run) -> None:
    """Show a run: settings, dependencies, the rows and results that use it, its figures."""
    from harness.provenance.describe import render_run
    from harness.provenance.stored import find_run
    from harness.specs.library import Library

    store = Store.default()
    Terminal().print(render_run(Library.default(), store, published_results(), find_run(store, run)))


@runs.command()
def rm(
    run: Annotated[list[str], typer.Argument(help="fingerprints, or prefixes that one run has")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete runs, after listing what depends on them; MLflow keeps its record."""
    from harness.provenance.dependencies import consequences
    from harness.provenance.garbage import delete_runs
    from harness.provenance.stored import find_run

    store = Store.default()
    chosen = list(dict.fromkeys(find_run(store, name) for name in run))
    for line in consequences(store, published_results(), chosen):
        say(line)
    if not yes:
        typer.confirm(f"Delete {len(chosen)} run(s)?", abort=True)
    delete_runs(store, chosen)
    say(f"deleted {len(chosen)} run(s)")


@runs.command()
def gc(
    days: Annotated[float, typer.Option(min=0, help="age at which an unfinished run may go")] = 7,
    do_delete: Annotated[bool, typer.Option("--delete", help="delete it instead of only listing it")] = False,
) -> None:
    """Show what no run depends on: unfinished runs, candidates, tokens, temporary files."""
    from harness.provenance.describe import size_text
    from harness.provenance.garbage import delete, find_garbage
    from harness.specs.library import Library

    report = find_garbage(Library.default(), Store.default(), published_results(), days)
    for one in report.garbage:
        say(f"{size_text(one.size_bytes):>10}  {one.path}: {one.why}")
    if report.unknown:
        names = ", ".join(report.unknown[:5])
        say(f"note: what {len(report.unknown)} run(s) stand on cannot be told here: {names}")
    total = size_text(sum(one.size_bytes for one in report.garbage))
    if do_delete:
        delete([one.path for one in report.garbage])
    said = "deleted" if do_delete else "may be deleted; --delete does it"
    say(f"{len(report.garbage)} file(s) and folder(s), {total}, {said}")
