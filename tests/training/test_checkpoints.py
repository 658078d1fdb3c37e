"""The best checkpoint is kept where it is better than the last one."""

from __future__ import annotations

import pytest

from harness.encoders.dual_encoder import DualEncoder
from harness.storage.checksums import check_folder
from harness.training.checkpoints import BEST, best_of, keep_best, settle_best


@pytest.fixture
def keep(bench, tmp_path):
    """Offer an encoder of a seed, which reaches a value after as many steps as the seed."""
    from harness.collections.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(str(bench.tokens.tokenizer_folder))

    def offer(seed: int, value: float) -> str:
        encoder = bench.encoder(seed)
        keep_best(encoder, tmp_path, tokenizer, 40, seed, value)
        check_folder(tmp_path / BEST)
        return encoder.fingerprint()

    return offer


def test_only_a_better_encoder_takes_the_place(keep, tmp_path):
    keep(1, 0.3)
    better = keep(2, 0.4)
    keep(3, 0.4)
    keep(4, 0.1)
    assert best_of(tmp_path) == {"step": 2, "value": 0.4}
    assert DualEncoder.load(tmp_path / BEST).fingerprint() == better


@pytest.mark.parametrize(("last", "stays"), [(0.3, True), (0.4, False), (0.5, False)])
def test_it_stays_where_it_is_better_than_the_last(keep, tmp_path, last, stays):
    keep(2, 0.4)
    expected = {"step": 2, "value": 0.4} if stays else {"step": 9, "value": last}
    for _ in range(2):  # evaluated again, for example with another measure
        assert settle_best(tmp_path, 9, last) == expected
    assert (tmp_path / BEST).exists() == stays


def test_without_a_look_at_dev_the_last_is_the_best(tmp_path):
    assert settle_best(tmp_path, 5, 0.2) == {"step": 5, "value": 0.2}
