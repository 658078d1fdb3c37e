"""What a step finds in the order of its epoch and in the lists of its batch: the same as by plain code."""

from __future__ import annotations

import numpy as np
import pytest

from harness.negatives.noise import ORDER_STAGE, uniform
from harness.training.batches import batch_at, epoch_order
from harness.training.forward import found_in


def plain_rows(step: int, size: int, pairs: int, seed: int) -> list[int]:
    """The rows of a batch, each from the order of its own epoch, which is made anew."""
    rows = []
    for place in range(step * size, (step + 1) * size):
        key = uniform(seed, place // pairs, ORDER_STAGE, np.arange(pairs))
        rows.append(int(np.argsort(key, kind="stable")[place % pairs]))
    return rows


@pytest.mark.parametrize(("size", "pairs"), [(8, 60), (7, 20), (20, 20), (50, 12), (1, 1)])
def test_a_batch_is_that_of_its_epochs_made_anew(size: int, pairs: int) -> None:
    for seed in (1, 2):
        for step in [*range(6), 40, 3, 41, 0]:
            batch = batch_at(step, size, pairs, seed)
            assert batch.rows.tolist() == plain_rows(step, size, pairs, seed)
            assert batch.visit.tolist() == [p // pairs for p in range(step * size, (step + 1) * size)]


def test_a_step_that_is_resumed_has_the_batch_that_it_had() -> None:
    before = batch_at(17, 8, 60, seed=5)
    epoch_order.cache_clear()
    after = batch_at(17, 8, 60, seed=5)
    assert before.rows.tolist() == after.rows.tolist() and before.visit.tolist() == after.visit.tolist()


def test_two_orders_are_kept_whatever_has_been_asked_for() -> None:
    for epoch in range(10):
        epoch_order(epoch, 30, 0)
    assert epoch_order.cache_info().currsize == 2
    epoch_order.cache_clear()
    for step in range(30):
        batch_at(step, 8, 60, seed=0)
    assert epoch_order.cache_info().misses == 4


def test_nobody_changes_an_order_that_is_kept() -> None:
    with pytest.raises(ValueError, match="read-only"):
        epoch_order(0, 30, 0)[0] = 1
    batch_at(0, 8, 30, seed=0).rows[:] = 0
    assert batch_at(0, 8, 30, seed=0).rows.tolist() == plain_rows(0, 8, 30, 0)


@pytest.mark.parametrize(
    ("lists", "documents"),
    [
        ([[4], [7, 9], [4]], [4, 1, 2, 7, 2, 4, 4, 8, 9]),
        ([[], [1]], [0, 1, 1, 2]),
        ([[], []], [3, 1]),
        ([[5, 6]], []),
        ([[9, 9, 1], [100]], [9, 1, 9]),
        ([[0], [2**40]], [2**40, 0, 2**40]),
    ],
)
def test_what_is_in_a_list_is_found_wherever_it_stands(lists: list[list[int]], documents: list[int]) -> None:
    arrays = [np.array(one, dtype=np.int64) for one in lists]
    found = found_in(arrays, np.array(documents, dtype=np.int64))
    assert found.tolist() == [[document in one for document in documents] for one in lists]
    assert found.shape == (len(lists), len(documents))


def test_many_lists_are_searched_as_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    documents = rng.integers(0, 300, 400)
    lists = [rng.integers(0, 300, rng.integers(0, 9)) for _ in range(50)]
    assert np.array_equal(found_in(lists, documents), np.stack([np.isin(documents, one) for one in lists]))
