"""The processes that share a run: ranks. One process is a group of one, and takes the same path.

Every rank knows a step's whole batch and computes the whole loss; what they share is the encoding. Texts are
cut into buckets without regard to ranks, each bucket is embedded by one of them, and the rows are made known
to all. So draws, noise and loss are those of one process, whatever the loss averages over. And since each
rank's loss is the whole one, the gradient that reaches the rows a rank made is whole already: the gradients
of weights are added, never averaged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from harness.errors import HarnessError, LostRankError, RunError, first_line
from harness.retrieval.freed import give_back
from harness.retrieval.timeline import part

Numbers = npt.NDArray[np.int64]
T = TypeVar("T")

BUCKETS_PER_TRIM = 6
"""Recomputed buckets after which free memory is given back: at each one a step would take a fifth longer."""


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostRankError(f"another process of this run is gone ({first_line(error)})") from error


@dataclass(frozen=True)
class Ranks:
    """This process and those beside it.

    Attributes:
        number: of this process, from 0.
        count: of all processes.
    """

    number: int = 0
    count: int = 1

    @staticmethod
    def here() -> Ranks:
        """Return the group of torch.distributed that this process is in, or else a group of one."""
        together = dist.is_available() and dist.is_initialized()
        return Ranks(dist.get_rank(), dist.get_world_size()) if together else ALONE

    @property
    def first(self) -> bool:
        """Whether this process is the one that records."""
        return self.number == 0

    def add(self, rows: Tensor) -> None:
        """Add up, in place, tensors in which each rank filled rows of its own and left zeros elsewhere."""
        self._reduce(rows, dist.ReduceOp.SUM)

    def any(self, said: bool) -> bool:
        """Return whether any rank says so."""
        flag = torch.tensor([said], dtype=torch.uint8)
        self._reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item())

    def told(self, value: T) -> T:
        """Return what rank 0 gives, to all."""
        given: list[Any] = [value]
        if self.count > 1:
            with _reaching():
                dist.broadcast_object_list(given, src=0, device=torch.device("cpu"))
        return cast("T", given[0])

    def alone(self, work: Callable[[], T]) -> T | None:
        """Return what rank 0 makes while the others wait, and None to these.

        Raises:
            RunError: on the others, where rank 0 raises anything.
        """
        if not self.first:
            problem = self.told("")
            if problem:
                raise RunError(problem, where="rank 0")
            return None
        try:
            made = work()
        except LostRankError:
            raise
        except BaseException as error:
            self.told(str(error) if isinstance(error, HarnessError) else type(error).__name__)
            raise
        self.told("")
        return made

    def refuse_different(self, value: object, what: str) -> None:
        """Refuse to go on where ranks have different values of something.

        Args:
            value: this rank's.
            what: the value is, for the message.

        Raises:
            RunError: they differ, on all ranks.
        """
        if self.any(self.told(value) != value):
            fix = "give all processes the same store, on a file system that they share"
            raise RunError(f"the processes of this run have different {what}", where="ranks", fix=fix)

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all ranks; a parameter that has none on any rank is left without."""
        if self.count == 1:
            return
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        there = torch.tensor([p.grad is not None for p in trained], dtype=torch.uint8)
        self._reduce(there, dist.ReduceOp.MAX)
        used = [parameter for parameter, has in zip(trained, there.tolist(), strict=True) if has]
        own = (torch.zeros_like(p) if p.grad is None else p.grad for p in used)
        flat = torch.cat([gradient.reshape(-1) for gradient in own])
        self.add(flat)
        for parameter, whole in zip(used, torch.split(flat, [p.numel() for p in used]), strict=True):
            parameter.grad = whole.view_as(parameter)

    def _reduce(self, values: Tensor, how: Any) -> None:
        if self.count > 1:
            with part("communication"), _reaching():
                dist.all_reduce(values, op=how)


ALONE = Ranks()
"""One process."""


@dataclass
class Deal:
    """Who computes which buckets of a step, or of another piece of work: the rank that has least so far.

    Attributes:
        ranks: among whom.
        recompute: whether what leads to a bucket's rows is forgotten, and computed again when the gradient
            comes back, a bucket at a time; memory is then that of a bucket, not of a batch.
    """

    ranks: Ranks = ALONE
    recompute: bool = False
    _load: list[int] = field(default_factory=list)

    def own(self, buckets: Sequence[Numbers], lengths: Numbers) -> list[int]:
        """Return which of some buckets this rank computes.

        Args:
            buckets: numbers of sequences, longest first.
            lengths: of all sequences; the cost of a bucket is its places, padding included.
        """
        load, own = self._load or [0] * self.ranks.count, []
        for number, bucket in enumerate(buckets):
            owner = load.index(min(load))
            load[owner] += len(bucket) * max(int(lengths[bucket[0]]), 1)
            if owner == self.ranks.number:
                own.append(number)
        self._load = load
        return own

    def rows(
        self,
        buckets: Sequence[Numbers],
        lengths: Numbers,
        compute: Callable[[int], Tensor],
        model: nn.Module,
        width: tuple[int, ...],
    ) -> Tensor:
        """Return one row of each sequence, in their order, on every rank; with gradient to this rank's own.

        Args:
            buckets: numbers of sequences, longest first, together all of them.
            lengths: of all sequences.
            compute: rows of a bucket by its number. Random numbers in it are a function of that number, so
                that it is the same whoever computes it, and when it is computed again.
            model: that computes them; its weights have the device and type of the rows.
            width: shape of a row.
        """
        like = next(itertools.chain(model.parameters(), model.buffers()))
        own = self.own(buckets, lengths)
        parts = [self._computed(compute, number) for number in own]
        known = like.new_zeros((len(lengths), *width), requires_grad=False)
        if not parts:
            self.ranks.add(known)
            return known.requires_grad_(torch.is_grad_enabled() and _trains(model))
        place = torch.from_numpy(np.concatenate([buckets[number] for number in own])).to(like.device)
        part = torch.cat(parts)
        if self.ranks.count > 1:
            known[place] = part.detach()
            self.ranks.add(known)
        return known.index_copy(0, place, part)

    def _computed(self, compute: Callable[[int], Tensor], number: int) -> Tensor:
        if not (self.recompute and torch.is_grad_enabled()):
            return compute(number)

        def afresh(number: int) -> Tensor:
            if number % BUCKETS_PER_TRIM == 0:
                give_back()
            return compute(number)

        again = checkpoint(afresh, number, use_reentrant=False, preserve_rng_state=False)
        return cast("Tensor", again)


def _trains(model: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in model.parameters())
