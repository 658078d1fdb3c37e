"""What `harness plan` and `harness reproduce --dry-run` say of several targets: lines, JSON, commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from harness.collections.checkpoint_place import found
from harness.collections.released import RELEASED
from harness.errors import UserError
from harness.estimate.parameters import checkpoint_bytes
from harness.specs.run_settings import starts
from harness.specs.scale import Hardware
from harness.targets.overview import Cost, NeededRun, Needs, Overview
from harness.targets.several import aligned, left_out

GB = 1_000_000_000
ALL = "all, a run once"


def overview_lines(of: Overview) -> Iterator[str]:
    """Yield a line for each target and for all, then what the numbers mean, and what is missing."""
    heading = ["target", "runs", "reused", "shared", "to make", *_headings(of.scale.hardware), ""]
    lines, before = [heading], dict[str, NeededRun]()
    for one in of.needs:
        note = one.problem or ("timed" if one.target in of.choice.timed else "")
        lines.append(_line(one.target, one, of.cost(one.to_make, before), note, of.scale.hardware))
        before |= one.to_make
    every = {name: run for one in of.needs for name, run in one.runs.items()}
    shared = sum(len(one.shared) for one in of.needs)
    total = Needs(ALL, runs=every)
    line = _line(ALL, total, of.cost(of.to_make), "", of.scale.hardware)
    yield from aligned([*lines, [*line[:3], str(shared), *line[4:]]])
    yield from _remarks(of)


def cost_lines(of: Overview) -> list[str]:
    """Return what making one target takes, as sentences."""
    cost, runs = of.cost(of.to_make), of.to_make
    hardware = of.scale.hardware
    unit = "GPU hours" if hardware else "hours"
    what = f"To make: {len(runs)} runs, those that others start from included, {_hours(cost)} {unit}"
    disk = "" if cost.disk is None else f", {_gb(cost.disk)} GB on disk at most"
    return [f"{what}{disk}.", *_measured(of, cost), *_downloads(of)]


def overview_json(of: Overview) -> dict[str, Any]:
    """Return what targets need, for programs; bytes and hours, at most."""
    targets, before = [], dict[str, NeededRun]()
    for one in of.needs:
        cost = of.cost(one.to_make, before)
        targets.append(
            {
                "target": one.target,
                "runs": len(one.runs),
                "reused": one.done,
                "shared": len(one.shared),
                "to_make": len(one.to_make),
                **_json(cost),
                "timed": one.target in of.choice.timed,
                "missing": list(one.missing),
                "failed": one.problem,
            }
        )
        before |= one.to_make
    total = {"to_make": len(of.to_make), **_json(of.cost(of.to_make))}
    return {"targets": targets, "all": total, "left_out": dict(of.choice.left_out)}


def commands(of: Overview) -> Iterator[str]:
    """Yield the commands that make targets, a line each: row by row what is to be made, then the table.

    Rows may be made at once, on machines that share a store; the table is last. A row whose runs are made by
    lines before it has none of its own. What is missing stands before, as comments.
    """
    yield from (f"# missing: {line}" for line in of.missing)
    yield from (f"# {one.target}: {one.problem}" for one in of.needs if one.problem)
    made, lines = set[str](), dict[str, None]()
    for one in (one for one in of.needs if not one.problem):
        for row, names in one.rows.items():
            new = {name for name in names if not one.runs[name].done} - made
            made |= new
            lines |= {_command(one, [row]): None} if new else {}
        lines[_command(one, one.only)] = None
    yield from lines


def _command(needs: Needs, rows: Sequence[str]) -> str:
    return f"harness reproduce {needs.call}" + "".join(f" --row {shlex.quote(row)}" for row in rows)


def _headings(hardware: Hardware | None) -> list[str]:
    return ["GPU hours", "card GB", "host GB", "disk GB"] if hardware else ["hours", "disk GB"]


def _line(name: str, needs: Needs, cost: Cost, note: str, hardware: Hardware | None) -> list[str]:
    runs, to_make = len(needs.runs), len(needs.to_make)
    sizes = [cost.card, cost.host, cost.disk] if hardware else [cost.disk]
    told = [_hours(cost), *("–" if size is None else _gb(size) for size in sizes)]
    return [name, str(runs), str(needs.done), str(len(needs.shared)), str(to_make), *told, note]


def _remarks(of: Overview) -> Iterator[str]:
    cost = of.cost(of.to_make)
    yield "runs: with those that others start from; shared: also of a target above, and made there."
    yield from _measured(of, cost)
    if cost.meanwhile:
        more = f"{_gb(cost.meanwhile)} GB more while a run trains"
        yield f"disk: at most, without collections and logs; {more}."
    if of.choice.timed:
        quiet = "leave the machine quiet meanwhile, and before where other targets share their runs"
        yield f"timed: made last and one at a time; {quiet}."
    yield from _downloads(of)
    yield from (f"missing: {line}" for line in of.missing)
    yield from left_out(of.choice)


def _measured(of: Overview, cost: Cost) -> Iterator[str]:
    """Yield where hours come from, and of which machine memory is."""
    hardware, unknown = of.scale.hardware, ""
    if cost.unknown:
        unknown = f"; those of {cost.unknown} run(s) are not known, and not in the sum"
    if hardware is None:
        yield f"hours: of such runs in the store, else of the same ones committed{unknown}."
        return
    stated = "without a rate that is stated"
    if hardware.teraflops:
        stated = f"at {hardware.teraflops:g} x 10^12 operations a second of a GPU, as the scale states"
    whole = f"{cost.hours / hardware.gpus:,.3g} h if {hardware.gpus} {hardware.gpu} share them evenly"
    yield f"GPU hours: at most, {stated}, or as such runs in the store took; {whole}{unknown}."
    sizes = " or ".join(f"{size} GB" for size in hardware.memory_gb)
    card = f"of one {hardware.gpu} ({sizes}), {of.machine.kept}"
    yield f"card: {card}; host: of a process that mines candidates."


def _downloads(of: Overview) -> Iterator[str]:
    """Yield which checkpoints are not on this machine."""
    wanted = sorted(
        {start for run in of.to_make.values() for start in starts(run.settings)} - RELEASED.keys()
    )
    sizes, told = of.scale.published_sizes, []
    for start in filter(_absent, wanted):
        known = f"{_gb(checkpoint_bytes(sizes[start]))} GB" if start in sizes else "size not known"
        told.append(f"{start} ({known})")
    if told:
        yield f"downloads: {', '.join(told)}."


def _absent(start: str) -> bool:
    try:
        return found(start) is None
    except UserError:  # a package with other weights
        return True


def _json(cost: Cost) -> dict[str, Any]:
    return {
        "hours": round(cost.hours, 4),
        "runs_of_unknown_hours": cost.unknown,
        "card_bytes": cost.card,
        "host_bytes": cost.host,
        "disk_bytes": cost.disk,
        "disk_bytes_while_training": cost.meanwhile,
    }


def _hours(cost: Cost) -> str:
    """Return hours with three significant digits; a mark where some are not known."""
    known = f"{cost.hours:,.0f}" if cost.hours >= 100 else f"{cost.hours:.3g}"
    return f"{known} + ?" if cost.unknown else known


def _gb(size: int) -> str:
    return f"{size / GB:.3g}" if size < 100 * GB else f"{size / GB:,.0f}"
