"""What of an encoder a phase may train while the rest is frozen; see `harness.encoders.partial`."""

from __future__ import annotations

from typing import Literal, get_args

Frozen = Literal["head", "last-layer", "query-tower"]
"""What a phase trains while the rest of the encoder stays as it is."""

FROZEN: tuple[Frozen, ...] = get_args(Frozen)

UNCHANGED_BY: dict[str, tuple[Frozen, ...]] = {
    "head": ("head",),
    "last-layer": ("head", "last-layer"),
    "query-tower": ("query-tower",),
}
"""What a phase trains -> what earlier phases may have trained without a change of its states."""


def frozen_kind(trains: str) -> Frozen:
    """Return what a phase trains, which is a part of an encoder.

    Raises:
        ValueError: it is not.
    """
    for kind in FROZEN:
        if kind == trains:
            return kind
    raise ValueError(f"'{trains}' is no part of an encoder")
