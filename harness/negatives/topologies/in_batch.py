"""All passages of the batch."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT


@dataclass(frozen=True, config=STRICT)
class InBatch:
    """A query sees its positive and all passages of the batch, drawn ones included, but those masked for it.

    ``hardest``: only so many of them, those of greatest score in this step.
    """

    name: ClassVar[str] = "in-batch"
    summary: ClassVar[str] = "all passages of the batch"
    source: ClassVar[str] = "DPR (Karpukhin et al. 2020), section 3.2; Huang et al. 2020 (EBR), section 6.1"
    shared: ClassVar[bool] = True

    hardest: int | None = Field(default=None, gt=0)
