"""`harness reproduce`: a target, the targets of papers, or all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.opening import open_library, shared_stages
from harness.cli.options import (
    AllOption,
    CalibrationsOption,
    CollectionOption,
    EncoderOption,
    GpusOption,
    JsonOption,
    ProfileOption,
    RanksOption,
    ReadingOption,
    RecomputeOption,
    RowOption,
    ScaleOption,
    SeedsOption,
    Targets,
    WorkersOption,
)
from harness.cli.output import say
from harness.cli.plan import overview_of, planned_for, print_overview
from harness.errors import RunError, UserError
from harness.reports.renderers.terminal import Terminal
from harness.storage.stopping import launched

if TYPE_CHECKING:
    from harness.runs.stages import Stages
    from harness.specs.library import Library
    from harness.targets.choice import Choice


def reproduce(  # noqa: PLR0913, PLR0917 - the options of a command
    targets: Targets = None,
    scale: ScaleOption = "quick",
    seeds: SeedsOption = None,
    row: RowOption = None,
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
    reading: ReadingOption = None,
    force: Annotated[bool, typer.Option(help="train finished runs again")] = False,
    publish: Annotated[bool, typer.Option(help="write to results/, not to results/local/")] = False,
    every: AllOption = False,
    calibrations: CalibrationsOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan and its cost alone")] = False,
    as_json: JsonOption = False,
    ranks: RanksOption = None,
    gpus: GpusOption = None,
    recompute: RecomputeOption = False,
    profile: ProfileOption = False,
    workers: WorkersOption = 1,
) -> None:
    """Reproduce tables and figures; trains only the runs that the store lacks."""
    from harness.cli.launch import on_processes
    from harness.targets.choice import choose, in_reading, names_one

    library, names = open_library(collection, encoder), targets or []
    if dry_run:
        choice = choose(library, scale, names, every=every, calibrations=calibrations, reading=reading)
        machine = planned_for(ranks, gpus, recompute)
        print_overview(overview_of(library, choice, scale, seeds, row, machine), as_json=as_json)
        return
    one = names_one(names) and not every and not as_json
    if (row or force) and not one:
        what = f"{'--row' if row else '--force'} is of one target"
        raise UserError(what, where="harness reproduce", fix="name one, and leave --all and --json out")
    if workers > 1 and (ranks or gpus or launched()):
        what, fix = "workers make a run each, on one process", "leave --workers out, or the others"
        raise UserError(what, where="--workers with --ranks or --gpus", fix=fix)
    on_processes(ranks, gpus)
    with shared_stages(recompute=recompute, profile=profile, workers=workers) as stages:
        if stages is None:
            return
        if one:
            target = in_reading(names[0], reading)
            _one(library, stages, target, scale, seeds, row or [], force=force, publish=publish)
            return
        choice = choose(library, scale, names, every=every, calibrations=calibrations, reading=reading)
        _several(library, stages, choice, scale, seeds, publish=publish, as_json=as_json)


def _one(
    library: Library,
    stages: Stages,
    target: str,
    scale: str,
    seeds: int | None,
    rows: list[str],
    *,
    force: bool,
    publish: bool,
) -> None:
    """Make a target and print its table."""
    from harness.cli.places import results_root
    from harness.reports.kinds import document_of
    from harness.reports.renderers.terminal import render_terminal
    from harness.reports.rendering import FILES
    from harness.reports.site import PAGE
    from harness.specs.resolve import resolve
    from harness.targets.reproduce import reproduce as run
    from harness.targets.reproduce import resolve_at

    root = results_root(resolve(library, target, scale).instead, publish=publish)
    resolved = resolve_at(library, target, scale, stages)
    made = run(resolved, stages, root, seeds=seeds, rows=rows, force=force)
    console = Terminal()
    console.print(render_terminal(document_of(made.cells)))
    trained = f"Trained {made.trained} run{'s' if made.trained != 1 else ''}, reused {made.reused}"
    console.print(f"\n{trained} of {stages.store.root}. Written:")
    for name in FILES:
        say(f"  {made.folder / name}")
    say(f"  {root / PAGE}")
    if made.failed:
        raise RunError(f"{len(made.failed)} row(s) failed: {', '.join(made.failed)}", where=target)


def _several(
    library: Library,
    stages: Stages,
    choice: Choice,
    scale: str,
    seeds: int | None,
    *,
    publish: bool,
    as_json: bool,
) -> None:
    """Make targets, each told in a line when it is done, and print what became of all."""
    from functools import partial

    from harness.cli.places import results_root
    from harness.targets.several import failures, reproduce_each, summary

    outcomes = []
    if choice.timed:
        stages.progress.say(timed_line(choice))
    results = partial(results_root, publish=publish)
    for outcome in reproduce_each(library, choice, scale, stages, results, seeds):
        outcomes.append(outcome)
        stages.progress.say(f"{len(outcomes)} of {len(choice.targets)}: {outcome.text}")
    if as_json:
        made = [outcome.as_json() for outcome in outcomes]
        typer.echo(json.dumps({"targets": made, "left_out": choice.left_out}, indent=1, ensure_ascii=False))
    else:
        say("\n".join(summary(outcomes, choice)))
    failed = failures(outcomes)
    if failed:
        raise RunError(failed, fix="name one alone to see more; what is made is not made again")


def timed_line(choice: Choice) -> str:
    """Return which targets print seconds, and what that asks of the machine."""
    quiet = "leave the machine quiet meanwhile, and before where other targets share their runs"
    return f"timed, made last and one at a time: {', '.join(choice.timed)}; {quiet}"
