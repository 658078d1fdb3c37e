"""`harness plan`: what a target, the targets of papers, or all need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.opening import open_library, open_stages
from harness.cli.options import (
    AllOption,
    CalibrationsOption,
    CollectionOption,
    EncoderOption,
    GpusOption,
    JsonOption,
    RanksOption,
    ReadingOption,
    RecomputeOption,
    RowOption,
    ScaleOption,
    SeedsOption,
    Targets,
)
from harness.cli.output import say
from harness.errors import RunError
from harness.reports.renderers.terminal import Terminal

if TYPE_CHECKING:
    from harness.estimate.moments import Machine
    from harness.specs.library import Library
    from harness.targets.choice import Choice
    from harness.targets.overview import Overview


def plan(  # noqa: PLR0913, PLR0917 - the options of a command
    targets: Targets = None,
    scale: ScaleOption = "quick",
    seeds: SeedsOption = None,
    row: RowOption = None,
    collection: CollectionOption = None,
    encoder: EncoderOption = None,
    reading: ReadingOption = None,
    as_json: JsonOption = False,
    every: AllOption = False,
    calibrations: CalibrationsOption = False,
    as_commands: Annotated[
        bool, typer.Option("--commands", help="print the commands that would make it, one a line")
    ] = False,
    ranks: RanksOption = None,
    gpus: GpusOption = None,
    recompute: RecomputeOption = False,
) -> None:
    """Show which runs targets need, which are missing, and the time, memory and disk that they take."""
    from harness.targets.choice import choose, names_one

    library, names = open_library(collection, encoder), targets or []
    choice = choose(library, scale, names, every=every, calibrations=calibrations, reading=reading)
    machine = planned_for(ranks, gpus, recompute)
    if as_commands:
        print_commands(overview_of(library, choice, scale, seeds, row, machine))
    elif names_one(names):
        _one(library, choice, scale, seeds, row or [], machine, as_json=as_json)
    else:
        print_overview(overview_of(library, choice, scale, seeds, row, machine), as_json=as_json)


def planned_for(ranks: int | None, gpus: int | None, recompute: bool) -> Machine | None:
    """Return the machine that a command's options mean, here or elsewhere; none where it has none of them.

    Raises:
        UserError: processes and GPUs are both given.
    """
    from harness.cli.launch import one_of
    from harness.estimate.moments import Machine
    from harness.records.environment import gpus as seen

    count = one_of(ranks, gpus)
    if count is None and not recompute:
        return None
    return Machine("cuda" if gpus or seen() else "cpu", count or 1, recompute)


def _one(
    library: Library,
    choice: Choice,
    scale: str,
    seeds: int | None,
    rows: list[str],
    machine: Machine | None,
    *,
    as_json: bool,
) -> None:
    """Print the runs of one target, its numbers, memory and cost."""
    from harness.targets.overview_text import cost_lines
    from harness.targets.plan import plan_at, render_plan

    [target] = choice.targets
    planned = plan_at(library, target, scale, open_stages(), seeds, rows)
    if as_json:
        _print_json([run.as_json() for run in planned.runs])
        return
    Terminal().print(render_plan(planned, machine))
    say("\n".join(cost_lines(overview_of(library, choice, scale, seeds, rows, machine))))


def overview_of(
    library: Library,
    choice: Choice,
    scale: str,
    seeds: int | None,
    rows: list[str] | None,
    machine: Machine | None = None,
) -> Overview:
    """Return what targets need together, as the default store stands."""
    from harness.storage.store import published_results
    from harness.targets.overview import overview

    return overview(library, choice, scale, open_stages(), published_results(), seeds, rows or [], machine)


def print_overview(of: Overview, *, as_json: bool) -> None:
    """Print what targets need together.

    Raises:
        RunError: some cannot be planned, which are named.
    """
    from harness.targets.overview_text import overview_json, overview_lines

    if as_json:
        _print_json(overview_json(of))
    else:
        say("\n".join(overview_lines(of)))
    _refuse_unplanned(of)


def print_commands(of: Overview) -> None:
    """Print the commands that make targets.

    Raises:
        RunError: some cannot be planned, which are named.
    """
    from harness.targets.overview_text import commands

    say("\n".join(commands(of)))
    _refuse_unplanned(of)


def _refuse_unplanned(of: Overview) -> None:
    broken = [one.target for one in of.needs if one.problem]
    if broken:
        raise RunError(f"{len(broken)} target(s) cannot be planned: {', '.join(broken)}")


def _print_json(what: Any) -> None:
    typer.echo(json.dumps(what, indent=1, ensure_ascii=False))
