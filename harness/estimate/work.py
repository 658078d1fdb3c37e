"""Operations of a run, from its settings only, and the GPU hours that they take at a stated rate.

An encoder multiplies and adds once for each parameter of its layers and each token, 2 operations, and again
for each token that a token attends to. The backward pass takes twice as many (Kaplan et al. 2020, "Scaling
laws for neural language models", section 2.1). All texts are taken to be the longest, and candidates of round
0 and states are counted for each run, though runs share them: an upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.estimate.memory import Published, ranker_in, retriever_in
from harness.estimate.moments import CorpusSize
from harness.estimate.parameters import Bert, ModelSize, bert_of_checkpoint
from harness.specs.run_settings import EvaluatedRun, RankerRun, RunSettings, TaughtRun, TrainedRun
from harness.specs.scale import Hardware
from harness.specs.settings import RankerSettings
from harness.training.turns import steps_before

FORWARD_AND_BACKWARD = 3
"""Operations of a step, in those of its forward pass."""


@dataclass(frozen=True)
class Work:
    """Operations of a run, by what they are for.

    Attributes:
        steps: of training, a teacher's forward passes included.
        refreshes: encoding and searching for candidates, those of round 0 included.
        evaluation: encoding all documents once.
    """

    steps: float
    refreshes: float
    evaluation: float

    def gpu_hours(self, teraflops: float) -> float:
        """Return the hours of one GPU.

        Args:
            teraflops: 10^12 operations a second that it reaches.
        """
        return (self.steps + self.refreshes + self.evaluation) / (teraflops * 1e12) / 3600


def work(
    run: RunSettings,
    corpus: CorpusSize,
    hardware: Hardware | None = None,
    published: Published = MappingProxyType({}),
) -> Work:
    """Return the operations of a run, without those of the runs below it; BM25 has none.

    Args:
        run: resolved settings.
        corpus: size of its collection.
        hardware: whose steps compute layers again, if it says so.
        published: sizes of checkpoints that may not be on this machine.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    if isinstance(run, EvaluatedRun):
        bert = bert_of_checkpoint(run.checkpoint.start, published.get(run.checkpoint.start))
        return Work(0, 0, forward(bert, corpus.documents, run.tokens.passage_tokens))
    if not isinstance(run, TrainedRun):
        return Work(0, 0, 0)
    again = hardware is not None and hardware.recomputes
    return _Counted(run, corpus, FORWARD_AND_BACKWARD + again, published).work()


def forward(bert: Bert, sequences: int, tokens: int) -> float:
    """Return the operations of a forward pass.

    Args:
        bert: sizes of the encoder.
        sequences: how many pass through it.
        tokens: of each.
    """
    return sequences * tokens * bert.layers * (2.0 * bert.layer + 4.0 * bert.hidden * tokens)


@dataclass(frozen=True)
class _Counted:
    """A run that trains, with what its operations depend on; `step` is a step in forward passes."""

    run: TrainedRun
    corpus: CorpusSize
    step: int
    published: Published

    def work(self) -> Work:
        return Work(self._steps(), self._refreshes(), self._encoded())

    @property
    def _retriever(self) -> ModelSize:
        return retriever_in(self.run, self.published)

    @property
    def _texts(self) -> Mapping[str, int]:
        """Queries and passages of a step."""
        batch, sampler = self.run.phase.batch, self.run.sampler
        drawn = sampler.draws[1] if sampler.source is not None else 0
        return {"queries": batch, "passages": batch * (1 + drawn)}

    def _steps(self) -> float:
        phase = self.run.phase
        if isinstance(self.run, RankerRun):
            return phase.steps * self.step * self._pairs(self.run)
        own = self.step * self._passed(self._texts["queries"], self._texts["passages"])
        if not isinstance(self.run, TaughtRun):
            return phase.steps * own
        turns = self.run.co_training.turns
        learning = steps_before(turns, "ranker", phase.steps, phase.refresh or phase.steps)
        pairs = self._pairs(self.run)
        return (phase.steps - learning) * (own + pairs) + learning * self.step * pairs

    def _pairs(self, run: RankerRun | TaughtRun) -> float:
        """Return a ranker's forward pass over the pairs of a step."""
        own, pairs, retriever = run.own_ranker, self._texts["passages"], self._retriever.bert
        if isinstance(own.ranker, RankerSettings):
            return forward(ranker_in(own, retriever, self.published).bert, pairs, own.pair_tokens)
        mapped = retriever.hidden * own.tokens.query_tokens
        compared = own.tokens.query_tokens * own.tokens.passage_tokens
        return 2.0 * retriever.hidden * pairs * (mapped + compared)

    def _refreshes(self) -> float:
        phase, width = self.run.phase, self._retriever.width
        if self.run.sampler.source is None or not phase.steps:
            return 0
        rounds = math.ceil(phase.steps / phase.refresh) if phase.refresh else 1
        search = 2.0 * self.corpus.pairs * self.corpus.documents * width
        return rounds * (self._passed(self.corpus.pairs, self.corpus.documents) + search)

    def _encoded(self) -> float:
        return self._passed(0, self.corpus.documents)

    def _passed(self, queries: int, passages: int) -> float:
        """Return the operations by which texts pass through what is trained."""
        bert, tokens = self._retriever.bert, self.run.tokens
        match self.run.phase.trains:
            case "head":
                return 2.0 * bert.hidden**2 * (queries + passages)
            case "query-tower":
                return forward(bert, queries, tokens.query_tokens)
            case "last-layer":
                own = bert.layers
            case _:
                own = 1
        both = forward(bert, queries, tokens.query_tokens) + forward(bert, passages, tokens.passage_tokens)
        return both / own
