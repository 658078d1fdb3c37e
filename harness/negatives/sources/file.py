"""Candidates from a TREC run file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from harness.errors import UserError
from harness.negatives.sources.source import DOCUMENTS, Proposal, View, keep
from harness.pieces import Piece
from harness.storage.places import LocalName


class File(Piece):
    """The rankings of a TREC run file over the training queries, at most K documents each."""

    name: Literal["file"] = "file"
    summary: ClassVar[str] = "the rankings of a TREC run file over the training queries"
    citation: ClassVar[str] = "Ours; for rankings of other systems"

    path: LocalName
    scores: Literal["model", "file"] = Field(
        default="model",
        description=(
            "those of the current retriever (`model`), or those of the `file`, which must include the"
            " positives; the latter have no s(d+, d-). Runs depend on the file's content, not on its "
            "path."
        ),
    )

    def lacks(self) -> tuple[str, str] | None:
        """Return that there is no such file."""
        if Path(self.path).is_file():
            return None
        return f"there is no file '{self.path}'", "give a TREC run"

    @property
    def has(self) -> frozenset[str]:
        """Embeddings of documents, if the model scores them."""
        return DOCUMENTS if self.scores == "model" else frozenset()

    def propose(self, view: View, k: int) -> Proposal:
        """Read the candidates from the file."""
        rankings = read_run(self.path)
        rows = [rankings.get(view.query_ids[number]) for number in view.pairs[:, 0]]
        width = max((len(row) for row in rows if row is not None), default=0)
        ranked = np.full((len(rows), width), -1, dtype=np.int64)
        scores = np.zeros((len(rows), width))
        for place, row in enumerate(rows):
            if row is not None:
                ranked[place, : len(row)] = self._numbers(row["document"], view)
                scores[place, : len(row)] = row["score"]
        proposal = keep(view, ranked, k)
        return proposal if self.scores == "model" else self._with_scores(view, proposal, ranked, scores)

    def _numbers(self, documents: pd.Series[str], view: View) -> list[int]:
        unknown = [document for document in documents if document not in view.document_number]
        if unknown:
            raise UserError(
                f"document '{unknown[0]}' is not in the collection",
                where=self.path,
                fix="retrieve from this collection",
            )
        return [view.document_number[document] for document in documents]

    def _with_scores(
        self, view: View, proposal: Proposal, ranked: np.ndarray, scores: np.ndarray
    ) -> Proposal:
        """Add the file's scores, which must include those of the positives."""
        at_positive = ranked == view.pairs[:, 1:]
        lacking = np.flatnonzero(~at_positive.any(axis=1))
        if len(lacking):
            query = view.query_ids[view.pairs[lacking[0], 0]]
            raise UserError(
                f"{len(lacking)} positive(s) have no score, the first of query '{query}'",
                where=self.path,
                fix="add them to the file, or use `scores: model`",
            )
        places = [
            dict(zip(numbers.tolist(), values.tolist(), strict=True))
            for numbers, values in zip(ranked, scores, strict=True)
        ]
        own_scores = [
            [score_of.get(d, 0.0) for d in row]
            for score_of, row in zip(places, proposal.document.tolist(), strict=True)
        ]
        positive = scores[np.arange(len(scores)), at_positive.argmax(axis=1)]
        return Proposal(proposal.document, proposal.valid, proposal.retrieved, np.array(own_scores), positive)


def read_run(path: str) -> dict[str, pd.DataFrame]:
    """Read a TREC run file.

    Returns:
        Query id -> frame of ``document`` and ``score``, best first.

    Raises:
        UserError: a line does not have six fields, or a score is not a number.
    """
    names = ["query", "q0", "document", "rank", "score", "tag"]
    fields, used = "six fields a line: query Q0 document rank score tag", ["query", "document", "score"]
    try:
        frame = pd.read_csv(path, sep=r"\s+", names=names, dtype={"query": str, "document": str})
        frame["score"] = frame["score"].astype(float)
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"not a TREC run file ({error})", where=path, fix=fields) from error
    lacking = np.flatnonzero(frame[used].isna().any(axis=1))
    if len(lacking):
        where = f"{path}:{lacking[0] + 1}"
        raise UserError("a line without query, document or score", where=where, fix=fields)
    frame = frame.sort_values(["query", "score", "document"], ascending=[True, False, True])
    frame = frame.drop_duplicates(["query", "document"])
    return {str(query): part[["document", "score"]] for query, part in frame.groupby("query")}
