"""Candidates from a TREC run file."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import unquote

import numpy as np
from pydantic import Field

from harness.errors import UserError, told
from harness.negatives.sources.source import DOCUMENTS, Proposal, View, keep
from harness.pieces import Piece
from harness.storage.places import LocalName

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("query", "q0", "document", "rank", "score", "tag")
FIELDS = "six fields a line: query Q0 document rank score tag"


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
        rows = rankings_of(self.path, view)
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
        numbers = [number_of(document, view) for document in documents]
        if None in numbers:
            what = f"document '{documents.iloc[numbers.index(None)]}' is not in the collection"
            raise UserError(what, where=self.path, fix="retrieve from this collection")
        return [number for number in numbers if number is not None]

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


def rankings_of(path: str, view: View) -> list[pd.DataFrame | None]:
    """Return the ranking of each pair's query in a TREC run file, as `read_run` does; none where it has none.

    Raises:
        UserError: the file is no such run, or has none of the queries.
    """
    run = read_run(path)
    rankings = {unquote(query): ranking for query, ranking in run.items()} | run
    rows = [rankings.get(view.query_ids[number]) for number in view.pairs[:, 0]]
    if all(row is None for row in rows):
        what = f"none of the queries of {len(rows)} training pairs is in the file"
        raise UserError(what, where=path, fix="retrieve for the training queries")
    return rows


def number_of(written: str, view: View) -> int | None:
    """Return the number of a document as a run file writes it, perhaps with blanks as in addresses."""
    number = view.document_number.get(written)
    return view.document_number.get(unquote(written)) if number is None else number


def read_run(path: str) -> dict[str, pd.DataFrame]:
    """Read a TREC run file.

    Returns:
        Query id -> frame of ``document`` and ``score``, best first.

    Raises:
        UserError: it cannot be read, a line does not have six fields, a score is no number that 32 bits
            hold, or a document stands twice for a query.
    """
    import pandas as pd

    with told("not a TREC run file", where=path, fix=FIELDS), warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)  # of more fields, which are refused below
        frame = pd.read_csv(
            path,
            sep=r"\s+",
            names=[*NAMES, "more"],
            index_col=False,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            quoting=csv.QUOTE_NONE,
            encoding="utf-8-sig",
        )
    frame = frame[frame["query"] != ""]
    if frame.empty:
        raise UserError("not a TREC run file (it is empty)", where=path, fix=FIELDS)
    _refuse(path, frame, (frame["tag"] == "") | (frame["more"] != ""), "not six fields", FIELDS)
    score = pd.to_numeric(frame["score"], errors="coerce").astype(float)
    frame["score"], fix = score, "write a number that 32 bits hold"
    _refuse(path, frame, ~(score.abs() <= np.finfo(np.float32).max), "the score is no finite number", fix)
    twice = frame.duplicated(["query", "document"])
    _refuse(path, frame, twice, "a document that the query has already", "give it once for a query")
    frame = frame.sort_values(["query", "score", "document"], ascending=[True, False, True])
    return {str(query): part[["document", "score"]] for query, part in frame.groupby("query")}


def _refuse(path: str, frame: pd.DataFrame, bad: pd.Series[bool], what: str, fix: str) -> None:
    """Refuse a file of which some lines are bad; they are numbered by the frame's index."""
    if bad.any():
        where = f"{path}:{int(frame.index[bad.to_numpy()][0]) + 1}"
        raise UserError(f"{what} ({int(bad.sum())} of {len(frame)} lines)", where=where, fix=fix)
