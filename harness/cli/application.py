"""The command line: thin; every command is a few lines over the library."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from harness.cli.analyse import analyse
from harness.cli.compare import compare
from harness.cli.convert import convert
from harness.cli.data import data
from harness.cli.evaluate import evaluate
from harness.cli.explain import explain, verify
from harness.cli.export import export
from harness.cli.opening import open_library, open_stages
from harness.cli.options import (
    CollectionOption,
    EncoderOption,
    JsonOption,
    ScaleOption,
    SeedsOption,
    Target,
)
from harness.cli.output import PROGRAM, say, standard_output, wrong_call_as_error
from harness.cli.plan import plan
from harness.cli.reproduce import reproduce
from harness.cli.runs import runs
from harness.cli.tune import search, tune
from harness.errors import HarnessError, LostRankError
from harness.reports.renderers.terminal import Terminal
from harness.storage.disk import disk_full_as_error
from harness.storage.stopping import INTERRUPTED, SAID, exit_code, launched
from harness.storage.store import published_results
from harness.storage.unusable import place_as_error

app = typer.Typer(
    help="Reproduce published tables on negative sampling in dense retrieval.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(runs, name="runs")
app.add_typer(export, name="export")
app.add_typer(data, name="data")


@app.callback()
def name_places() -> None:
    """Name specs, results and store, unless they are those of the checkout."""
    from harness.cli.places import other_places

    if not gc.isenabled():  # since the start of the process
        gc.freeze()
        gc.enable()
    line = None if launched() else other_places()
    if line:
        typer.echo(line, err=True)


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List all tables and figures."""
    from harness.specs.describe import list_targets, render_list
    from harness.specs.library import Library

    targets = list_targets(Library.default(), published_results())
    _print(targets if as_json else render_list(targets))


@app.command()
def show(target: Target, as_json: JsonOption = False) -> None:
    """Show a target's rows, published figures and notes."""
    from harness.specs.describe import render_show, show_target
    from harness.specs.library import Library

    loaded = Library.default().target(target)
    _print(show_target(loaded) if as_json else render_show(loaded))


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="details of one, for example trisampler")] = None,
    as_json: JsonOption = False,
) -> None:
    """List samplers, losses, recipes and encoders, or the details of one."""
    from harness.methods.describe import list_methods, render_list, render_methods, show_methods
    from harness.specs.library import Library

    library = Library.default()
    if name is None:
        _print(list_methods(library) if as_json else render_list(library))
    else:
        _print(show_methods(library, name) if as_json else render_methods(library, name))


app.command()(plan)
app.command()(explain)


app.command()(reproduce)
app.command()(verify)
app.command()(compare)
app.command()(evaluate)
app.command()(tune)
app.command(hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(search)
app.command()(analyse)
app.command()(convert)


@app.command()
def report(
    target: Annotated[str | None, typer.Argument(help="one target, and its page")] = None,
    every: Annotated[bool, typer.Option("--all", help="all targets and tunings that have results")] = False,
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
    publish: Annotated[bool, typer.Option(help="render results/, not results/local/")] = False,
) -> None:
    """Redraw tables, figures and pages from their cells, without training."""
    from harness.cli.places import results_root
    from harness.errors import UserError
    from harness.reports.rendering import render_results
    from harness.specs.instead import Instead
    from harness.specs.library import Library
    from harness.tuning.report.render import render_tunings

    if every == (target is not None):
        raise UserError("report renders one target or all", fix="name a target, or say --all")
    instead = Instead.parse(collection or [], encoder)
    if instead and target is not None:
        instead = instead.on(Library.default().target(target))
    root = results_root(instead, publish=publish)
    for made in [*render_results(root, target), *(render_tunings(root) if every else [])]:
        say(str(made))


@app.command()
def doctor() -> None:
    """Check what this machine lacks for a reproduction."""
    from harness.records.doctor import doctor as examine
    from harness.storage.store import Store

    store = Store.default()
    checks = examine(store.root, store.tracking_uri, pydocs=_pydocs_in(store))
    table = Table("check", "", "found", "what to do", box=None, pad_edge=False)
    for check in checks:
        table.add_row(check.name, "ok" if check.ok else "FAIL", check.detail, check.fix or "")
    _print(table)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command()
def sync(
    target: Target,
    scale: ScaleOption = "quick",
    seeds: SeedsOption = None,
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Upload a target's runs that MLflow is missing."""
    from harness.records.mlflow_client import without_password
    from harness.targets.mirror import sync as write
    from harness.targets.reproduce import plan as plan_runs
    from harness.targets.reproduce import resolve_at

    library, stages = _open(target, scale, collection, encoder)
    resolved = resolve_at(library, target, scale, stages)
    synced = write(stages, resolved, plan_runs(resolved, stages, seeds))
    missing = f"; {synced.missing} not begun yet" if synced.missing else ""
    say(f"{synced.written} run(s) are in {without_password(stages.store.tracking_uri)}{missing}")


def main() -> None:
    """Run the command line; errors are one line each, without a traceback."""
    from harness.storage.store import Store

    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # else two runs at once are ten times as slow
    try:
        disk_full = disk_full_as_error("a file", Store.default().root)
        with standard_output(), disk_full, place_as_error(), wrong_call_as_error():
            code = app(prog_name=PROGRAM, standalone_mode=False)
    except LostRankError as error:
        if not launched():
            say(f"error: {error}", error=True)
        sys.exit(error.exit_code)
    except HarnessError as error:
        say(f"error: {error}" if "\n" not in str(error) else f"errors:\n{error}", error=True)
        sys.exit(error.exit_code)
    except typer.Abort:
        say("aborted", error=True)
        sys.exit(1)
    if code == INTERRUPTED:  # which typer returns at an interrupt, without a word
        if not launched():
            say(SAID, error=True)
        code = exit_code()
    sys.exit(code)


def _open(target: str, scale: str, collection: list[str] | None, encoder: str | None) -> tuple[Any, Any]:
    """Return the library and the stages over the default store, after a first check of the names."""
    from harness.specs.resolve import resolve

    library = open_library(collection, encoder)
    resolve(library, target, scale)
    return library, open_stages()


def _pydocs_in(store: Any) -> Callable[[], str] | None:
    """Return what compares the prepared pydocs with its manifest; none where it is not prepared yet."""
    from harness.collections.archive import load_collection
    from harness.collections.pydocs.manifest import compare_with_manifest
    from harness.progress import Progress
    from harness.runs.stages import Stages
    from harness.specs.settings import CollectionSettings

    path = Stages(store, Progress()).collections.path(CollectionSettings(kind="pydocs", parameters={}))

    def compare() -> str:
        overlap = compare_with_manifest(load_collection(path))
        if overlap.share < 1:
            raise HarnessError(overlap.summary)
        return overlap.summary

    return compare if path.exists() else None


def _print(what: Any) -> None:
    """Print what rich renders, or JSON for programs."""
    if isinstance(what, Table | Group):
        Terminal().print(what)
    else:
        typer.echo(json.dumps(what, indent=1, ensure_ascii=False))
