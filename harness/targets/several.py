"""Several targets in one process: shared runs are made once; one that fails leaves the others alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, first_line
from harness.runs.stages import Stages
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.storage.disk import DiskFullError, is_full
from harness.storage.unusable import place_as_error
from harness.targets.choice import Choice
from harness.targets.reproduce import reproduce, resolve_at, wanted_runs


@dataclass(frozen=True)
class Outcome:
    """What became of a target.

    Attributes:
        target: its name.
        made: fingerprints of the runs that were made for it, those that others start from included.
        reused: fingerprints of its runs that were there.
        seconds: that it took.
        folder: where its table was written; none where it has none.
        problem: why it, or a row of it, could not be made; none where all went well.
    """

    target: str
    made: frozenset[str]
    reused: frozenset[str]
    seconds: float
    folder: Path | None
    problem: str | None

    @property
    def text(self) -> str:
        """What became of it, in one line."""
        runs = f"{len(self.made)} runs made, {len(self.reused)} reused, {self.seconds:.0f} s"
        return f"{self.target}: {runs}" + (f"; failed: {self.problem}" if self.problem else "")

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "target": self.target,
            "made": len(self.made),
            "reused": len(self.reused),
            "seconds": round(self.seconds, 1),
            "table": None if self.folder is None else str(self.folder / "table.md"),
            "failed": self.problem,
        }


def reproduce_each(
    library: Library,
    choice: Choice,
    scale: str,
    stages: Stages,
    results: Callable[[Instead], Path],
    seeds: int | None = None,
) -> Iterator[Outcome]:
    """Make targets one after the other, and yield what became of each.

    What one of them read is forgotten before the next, as far as that does not use it.

    Args:
        library: the specs.
        choice: the targets, in turn.
        scale: name of the scale.
        stages: makes runs.
        results: root below which the results of a target are written, by what it is made on.
        seeds: how many seeds; the number of each spec by default.

    Raises:
        DiskFullError: which the next target would meet too.
    """
    for target in choice.targets:
        yield _reproduced(library, target, scale, stages, results, seeds)
        gc.collect()  # encoders and states of a target are held in a circle


def _reproduced(
    library: Library,
    target: str,
    scale: str,
    stages: Stages,
    results: Callable[[Instead], Path],
    seeds: int | None,
) -> Outcome:
    begin, before = time.monotonic(), set(stages.made)
    needed, folder, problem = set[str](), None, None
    try:
        with place_as_error():
            resolved = resolve(library, target, scale)
            keep_collections_of(resolved, stages)
            resolved = resolve_at(library, target, scale, stages)
            needed = fingerprints(resolved, stages, seeds)
            made = reproduce(resolved, stages, results(resolved.instead), seeds=seeds)
        folder = made.folder
        problem = "; ".join(f"{row}, {why}" for row, why in made.failed.items()) or None
    except Exception as error:  # whatever a target meets is its own, but for a disk that is full
        if is_full(error) or isinstance(error, DiskFullError):
            raise
        problem = _line(error)
    new = frozenset(stages.made - before)
    reused = {name for name in needed - new if (stages.store.run(name) / "done.json").exists()}
    return Outcome(target, new, frozenset(reused), time.monotonic() - begin, folder, problem)


def keep_collections_of(resolved: Resolved, stages: Stages) -> None:
    """Forget the collections that a target does not use."""
    stages.collections.keep_only(resolved.collection(name) for name in resolved.target.datasets)


def fingerprints(resolved: Resolved, stages: Stages, seeds: int | None) -> set[str]:
    """Return the fingerprints of a target's runs, and of those that they start from."""
    chains = (stages.collections.chain(run.settings) for run in wanted_runs(resolved, seeds))
    return {name for chain in chains for name in (chain.last, *(below for _, below in chain.runs_below))}


def failures(outcomes: Sequence[Outcome]) -> str | None:
    """Return how many targets failed, and which, in one line; none where none did."""
    failed = [of.target for of in outcomes if of.problem]
    return f"{len(failed)} target(s) failed: {', '.join(failed)}" if failed else None


def summary(outcomes: Sequence[Outcome], choice: Choice) -> Iterator[str]:
    """Yield the lines of a table of what became of targets, then what was left out and why.

    A run that several targets share is counted as made in the first of them, and once in the sum.
    """
    made, reused = (frozenset().union(*(getattr(of, key) for of in outcomes)) for key in ("made", "reused"))
    seconds = sum(of.seconds for of in outcomes)
    lines = [["target", "made", "reused", "seconds", "table"]]
    lines += [_cells(of.target, of.made, of.reused, of.seconds, _where(of)) for of in outcomes]
    lines.append(_cells("all, a run once", made, reused - made, seconds, ""))
    yield from aligned(lines)
    yield from left_out(choice)


def left_out(choice: Choice) -> Iterator[str]:
    """Yield which targets a command leaves out, a line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for target, reason in choice.left_out.items():
        by_reason.setdefault(reason, []).append(target)
    for reason, targets in by_reason.items():
        yield f"left out ({reason}): {', '.join(targets)}"


def aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines of cells: first and last to the left, the others to the right, and none is wrapped."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *between, last in lines:
        padded = [cell.rjust(width) for cell, width in zip(between, widths[1:-1], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *padded, last]).rstrip()


def _cells(name: str, made: frozenset[str], reused: frozenset[str], seconds: float, where: str) -> list[str]:
    return [name, str(len(made)), str(len(reused)), f"{seconds:.0f}", where]


def _where(outcome: Outcome) -> str:
    """Return where the table of a target is, and what failed."""
    table = "" if outcome.folder is None else str(outcome.folder / "table.md")
    return " ".join(filter(None, [table, f"failed: {outcome.problem}" if outcome.problem else ""]))


def _line(error: Exception) -> str:
    """Return an error in one line; one that no border foresaw with its type."""
    if isinstance(error, HarnessError):
        return "; ".join(str(error).splitlines())
    return f"{type(error).__name__}: {first_line(error)}"
