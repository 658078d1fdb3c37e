"""How the sizes, the rate and the start of a fresh ranker were chosen: on dev alone.

Prints, for each choice, how often the ranker puts the positive first among 15 negatives drawn uniformly from
the base run's top K, on held-out queries; 1 in 16 is chance. Products of the store are used where they are
there: `python experiments/scripts/ranker.py simulation` (two minutes), `... quick` (a quarter of an hour).
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import transformers

from harness.collections.tokens import TokenStore
from harness.encoders.partial import whole_of
from harness.encoders.ranker import Ranker, build_ranker
from harness.evaluation.held_out import HeldOutLists, held_out_lists, positive_first, retriever_scores
from harness.evaluation.significance import checkpoint_interval
from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise, mixed
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.progress import Progress
from harness.retrieval.rerank import rerank_scores
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.run_settings import TrainedRun
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at
from harness.training.batches import batch_at
from harness.training.forward_ranker import score_lists
from harness.training.schedule import adamw, linear_schedule

LEVEL, WARM_UP_SHARE, CLIP_NORM = 0.95, 0.1, 2.0
UNIFORM = Sampler(make_law({"name": "uniform"}), make_draw({"name": "without-replacement"}), 15)
Scores = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Choice:
    """A ranker and how it is trained; `begin` names what is taken from its start, see `begun`."""

    hidden: int
    steps: int
    layers: int = 2
    heads: int = 1
    intermediate: int = 128
    dropout: float = 0.0
    start: str = "fresh"
    pair_tokens: int = 72
    learning_rate: float = 1e-3
    batch: int = 8
    begin: str = "words and attention"
    seed: int = 0


SMALL = Choice(hidden=64, steps=100, pair_tokens=48)
QUICK = Choice(hidden=128, steps=100)
GRIDS = {
    "simulation": [
        SMALL,
        replace(SMALL, seed=1),
        replace(SMALL, seed=2),
        replace(SMALL, begin="words"),
        replace(SMALL, begin="attention"),
        replace(SMALL, begin="neither"),
        replace(SMALL, begin="BERT"),
        replace(SMALL, dropout=0.1),
        replace(SMALL, heads=2),
        replace(SMALL, learning_rate=3e-4),
        replace(SMALL, learning_rate=3e-3),
        replace(SMALL, batch=16),
        replace(SMALL, steps=200),
        replace(SMALL, steps=200, batch=16),
        replace(SMALL, steps=200, batch=16, seed=1),
    ],
    "quick": [
        QUICK,
        replace(QUICK, seed=1),
        replace(QUICK, begin="words"),
        replace(QUICK, begin="BERT"),
        replace(QUICK, hidden=64),
        replace(QUICK, dropout=0.1),
        replace(QUICK, heads=2),
        replace(QUICK, learning_rate=3e-4),
        replace(QUICK, learning_rate=3e-3),
        replace(QUICK, pair_tokens=96),
        replace(QUICK, steps=300),
        replace(QUICK, steps=600, hidden=64),
        replace(QUICK, steps=600),
    ],
}


@dataclass(frozen=True)
class Ground:
    """What rankers are trained and judged on; `retriever` [R, 16] are the base run's scores of the lists."""

    tokens: TokenStore
    words: torch.Tensor
    candidates: Candidates
    lists: HeldOutLists
    retriever: Scores


def prepared(scale: str) -> Ground:
    """Return the training candidates of a scale and its held-out lists."""
    stages = Stages(Store.default(), Progress(quiet=True))
    resolved = resolve_at(Library.default(), "trisampler/table-5", scale, stages)
    rows = {row.name: row for row in resolved.target.rows}
    settings = resolved.run(rows["Uniform Sampling"], 0)
    if not isinstance(settings, TrainedRun):
        raise SystemExit("the Uniform row is not trained")
    sampler = settings.sampler
    warm = stages.products.at_start(settings)
    tokens, collection = (
        stages.collections.tokens(settings),
        stages.collections.get(settings.collection),
    )
    candidates = stages.products.candidates(settings)
    lists = held_out_lists(collection, warm, k=sampler.candidates, negatives=15)
    return Ground(
        tokens=tokens,
        words=whole_of(warm.encoder).passage.transformer.get_input_embeddings().weight.detach(),
        candidates=candidates,
        lists=lists,
        retriever=retriever_scores(lists, warm.queries(lists.split), warm.documents()),
    )


def begun(choice: Choice, ground: Ground) -> Ranker:
    """Return a ranker as it begins, with what `begin` leaves out at random."""
    torch.manual_seed(choice.seed)
    ranker = build_ranker(choice, tokens=ground.tokens, words=ground.words, longest=choice.pair_tokens)
    config = ranker.model.config
    if choice.begin == "BERT":
        config.initializer_range = 0.02
    plain = transformers.BertForSequenceClassification(config).state_dict()
    own = ranker.model.state_dict()
    words, attention = "bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.attention"
    if choice.begin == "BERT":
        ranker.load_weights(plain)
    if choice.begin in {"words", "neither"}:
        taken = [name for name in own if name.startswith((attention, "bert.pooler"))]
        ranker.load_weights(own | {name: plain[name] for name in taken})
    if choice.begin in {"attention", "neither"}:
        ranker.load_weights(
            ranker.model.state_dict() | {words: plain[words] * own[words].std() / plain[words].std()}
        )
    return ranker


def train(choice: Choice, ground: Ground) -> tuple[Ranker, float]:
    """Train a ranker; returns it and the seconds a step."""
    ranker = begun(choice, ground).train()
    optimizer, begin = adamw(ranker, choice.learning_rate, 0.0), time.monotonic()
    for step in range(choice.steps):
        torch.manual_seed(int(mixed(choice.seed, step)) >> 1)
        for group in optimizer.param_groups:
            group["lr"] = choice.learning_rate * linear_schedule(step, choice.steps, WARM_UP_SHARE)
        batch = batch_at(step, choice.batch, len(ground.candidates.query), choice.seed)
        of_batch = ground.candidates.rows(batch.rows)
        drawn = UNIFORM(of_batch, Noise(choice.seed, 0, batch.visit)).document
        passage = np.concatenate([of_batch.positive[:, None], drawn], axis=1)
        scores = score_lists(ranker, ground.tokens, of_batch.query, passage, pair_tokens=choice.pair_tokens)
        loss = torch.nn.functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.int64))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(ranker.parameters(), CLIP_NORM)
        optimizer.step()
    return ranker, (time.monotonic() - begin) / choice.steps


def first(scores: Scores) -> str:
    """Return the share of lists whose positive is above all negatives, with its interval over queries."""
    interval = checkpoint_interval(positive_first(scores)[None], LEVEL)
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def standardised(scores: Scores) -> Scores:
    """Return scores with mean 0 and spread 1 in each list."""
    return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)


def changed(choice: Choice, base: Choice) -> str:
    """Return what a choice changes of the first of its grid."""
    parts = [f"{name} {value}" for name, value in vars(choice).items() if value != getattr(base, name)]
    return ", ".join(parts) or str(base)


def main() -> None:
    """Print the grid of a scale; further arguments choose entries of it by number."""
    scale, chosen = sys.argv[1], [int(number) for number in sys.argv[2:]]
    torch.set_num_threads(1)
    ground, grid = prepared(scale), GRIDS[scale]
    print(f"{'retriever':40s} {first(ground.retriever)}", flush=True)  # noqa: T201
    for choice in [grid[number] for number in chosen] or grid:
        ranker, seconds = train(choice, ground)
        scores = rerank_scores(
            ranker,
            ground.tokens,
            ground.lists.split,
            ground.lists.passages,
            rows=ground.lists.rows,
            pair_tokens=choice.pair_tokens,
        )
        both = first(standardised(scores) + standardised(ground.retriever))
        line = f"{changed(choice, grid[0]):40s} {first(scores)}, with the retriever {both}"
        print(f"{line}, {seconds:.3f} s a step", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
