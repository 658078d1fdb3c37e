"""Rankings with strictly decreasing scores (a hash of the document id breaks ties), and TREC files."""

from __future__ import annotations

import functools
import gzip
import hashlib
import itertools
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt

from harness.errors import UserError
from harness.storage.files import write_bytes, write_text

Ranking = dict[str, dict[str, float]]
"""Query id -> document id -> score, best first."""

QUERIES_AT_ONCE = 64
"""Queries whose lines are compressed at once, in a time that is long beside a change of threads."""

GZIP = 31
"""What zlib calls the format of gzip, with the largest window."""


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
    retrieved, places = np.unique(numbers, return_inverse=True)
    places = places.reshape(numbers.shape)
    found = [document_ids[number] for number in retrieved.tolist()]
    ids = np.array(found, dtype=object)
    in_order = np.asarray((np.diff(scores) < 0).all(axis=1))
    tie = _ties(found, scores[~in_order], places[~in_order])
    ranking: Ranking = {}
    for row, (query, of_query, of_documents) in enumerate(zip(query_ids, scores, places, strict=True)):
        score, place = of_query, of_documents
        if not in_order[row]:
            order = np.lexsort((tie[place], -score))
            score, place = score[order], place[order]
        if row in own:
            others = retrieved[place] != own[row]
            score, place = score[others], place[others]
        kept = score[:depth] if in_order[row] else strictly_decreasing(score[:depth])
        ranking[query] = dict(zip(ids[place[:depth]].tolist(), kept.tolist(), strict=True))
    return ranking


def _ties(
    document_ids: Sequence[str], scores: npt.NDArray[np.float32], numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Return the hash that breaks ties of each document; 0 for those that are tied with none."""
    order = np.argsort(-scores, axis=1, kind="stable")
    number, same = np.take_along_axis(numbers, order, axis=1), np.zeros(scores.shape, dtype=bool)
    same[:, 1:] = np.diff(np.take_along_axis(scores, order, axis=1)) == 0
    same[:, :-1] |= same[:, 1:].copy()
    tied = np.unique(number[same])
    digests = b"".join(hashlib.sha256(document_ids[at].encode()).digest()[:8] for at in tied.tolist())
    tie = np.zeros(len(document_ids), dtype=np.uint64)
    tie[tied] = np.frombuffer(digests, dtype=">u8")
    return tie


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
    """Write a gzipped TREC run file, the same bytes for the same ranking.

    One part of it is compressed while the next is put into words.
    """
    compressor = zlib.compressobj(level=1, wbits=GZIP)
    with ThreadPoolExecutor(max_workers=1) as pool:
        parts = list(pool.map(compressor.compress, _lines(ranking, tag)))
    write_bytes(path, b"".join([*parts, compressor.flush()]))


def _lines(ranking: Ranking, tag: str) -> Iterator[bytes]:
    """Yield the lines of a TREC run file, those of some queries at a time."""
    deepest, tag = max(map(len, ranking.values()), default=0), tag.replace("%", "%%")
    endings = [f"%s {rank} %.9g {tag}\n" for rank in range(1, deepest + 1)]
    queries = iter(ranking.items())
    while some := list(itertools.islice(queries, QUERIES_AT_ONCE)):
        yield "".join(_of_query(query, documents, endings) for query, documents in some).encode()


def _of_query(query: str, documents: dict[str, float], endings: Sequence[str]) -> str:
    """Return the lines of a query, filled in at once: each has its head and the ending of its rank."""
    head = f"{_field(query)} Q0 ".replace("%", "%%")
    fields: list[str | float] = [0.0] * (2 * len(documents))
    fields[::2], fields[1::2] = map(_field, documents), documents.values()
    return head.join(["", *endings[: len(documents)]]) % tuple(fields)


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
