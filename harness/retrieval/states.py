"""States of texts that a frozen part of an encoder computes once, stored and memory-mapped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from harness.collections.tokens import Ragged, Sequences, TokenStore, places_of
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.frozen import Stated, state_type, states_of_tokens
from harness.encoders.partial import StatesOf
from harness.errors import RunError
from harness.retrieval.encode import length_buckets
from harness.storage.checksums import check_folder
from harness.storage.disk import space_for
from harness.storage.files import read_object, resumed_folder, write_json

DONE = "done.json"
_PROGRESS = "progress.json"


@dataclass(frozen=True)
class States:
    """States of texts, one or several each, concatenated.

    Attributes:
        flat: [sum of lengths, H] states.
        offset: [count + 1] start of each text in `flat`, and the end of the last one.
    """

    flat: npt.NDArray[Any]
    offset: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offset) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of states of each text, [count]."""
        return np.diff(self.offset)

    def padded(self, rows: npt.NDArray[np.int64], pad: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Return states [len(rows), longest, H], zero where there is none, and their mask."""
        place, mask = places_of(self.offset, rows)
        states = np.asarray(self.flat[np.minimum(place, len(self.flat) - 1)])
        states[~mask] = 0
        return states, mask.astype(np.int64)


@dataclass(frozen=True)
class FrozenTexts:
    """What is read of a collection over a frozen encoder.

    Attributes:
        documents: states of each document.
        queries: split -> states of each query, or their tokens where a part of the encoder begins with them.
        pad: id of the padding token.
    """

    documents: Sequences
    queries: Mapping[str, Sequences]
    pad: int


@dataclass(frozen=True)
class StatePairs:
    """P pairs of a query's states and a passage's, assembled on demand.

    Attributes:
        queries: states of a split's queries.
        documents: states of the documents.
        query: [P] number of each pair's query.
        document: [P] number of each pair's document.
    """

    queries: Sequences
    documents: Sequences
    query: npt.NDArray[np.int64]
    document: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.query)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """States of each pair, [P]."""
        return np.asarray(self.queries.lengths[self.query] + self.documents.lengths[self.document])

    def padded(self, rows: npt.NDArray[np.int64], pad: int) -> tuple[npt.NDArray[Any], ...]:
        """Return states and mask of distinct queries, each pair's query, states and mask of its passages."""
        distinct, whose = np.unique(self.query[rows], return_inverse=True)
        return *self.queries.padded(distinct, pad), whose, *self.documents.padded(self.document[rows], pad)


class FrozenReader(Protocol):
    """What reads states: a part of an encoder, or a ranker."""

    @property
    def whole(self) -> DualEncoder:
        """The encoder, frozen part and all."""
        ...

    @property
    def trains(self) -> Stated:
        """Which states."""
        ...

    def query_states(self) -> StatesOf | None:
        """Return what computes the states of queries; none where their tokens are read."""
        ...

    def passage_states(self) -> StatesOf:
        """Return what computes the states of passages."""
        ...


@dataclass(frozen=True)
class _Job:
    """Texts whose states are computed.

    Attributes:
        name: of their file.
        tokens: of the texts.
        states_of: computes the states of a batch.
        width: of a state.
        type: of its numbers.
    """

    name: str
    tokens: Ragged
    states_of: StatesOf
    width: int
    type: npt.DTypeLike

    def offset(self, per_token: bool) -> npt.NDArray[np.int64]:
        """Return where the states of each text begin."""
        return np.asarray(self.tokens.offset) if per_token else np.arange(len(self.tokens) + 1)


def build_states(
    encoder: FrozenReader,
    tokens: TokenStore,
    folder: Path,
    advance: Callable[[int], None],
    *,
    known: tuple[TokenStore, Path] | None = None,
) -> None:
    """Compute the states of all texts that a part of an encoder reads, into a folder.

    What was computed before a crash is kept: batches are the same each time, and each is written to disk
    before it is counted.

    Args:
        encoder: whose frozen part computes them.
        tokens: of the collection.
        folder: made, with `done.json`; what is unfinished lies beside it.
        advance: called with the number of texts that are done, see `texts_of`.
        known: tokens of another collection, and the folder of their states by the same encoder; where its
            documents are the same, theirs are copied.

    Raises:
        RunError: a state is not finite.
        DiskFullError: there is no room.
    """
    jobs = _jobs(encoder, tokens)
    per_token = states_of_tokens(encoder.trains)
    size = sum(int(job.offset(per_token)[-1]) * job.width * np.dtype(job.type).itemsize for job in jobs)
    room = space_for("the states of a frozen encoder", folder.parent, size)
    with _all_cores(), room, resumed_folder(folder) as beside:
        done = 0
        if known is not None and _same(known[0].documents, tokens.documents):
            _take(jobs[0], known[1], beside)
        for job in jobs:
            done = _compute(job, per_token, encoder, tokens.pad, beside, done, advance)
        (beside / _PROGRESS).unlink(missing_ok=True)
        write_json(beside / DONE, {"states": folder.name, "trains": encoder.trains})


@contextmanager
def _all_cores() -> Iterator[None]:
    """Within the block, let torch use all cores: a scale's threads are those that suit its small steps."""
    before, said = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(said) if said.isdecimal() and int(said) else os.cpu_count() or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def texts_of(encoder: FrozenReader, tokens: TokenStore) -> int:
    """Return of how many texts `build_states` computes states."""
    return sum(len(job.tokens) for job in _jobs(encoder, tokens))


def load_states(encoder: FrozenReader, tokens: TokenStore, folder: Path) -> FrozenTexts:
    """Open what `build_states` wrote, memory-mapped.

    Args:
        encoder: the part that reads them.
        tokens: of the collection.
        folder: whose checksums were compared.
    """
    per_token = states_of_tokens(encoder.trains)
    states: dict[str, Sequences] = {
        job.name: States(np.load(folder / f"{job.name}.npy", mmap_mode="r"), job.offset(per_token))
        for job in _jobs(encoder, tokens)
    }
    queries = {split: states.get(_queries(split), tokens.queries[split]) for split in tokens.queries}
    return FrozenTexts(states["documents"], queries, tokens.pad)


def _jobs(encoder: FrozenReader, tokens: TokenStore) -> list[_Job]:
    """Return which texts have states: all documents, and queries unless the part reads their tokens."""
    whole, of_queries = encoder.whole, encoder.query_states()
    width = whole.passage.dimension if encoder.trains == "query-tower" else whole.passage.width
    kind = state_type(encoder.trains)
    jobs = [_Job("documents", tokens.documents, encoder.passage_states(), width, kind)]
    if of_queries is not None:
        jobs += [
            _Job(_queries(split), sequences, of_queries, width, kind)
            for split, sequences in sorted(tokens.queries.items())
        ]
    return jobs


def _queries(split: str) -> str:
    return f"queries-{split}"


def _compute(
    job: _Job,
    per_token: bool,
    encoder: FrozenReader,
    pad: int,
    beside: Path,
    done: int,
    advance: Callable[[int], None],
) -> int:
    """Compute the states of some texts, from where it was left; returns the texts that are done by now."""
    offset = job.offset(per_token)
    path, progress = beside / f"{job.name}.npy", beside / _PROGRESS
    counted = read_object(progress) if progress.exists() else {}
    begin = counted.get(job.name, 0) if path.exists() else 0
    shape = (int(offset[-1]), job.width)
    flat = np.lib.format.open_memmap(
        path, mode="r+" if begin else "w+", dtype=job.type, shape=None if begin else shape
    )
    device = encoder.whole.query.like.device
    encoder.whole.eval()
    with torch.inference_mode():
        for number, bucket in enumerate(length_buckets(job.tokens.lengths)):
            done += len(bucket)
            if number < begin:
                continue
            ids, mask = job.tokens.padded(bucket, pad)
            states = job.states_of(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
            _write(flat, offset, bucket, states.float().cpu().numpy(), mask if per_token else None)
            flat.flush()
            write_json(progress, counted | {job.name: number + 1})
            advance(done)
    return done


def _same(one: Ragged, other: Ragged) -> bool:
    return np.array_equal(one.offset, other.offset) and np.array_equal(one.flat, other.flat)


def _take(job: _Job, folder: Path, beside: Path) -> None:
    """Copy the states of texts from a finished folder, unless they were begun."""
    target, progress = beside / f"{job.name}.npy", beside / _PROGRESS
    if not progress.exists():
        check_folder(folder)
        shutil.copyfile(folder / target.name, target)
        write_json(progress, {job.name: sum(1 for _ in length_buckets(job.tokens.lengths))})


def _write(
    flat: npt.NDArray[np.floating[Any]],
    offset: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    states: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int64] | None,
) -> None:
    if not np.isfinite(states).all():
        fix = "look for NaN in the weights of its checkpoint"
        raise RunError("the states of some texts are not finite numbers", where="encoder", fix=fix)
    if mask is None:
        flat[offset[rows]] = states[:, 0]
        return
    place = np.arange(mask.shape[1])
    flat[(offset[rows][:, None] + place)[mask > 0]] = states[mask > 0]
