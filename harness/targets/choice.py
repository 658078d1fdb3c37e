"""Which targets a command means: those that it names, those of papers that it names, or all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from harness.errors import UserError, nearest
from harness.specs.library import Library
from harness.specs.read_as import changes_anything
from harness.specs.reading import AT, PAPER, paper_of
from harness.specs.resolve import resolve

OURS = "calibration"
"""Folder, among those of papers, of targets that no paper prints."""

READINGS = "readings"
"""Kind of the targets that make a row under all readings of its paper."""

CALIBRATION = "calibration"
"""Kind of the targets that compare a row with itself, over and over."""

MANY_RUNS = ", since it asks for hundreds of runs"

ASKED_FOR = "made with --with-calibrations"


@dataclass(frozen=True)
class Choice:
    """The targets of a command.

    Attributes:
        targets: in the order in which they are made: calibrations after papers, what is timed last.
        timed: those of them that print seconds.
        left_out: target -> why it is not made.
    """

    targets: Sequence[str]
    timed: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def names_one(names: Sequence[str]) -> bool:
    """Whether a command names one target, and no paper."""
    return len(names) == 1 and _is_target(names[0])


def choose(
    library: Library,
    scale: str,
    names: Sequence[str],
    *,
    every: bool = False,
    calibrations: bool = False,
    reading: str | None = None,
) -> Choice:
    """Return the targets of a command at a scale; one whose spec is broken is among them, and fails alone.

    Args:
        library: the specs.
        scale: name of the scale.
        names: targets, papers, or both; none with `every`.
        every: the targets of all papers.
        calibrations: also what no paper prints, and rows under all readings of a paper.
        reading: in which they are made; that of the papers by default. Of papers, targets that it does not
            change are left out.

    Raises:
        UserError: no such target, paper, scale or reading; a target that is named does not have the scale, or
            none of the papers' has it.
    """
    if every == bool(names):
        what = "--all means all targets, and some are named" if names else "no target is named"
        raise UserError(what, fix="name targets or papers, or say --all")
    library.scale(scale)
    names = [in_reading(name, reading) if _is_target(name) else name for name in names]
    for name in filter(_is_target, names):
        resolve(library, name, scale)
    of_papers = list(_of_papers(library, names, every=every, calibrations=calibrations))
    unchanged = {
        name: f"reading '{reading}' changes nothing"
        for name in of_papers
        if not _read(library, name, reading, scale)
    }
    of_papers = [in_reading(name, reading) for name in of_papers if name not in unchanged]
    left_out = unchanged | {
        name: why
        for name in of_papers
        if name not in names and (why := _why_not(library, name, scale, calibrations=calibrations))
    }
    meant = dict.fromkeys([*filter(_is_target, names), *of_papers])
    chosen = [name for name in meant if name not in left_out]
    if not chosen:
        what = f"none of these targets is made at scale '{scale}'"
        raise UserError(what, where=" ".join(names) or "--all", fix="`harness list` shows their scales")
    timed = {name for name in chosen if _is_timed(library, name)}
    chosen.sort(key=lambda name: (name in timed, paper_of(name) == OURS))
    return Choice(chosen, [name for name in chosen if name in timed], left_out)


def _of_papers(library: Library, names: Sequence[str], *, every: bool, calibrations: bool) -> Iterator[str]:
    """Yield the targets of the papers that are named, or of all."""
    targets = library.targets()
    papers = list(dict.fromkeys(map(paper_of, targets)))
    for name in names:
        if not _is_target(name) and name not in papers:
            raise UserError(f"unknown paper '{name}'", fix=nearest(name, papers))
        yield from (target for target in targets if paper_of(target) == name)
    if every:
        yield from (target for target in targets if calibrations or paper_of(target) != OURS)


def in_reading(target: str, reading: str | None) -> str:
    """Return the name of a target in a reading; that of the papers has none.

    Raises:
        UserError: the target is named with another one, or is a confirmation.
    """
    if reading in {None, PAPER}:
        return target
    if AT in target or target.endswith(".yaml"):
        what = f"{target} is made in one reading"
        raise UserError(what, where=f"--reading {reading}", fix="leave the option out")
    return f"{target}{AT}{reading}"


def _read(library: Library, target: str, reading: str | None, scale: str) -> bool:
    """Whether a target of a paper is made in a reading at a scale; one whose spec is broken fails alone."""
    if reading in {None, PAPER}:
        return True
    library.reading(str(reading))
    try:
        loaded = library.target(target)
    except UserError:
        return True
    return changes_anything(loaded, library.reading(str(reading)), [library.scale(scale)])


def _why_not(library: Library, name: str, scale: str, *, calibrations: bool) -> str | None:
    """Return why a target of a paper is left out; none where it is made, or its spec is broken."""
    with suppress(UserError):
        target = library.target(name).target
        if scale not in target.scales:
            return f"no scale '{scale}'{MANY_RUNS if target.kind in (READINGS, CALIBRATION) else ''}"
        if target.kind == READINGS and not calibrations:
            return ASKED_FOR
    return None


def _is_timed(library: Library, name: str) -> bool:
    with suppress(UserError):
        return library.target(name).target.is_timed
    return False


def _is_target(name: str) -> bool:
    """Whether a name is of a target, or of a file that holds one."""
    return "/" in name or name.endswith(".yaml")
