"""Each query for itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from harness.negatives.laws.law import STRICT


@dataclass(frozen=True, config=STRICT)
class Own:
    """A query sees its positive and its own drawn negatives."""

    name: ClassVar[str] = "own"
    summary: ClassVar[str] = "a query's own drawn negatives"
    source: ClassVar[str] = "AR2 (Zhang et al. 2022); SimANS, released code: 16 passages a query"
    shared: ClassVar[bool] = False
