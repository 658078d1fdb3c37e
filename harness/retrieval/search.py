"""Exact inner-product search: by faiss on a CPU, by torch on GPUs, or by faiss-gpu where it is asked for.

Documents are searched a block at a time and the best of each block merged, so that memory is that of a block
beside the embeddings, which may be a memory map. One block is searched as it is.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from harness.errors import UserError, nearest

if TYPE_CHECKING:
    import torch

QUERIES_AT_ONCE = 1024

BLOCK_BYTES = 2**30
"""Bytes of the documents of a block, and of their scores for the queries at once, at most."""

ENGINE = "HARNESS_SEARCH"
"""Environment variable that names an engine in the place of the one that fits the machine."""

Engine = Literal["faiss", "torch", "faiss-gpu"]

Array = npt.NDArray[np.float32]

Hits = tuple[Array, npt.NDArray[np.int64]]
"""Scores [Q, k], descending, and document numbers [Q, k]."""

SearchOfBlock = Callable[[Array, Array, int], Hits]
"""(queries, documents, k) -> scores and numbers within the block, the best first."""


def faiss_module() -> Any:
    """Return the module faiss.

    Raises:
        UserError: neither faiss-cpu nor faiss-gpu is installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise UserError(
            "faiss is not installed",
            fix="install one of: pip install 'negative-sampling-harness[cpu]' (any machine), "
            "pip install 'negative-sampling-harness[gpu]' (NVIDIA GPU)",
        ) from error


def exact_search(queries: Array, documents: Array, k: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the k documents with the largest inner product for each query.

    All engines find the same documents, but where scores differ in the last digits of float32 alone, or, at
    the end of a ranking, not at all.

    Args:
        queries: [Q, dimension] embeddings of the queries.
        documents: [N, dimension] embeddings of the documents, in memory or mapped.
        k: number of documents to retrieve; at most N are returned.

    Returns:
        Scores [Q, k] in descending order, and document numbers [Q, k].

    Raises:
        UserError: HARNESS_SEARCH names an engine that there is not, or not here.
    """
    search, k, best = ENGINES[engine()](), min(k, len(documents)), None
    for at, block in _blocks(documents):
        found = _shifted(search(queries, block, min(k, len(block))), at)
        best = found if best is None else _merged_into(best, found, k)
    assert best is not None  # noqa: S101  (an empty collection is a block, too)
    return best


def documents_at_once(dimension: int) -> int:
    """Return the documents of a block, at most."""
    return max(1, BLOCK_BYTES // (4 * max(dimension, QUERIES_AT_ONCE)))


def engine() -> Engine:
    """Return the engine that is named, or else that of this machine.

    Raises:
        UserError: there is no such engine, or not here.
    """
    named = os.environ.get(ENGINE, "")
    if not named:
        import torch

        return "torch" if torch.cuda.is_available() else "faiss"
    if named not in get_args(Engine):
        what = f"there is no search engine '{named}'"
        raise UserError(what, where=ENGINE, fix=nearest(named, get_args(Engine)))
    if named == "faiss-gpu" and not _gpus_of_faiss():
        fix = f"install the extra gpu on a machine with an NVIDIA GPU, or unset {ENGINE}"
        raise UserError("faiss has no GPU here", where=f"{ENGINE}={named}", fix=fix)
    return cast("Engine", named)


def by_faiss() -> SearchOfBlock:
    """Return the search by faiss on the CPU."""
    return _by_faiss


def by_faiss_gpu() -> SearchOfBlock:
    """Return the search by faiss on all GPUs, each with a share of a block."""
    faiss = faiss_module()
    options = faiss.GpuMultipleClonerOptions()
    options.shard = True
    return partial(_in_index, lambda width: faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(width), co=options))


def by_torch() -> SearchOfBlock:
    """Return the search by products of matrices, on all GPUs in turn, or on the CPU."""
    import torch

    count = torch.cuda.device_count()
    devices = [torch.device("cuda", number) for number in range(count)] or [torch.device("cpu")]
    return partial(_by_products, devices)


ENGINES: dict[Engine, Callable[[], SearchOfBlock]] = {
    "faiss": by_faiss,
    "torch": by_torch,
    "faiss-gpu": by_faiss_gpu,
}


def _blocks(documents: Array) -> Iterator[tuple[int, Array]]:
    """Yield blocks of documents, each with the number of its first; an empty collection is one."""
    rows = documents_at_once(documents.shape[1])
    for begin in range(0, max(1, len(documents)), rows):
        yield begin, np.ascontiguousarray(documents[begin : begin + rows], dtype=np.float32)


def _shifted(hits: Hits, by: int) -> Hits:
    return hits[0], hits[1] + by if by else hits[1]


def _by_faiss(queries: Array, documents: Array, k: int) -> Hits:
    """Search as an `IndexFlatIP` does, bit for bit, and without its copy of the documents."""
    faiss = faiss_module()

    def search(some: Array) -> Hits:
        scores, numbers = faiss.knn(some, documents, k, metric=faiss.METRIC_INNER_PRODUCT)
        return scores, numbers

    return _in_parts(search, queries, k)


def _in_index(make: Callable[[int], Any], queries: Array, documents: Array, k: int) -> Hits:
    index = make(documents.shape[1])
    index.add(documents)
    return _in_parts(lambda some: index.search(some, k), queries, k)


def _in_parts(search: Callable[[Array], Hits], queries: Array, k: int) -> Hits:
    """Search for some queries at a time."""
    scores = np.empty((len(queries), k), dtype=np.float32)
    numbers = np.empty((len(queries), k), dtype=np.int64)
    for begin in range(0, len(queries), QUERIES_AT_ONCE):
        part = slice(begin, begin + QUERIES_AT_ONCE)
        scores[part], numbers[part] = search(np.ascontiguousarray(queries[part], dtype=np.float32))
    return scores, numbers


def _by_products(devices: list[torch.device], queries: Array, documents: Array, k: int) -> Hits:
    """Search shards of a block, one on each device, and merge what they find."""
    import torch

    shards = np.array_split(np.arange(len(documents)), min(len(devices), max(1, len(documents))))
    there = [
        torch.from_numpy(documents[rows]).to(device) for rows, device in zip(shards, devices, strict=False)
    ]
    parts = []
    for begin in range(0, len(queries), QUERIES_AT_ONCE):
        asked = torch.from_numpy(np.ascontiguousarray(queries[begin : begin + QUERIES_AT_ONCE]))
        found = [
            torch.topk(asked.to(shard.device) @ shard.T, min(k, len(shard)), dim=1) for shard in there
        ]  # which all devices do at once
        found_here = [
            _shifted((scores.cpu().numpy(), numbers.cpu().numpy()), int(rows[0]) if len(rows) else 0)
            for (scores, numbers), rows in zip(found, shards, strict=True)
        ]
        parts.append(merged(found_here, k))
    scores, numbers = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return scores, numbers


def merged(found: Sequence[Hits], k: int) -> Hits:
    """Return the k best of what several searches found; of equal scores the smaller number is first.

    Args:
        found: by each.
        k: how many; at most as many as there are.
    """
    scores, numbers = (np.concatenate(arrays, axis=1) for arrays in zip(*found, strict=True))
    order = np.lexsort((numbers, -scores), axis=1)[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(numbers, order, axis=1)


def _merged_into(best: Hits, found: Hits, k: int) -> Hits:
    """Return what `merged` does; it writes over the best, some queries at a time, as copies take memory."""
    if best[0].shape[1] < k:
        return merged([best, found], k)
    for begin in range(0, len(best[0]), QUERIES_AT_ONCE):
        part = slice(begin, begin + QUERIES_AT_ONCE)
        both = [(scores[part], numbers[part]) for scores, numbers in (best, found)]
        best[0][part], best[1][part] = merged(both, k)
    return best


def _gpus_of_faiss() -> int:
    count = getattr(faiss_module(), "get_num_gpus", None)
    return int(count()) if count is not None and hasattr(faiss_module(), "index_cpu_to_all_gpus") else 0
