"""Passages of past batches."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT


@dataclass(frozen=True, config=STRICT)
class Queue:
    """A query sees its positive, its own drawn negatives, and a queue of past positives.

    ``length`` positives of past batches, first in, first out. All passages are embedded by a copy of the
    document tower that follows the trained one, copy <- ``momentum`` copy + (1 - momentum) tower before each
    step, and no gradient goes through them: the document side learns through a tower that it shares with the
    query side, and separate towers are refused. The queue starts empty, where MoCo fills it with random
    vectors.
    """

    name: ClassVar[str] = "queue"
    summary: ClassVar[str] = "own drawn negatives and the positives of past batches"
    source: ClassVar[str] = "MoCo (He et al. 2020), algorithm 1, moco/builder.py; momentum of Contriever"
    shared: ClassVar[bool] = False

    length: int = Field(default=4096, gt=0)
    momentum: float = Field(default=0.9995, ge=0, lt=1)
