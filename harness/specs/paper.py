"""experiments/papers/<paper>/paper.yaml: what a paper is, and the register of what is wrong with it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.specs.base import Name, Spec


class Note(Spec):
    """An entry of a paper's register of discrepancies."""

    id: Name
    severity: Literal["low", "medium", "high"]
    text: str


class Paper(Spec):
    """experiments/papers/<paper>/paper.yaml."""

    title: Name
    citation: Name
    code: str
    notes: list[Note] = Field(default=[])
