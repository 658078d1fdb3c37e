"""Resuming changes nothing, buckets change nothing, negatives are what was asked."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from scipy import stats

from harness.encoders.precision import products
from harness.errors import UserError
from harness.negatives.candidates import Draws
from harness.negatives.mining import EVERYTHING, Miner, load_candidates
from harness.negatives.noise import DROPOUT_STAGE, mixed
from harness.records.run_folder import is_time
from harness.retrieval.encode import length_buckets
from harness.retrieval.search import exact_search
from harness.storage import stopping
from harness.storage.checksums import SUMS
from harness.training import rounds
from harness.training.batches import TrainingPairs, batch_at, epoch_order, sampled_pairs
from harness.training.checkpoints import latest_checkpoint
from harness.training.forward import PARTS, Passing, QueryBatch, embed
from harness.training.losses.registry import make_loss
from harness.training.objectives import counted
from harness.training.schedule import linear_schedule
from harness.training.topologies.in_batch import InBatch
from harness.training.topologies.own import Own
from tests.cases import few

from .conftest import same


class StopError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("law", ["trisampler", "uniform", None])
@pytest.mark.parametrize("stop", few([3, 6, 7, 17, 23], 7, 17))
def test_a_stopped_run_continues_bit_for_bit(bench, tmp_path, law, stop):
    whole = bench.encoder()
    reference = bench.trainer(tmp_path / "whole", whole, law)
    reference.run()

    def kill(done: int) -> None:
        if done == stop:
            raise StopError

    first = bench.trainer(tmp_path / "parts", bench.encoder(), law)
    first.advance = kill
    with pytest.raises(StopError):
        first.run()
    encoder = bench.encoder()
    second = bench.trainer(tmp_path / "parts", encoder, law)
    second.run()
    assert same(whole.weights(), encoder.weights())
    assert whole.fingerprint() == encoder.fingerprint()
    losses = [[line["loss"] for line in t.writer.metrics() if "loss" in line] for t in (reference, second)]
    assert losses[0] == losses[1] and len(losses[0]) == 24


@pytest.mark.parametrize("moment", ["mining", "saving candidates"])
def test_a_run_stopped_while_mining_continues_bit_for_bit(bench, tmp_path, monkeypatch, moment):
    whole = bench.encoder()
    bench.trainer(tmp_path / "whole", whole).run()

    def kill(*args: object, **kwargs: object) -> None:
        raise StopError

    stopped = bench.trainer(tmp_path / "parts", bench.encoder())
    with monkeypatch.context() as patch:
        place, name = (Miner, "mine") if moment == "mining" else (rounds, "save_candidates")
        patch.setattr(place, name, kill)
        with pytest.raises(StopError):
            stopped.run()
    encoder = bench.encoder()
    bench.trainer(tmp_path / "parts", encoder).run()
    assert same(whole.weights(), encoder.weights())


@pytest.mark.parametrize("at", [0, 5, 7])
def test_a_signal_within_a_step_leaves_a_checkpoint_after_it(bench, tmp_path, monkeypatch, at):
    """Also within a round, which is not begun a second time."""
    changes = {"steps": 12, "refresh": 4}
    whole = bench.encoder()
    undisturbed = bench.trainer(tmp_path / "whole", whole, **changes)
    undisturbed.run()
    handlers = {number: signal.getsignal(number) for number in stopping.ENDING}
    monkeypatch.setattr(stopping, "_Signals", type("Fresh", (stopping._Signals,), {}))
    stopping.on_signals()

    def schedule(step: int, *arguments: object) -> float:
        if step == at:
            os.kill(os.getpid(), signal.SIGTERM)
        return linear_schedule(step, *arguments)

    try:
        with monkeypatch.context() as patch, pytest.raises(stopping.StoppedBySignal):
            patch.setattr("harness.training.learner.linear_schedule", schedule)
            bench.trainer(tmp_path / "parts", bench.encoder(), **changes).run()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    [checkpoint] = (tmp_path / "parts").rglob("step-*")
    assert checkpoint.name == f"step-{at + 1:08d}"
    second = bench.encoder()
    resumed = bench.trainer(tmp_path / "parts", second, **changes)
    resumed.run()
    assert same(whole.weights(), second.weights())
    told = [
        [(line["phase"], line["step"]) for line in one.writer.metrics()] for one in (undisturbed, resumed)
    ]
    assert told[0] == told[1]


def test_training_lowers_the_loss(bench, tmp_path):
    trainer = bench.trainer(tmp_path, bench.encoder(dropout=0.0, token_dropout=0.0), None, steps=60, batch=16)
    trainer.run()
    losses = [line["loss"] for line in trainer.writer.metrics()]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


@pytest.mark.parametrize("checksums", [True, False])
def test_a_torn_checkpoint_is_a_clear_error(bench, tmp_path, checksums):
    bench.trainer(tmp_path, bench.encoder(), steps=6).run()
    folder = next((tmp_path / "checkpoints").glob("step-*"))
    (folder / "optimizer.pt").write_bytes(b"torn")
    if not checksums:
        (folder / SUMS).unlink()
    with pytest.raises(UserError, match=r"corrupt .*step-00000006|step-00000006.*corrupt"):
        latest_checkpoint(tmp_path / "checkpoints")


def test_a_checkpoint_made_before_there_were_checksums_is_read(bench, tmp_path):
    bench.trainer(tmp_path, bench.encoder(), steps=6).run()
    (next((tmp_path / "checkpoints").glob("step-*")) / SUMS).unlink()
    checkpoint = latest_checkpoint(tmp_path / "checkpoints")
    assert checkpoint is not None and checkpoint.step == 6


def test_a_round_of_candidates_that_is_lost_is_mined_again_bit_for_bit(bench, tmp_path):
    whole = bench.encoder()
    bench.trainer(tmp_path / "whole", whole).run()

    def kill(done: int) -> None:
        if done == 20:  # in the round that begins at step 18
            raise StopError

    stopped = bench.trainer(tmp_path / "parts", bench.encoder())
    stopped.advance = kill
    with pytest.raises(StopError):
        stopped.run()
    (tmp_path / "parts/candidates/round-0003.npz").unlink()
    encoder = bench.encoder()
    bench.trainer(tmp_path / "parts", encoder).run()
    assert same(whole.weights(), encoder.weights())


def test_scores_are_the_inner_products_whatever_the_buckets(bench):
    encoder = bench.encoder().eval()
    tokens = bench.tokens
    query, passage = np.arange(6), np.random.default_rng(0).integers(0, 72, size=(6, 4))
    passage[1] = passage[0]
    every = []
    for places in (40, 4096):
        passing = Passing(places=places)
        with torch.no_grad():
            scored = Own().scores(QueryBatch(encoder, tokens, query, passage, [], passing))
        every.append(scored.scores.numpy())
        assert scored.target.tolist() == [0] * 6
    np.testing.assert_allclose(every[0], every[1], rtol=1e-4, atol=1e-4)
    alone = [
        [
            _embed(encoder.query, tokens.queries["train"], q) @ _embed(encoder.passage, tokens.documents, d)
            for d in row
        ]
        for q, row in zip(query, passage, strict=True)
    ]
    np.testing.assert_allclose(every[0], alone, rtol=1e-4, atol=1e-4)


def _embed(tower, sequences, row):
    from harness.retrieval.encode import encode

    return encode(tower, sequences, 0, np.array([row]))[0]


def test_in_batch_scores_mask_a_querys_other_labelled_positives(bench):
    positive = np.array([[4], [7], [4]])
    labelled = [np.array([4]), np.array([7]), np.array([4])]
    scored = InBatch().scores(QueryBatch(bench.encoder(), bench.tokens, np.arange(3), positive, labelled))
    scores, target = scored.scores, scored.target
    masked = torch.isinf(scores)
    assert masked.tolist() == [[False, False, True], [False, False, False], [True, False, False]]
    assert target.tolist() == [0, 1, 2]
    assert torch.isfinite(make_loss("softmax-cross-entropy")(scored))


def test_terms_of_a_sum_are_logged_apart(bench, tmp_path):
    trainer = bench.trainer(tmp_path / "sum", bench.encoder(), steps=2)
    parts = [{"name": "hinge", "margin": 0.5}, "bce"]
    trainer.loss = make_loss({"name": "sum", "parts": parts, "weights": [2.0, 0.5]})
    trainer.run()
    lines = [line for line in trainer.writer.metrics() if "loss" in line]
    assert len(lines) == 2
    for line in lines:
        assert line["loss"] == pytest.approx(2.0 * line["loss/hinge"] + 0.5 * line["loss/bce"])


def test_a_single_loss_is_logged_once(bench, tmp_path):
    trainer = bench.trainer(tmp_path / "one", bench.encoder(), steps=2)
    trainer.run()
    assert not any(key.startswith("loss/") for line in trainer.writer.metrics() for key in line)


def test_no_labelled_positive_is_ever_a_candidate(bench):
    candidates = bench.candidates(bench.encoder())
    for row, labelled in enumerate(bench.pairs.labelled):
        assert not np.isin(candidates.document[row][candidates.valid[row]], labelled).any()


def test_known_relevant_mask_removes_every_relevant_document(bench):
    candidates = bench.candidates(bench.encoder(), mask="known-relevant")
    assert all(len(known) == 4 for known in bench.pairs.known_relevant)
    for row, known in enumerate(bench.pairs.known_relevant):
        assert not np.isin(candidates.document[row][candidates.valid[row]], known).any()


def test_candidates_carry_the_three_scores(bench):
    encoder = bench.encoder()
    tokens = bench.tokens
    candidates = bench.candidates(encoder)
    for row in (0, 17):
        q = _embed(encoder.query, tokens.queries["train"], candidates.query[row])
        positive = _embed(encoder.passage, tokens.documents, candidates.positive[row])
        documents = np.stack([_embed(encoder.passage, tokens.documents, d) for d in candidates.document[row]])
        np.testing.assert_allclose(candidates.score[row], documents @ q, rtol=1e-4)
        np.testing.assert_allclose(candidates.positive_score[row], positive @ q, rtol=1e-4)
        np.testing.assert_allclose(candidates.positive_similarity[row], documents @ positive, rtol=1e-4)
        np.testing.assert_allclose(
            candidates.document_norm[row], np.linalg.norm(documents, axis=1), rtol=1e-4
        )
    assert candidates.model == encoder.fingerprint()
    assert (np.diff(candidates.score, axis=1) <= 1e-5).all()


@pytest.mark.parametrize("law", ["trisampler", "simans", "uniform"])
def test_a_round_scores_what_it_reads_and_trains_as_if_it_scored_all(bench, tmp_path, monkeypatch, law):
    """What a mined round leaves out is read by none of its steps, nor by what is told of it."""
    monkeypatch.setattr(rounds, "DIAGNOSED_PAIRS", 5)
    some = bench.trainer(tmp_path / "some", bench.encoder(), law)
    some.run()
    monkeypatch.setattr(rounds, "Reads", lambda scores, similarities: EVERYTHING)
    every = bench.trainer(tmp_path / "every", bench.encoder(), law)
    every.run()
    told, expected = (_without_seconds(trainer.writer.metrics()) for trainer in (some, every))
    assert told == expected
    last = next((tmp_path / "some" / "candidates").glob("round-0003.npz"))
    mined = load_candidates(last, "some, round 3")
    visited = np.concatenate([batch_at(step, 8, 120, 3).rows for step in range(18, 24)])
    read = np.union1d(visited, sampled_pairs(5, 120))
    assert np.flatnonzero(~np.isnan(mined.score).any(axis=1)).tolist() == read.tolist()
    compared = read if law == "trisampler" else sampled_pairs(5, 120)
    assert np.flatnonzero(~np.isnan(mined.positive_similarity).any(axis=1)).tolist() == compared.tolist()


def _without_seconds(lines):
    return [{k: v for k, v in line.items() if not is_time(k)} for line in lines]


def test_search_is_exact():
    rng = np.random.default_rng(0)
    queries, documents = (
        rng.normal(size=(7, 5)).astype(np.float32),
        rng.normal(size=(50, 5)).astype(np.float32),
    )
    scores, numbers = exact_search(queries, documents, 10)
    expected = np.argsort(-(queries @ documents.T), axis=1)[:, :10]
    assert np.array_equal(numbers, expected)
    np.testing.assert_allclose(scores, np.take_along_axis(queries @ documents.T, expected, axis=1), rtol=1e-5)


def test_an_epoch_visits_every_pair_once_and_batches_cross_epochs():
    rows = np.concatenate([batch_at(step, 7, 20, seed=1).rows for step in range(6)])
    visits = np.concatenate([batch_at(step, 7, 20, seed=1).visit for step in range(6)])
    assert sorted(rows[:20]) == list(range(20)) == sorted(rows[20:40])
    assert visits.tolist() == [0] * 20 + [1] * 20 + [2] * 2
    assert not np.array_equal(epoch_order(0, 20, 1), epoch_order(1, 20, 1))
    assert not epoch_order(0, 20, 1).flags.writeable  # all steps share it


def test_schedule_rises_then_falls_to_zero():
    factors = [linear_schedule(step, 100, 0.1) for step in range(101)]
    assert factors[0] == pytest.approx(0.1) and max(factors) == pytest.approx(1.0)
    assert factors[100] == 0 and factors[10:] == sorted(factors[10:], reverse=True)


@pytest.mark.parametrize("towers", ["shared", "separate"])
def test_dropout_is_a_function_of_seed_step_tower_and_bucket(bench, towers):
    encoder = bench.encoder(towers=towers).train()
    rows, tokens = np.arange(12), bench.tokens

    def embedded(passing, part="passage", before=0):
        torch.manual_seed(before)
        sequences = tokens.documents if part == "passage" else tokens.queries["train"]
        with torch.no_grad():
            return embed(encoder.passage, sequences, rows, tokens.pad, part=part, passing=passing).numpy()

    first = embedded(Passing(3, 5))
    assert np.array_equal(first, embedded(Passing(3, 5), before=99))
    for other in (Passing(4, 5), Passing(3, 6), Passing(3, 5, places=64)):
        assert not np.allclose(first, embedded(other), atol=1e-3)
    same_bucket = embed(
        encoder.passage, tokens.documents, rows, tokens.pad, part="query", passing=Passing(3, 5)
    )
    assert not np.allclose(first, same_bucket.detach().numpy(), atol=1e-3)


@pytest.mark.parametrize("seed", [0, 7, 2**62 + 1])
def test_dropout_is_what_seeding_all_devices_gives(bench, seed):
    tower, tokens = bench.encoder().passage.train(), bench.tokens
    counters = (seed, 5, DROPOUT_STAGE, PARTS.index("passage"), 0)
    ids, mask = tokens.documents.padded(np.arange(6), tokens.pad)
    with torch.no_grad():
        torch.manual_seed(int(mixed(*counters)) >> 1)
        expected = tower(torch.from_numpy(ids), torch.from_numpy(mask))
        with Passing(seed, 5).bucket(tower, "passage", 0):
            assert torch.equal(tower(torch.from_numpy(ids), torch.from_numpy(mask)), expected)


def test_a_bucket_that_is_embedded_alone_has_the_dropout_that_it_has_among_others(bench):
    """So that whoever embeds a bucket, and whatever was embedded before, changes nothing."""
    tower, tokens = bench.encoder().passage.train(), bench.tokens
    passing, rows = Passing(1, 2, places=120), np.arange(30)
    buckets = list(length_buckets(tokens.documents.lengths[rows], passing.places))
    assert len(buckets) > 3
    whole = embed(tower, tokens.documents, rows, tokens.pad, passing=passing).detach().numpy()
    for number in (2, 0, 3):
        ids, mask = tokens.documents.padded(rows[buckets[number]], tokens.pad)
        with passing.bucket(tower, "passage", number):
            alone = tower(torch.from_numpy(ids), torch.from_numpy(mask)).detach().numpy()
        assert np.array_equal(alone, whole[buckets[number]])


def test_a_model_that_does_not_train_leaves_torchs_generator_alone(bench):
    tower, tokens = bench.encoder().passage.eval(), bench.tokens
    state = torch.get_rng_state()
    embed(tower, tokens.documents, np.arange(4), tokens.pad)
    assert torch.equal(state, torch.get_rng_state())


def test_bfloat16_trains_nearly_as_float32_and_keeps_float32_weights(bench, tmp_path):
    ends = {}
    for precision in ("float32", "bfloat16"):
        encoder = bench.encoder(dropout=0.0, token_dropout=0.0)
        trainer = bench.trainer(tmp_path / precision, encoder, None, steps=12, precision=precision)
        trainer.run()
        assert all(value.dtype == torch.float32 for value in encoder.weights().values())
        ends[precision] = [line["loss"] for line in trainer.writer.metrics() if "loss" in line]
    assert ends["float32"] != ends["bfloat16"]
    np.testing.assert_allclose(ends["bfloat16"], ends["float32"], rtol=0.1)


def test_tf32_is_float32_on_a_processor_and_leaves_torchs_setting_as_it_was(bench, tmp_path):
    matmul, ends = torch.backends.cuda.matmul, []
    before = matmul.allow_tf32
    for precision in ("float32", "tf32"):
        encoder = bench.encoder()
        bench.trainer(tmp_path / precision, encoder, None, steps=3, precision=precision).run()
        ends.append(encoder.fingerprint())
    assert ends[0] == ends[1] and matmul.allow_tf32 == before
    with products("tf32"):
        assert matmul.allow_tf32
    assert matmul.allow_tf32 == before


def test_what_is_counted_of_draws_has_both_denominators(bench):
    pairs = TrainingPairs(
        pairs=np.array([[0, 1], [1, 2]]),
        labelled=[np.array([1]), np.array([2])],
        known_relevant=[np.array([1, 5, 6, 7]), np.array([2])],
    )
    document = np.array([[5, 5, 8], [3, 4, 9]])
    draws = Draws(document, document, filled=np.array([1, 0]), tiled=np.array([0, 1]))
    assert counted(pairs, np.array([0, 1]), draws) == {
        "drawn": 6, "known_relevant_drawn": 2, "filled": 2, "unlabelled_drawn": 1, "unlabelled_known": 3,
    }  # fmt: skip


def test_the_pairs_that_are_looked_at_are_spread_and_the_same_in_every_run():
    shown = sampled_pairs(1000, 9922)
    assert np.array_equal(shown, sampled_pairs(1000, 9922))
    assert len(np.unique(shown)) == 1000
    assert stats.kstest(shown / 9922, "uniform").pvalue > 1e-3
    assert sampled_pairs(1000, 7).tolist() == list(range(7))
