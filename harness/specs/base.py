"""What the models of all spec files have in common: strictness, names, and the numbers that a run can bear.

An upper bound lies well above what papers and scripts use, and below what no run comes to an end with.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

FRESH = "fresh"
"""The start of an encoder or ranker that begins with random weights."""


def absent(value: object) -> bool:
    """Return whether there is no value; what does not apply is left out of dumps."""
    return value is None


def _readable(name: str) -> str:
    if not name.strip():
        raise ValueError("a name of blanks alone; write one that can be read")
    if len(name.splitlines()) > 1 or name.endswith("\n"):
        raise ValueError("a name has a line break; write it on one line")
    return name


Name = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_readable)]
"""What rows, columns, recipes, tables and figures are called."""

Share = Annotated[float, Field(ge=0, lt=1)]

Queries = Annotated[PositiveInt, Field(le=10_000_000)]
"""Queries of a split."""
Batch = Annotated[PositiveInt, Field(le=100_000)]
"""Queries of a step."""
Candidates = Annotated[PositiveInt, Field(le=100_000)]
"""K of a query; also documents of a ranking."""
Negatives = Annotated[PositiveInt, Field(le=10_000)]
"""n of a positive."""
Steps = Annotated[PositiveInt, Field(le=100_000_000)]
"""Steps of the optimizer."""
StepsOrNone = Annotated[NonNegativeInt, Field(le=100_000_000)]
"""Steps of the optimizer; with 0 a phase leaves its start as it is."""

Vocabulary = Annotated[PositiveInt, Field(le=1_000_000)]
Length = Annotated[int, Field(ge=3, le=32_768)]
"""Tokens of a text: a word between the two that every text has, at least."""
Width = Annotated[PositiveInt, Field(le=16_384)]
"""Width of vectors; also heads that share it."""
InnerWidth = Annotated[PositiveInt, Field(le=65_536)]
"""Width of feed-forward layers."""
Layers = Annotated[NonNegativeInt, Field(le=200)]

Places = Annotated[int, Field(ge=64, le=2**30)]
"""Token places of a bucket."""
Rate = Annotated[float, Field(ge=1e-12, le=1e9)]
"""Learning rate; below, no weight moves. A run of which it is too large ends by itself, and says so."""
Decay = Annotated[float, Field(ge=0, le=10)]
"""Weight decay."""
ClipNorm = Annotated[PositiveFloat, Field(ge=1e-6, le=1e9)]
"""Longest gradient."""
Factor = Annotated[PositiveFloat, Field(ge=1e-6, le=1e6)]
"""What scores or embeddings are multiplied with."""

Seeds = Annotated[PositiveInt, Field(le=100)]
"""Number of seeds; with more, the sides of a calibration would share some."""
FirstSeed = Annotated[NonNegativeInt, Field(le=2**62)]
"""Where seeds begin; what is added to it stays below 2^63, which all generators bear."""


class Spec(BaseModel):
    """What all spec files are."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)
