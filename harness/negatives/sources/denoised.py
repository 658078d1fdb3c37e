"""Candidates of another source that a ranker does not consider relevant."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from harness.negatives.candidates import Floats
from harness.negatives.draws.draw import largest
from harness.negatives.sources.file import read_run
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
        run = read_run(self.ranker)
        probabilities = {
            query: dict(zip(map(view.document_number.get, part["document"]), part["score"], strict=True))
            for query, part in run.items()
        }
        ids = [view.query_ids[number] for number in view.pairs[:, 0]]
        return np.array(
            [
                [probabilities.get(query, {}).get(document, 1.0) for document in row]
                for query, row in zip(ids, whole.document.tolist(), strict=True)
            ]
        )
