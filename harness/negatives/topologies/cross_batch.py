"""All passages of all processes' batches."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT


@dataclass(frozen=True, config=STRICT)
class CrossBatch:
    """As in-batch, over the batches of all processes of a run; one process has no others."""

    name: ClassVar[str] = "cross-batch"
    summary: ClassVar[str] = "all passages of the batches of all processes"
    source: ClassVar[str] = "RocketQA (Qu et al. 2021), section 3.3.1"
    shared: ClassVar[bool] = True
