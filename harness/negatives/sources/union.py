"""The union of several sources."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from harness.negatives.candidates import Booleans, Integers
from harness.negatives.sources.source import Inner, Proposal, View
from harness.pieces import Piece


class Union(Piece):
    """The candidates of several sources, at most K of each; a document belongs to the first that has it."""

    name: Literal["union"] = "union"
    summary: ClassVar[str] = "the candidates of several sources together"
    citation: ClassVar[str] = "ANCE-Tele (Sun et al. 2022), section 3"
    has: ClassVar[frozenset[str]] = frozenset({"documents", "union"})

    parts: tuple[Inner, ...] = Field(min_length=2, max_length=16, strict=False)

    @model_validator(mode="after")
    def _scored_by_the_model(self) -> Union:
        for part in self.parts:
            if "documents" not in part.has:
                raise ValueError(f"'{part.name}' has its own scores; a union uses the model's")
        return self

    def propose(self, view: View, k: int) -> Proposal:
        """Concatenate the parts' proposals and drop repeated documents."""
        proposals = [part.propose(view, k) for part in self.parts]
        document = np.concatenate([proposal.document for proposal in proposals], axis=1)
        valid = np.concatenate([proposal.valid for proposal in proposals], axis=1)
        widths = [proposal.document.shape[1] for proposal in proposals]
        origin = np.repeat(np.arange(len(widths), dtype=np.int8), widths)
        return Proposal(
            document=document,
            valid=valid & ~_repeated(document, valid),
            retrieved=np.any([proposal.retrieved for proposal in proposals], axis=0),
            origin=np.broadcast_to(origin, document.shape),
        )


def _repeated(document: Integers, valid: Booleans) -> Booleans:
    """Return whether each document occurs further left in its row, [R, C]; invalid ones do not count."""
    keys = np.where(valid, document, -1 - np.arange(document.shape[1])[None, :])
    order = np.argsort(keys, axis=1, kind="stable")
    in_order = np.take_along_axis(keys, order, axis=1)
    again = np.zeros(document.shape, dtype=bool)
    again[:, 1:] = in_order[:, 1:] == in_order[:, :-1]
    repeated = np.zeros(document.shape, dtype=bool)
    np.put_along_axis(repeated, order, again, axis=1)
    return repeated
