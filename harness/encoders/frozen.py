"""What of an encoder a phase may train while the rest is frozen; see `harness.encoders.partial`.

A ranker of late interaction reads the states of an encoder that is frozen as a whole.
"""

from __future__ import annotations

from typing import Literal, get_args

Frozen = Literal["head", "last-layer", "query-tower"]
"""What a phase trains while the rest of the encoder stays as it is."""

Stated = Literal[Frozen, "late-interaction"]
"""What reads the states of an encoder's frozen part."""

FROZEN: tuple[Frozen, ...] = get_args(Frozen)

UNCHANGED_BY: dict[str, tuple[Frozen, ...]] = {
    "head": ("head",),
    "last-layer": ("head", "last-layer"),
    "query-tower": ("query-tower",),
    "late-interaction": ("head",),
}
"""What reads states -> what earlier phases may have trained without a change of them."""


def states_of_tokens(reader: Stated) -> bool:
    """Whether each token of a text has a state of its own, or the text has one."""
    return reader in {"last-layer", "late-interaction"}


def state_type(reader: Stated) -> Literal["float16", "float32"]:
    """Return how states are stored: in half precision where many are kept and only compared."""
    return "float16" if reader == "late-interaction" else "float32"


def frozen_kind(trains: str) -> Frozen:
    """Return what a phase trains, which is a part of an encoder.

    Raises:
        ValueError: it is not.
    """
    for kind in FROZEN:
        if kind == trains:
            return kind
    raise ValueError(f"'{trains}' is no part of an encoder")
