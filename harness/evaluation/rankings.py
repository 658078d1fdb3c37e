"""Rankings with strictly decreasing scores (a hash of the document id breaks ties), and TREC files."""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.storage.files import write_bytes, write_text

Ranking = dict[str, dict[str, float]]
"""Query id -> document id -> score, best first."""


def make_ranking(
    query_ids: Sequence[str],
    document_ids: Sequence[str],
    scores: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.int64],
    *,
    own: Mapping[int, int] = MappingProxyType({}),
    depth: int | None = None,
) -> Ranking:
    """Return rankings whose scores strictly decrease, also as 32-bit floats.

    Args:
        query_ids: [Q] ids of the queries.
        document_ids: [N] ids of all documents, by number.
        scores: [Q, k] scores of the retrieved documents.
        numbers: [Q, k] numbers of the retrieved documents.
        own: query number -> number of a document that is left out of that query's ranking.
        depth: length of a ranking, at most; k by default.

    Raises:
        UserError: a score is not finite, a document is missing, or nothing is ranked: all scores of all
            queries are equal.
    """
    _refuse_no_result(scores, numbers)
    tie = np.array(
        [int.from_bytes(hashlib.sha256(d.encode()).digest()[:8], "big") for d in document_ids], np.uint64
    )
    ranking: Ranking = {}
    for row, (query, score, number) in enumerate(zip(query_ids, scores, numbers, strict=True)):
        order = np.lexsort((tie[number], -score))
        order = order[number[order] != own[row]] if row in own else order
        order = order[:depth]
        distinct = strictly_decreasing(score[order])
        ranking[query] = {
            document_ids[d]: float(s) for d, s in zip(number[order].tolist(), distinct.tolist(), strict=True)
        }
    return ranking


def _refuse_no_result(scores: npt.NDArray[np.float32], numbers: npt.NDArray[np.int64]) -> None:
    """Refuse what is no ranking: it would be measured as one, by the order of the documents."""
    bad = ~np.isfinite(scores) | (numbers < 0)
    if bad.any():
        what = f"{int(bad.any(axis=1).sum())} of {len(scores)} queries have scores that are not finite"
        raise UserError(what, fix="the encoder gives no numbers for some texts; look for NaN in its weights")
    if scores.shape[1] > 1 and len(scores) and not (scores.max(axis=1) > scores.min(axis=1)).any():
        what = f"all {scores.shape[1]} documents score the same for each of the {len(scores)} queries"
        fix = "nothing is ranked: leave this row out, or look at what it reads of the texts"
        raise UserError(what, fix=fix)


def strictly_decreasing(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Lower tied 32-bit scores by the smallest amount that makes them strictly decreasing."""
    result = scores.astype(np.float32).copy()
    for place in np.flatnonzero(np.diff(result) >= 0) + 1:  # ties are rare; each may push the next
        at = int(place)
        while at < len(result) and result[at] >= result[at - 1]:
            result[at] = np.nextafter(result[at - 1], np.float32(-np.inf))
            at += 1
    return result


def write_ranking(ranking: Ranking, path: Path, tag: str) -> None:
    """Write a gzipped TREC run file, the same bytes for the same ranking."""
    deepest = max(map(len, ranking.values()), default=0)
    ranks = [f" {rank} " for rank in range(1, deepest + 1)]
    lines = []
    for query, documents in ranking.items():
        head = f"{_field(query)} Q0 "
        lines += [
            f"{head}{_field(document)}{rank}{score:.9g} {tag}\n"
            for (document, score), rank in zip(documents.items(), ranks, strict=False)
        ]
    write_bytes(path, gzip.compress("".join(lines).encode(), compresslevel=1, mtime=0))


def read_ranking(path: Path) -> Ranking:
    """Read a gzipped TREC run file.

    Raises:
        UserError: the file is missing or corrupt.
    """
    ranking: Ranking = {}
    try:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            query, _, document, _, score, _ = line.split()
            ranking.setdefault(unquote(query), {})[unquote(document)] = float(score)
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            f"corrupt ranking ({error})", where=str(path), fix="delete it and run again"
        ) from error
    return ranking


_UNSAFE = re.compile(r"\s|%(?=[0-9A-Fa-f]{2})")


@functools.lru_cache(maxsize=1 << 16)
def _field(name: str) -> str:
    """Return an id as a field of a TREC file; blanks, which end a field, are written as in addresses."""
    return _UNSAFE.sub(lambda found: quote(found.group()), name)


def write_qrels(qrels: dict[str, dict[str, int]], path: Path) -> None:
    """Write judgements as a TREC qrels file."""
    lines = [
        f"{_field(q)} 0 {_field(d)} {grade}\n" for q, judged in qrels.items() for d, grade in judged.items()
    ]
    write_text(path, "".join(lines))
