"""experiments/papers/<paper>/paper.yaml: what a paper is, and the register of what is wrong with it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.specs.base import Name, Spec


class Note(Spec):
    """An entry of a paper's register of discrepancies."""

    id: Name
    severity: Literal["low", "medium", "high"]
    text: str
    figures: bool = Field(
        default=False,
        exclude=True,
        description="about published figures alone; left out of a table on a collection of one's own",
    )


class Drawing(Spec):
    """A figure of a paper that nothing can reproduce.

    Attributes:
        name: as a target of the paper would be called, such as ``figure-4``.
        reason: why it cannot be reproduced.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: Name
    reason: Name


def _distinct(notes: list[Note]) -> list[Note]:
    ids = [note.id for note in notes]
    twice = next((id_ for id_ in ids if ids.count(id_) > 1), None)
    if twice is not None:
        raise ValueError(f"the note '{twice}' is given twice; keep one")
    return notes


class Paper(Spec):
    """experiments/papers/<paper>/paper.yaml."""

    title: Name
    citation: Name
    code: str
    notes: Annotated[list[Note], AfterValidator(_distinct)] = Field(default=[])
    drawings: list[Drawing] = Field(default=[], description="figures that nothing can reproduce")
