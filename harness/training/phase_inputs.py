"""What a phase of training takes beside its model: negatives, and a ranker."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.encoders.ranker import Ranker
from harness.negatives.candidates import Candidates
from harness.negatives.mining import Miner
from harness.negatives.sampler import Sampler
from harness.training.losses.loss import Loss
from harness.training.protocols import Rates
from harness.training.topologies.in_batch import InBatch
from harness.training.topologies.topology import Topology
from harness.training.turns import Turns


@dataclass(frozen=True)
class Drawn:
    """How a phase draws negatives.

    Attributes:
        sampler: law and draw.
        miner: finds candidates at each refresh.
        first: candidates of round 0, shared between samplers.
    """

    sampler: Sampler
    miner: Miner
    first: Candidates


@dataclass(frozen=True)
class Negatives:
    """Which negatives a phase trains against; by default the other queries' positives.

    Attributes:
        topology: whose passages count.
        mask: what does not count against a query: ``labelled``, ``known-relevant`` or ``positive-only``.
        drawn: a query's own negatives, where it has some.
    """

    topology: Topology = field(default_factory=InBatch)
    mask: str = "labelled"
    drawn: Drawn | None = None


@dataclass(frozen=True)
class RankerInTraining:
    """A ranker in a phase: it teaches, and takes the steps that are its turn.

    Attributes:
        ranker: trained in place, unless no turn is its own.
        pair_tokens: tokens of a pair at most.
        turns: whose step it is.
        rates: of its own steps; none where it takes none.
        loss: of its own steps.
    """

    ranker: Ranker
    pair_tokens: int
    turns: Turns
    rates: Rates | None
    loss: Loss
