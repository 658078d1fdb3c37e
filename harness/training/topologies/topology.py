"""What every topology is: a frozen, validated set of parameters that scores batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

from harness.training.losses.scores import Scores

if TYPE_CHECKING:
    from torch import Tensor

    from harness.encoders.dual_encoder import TwoTowers
    from harness.training.forward import QueryBatch


class Scorer(Protocol):
    """Scores the batches of a phase one after the other; a checkpoint holds what it remembers."""

    def scores(self, batch: QueryBatch) -> Scores:
        """Return the scores of each query with the passages that it is trained against, with gradient."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return copies on the CPU of what later scores depend on beside the encoder."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        ...


class StateSize(NamedTuple):
    """How much a scorer remembers.

    Attributes:
        numbers: how many floating-point numbers.
        of: what they are, for people.
    """

    numbers: int
    of: str


class Topology(Protocol):
    """Whose passages a query is trained against.

    Attributes:
        summary: one line for documentation.
        citation: paper, or line of the released code.
        own_only: whether these are the query's own passages and no others. A ranker that teaches scores no
            others; and without drawn negatives, nothing is left to train against.
        needs_shared_towers: whether the passage side learns only through a tower that it shares with queries.
    """

    summary: ClassVar[str]
    citation: ClassVar[str]
    own_only: ClassVar[bool]
    needs_shared_towers: ClassVar[bool]

    @property
    def name(self) -> str:
        """Name in specs."""
        ...

    def scorer(self, encoder: TwoTowers[Any]) -> Scorer:
        """Return what scores the batches of a phase that trains an encoder."""
        ...

    def state_size(self, tower: int, width: int) -> StateSize | None:
        """Return how much its scorer remembers; none where nothing.

        Args:
            tower: parameters of the passage tower.
            width: of an embedding.
        """
        ...


class Stateless:
    """A topology that remembers nothing from batch to batch: it is its own scorer."""

    def scorer(self, encoder: TwoTowers[Any]) -> Self:
        """Return the topology itself."""
        return self

    def state(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing."""

    def state_size(self, tower: int, width: int) -> StateSize | None:
        """Return none."""
        return None


@dataclass(frozen=True)
class Alias:
    """Another name of a topology: settings and fingerprints know the topology's own name alone.

    Attributes:
        name: as it may be written in a spec.
        of: the topology.
        summary: one line for documentation.
        citation: paper, or line of the released code.
    """

    name: str
    of: type[Topology]
    summary: str
    citation: str
