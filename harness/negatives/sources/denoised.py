"""Candidates of another source that a ranker does not consider relevant."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from harness.errors import UserError
from harness.negatives.candidates import Floats
from harness.negatives.draws.draw import largest
from harness.negatives.sources.file import number_of, rankings_of
from harness.negatives.sources.source import Inner, Proposal, View
from harness.pieces import Piece
from harness.storage.places import LocalName

RETRIEVER = "retriever"


class Denoised(Piece):
    """The candidates of another source to which a ranker assigns a probability less than ``below``."""

    name: Literal["denoised"] = "denoised"
    summary: ClassVar[str] = "another source without the candidates that a ranker considers relevant"
    citation: ClassVar[str] = "RocketQA (Qu et al. 2021), section 3.3.2: below 0.1"

    of: Inner
    ranker: LocalName = Field(
        description=(
            "`retriever`, the probability of the candidate against the positive by the current "
            "retriever, 1 / (1 + exp(s(q, d+) - s(q, d-))); or a TREC run file of a ranker's "
            "probabilities over the training queries. If fewer than `at_least` candidates of a pair "
            "pass, it keeps its least probable ones up to that number. Candidates that are not in the"
            " file count as the most probable."
        )
    )
    below: float = Field(default=0.1, gt=0, le=1)
    at_least: int = Field(default=15, gt=0, le=100_000)

    def lacks(self) -> tuple[str, str] | None:
        """Return that there is no such run of a ranker."""
        if self.ranker == RETRIEVER or Path(self.ranker).is_file():
            return None
        return f"no ranker '{self.ranker}'", "give `retriever` or a TREC run of probabilities"

    @model_validator(mode="after")
    def _scored_by_the_retriever(self) -> Denoised:
        if self.ranker == RETRIEVER and "documents" not in self.of.has:
            raise ValueError("the retriever did not score these candidates; give a TREC run of probabilities")
        return self

    @property
    def has(self) -> frozenset[str]:
        """The properties of the other source."""
        return self.of.has

    def propose(self, view: View, k: int) -> Proposal:
        """Drop the candidates that the ranker considers relevant."""
        whole = self.of.propose(view, k)
        by_retriever = self.ranker == RETRIEVER
        probability = self._from_retriever(view, whole) if by_retriever else self._read(view, whole)
        least = largest(np.where(whole.valid, -probability, -np.inf), self.at_least)
        spared = np.zeros(whole.valid.shape, dtype=bool)
        np.put_along_axis(spared, least, True, axis=1)
        valid = whole.valid & ((probability < self.below) | spared)
        return Proposal(
            whole.document, valid, whole.retrieved, whole.score, whole.positive_score, whole.origin
        )

    def _from_retriever(self, view: View, whole: Proposal) -> Floats:
        score = view.scores(whole.document)
        gap = score - view.positive_scores()[:, None]
        return np.asarray(1.0 / (1.0 + np.exp(-gap.astype(np.float64))))

    def _read(self, view: View, whole: Proposal) -> Floats:
        """Return the probabilities of a file; 1 for candidates that are not in it.

        Raises:
            UserError: the file is no run over the training queries, or holds something else.
        """
        probabilities: list[dict[int | None, float]] = []
        for part in rankings_of(self.ranker, view):
            if part is None:
                probabilities.append({})
                continue
            if not part["score"].between(0, 1).all():
                fix = "write the ranker's probabilities, 1 / (1 + exp(-score))"
                raise UserError("a score that is no probability", where=self.ranker, fix=fix)
            numbers = [number_of(document, view) for document in part["document"]]
            probabilities.append(dict(zip(numbers, part["score"], strict=True)))
        return np.array(
            [
                [known.get(document, 1.0) for document in row]
                for known, row in zip(probabilities, whole.document.tolist(), strict=True)
            ]
        )
