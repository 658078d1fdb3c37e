"""What a step looks up before anything is embedded, against the plain way to look it up.

The batch of a step at the 502,939 pairs of MS MARCO: the order of an epoch is kept; the plain way hashes and
sorts all pairs at each step. Ours are whole epochs, so that making the order is in it. The masks of 256
queries over 16 passages each: by one sort; the plain way is `np.isin` list by list. Milliseconds of the
processor a step, in turn in one run: `OMP_NUM_THREADS=1 python -m tests.benchmarks.batches`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from harness.training.batches import batch_at, epoch_order
from harness.training.forward import Numbers, found_in

PAIRS, BATCH, PASSAGES, DOCUMENTS = 502_939, 256, 16, 8_841_823
ROUNDS = 5


def milliseconds(work: Callable[[int], object], times: int) -> float:
    """Processor time of one call, the mean over some."""
    begin = time.process_time()
    for number in range(times):
        work(number)
    return 1000 * (time.process_time() - begin) / times


def kept(step: int) -> Numbers:
    """Return the pairs of a step as the trainer does."""
    return batch_at(step, BATCH, PAIRS, seed=0).rows


def anew(step: int) -> Numbers:
    """Return the pairs of a step by an order made for it."""
    epoch_order.cache_clear()
    return kept(step)


def batch() -> tuple[list[Numbers], Numbers]:
    """Return what does not count against each query, its positive and up to three more, and all passages."""
    rng = np.random.default_rng(0)
    passages = rng.integers(0, DOCUMENTS, (BATCH, PASSAGES))
    others = [rng.integers(0, DOCUMENTS, rng.integers(0, 4)) for _ in range(BATCH)]
    return [np.append(row[:1], more) for row, more in zip(passages, others, strict=True)], passages.ravel()


def of_an_epoch() -> tuple[float, float]:
    """Return milliseconds a step of a batch made anew, and of one by the order that is kept."""
    plain = milliseconds(anew, 3)
    epoch_order.cache_clear()
    return plain, milliseconds(kept, -(-PAIRS // BATCH))


def of_masks(lists: list[Numbers], passages: Numbers) -> tuple[float, float]:
    """Return milliseconds of the masks of a batch list by list, and by one sort."""
    by_list = milliseconds(lambda _: np.stack([np.isin(passages, one) for one in lists]), 10)
    return by_list, milliseconds(lambda _: found_in(lists, passages), 10)


def main() -> None:
    """Print milliseconds a step and their ratio, the median over rounds, with the least and the greatest."""
    measures = {"batch": of_an_epoch, "masks": partial(of_masks, *batch())}
    for name, measure in measures.items():
        times = np.array([measure() for _ in range(ROUNDS)])
        plain, ours = np.median(times, axis=0)
        ratio = np.sort(times[:, 0] / times[:, 1])
        spread = f"{np.median(ratio):.1f} [{ratio[0]:.1f}, {ratio[-1]:.1f}]"
        print(f"{name}: plain {plain:.2f} ms, ours {ours:.3f} ms, ratio {spread}")


if __name__ == "__main__":
    main()
