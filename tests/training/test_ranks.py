"""A run on several ranks is the run of one: loss bit for bit, gradients to rounding, draws, checkpoints."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from harness.encoders.frozen import FROZEN
from harness.encoders.late_interaction import TokenStates, late_interaction_over
from harness.errors import HarnessError, RunError
from harness.retrieval.encode import encode, length_buckets
from harness.retrieval.ranks import ALONE, Deal, Ranks
from harness.storage import stopping
from harness.training import learner
from harness.training.forward import Passing, embed
from harness.training.losses.registry import LOSSES, make_loss
from harness.training.objectives import Lists, RankerObjective, RetrieverObjective
from harness.training.phase_inputs import RankerInTraining
from harness.training.schedule import linear_schedule
from harness.training.topologies.registry import make_topology
from harness.training.turns import TURNS
from tests.cases import few, first

from . import golden
from .conftest import PAIR_TOKENS
from .ranks import on_ranks, recorded_by_the_first
from .test_co_training import RATES
from .test_partial import in_memory, part_of

ROWS = np.arange(6)
TIGHT = 200
"""Places of a bucket: a batch of these has about five."""

TOPOLOGIES = [
    "own",
    "in-batch",
    {"name": "in-batch", "hardest": 3},
    {"name": "in-batch", "among": 2},
    {"name": "queue", "length": 7},
]
SUM = {"name": "sum", "parts": ["adversarial-released", "distillation"], "weights": [1.0, 0.5]}
LOSS_CHOICES: list[Any] = [SUM if name == "sum" else name for name in LOSSES]


@dataclass(frozen=True)
class Case:
    """A step whose gradient is taken.

    Attributes:
        topology: as a spec writes it.
        loss: likewise.
        towers: shared or separate.
        dropout: of the encoder, and of its tokens.
        places: of a bucket.
        double: whether in float64.
        trains: what it trains: both towers, a part of them, or a ranker.
    """

    topology: Any = "own"
    loss: Any = "softmax-cross-entropy"
    towers: str = "shared"
    dropout: float = 0.1
    places: int = TIGHT
    double: bool = True
    trains: str = "both-towers"


@dataclass(frozen=True)
class Step:
    """What a rank has after a step's backward pass."""

    loss: float
    gradients: dict[str, np.ndarray | None]


def step(bench: Any, case: Case, ranks: Ranks = ALONE, recompute: bool = False) -> Step:
    """Take the gradient of a case, as the trainer does."""
    model, objective = objective_of(bench, case)
    model.train()
    passage = np.concatenate(
        [bench.pairs.pairs[ROWS, 1:], np.random.default_rng(0).integers(0, 72, (len(ROWS), 2))], axis=1
    )
    for number in range(2 if "queue" in str(case.topology) else 1):  # the first fills the queue
        model.zero_grad(set_to_none=True)
        passing = Passing(3, number, case.places, deal=Deal(ranks, recompute))
        loss, _ = objective(ROWS + number, passage, passing)
    loss.backward()
    ranks.add_gradients(model.parameters())
    given = {name: weight.grad for name, weight in model.named_parameters()}
    return Step(loss.item(), {name: None if g is None else g.numpy().copy() for name, g in given.items()})


def objective_of(bench: Any, case: Case) -> tuple[Any, Any]:
    """Return the model of a case, and its loss over pairs and passages."""
    changes = {"towers": case.towers, "dropout": case.dropout, "token_dropout": case.dropout}
    loss, topology = make_loss(case.loss), make_topology(case.topology)
    if case.trains in FROZEN:
        part = part_of(bench, case.trains, **changes)
        of = (states(bench, part), bench.pairs, topology.scorer(part), "labelled", loss)
        return part, RetrieverObjective(part, *of)
    encoder = bench.encoder(seed=5, **changes)
    encoder = encoder.double() if case.double else encoder
    if case.trains == "late-interaction":
        ranker, texts = late_interaction_over(encoder).double(), states(bench, TokensOf(encoder))
        return ranker, RankerObjective(Lists(ranker, texts, bench.pairs, PAIR_TOKENS), loss)
    lists = None
    if case.trains == "ranker" or loss.needs_teacher:
        ranker = bench.ranker(encoder, seed=6, dropout=case.dropout)
        ranker = ranker.double() if case.double else ranker
        lists = Lists(ranker, bench.tokens, bench.pairs, PAIR_TOKENS)
    if case.trains == "ranker" and lists is not None:
        return lists.ranker, RankerObjective(lists, loss)
    of = (bench.tokens, bench.pairs, topology.scorer(encoder), "labelled", loss, lists)
    return encoder, RetrieverObjective(encoder, *of)


KNOWN: dict[str, Any] = {}
"""States that this process, or the one that it was forked from, has computed."""


def states(bench: Any, part: Any) -> Any:
    """Return the states that a part reads, whose weights are the same each time."""
    if part.trains not in KNOWN:
        KNOWN[part.trains] = in_memory(part, bench.tokens)
    return KNOWN[part.trains]


class TokensOf:
    """What makes the states of an encoder's tokens, one text at a time."""

    trains = TokenStates.trains

    def __init__(self, encoder: Any) -> None:
        self.whole, self._of = encoder, TokenStates(encoder)

    def query_states(self) -> Any:
        return self._of.query_states()

    def passage_states(self) -> Any:
        return self._of.passage_states()


def compare(bench: Any, folder: Any, cases: list[Case], counts: tuple[int, ...] = (2,)) -> None:
    """Compare each case on ranks, kept and recomputed, with one process that keeps all."""
    whole = [step(bench, case) for case in cases]
    again = [step(bench, case, recompute=True) for case in cases]
    for case, one, other in zip(cases, whole, again, strict=True):
        assert distance(one, other) == 0 and one.loss == other.loss, case

    def work(ranks: Ranks) -> list[Step]:
        return [step(bench, case, ranks, bool(number % 2)) for number, case in enumerate(cases)]

    for count in counts:
        made = on_ranks(count, folder / str(count), work)
        for number, (case, expected) in enumerate(zip(cases, whole, strict=True)):
            for of_rank in made:
                assert of_rank[number].loss == expected.loss, (count, case)
                assert distance(of_rank[number], expected) < (1e-10 if case.double else 1e-5), (count, case)
                assert distance(of_rank[number], made[0][number]) == 0, (count, case)


def distance(one: Step, other: Step) -> float:
    """Return the length of the difference of gradients over that of one; the same parameters have some."""
    assert [g is None for g in one.gradients.values()] == [g is None for g in other.gradients.values()]
    assert list(one.gradients) == list(other.gradients)
    flat = [
        np.concatenate([g.ravel() for g in of.gradients.values() if g is not None]) for of in (one, other)
    ]
    length = float(np.linalg.norm(flat[1]))
    assert length > 0
    return float(np.linalg.norm(flat[0] - flat[1])) / length


def test_every_loss_on_two_ranks_is_that_of_one(bench, tmp_path):
    compare(bench, tmp_path, [Case(loss=loss) for loss in LOSS_CHOICES])


def test_every_topology_on_two_ranks_is_that_of_one(bench, tmp_path):
    cases = [Case(topology, towers=towers) for topology in TOPOLOGIES for towers in ("shared", "separate")]
    cases += [Case("in-batch", double=False), Case("own", towers="separate", double=False)]
    compare(bench, tmp_path, cases)


def test_more_ranks_than_buckets_and_what_is_trained_in_part(bench, tmp_path):
    """A batch of two buckets on four ranks; heads, last layers, query towers; both kinds of ranker."""
    cases = [
        Case(places=4096),
        Case("in-batch", places=4096, double=False),
        Case(trains="ranker", places=4096),
    ]
    cases += [Case(trains=trains, double=False) for trains in FROZEN if trains != "late-interaction"]
    cases += [Case(trains="late-interaction"), Case(trains="ranker")]
    compare(bench, tmp_path, cases, counts=(4,))


@pytest.mark.slow
@pytest.mark.parametrize("towers", ["shared", "separate"])
@pytest.mark.parametrize("topology", TOPOLOGIES, ids=str)
def test_all_combinations(bench, tmp_path, topology, towers):
    taught = topology == "own"  # a ranker teaches of a query's own passages
    losses = [loss for loss in LOSS_CHOICES if taught or not make_loss(loss).needs_teacher]
    how = [(0.1, TIGHT, True), (0.1, 4096, False), (0.0, TIGHT, False)]
    cases = [Case(topology, loss, towers, *other) for loss in losses for other in how]
    twice = [case for case in cases for _ in range(2)]  # kept, and recomputed
    compare(bench, tmp_path, twice, counts=(2, 4))


def test_what_is_computed_again_is_not_kept(bench):
    """What is kept does not depend on the model's depth; the gradient does not depend on what is kept."""

    def bytes_kept(layers: int, recompute: bool) -> int:
        kept = []
        encoder = bench.encoder(layers=layers).train()
        passing = Passing(3, 0, TIGHT, deal=Deal(recompute=recompute))
        with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t.nbytes), t)[1], lambda t: t):
            embed(encoder.passage, bench.tokens.documents, np.arange(20), bench.tokens.pad, passing=passing)
        return sum(kept)

    assert (
        bytes_kept(1, recompute=True) == bytes_kept(3, recompute=True) < 0.05 * bytes_kept(1, recompute=False)
    )
    assert bytes_kept(3, recompute=False) > 2 * bytes_kept(1, recompute=False)


@pytest.mark.parametrize(("recompute", "given_back"), [(True, True), (False, False)])
def test_free_memory_is_given_back_where_buckets_are_computed_again(
    bench, monkeypatch, recompute, given_back
):
    calls = []
    monkeypatch.setattr("harness.retrieval.ranks.give_back", lambda: calls.append(1))
    passing = Passing(3, 0, TIGHT, deal=Deal(recompute=recompute))
    tower, tokens = bench.encoder().train().passage, bench.tokens
    embed(tower, tokens.documents, np.arange(20), tokens.pad, passing=passing).sum().backward()
    assert bool(calls) == given_back


class OnRanks:
    """The tiny bench, whose trainers are shared with other ranks."""

    def __init__(self, bench: Any, ranks: Ranks, places: int) -> None:
        self._bench, self._ranks, self._places = bench, ranks, places

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench, name)

    def trainer(self, *given: Any, **changes: Any) -> Any:
        made = self._bench.trainer(*given, places=self._places, **changes)
        return recorded_by_the_first(made, self._ranks)


@pytest.mark.parametrize("places", few([TIGHT, 4096], TIGHT))
@pytest.mark.parametrize("name", few(list(golden.phases()), "ance.bm25", "ar2-paper.co-training"))
def test_the_phases_of_recipes_are_trained_on_two_ranks_as_on_one(bench, tmp_path, name, places):
    """In buckets of the usual size, as the committed golden runs say; else as one process says."""
    expected = golden.committed(name)
    if places == TIGHT:
        expected = golden.golden_run(OnRanks(bench, ALONE, places), tmp_path / "one", name)

    def work(ranks: Ranks) -> dict[str, Any]:
        return golden.golden_run(OnRanks(bench, ranks, places), tmp_path / "two", name)

    for made in on_ranks(2, tmp_path / "ranks", work):
        for key, figures in made.items():
            assert golden.close(figures, expected[key]), key


def trained(bench: Any, folder: Any, ranks: Ranks = ALONE, stop: int | None = None, **changes: Any) -> Any:
    """Train the tiny bench in float64, on ranks; returns weights and what was logged of each step."""
    encoder = bench.encoder(seed=5).double()
    preset = changes.pop("preset", None)
    part = changes.pop("ranker", None)
    if part is not None:
        ranker = bench.ranker(encoder, seed=6).double()
        part = RankerInTraining(ranker, PAIR_TOKENS, TURNS[part](), RATES, make_loss("bce"))
    trainer = bench.trainer(folder, encoder, preset=preset, ranker=part, places=TIGHT, **changes)
    trainer = recorded_by_the_first(trainer, ranks)
    trainer.recompute = ranks.count == 2
    trainer.advance = lambda done: stop_at(done, stop)
    try:
        trainer.run()
    except StopError:
        return {}, []
    weights = encoder.weights() if part is None else encoder.weights() | part.ranker.weights()
    lines = [line for line in trainer.writer.metrics() if "loss" in line]
    return {name: weight.numpy() for name, weight in weights.items()}, lines


class StopError(Exception):
    """Stands for a kill."""


def stop_at(done: int, stop: int | None) -> None:
    if done == stop:
        raise StopError


def assert_same_run(made: Any, expected: Any) -> None:
    """Compare weights to rounding, and draws and losses of all steps."""
    weights, lines = made
    assert weights.keys() == expected[0].keys()
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, expected[0][name], rtol=1e-10, atol=1e-12)
    assert len(lines) == len(expected[1])
    for line, other in zip(lines, expected[1], strict=True):
        for key in ("phase", "step", "drawn", "known_relevant_drawn", "positive_first"):
            assert line.get(key) == other.get(key)
        assert line["loss"] == pytest.approx(other["loss"], rel=1e-10)


@pytest.mark.parametrize(
    ("before", "after", "steps"), first(1, [(2, 1, 8), (1, 4, 8), (2, 1, 24), (1, 4, 24), (4, 2, 24)])
)
def test_a_run_continues_on_another_number_of_ranks(bench, tmp_path, before, after, steps):
    """Half of the steps on some ranks, half on others, with a refresh in each half."""
    changes = {"steps": steps, "refresh": steps // 4}
    expected = trained(bench, tmp_path / "whole", **changes)
    for name, count, stop in (("first", before, steps // 2 + 1), ("second", after, None)):
        work = partial(trained, bench, tmp_path / "run", stop=stop, **changes)
        made = on_ranks(count, tmp_path / name, work)
    for of_rank in made:
        assert_same_run(of_rank, expected)
    assert len(list((tmp_path / "run").rglob("step-*"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_a_run_continues_bit_for_bit_on_as_many_ranks(bench, tmp_path, count):
    changes = {"steps": 8, "refresh": 2}
    ends = {"whole": [None], "parts": [3, 6, None]}
    made = {}
    for name, stops in ends.items():
        for number, stop in enumerate(stops):
            work = partial(trained, bench, tmp_path / name, stop=stop, **changes)
            made[name] = on_ranks(count, tmp_path / f"{name}-{number}", work)
    for (weights, lines), (other, others) in zip(made["parts"], made["whole"], strict=True):
        assert all(np.array_equal(weights[name], other[name]) for name in other)
        assert [line["loss"] for line in lines] == [line["loss"] for line in others]


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("turns", TURNS)
def test_a_ranker_takes_its_turns_on_ranks(bench, tmp_path, turns, count):
    changes = {"ranker": turns, "steps": 12, "refresh": 4, "loss": make_loss("distillation")}
    expected = trained(bench, tmp_path / "whole", **changes)
    made = on_ranks(
        count, tmp_path / "ranks", lambda ranks: trained(bench, tmp_path / "run", ranks, **changes)
    )
    for of_rank in made:
        assert_same_run(of_rank, expected)


def test_texts_are_embedded_on_ranks_as_by_one(bench, tmp_path):
    encoder, tokens = bench.encoder(), bench.tokens
    expected = encode(encoder.passage, tokens.documents, tokens.pad)

    def work(ranks: Ranks) -> list[np.ndarray]:
        rows = np.array([5, 3, 3, 70])
        return [
            encode(encoder.passage, tokens.documents, tokens.pad, ranks=ranks),
            encode(encoder.passage, tokens.documents, tokens.pad, rows, ranks),
        ]

    for whole, some in on_ranks(3, tmp_path / "ranks", work):
        assert np.array_equal(whole, expected)
        np.testing.assert_allclose(some, expected[[5, 3, 3, 70]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("places", [1, 96, 300, 10_000])
def test_each_bucket_has_one_owner_and_the_busiest_has_little_more(places):
    lengths = np.random.default_rng(1).integers(1, 41, 500)
    buckets = list(length_buckets(lengths, places))
    owned = [Deal(Ranks(number, 4)).own(buckets, lengths) for number in range(4)]
    assert sorted(number for own in owned for number in own) == list(range(len(buckets)))
    load = [sum(len(buckets[n]) * int(lengths[buckets[n][0]]) for n in own) for own in owned]
    assert max(load) - min(load) <= max(places, int(lengths.max()))


def test_a_deal_goes_on_where_it_was():
    """The few buckets of queries and the first of passages are not all of rank 0."""
    lengths = np.full(8, 10)
    deals = [Deal(Ranks(number, 2)) for number in range(2)]
    queries, passages = [np.arange(8)], list(length_buckets(lengths, 20))
    assert [deal.own(queries, lengths) for deal in deals] == [[0], []]
    assert [deal.own(passages, lengths) for deal in deals] == [[], [0, 1, 2, 3]]


def test_what_the_first_rank_raises_the_others_raise_too(bench, tmp_path):
    def work(ranks: Ranks) -> list[str]:
        told = []
        for error in (RunError("diverged", where="mining"), KeyError("k")):

            def fail(error: Exception = error) -> None:
                raise error

            try:
                ranks.alone(fail)
            except (HarnessError, KeyError) as raised:
                told.append(str(raised))
        told.append(str(ranks.alone(lambda: "made")))
        try:
            ranks.refuse_different(ranks.number // 2, "weights")
        except RunError as raised:
            told.append(str(raised))
        ranks.refuse_different("the same", "weights")
        return told

    one, two, three = on_ranks(3, tmp_path / "ranks", work)
    assert one[:3] == ["mining: diverged", "'k'", "made"]
    assert two[:3] == three[:3] == ["rank 0: mining: diverged", "rank 0: KeyError", "None"]
    assert one[3] == two[3] == three[3]
    assert "different weights" in one[3]


def test_a_parameter_without_a_gradient_on_any_rank_stays_without(tmp_path):
    def work(ranks: Ranks) -> list[Any]:
        weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(3)]
        weights[0].grad = torch.full((2,), 1.0 + ranks.number)
        if ranks.number == 1:
            weights[1].grad = torch.full((2,), 5.0)
        ranks.add_gradients(weights)
        return [None if weight.grad is None else weight.grad.tolist() for weight in weights]

    assert on_ranks(2, tmp_path / "ranks", work) == [[[3.0, 3.0], [5.0, 5.0], None]] * 2


def test_a_loss_that_is_not_finite_stops_all_ranks(bench, tmp_path):
    def work(ranks: Ranks) -> str:
        encoder = bench.encoder()
        encoder.passage.transformer.get_input_embeddings().weight.data[:] = torch.inf
        trainer = recorded_by_the_first(bench.trainer(tmp_path / "run", encoder, law=None), ranks)
        with pytest.raises(RunError) as raised:
            trainer.run()
        return str(raised.value)

    told = on_ranks(2, tmp_path / "ranks", work)
    assert told[0] == told[1]
    assert "the loss is nan at step 0" in told[0]


@pytest.mark.parametrize("signalled", [0, 1])
def test_a_signal_to_one_rank_stops_all_after_the_same_step(bench, tmp_path, signalled):
    """Held back until the step is whole; the checkpoint is of that step, and the run goes on from it."""

    def schedule(ranks: Ranks, at: int, *arguments: Any) -> float:
        if at == 2 and ranks.number == signalled:
            os.kill(os.getpid(), signal.SIGTERM)
        return linear_schedule(at, *arguments)

    def work(ranks: Ranks) -> str:
        stopping.on_signals()
        learner.linear_schedule = partial(schedule, ranks)
        try:
            trained(bench, tmp_path / "run", ranks, steps=4, refresh=2)
        except stopping.StoppedBySignal as stopped:
            return str(stopped)
        return "went on"

    assert on_ranks(2, tmp_path / "ranks", work) == [stopping.SAID] * 2
    [checkpoint] = (tmp_path / "run").rglob("step-*")
    assert checkpoint.name == "step-00000003"
    resumed = trained(bench, tmp_path / "run", steps=4, refresh=2)
    assert_same_run(resumed, trained(bench, tmp_path / "whole", steps=4, refresh=2))
