"""Memory of a run at each moment of training, part by part, from its settings only.

The moments are those of `harness.training.trainer`. Gradients live until their own learner's next step, so
co-training always holds those of both learners. A phase over a frozen encoder computes its states once; its
steps store nothing of the frozen layers. Of several processes each has the whole batch and computes some of
its buckets (`harness.retrieval.ranks`). Values are counted as float32. Not counted are texts, tokens and
states (which are memory-mapped, as large arrays are), the overhead of torch and of a GPU's driver, and
fragmentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from harness.estimate.activations import (
    FLOAT,
    STORING,
    BatchShape,
    activation_bytes,
    forward_bytes,
    layer_bytes,
)
from harness.estimate.moments import CorpusSize, Machine, MemoryPart, Moment
from harness.estimate.parameters import Bert, ModelSize, late_interaction_parameters, ranker_of, retriever_of
from harness.negatives.sources.source import MANY, ROWS_AT_ONCE, ROWS_GATHERED
from harness.retrieval.encode import TOKENS_PER_BATCH, places_at_once
from harness.retrieval.search import QUERIES_AT_ONCE, documents_at_once
from harness.specs.fingerprints import states_read
from harness.specs.run_settings import RankerRun, RunSettings, StartedRun, TaughtRun, TrainedRun
from harness.specs.scale import PublishedSizes
from harness.specs.settings import PhaseSettings, RankerSettings, SamplerSettings
from harness.storage.arrays import in_memory
from harness.training.memory import SCORES
from harness.training.turns import steps_before

CANDIDATE = 8 + 3 * FLOAT + 2
"""Bytes of a candidate: number, two scores, a norm, two flags (`harness.negatives.candidates`)."""

MINED = 40
"""Bytes of a candidate while it is mined, at most, as measured (tests/estimate/test_memory.py); those that
are mined lie in a file, which is mapped."""

_STATES = "states, their maps and the cosines of their tokens"

Published = Mapping[str, PublishedSizes]
"""Start -> the published sizes of a checkpoint that may not be on this machine."""


def memory(
    run: RunSettings, corpus: CorpusSize, machine: Machine, published: Published = MappingProxyType({})
) -> list[Moment]:
    """Return the moments of a run, after those of the runs that it depends on; BM25 has none.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    if not isinstance(run, TrainedRun):
        return []
    phase = _Phase(run, corpus, machine, published)
    before = memory(run.start, corpus, machine, published) if isinstance(run, StartedRun) else []
    taught = memory(run.teacher, corpus, machine, published) if isinstance(run, TaughtRun) else before
    return [*before, *taught[len(before) :], *phase.moments()]


def retriever_in(run: TrainedRun, published: Published) -> ModelSize:
    """Return the size of a run's retriever, of which its phase trains all or a part.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    return retriever_of(run.encoder, run.tokens, published.get(run.encoder.start), _trained_in(run))


def ranker_in(run: RankerRun, retriever: Bert, published: Published) -> ModelSize:
    """Return the size of the ranker that a run trains over a retriever of some size.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    if isinstance(run.ranker, RankerSettings):
        tokens = run.tokens.model_copy(update={"vocabulary": retriever.vocabulary})
        return ranker_of(run.ranker, tokens, published.get(run.ranker.start))
    count = late_interaction_parameters(retriever.hidden)
    return ModelSize(retriever, 1, count, count, retriever.hidden)


def _trained_in(run: TrainedRun) -> tuple[str, ...]:
    """Return what the phases of a run's retriever train, those of the runs below it first."""
    before = _trained_in(run.start) if isinstance(run, StartedRun) else ()
    return *before, run.phase.trains


@dataclass(frozen=True)
class _Phase:
    """A run's phase, with the collection, the machine and the sizes of checkpoints."""

    run: TrainedRun
    corpus: CorpusSize
    machine: Machine
    published: Published

    @property
    def phase(self) -> PhaseSettings:
        return self.run.phase

    def moments(self) -> Iterator[Moment]:
        if states_read(self.run) is not None:
            yield self.states()
        if not self.phase.steps:
            return
        if isinstance(self.run, RankerRun):
            yield from self._shared([self._ranker], self.ranker())
        elif isinstance(self.run, StartedRun):
            learners = [self._retriever, *([self._ranker] if self._ranker_learns() else [])]
            yield from self._shared(learners, *self.continued())
        else:
            yield from self._shared([self._retriever], self.base())

    def _shared(self, learners: list[ModelSize], *moments: Moment) -> Iterator[Moment]:
        """Yield moments, and the one at which processes add up their gradients, a learner's at a time."""
        yield from moments
        if self.machine.ranks > 1:
            size = FLOAT * max(model.trained for model in learners)
            copy = MemoryPart("a copy of gradients", size, "of one learner, in a row; then it replaces them")
            yield Moment("gradients added up", moments[0].models, (copy,))

    def states(self) -> Moment:
        n, longest = self.corpus.documents, self.run.tokens.passage_tokens
        every = self._passing("encoding", self._retriever, BatchShape(n, longest), TOKENS_PER_BATCH)
        return Moment("states, once", (_weights_part("retriever", self._retriever),), (every,))

    def base(self) -> Moment:
        return Moment("base", self._learner("retriever", self._retriever), self._embedded())

    def ranker(self) -> Moment:
        held = (_weights_part("retriever", self._retriever), *self._learner("ranker", self._ranker))
        return Moment("ranker alone", held, self._ranker_step())

    def continued(self) -> Iterator[Moment]:
        models = self._learner("retriever", self._retriever)
        steps = {"retriever's step": self._embedded()}
        if isinstance(self.run, TaughtRun):
            steps["retriever's step"] += (self._teaching(),)
            if self._ranker_learns():
                models += self._learner("ranker", self._ranker)
                steps["ranker's step"] = self._ranker_step()
            else:
                models += (_weights_part("ranker", self._ranker),)
        yield from (Moment(name, models, own) for name, own in steps.items())
        if self.phase.refresh:
            yield from self._refresh(models, self.run.sampler)

    @cached_property
    def _retriever(self) -> ModelSize:
        return retriever_in(self.run, self.published)

    def _ranker_step(self) -> tuple[MemoryPart, ...]:
        """Return the parts of memory of a ranker's step."""
        if isinstance(self._own_ranker.ranker, RankerSettings):
            return self._step(self._ranker, {"pairs": self._pairs})
        places = self.phase.places
        pairs, at_once = self.machine.share(self._pairs, places), self._pairs.part(places)
        parts = (
            MemoryPart("activations: pairs", self._compared(pairs), f"{pairs.sequences:,} pairs, {_STATES}"),
        )
        detail = f"gradients of them, {places:,} places at once"
        return *parts, MemoryPart("backward pass", 2 * self._compared(at_once), detail)

    def _teaching(self) -> MemoryPart:
        """Return the part of memory of a ranker that scores a batch and learns nothing."""
        what = "teacher's forward"
        if isinstance(self._own_ranker.ranker, RankerSettings):
            return self._passing(what, self._ranker, self._pairs, self.phase.places)
        size = self._compared(self._pairs.part(self.phase.places))
        return MemoryPart(what, size, f"{self.phase.places:,} places at once, {_STATES}")

    def _compared(self, pairs: BatchShape) -> int:
        """Return the bytes that a late interaction keeps of pairs.

        Of each pair the states of the passage, the cosines of its tokens, and what makes the vectors and all
        lengths; of each query its states, and what the map of its tokens makes of them.
        """
        tokens, width = self.run.tokens, self._retriever.bert.hidden
        of_pair = width * (tokens.passage_tokens + 4)
        of_pair += (tokens.query_tokens + 2) * (tokens.passage_tokens + 2)
        of_queries = min(self._queries.sequences, pairs.sequences) * 3 * tokens.query_tokens * width
        return FLOAT * (pairs.sequences * of_pair + of_queries)

    @cached_property
    def _ranker(self) -> ModelSize:
        return ranker_in(self._own_ranker, self._retriever.bert, self.published)

    @property
    def _own_ranker(self) -> RankerRun:
        """The run of the ranker, this one or its teacher's."""
        if not isinstance(self.run, RankerRun | TaughtRun):
            raise ValueError(f"a run of recipe {self.run.recipe} has no ranker")
        return self.run.own_ranker

    @property
    def _queries(self) -> BatchShape:
        return BatchShape(self.phase.batch, self.run.tokens.query_tokens)

    @property
    def _passages(self) -> BatchShape:
        sampler = self.run.sampler
        drawn = sampler.draws[1] if sampler.source is not None else 0
        return BatchShape(self._queries.sequences * (1 + drawn), self.run.tokens.passage_tokens)

    @property
    def _pairs(self) -> BatchShape:
        return BatchShape(self._passages.sequences, self._own_ranker.pair_tokens)

    def _ranker_learns(self) -> bool:
        """Return whether the ranker is trained in this phase."""
        if not isinstance(self.run, TaughtRun):
            return False
        turns, steps = self.run.co_training.turns, self.phase.steps
        return steps_before(turns, "ranker", steps, self.phase.refresh or steps) > 0

    def _learner(self, name: str, model: ModelSize) -> tuple[MemoryPart, ...]:
        trained = f"{model.trained:,} trained x {FLOAT} bytes"
        return (
            _weights_part(name, model),
            MemoryPart(f"{name}: gradients", model.trained * FLOAT, trained),
            MemoryPart(f"{name}: moments", 2 * model.trained * FLOAT, f"AdamW's two, {trained} each"),
        )

    def _embedded(self) -> tuple[MemoryPart, ...]:
        """Return the parts of memory of a retriever's step."""
        queries, passages = {"queries": self._queries}, {"passages": self._passages}
        parts: tuple[MemoryPart, ...]
        match self.phase.trains:
            case "head":
                parts = self._mapped(queries | passages)
            case "query-tower":
                parts = *self._step(self._retriever, queries), self._given(self._passages)
            case trains:
                parts = self._step(self._retriever, queries | passages, last=trains == "last-layer")
        topology = self.run.sampler.topology
        if not topology.own_only:
            rows, columns = self._queries.sequences, self._passages.sequences
            detail = f"{rows:,} queries with {columns:,} passages"
            parts += (MemoryPart("scores", SCORES * rows * columns * FLOAT, detail),)
        tower = self._retriever.parameters // self._retriever.towers
        state = topology.state_size(tower, self._retriever.width)
        if state is not None:
            of = f"{state.of} x {FLOAT} bytes"
            parts += (MemoryPart(topology.name, state.numbers * FLOAT, of),)
        return parts

    def _step(
        self, model: ModelSize, through: dict[str, BatchShape], *, last: bool = False
    ) -> tuple[MemoryPart, ...]:
        """Return the parts of memory of the forward and backward passes of some batches.

        Args:
            model: what they pass through.
            through: name -> shape of a batch.
            last: whether they are states that pass through the last layer alone.
        """
        storing, places = STORING[self.machine.device], self.phase.places
        bert = replace(model.bert, layers=1) if last else model.bert
        kept = layer_bytes if last else activation_bytes
        layers = "the last layer" if last else f"{bert.layers} layers"
        at_once = [batch.part(places) for batch in through.values()]
        backward = max(forward_bytes(bert, bucket) for bucket in at_once)
        parts = []
        if self.machine.recompute:
            again = max(kept(bert, bucket, storing) for bucket in at_once)
            detail = f"of {layers}, {places:,} places at once"
            parts.append(MemoryPart("activations of a bucket", again, detail))
        for name, batch in () if self.machine.recompute else through.items():
            own = self.machine.share(batch, places)
            detail = f"{own.sequences:,} of {own.tokens} tokens, activations of {layers}"
            parts.append(MemoryPart(f"activations: {name}", kept(bert, own, storing), detail))
        return *parts, MemoryPart(
            "backward pass", backward, f"gradients of a layer, {places:,} places at once"
        )

    def _mapped(self, through: dict[str, BatchShape]) -> tuple[MemoryPart, ...]:
        """Return the parts of memory of the passes through a head, whose states are a vector a text."""
        width = self._retriever.bert.hidden
        one = {name: batch.sequences * width * FLOAT for name, batch in through.items()}
        detail = "vectors, before the head, after it, and their embeddings"
        parts = (
            MemoryPart(f"activations: {name}", 3 * size, f"{through[name].sequences:,} {detail}")
            for name, size in one.items()
        )
        return *parts, MemoryPart("backward pass", 2 * max(one.values()), "gradients of vectors")

    def _given(self, batch: BatchShape) -> MemoryPart:
        """Return the part of memory of passages whose states are their embeddings."""
        size = batch.sequences * self._retriever.width * FLOAT
        return MemoryPart("passages", size, f"{batch.sequences:,} embeddings, which are their states")

    def _passing(self, name: str, model: ModelSize, batch: BatchShape, places: int) -> MemoryPart:
        detail = f"a layer at a time, {places:,} places at once"
        return MemoryPart(name, forward_bytes(model.bert, batch.part(places)), detail)

    def _refresh(self, models: tuple[MemoryPart, ...], sampler: SamplerSettings) -> Iterator[Moment]:
        """Return the moments of a refresh (embedding and mining): on the device, and in host memory."""
        width, n, r = self._retriever.width, self.corpus.documents, self.corpus.pairs
        encoding = self._encoding()
        k, block = sampler.draws[0], min(n, documents_at_once(width)) * width * FLOAT
        rows = min(ROWS_AT_ONCE if n <= MANY else ROWS_GATHERED, r)
        of = f"with all {n:,} documents" if n <= MANY else f"with their {k:,} candidates of {width}"
        each = n if n <= MANY else k * width
        queries = f"{r:,} x {width} x {FLOAT} bytes"
        host = (
            _array("document embeddings", n * width * FLOAT, f"{n:,} x {width} x {FLOAT} bytes"),
            _array("query embeddings", r * width * FLOAT, queries),
            MemoryPart("queries of pairs", r * width * FLOAT, queries),
            MemoryPart("products", rows * each * FLOAT, f"of {rows} queries {of}"),
            MemoryPart(
                "candidates", r * k * MINED, f"{r:,} pairs x {k} x {MINED} bytes, while they are mined"
            ),
        )
        yield Moment("refresh", models, (encoding,))
        if self.machine.device == "cuda":
            shard = block // self.machine.ranks
            scores = QUERIES_AT_ONCE * shard // width
            found = f"{QUERIES_AT_ONCE:,} queries with a block's share of it"
            searched = MemoryPart("a block's share", shard, "documents"), MemoryPart("scores", scores, found)
            yield Moment("search", models, searched)
        yield Moment("refresh, host memory", (), host, host=True)

    def _encoding(self) -> MemoryPart:
        """Return the part of memory of embedding all texts by an encoder, or by the part that is trained."""
        n, tokens = self.corpus.documents, self.run.tokens
        if self.phase.trains == "head":
            at_once = min(n, TOKENS_PER_BATCH)
            size = 3 * at_once * self._retriever.bert.hidden * FLOAT
            return MemoryPart("encoding", size, f"{at_once:,} vectors at once through the head")
        trains_queries = self.phase.trains == "query-tower"
        rows, longest = (
            (self.corpus.pairs, tokens.query_tokens) if trains_queries else (n, tokens.passage_tokens)
        )
        places = places_at_once(self.machine.device, self._retriever.width)
        return self._passing("encoding", self._retriever, BatchShape(rows, longest), places)


def _array(name: str, size: int, detail: str) -> MemoryPart:
    """Return the part of memory of an array that is mapped from a file where it is large."""
    if in_memory(size):
        return MemoryPart(name, size, detail)
    return MemoryPart(name, 0, f"{detail}, mapped from a file")


def _weights_part(name: str, model: ModelSize) -> MemoryPart:
    towers = f" in {model.towers} towers" if model.towers > 1 else ""
    return MemoryPart(
        f"{name}: weights", model.parameters * FLOAT, f"{model.parameters:,}{towers} x {FLOAT} bytes"
    )
