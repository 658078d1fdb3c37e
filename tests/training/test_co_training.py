"""Retriever and ranker taking turns: each on its own steps, resumable at any of them, terms logged apart."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.records.run_folder import is_time
from harness.training.losses.registry import make_loss
from harness.training.phase_inputs import RankerInTraining
from harness.training.schedule import linear_schedule
from harness.training.turns import TURNS, steps_before
from tests.cases import few

from .conftest import PAIR_TOKENS, same

RATES = SimpleNamespace(learning_rate=1e-3, weight_decay=0.01, lr_warmup_share=0.1, clip_norm=2.0)
LOSSES = {
    "ar2-paper": {
        "name": "sum",
        "parts": ["adversarial-paper", {"name": "distillation", "divergence": "soft-cross-entropy"}],
        "weights": [1.0, 1.0],
    },
    "ar2-continue": {"name": "distillation"},
}


class StopError(Exception):
    """Stands for a kill."""


def co_trainer(bench, folder, turns, loss="ar2-continue", **changes):
    encoder = bench.encoder()
    part = RankerInTraining(
        bench.ranker(encoder, seed=1), PAIR_TOKENS, turns, RATES, make_loss("softmax-cross-entropy")
    )
    changes = {"steps": 12, "refresh": 4} | changes
    return bench.trainer(folder, encoder, ranker=part, loss=make_loss(LOSSES[loss]), **changes)


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("stop", few([1, 4, 6, 11], 6))
def test_a_stopped_run_continues_bit_for_bit(bench, tmp_path, name, stop):
    turns = TURNS[name]()
    whole = co_trainer(bench, tmp_path / "whole", turns)
    whole.run()

    def kill(done: int) -> None:
        if done == stop:
            raise StopError

    first = co_trainer(bench, tmp_path / "parts", turns)
    first.advance = kill
    with pytest.raises(StopError):
        first.run()
    second = co_trainer(bench, tmp_path / "parts", turns)
    second.run()
    assert same(whole.encoder.weights(), second.encoder.weights())
    assert same(whole.ranker.ranker.weights(), second.ranker.ranker.weights())
    logged = [
        [{key: line[key] for key in line if not is_time(key)} for line in trainer.writer.metrics()]
        for trainer in (whole, second)
    ]
    assert logged[0] == logged[1]


@pytest.mark.parametrize("name", TURNS)
def test_only_those_whose_turn_it_is_learn(bench, tmp_path, name):
    turns = TURNS[name]()
    trainer = co_trainer(bench, tmp_path, turns)
    before = trainer.encoder.weights(), trainer.ranker.ranker.weights()
    trainer.run()
    after = trainer.encoder.weights(), trainer.ranker.ranker.weights()
    for who, one, other in zip(("retriever", "ranker"), before, after, strict=True):
        steps = steps_before(turns, who, 12, 4)
        assert same(one, other) == (steps == 0)
        phase = "continued" if who == "retriever" else "continued ranker"
        lines = [line for line in trainer.writer.metrics() if line["phase"] == phase]
        assert len(lines) == steps
        assert all(line["drawn"] == 8 * 5 for line in lines)


def test_terms_and_agreement_are_logged_apart(bench, tmp_path):
    trainer = co_trainer(bench, tmp_path, TURNS["ranker-first"](share=0.5), loss="ar2-paper")
    trainer.run()
    lines = list(trainer.writer.metrics())
    retriever = [line for line in lines if line["phase"] == "continued"]
    ranker = [line for line in lines if line["phase"] == "continued ranker"]
    assert len(retriever) == len(ranker) == 6
    for line in retriever:
        terms = line["loss/adversarial-paper"] + line["loss/distillation"]
        assert line["loss"] == pytest.approx(terms, rel=1e-5)
        assert 0 <= line["teacher_first"] <= 1 and 0 <= line["agreement"] <= 1
    assert all("agreement" not in line and "loss/distillation" not in line for line in ranker)


def test_each_schedule_runs_over_its_own_steps(bench, tmp_path):
    """The ranker's rate rises over its first step and falls to nearly 0 at its last."""
    trainer = co_trainer(bench, tmp_path, TURNS["ranker-first"](share=0.25), steps=40, refresh=8)
    trainer.run()
    for phase, own in (("continued", 30), ("continued ranker", 10)):
        rates = [line["learning_rate"] for line in trainer.writer.metrics() if line["phase"] == phase]
        expected = [1e-3 * linear_schedule(step, own, 0.1) for step in range(own)]
        assert rates == pytest.approx(expected)


def test_a_warm_ranker_learns_and_a_teacher_draws_the_retriever_to_itself(bench, tmp_path):
    encoder = bench.encoder()
    part = RankerInTraining(
        bench.ranker(encoder, seed=1, dropout=0.0),
        PAIR_TOKENS,
        TURNS["ranker-alone"](),
        RATES,
        make_loss("softmax-cross-entropy"),
    )
    warm = bench.trainer(
        tmp_path / "ranker", encoder, "uniform", ranker=part, name="ranker", steps=60, refresh=None
    )
    warm.run()
    losses = [line["loss"] for line in warm.writer.metrics() if line["phase"] == "ranker"]
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    taught = bench.trainer(
        tmp_path / "taught",
        encoder,
        "uniform",
        ranker=RankerInTraining(part.ranker, PAIR_TOKENS, TURNS["retriever-alone"](), RATES, part.loss),
        loss=make_loss("distillation"),
        steps=60,
        refresh=None,
    )
    taught.run()
    losses = [line["loss"] for line in taught.writer.metrics() if line["phase"] == "continued"]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
