"""Room on disk of what runs leave in a store: weights, rankings, tokens, candidates of round 0, states.

Collections and logs are not counted. All texts are taken to be the longest: an upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.encoders.frozen import FROZEN
from harness.estimate.activations import FLOAT
from harness.estimate.memory import CANDIDATE, Published, ranker_in, retriever_in
from harness.estimate.moments import CorpusSize
from harness.estimate.states import states_size
from harness.specs.fingerprints import settings_key
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, StartedRun, TaughtRun, TrainedRun
from harness.storage.arrays import in_memory
from harness.storage.files import content_hash
from harness.training.turns import steps_before

TOKEN = 4
"""Bytes of a token (`harness.collections.tokens`)."""

LINE = 28
"""Bytes of a compressed line of a ranking, as measured on pydocs, whose document ids are long."""

SAVED = 3
"""Weights and AdamW's two moments, which a checkpoint holds while a run trains."""


def products(run: RunSettings, corpus: CorpusSize, published: Published) -> Iterator[tuple[str, int]]:
    """Yield what a run leaves in a store by name, with its bytes; what runs share has one name.

    Args:
        run: resolved settings; what the runs below it leave is not yielded.
        corpus: size of its collection.
        published: sizes of checkpoints that may not be on this machine.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    yield f"rankings {settings_key(run)}", corpus.ranked * min(run.depth, corpus.documents) * LINE
    if isinstance(run, TrainedRun | EvaluatedRun):
        start = run.checkpoint.start if isinstance(run, EvaluatedRun) else run.encoder.start
        longest = corpus.documents * run.tokens.passage_tokens + corpus.queries * run.tokens.query_tokens
        yield _name("tokens", run, run.tokens.model_dump(), start), longest * TOKEN
    if not isinstance(run, TrainedRun):
        return
    yield f"run {settings_key(run)}", sum(_saved(run, published).values()) * FLOAT
    if run.sampler.source is not None and run.phase.steps:
        below = settings_key(run.start) if isinstance(run, StartedRun) else run.seed
        mined = run.sampler.model_dump(mode="json", include={"source", "candidates", "mask"})
        size = corpus.pairs * run.sampler.draws[0] * CANDIDATE
        yield _name("candidates", run, run.encoder.model_dump(), below, mined), size
    if run.phase.trains in FROZEN:
        frozen = _name("states", run, run.encoder.model_dump(), run.phase.trains)
        yield frozen, states_size(run, corpus, published).size


def while_training(run: RunSettings, corpus: CorpusSize, published: Published) -> int:
    """Return the bytes that a run needs beside what it leaves.

    They are those of a checkpoint, of candidates of two rounds, and of embeddings that memory cannot hold.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    if not isinstance(run, TrainedRun):
        return 0
    if not run.phase.steps:
        return 0
    mined = run.sampler.draws[0] if run.sampler.source is not None else 0
    state = SAVED * sum(_saved(run, published, best=False).values()) * FLOAT
    width = retriever_in(run, published).width if mined else 0
    embedded = [count * width * FLOAT for count in (corpus.documents, corpus.pairs)]
    mapped = sum(size for size in embedded if not in_memory(size))
    return state + 2 * corpus.pairs * mined * CANDIDATE + mapped


def _saved(run: TrainedRun, published: Published, *, best: bool = True) -> dict[str, int]:
    """Return the parameters of what a run saves; the best encoder beside the last, where it is looked for."""
    retriever = retriever_in(run, published)
    saved: dict[str, int] = {}
    if isinstance(run, RankerRun) or (isinstance(run, TaughtRun) and _ranker_learns(run)):
        saved["ranker"] = ranker_in(run.own_ranker, retriever.bert, published).parameters
    if not isinstance(run, RankerRun):
        size = retriever.trained if run.phase.trains in FROZEN else retriever.parameters
        saved |= {"last": size} | ({"best": size} if best and run.phase.refresh else {})
    return saved


def _ranker_learns(run: TaughtRun) -> bool:
    steps = run.phase.steps
    return steps_before(run.co_training.turns, "ranker", steps, run.phase.refresh or steps) > 0


def _name(what: str, run: RunSettings, *parts: object) -> str:
    return f"{what} {content_hash(run.collection.model_dump(mode='json'), *parts)}"
