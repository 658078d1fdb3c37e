"""Whose negatives count: scores by topology, and presets at work in the trainer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.negatives.presets import presets
from harness.training.forward import QueryBatch
from harness.training.losses.sum import total_and_terms
from harness.training.topologies.in_batch import InBatch
from harness.training.topologies.own import Own
from harness.training.topologies.queue import MomentumQueue, Queue
from harness.training.topologies.registry import make_topology
from tests.cases import few

from .conftest import same

PASSAGE = np.array([[4, 1, 2], [7, 2, 4], [4, 8, 9]])
MASKED = [np.array([4]), np.array([7, 9]), np.array([4])]


def batch_of(bench, passage=PASSAGE, masked=MASKED):
    """Three queries with their passages; without dropout, so that an embedding is the same twice."""
    return QueryBatch(bench.encoder().eval(), bench.tokens, np.arange(3), passage, masked)


def test_own_negatives_are_scored_beside_the_positive(bench):
    batch = batch_of(bench)
    scored, q, p = Own().scores(batch), batch.queries(), batch.passages()
    assert scored.target.tolist() == [0, 0, 0]
    torch.testing.assert_close(scored.scores, (q[:, None] * p).sum(dim=2))


def test_shared_negatives_are_all_passages_but_those_masked(bench):
    batch = batch_of(bench)
    with torch.no_grad():
        scored, q, p = InBatch().scores(batch), batch.queries(), batch.passages()
    assert scored.target.tolist() == [0, 3, 6]
    flat, whole = PASSAGE.ravel(), q @ p.reshape(9, -1).T
    for row in range(3):
        for column in range(9):
            hidden = flat[column] in MASKED[row] and column != 3 * row
            expected = -torch.inf if hidden else whole[row, column]
            assert scored.scores[row, column] == pytest.approx(float(expected))


@pytest.mark.parametrize("among", [1, 2, 3, 9])
def test_negatives_are_those_of_so_many_queries_in_a_row(bench, among):
    """Two of three queries share theirs, the third has its own; all share, where there are not so many."""
    batch = batch_of(bench)
    with torch.no_grad():
        whole, scored, hardest = (
            InBatch(**given).scores(batch) for given in ({}, {"among": among}, {"among": among, "hardest": 1})
        )
    assert scored.target.tolist() == whole.target.tolist()
    for row in range(3):
        for column in range(9):
            same = row // among == column // 3 // among
            expected = float(whole.scores[row, column]) if same else -torch.inf
            assert scored.scores[row, column] == pytest.approx(expected)
    assert (torch.isfinite(hardest.scores).sum(dim=1) <= 2).all()


def test_negatives_of_the_whole_batch_are_not_written_in_fingerprints():
    assert InBatch().model_dump() == {"name": "in-batch", "hardest": None}
    assert InBatch(among=16).model_dump() == {"name": "in-batch", "hardest": None, "among": 16}


def test_the_hardest_of_the_batch_alone_are_kept(bench):
    batch = batch_of(bench)
    whole = InBatch().scores(batch).scores
    scored = InBatch(hardest=2).scores(batch)
    for row, target in enumerate(scored.target.tolist()):
        kept = torch.isfinite(scored.scores[row]).nonzero().ravel().tolist()
        others = whole[row].clone()
        others[target] = -torch.inf
        assert set(kept) == {target, *others.topk(2).indices.tolist()}


def test_queue_scores_stand_beside_the_own_ones(bench):
    batch = batch_of(bench)
    queue, own = Queue(length=4).scorer(batch.encoder), Own().scores(batch).scores
    torch.testing.assert_close(queue.scores(batch).scores, own)
    past = np.array([[1], [9], [7]])
    queue.scores(replace(batch, passage=past))
    scored = queue.scores(batch)
    assert scored.target.tolist() == [0, 0, 0]
    torch.testing.assert_close(scored.scores[:, :3], own)
    masked = torch.isinf(scored.scores[:, 3:]).tolist()
    assert masked == [[True, False, False, False], [False, False, True, True], [True, False, False, False]]
    keys = batch.queries() @ replace(batch, passage=past).passages()[:, 0].T
    torch.testing.assert_close(scored.scores[0, 4:], keys[0])


def test_queue_is_first_in_first_out_and_its_copy_follows(bench):
    tower = bench.encoder().passage
    queue = MomentumQueue(tower, length=5, momentum=0.75)
    first = {name: value.clone() for name, value in tower.state_dict().items()}
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.add_(1.0)
    for documents in ([[1], [2], [3]], [[4], [5], [6]]):
        queue.scores(batch_of(bench, np.array(documents)))
    assert queue.documents.tolist() == [2, 3, 4, 5, 6]
    assert queue.keys.shape == (5, tower.dimension) and not queue.keys.requires_grad
    for name, value in queue.state().items():
        if name.startswith("copy.") and value.is_floating_point():
            moved = value - first[name.removeprefix("copy.")]
            torch.testing.assert_close(moved, torch.full_like(moved, 1 - 0.75**2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", few(sorted(presets()), "trisampler", "ance-tele-pool", "queue", "in-batch"))
def test_every_preset_trains(bench, tmp_path, name):
    encoder = bench.encoder()
    before = encoder.weights()
    trainer = bench.trainer(tmp_path, encoder, preset=presets()[name], steps=8, refresh=4)
    trainer.run()
    losses = [line["loss"] for line in trainer.writer.metrics() if "loss" in line]
    assert len(losses) == 8 and np.isfinite(losses).all() and max(losses) > 0
    assert not same(before, encoder.weights())


@pytest.mark.parametrize("name", ["queue", "ance-tele-pool", "blend"])
@pytest.mark.parametrize("stop", [5, 8])
def test_what_a_sampler_remembers_survives_a_stop(bench, tmp_path, name, stop):
    """A queue, the candidates of the round before, and draws of a source: bit for bit."""
    preset = presets()[name]
    if name == "queue":
        preset = replace(preset, topology={"name": "queue", "length": 50, "momentum": 0.9})
    changes = {"steps": 12, "refresh": 4, "preset": preset}
    whole = bench.encoder()
    bench.trainer(tmp_path / "whole", whole, **changes).run()

    encoder = bench.encoder()
    stopped = bench.trainer(tmp_path / "parts", encoder, **changes)

    def stop_at(done: int) -> None:
        if done == stop:
            raise KeyboardInterrupt

    stopped.advance = stop_at
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    second = bench.encoder()
    bench.trainer(tmp_path / "parts", second, **changes).run()
    assert same(whole.weights(), second.weights())


def test_cross_batch_is_in_batch():
    assert make_topology("cross-batch") == make_topology("in-batch")
    hardest = make_topology({"name": "cross-batch", "hardest": 2})
    assert hardest == InBatch(hardest=2) and hardest.name == "in-batch"


def test_drawn_negatives_of_others_count_in_the_batch(bench, tmp_path, monkeypatch):
    """STAR's topology: own hard negatives and everything else of the batch."""
    seen: list[tuple[int, ...]] = []

    def watched(loss, given):
        seen.append(tuple(given.scores.shape))
        return total_and_terms(loss, given)

    monkeypatch.setattr("harness.training.objectives.total_and_terms", watched)
    preset = replace(presets()["uniform"], topology={"name": "in-batch"})
    bench.trainer(tmp_path, bench.encoder(), preset=preset, steps=2, refresh=2).run()
    assert seen == [(8, 8 * 6)] * 2


@pytest.mark.parametrize("mask", ["labelled", "known-relevant", "positive-only"])
def test_masks_keep_out_what_they_say(bench, mask):
    pairs = bench.pairs
    for row in (0, 31):
        expected = {
            "labelled": pairs.labelled[row].tolist(),
            "known-relevant": pairs.known_relevant[row].tolist(),
            "positive-only": [pairs.pairs[row, 1]],
        }[mask]
        assert pairs.masked_at(row, mask).tolist() == expected
    candidates = bench.candidates(bench.encoder(), mask=mask)
    assert not (candidates.document == candidates.positive[:, None])[candidates.valid].any()
