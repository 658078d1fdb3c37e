"""Who takes a step: retriever and ranker share the steps of a phase, as a pure function of the step.

A round lies between two refreshes of the candidates. A turn is a matter of arithmetic, so that a run resumes
at any step, and each learner's schedule runs over its own steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import Field

from harness.pieces import AnyOf, Piece, classes_by_name, make_piece

Who = Literal["retriever", "ranker"]
Share = Annotated[float, Field(gt=0, lt=1)]


class Turns(Protocol):
    """A way to share the steps.

    Attributes:
        summary: one line for documentation.
        citation: paper and section, or line of the released code.
    """

    summary: ClassVar[str]
    citation: ClassVar[str]

    @property
    def name(self) -> str:
        """Name in specs."""
        ...

    def first_turn(self, number: int, steps: int) -> FirstTurn:
        """Return who begins round `number` (from 0) of so many steps, and for how long."""
        ...

    def scheduled(self, who: Who, steps: int, round_steps: int) -> int:
        """Return the steps that a learner's schedule of the learning rate is made for."""
        ...


@dataclass(frozen=True)
class FirstTurn:
    """The first turn of a round; the other learner takes the steps after it.

    Attributes:
        who: the learner of the first steps.
        steps: the number of its steps.
    """

    who: Who
    steps: int

    def at(self, place: int) -> Who:
        """Return who takes the step at a place of the round, from 0."""
        return self.who if place < self.steps else _other(self.who)

    def taken(self, who: Who, place: int) -> int:
        """Return how many of the steps before a place are a learner's."""
        own = min(place, self.steps)
        return own if who == self.who else place - own


def who_at(turns: Turns, step: int, round_steps: int) -> Who:
    """Return who takes a step, from 0."""
    number, place = divmod(step, round_steps)
    return turns.first_turn(number, round_steps).at(place)


def steps_before(turns: Turns, who: Who, step: int, round_steps: int) -> int:
    """Return how many steps before this one a learner has taken; a phase of no steps has rounds of none."""
    if not step:
        return 0
    rounds, place = divmod(step, round_steps)
    whole = sum(turns.first_turn(number, round_steps).taken(who, round_steps) for number in range(rounds))
    return whole + turns.first_turn(rounds, round_steps).taken(who, place)


class RetrieverAlone(Piece):
    """The ranker, if there is one, teaches and learns nothing."""

    name: Literal["retriever-alone"] = "retriever-alone"
    summary: ClassVar[str] = "the retriever takes all steps"
    citation: ClassVar[str] = "the control of a ranker that goes on training"

    def first_turn(self, number: int, steps: int) -> FirstTurn:
        """Return who begins a round."""
        return FirstTurn("retriever", steps)

    def scheduled(self, who: Who, steps: int, round_steps: int) -> int:
        """Return the steps of a schedule."""
        return steps_before(self, who, steps, round_steps)


class RankerAlone(Piece):
    """A ranker alone, before it takes part."""

    name: Literal["ranker-alone"] = "ranker-alone"
    summary: ClassVar[str] = "the ranker takes all steps"
    citation: ClassVar[str] = "AR2 (Zhang et al. 2022), Algorithm 1, line 5"

    def first_turn(self, number: int, steps: int) -> FirstTurn:
        """Return who begins a round."""
        return FirstTurn("ranker", steps)

    def scheduled(self, who: Who, steps: int, round_steps: int) -> int:
        """Return the steps of a schedule."""
        return steps_before(self, who, steps, round_steps)


class RankerFirst(Piece):
    """Each round begins with the ranker, on the negatives that the refresh found; so AR2's 500 and 1500.

    Algorithm 1 prints retriever, refresh, ranker: the same order from the second round on. In the first one
    the ranker has been warmed up on these very candidates; here it takes its share all the same, so that all
    rounds are the same.
    """

    name: Literal["ranker-first"] = "ranker-first"
    summary: ClassVar[str] = "each round begins with the ranker's share of its steps"
    citation: ClassVar[str] = "AR2 (Zhang et al. 2022), Algorithm 1 and Table 8: 500 of 2000"
    share: Share = Field(default=0.25, description="of a round's steps that are the ranker's.")

    def first_turn(self, number: int, steps: int) -> FirstTurn:
        """Return who begins a round."""
        return FirstTurn("ranker", _part(self.share, steps))

    def scheduled(self, who: Who, steps: int, round_steps: int) -> int:
        """Return the steps of a schedule: its own."""
        return steps_before(self, who, steps, round_steps)


class ReleasedWiki(Piece):
    """The released script of NQ and TQA as it runs: 501 and 1499 of 2000, on schedules for 500 and 1500."""

    name: Literal["released-wiki"] = "released-wiki"
    summary: ClassVar[str] = "as ranker-first, with one step more for the ranker than its schedule has"
    citation: ClassVar[str] = "SimXNS at 0163380, SimANS/wiki/co_training_wiki_train.py:127-137, 294-306"
    share: Share = Field(
        default=0.25,
        description="of a round's steps that are the ranker's, before the one that it takes too many.",
    )

    def first_turn(self, number: int, steps: int) -> FirstTurn:
        """Return who begins a round."""
        return FirstTurn("ranker", min(_part(self.share, steps) + 1, steps))

    def scheduled(self, who: Who, steps: int, round_steps: int) -> int:
        """Return the steps of a schedule."""
        return _released(self.share, who, steps, round_steps)


class ReleasedMarco(Piece):
    """The released script of MS MARCO as it runs: a first round of the retriever alone, then it begins each.

    The schedules count a ranker's share in the first round as well, so that the retriever's rate is 0 in the
    last steps: 54,500 steps on a schedule of 54,000.
    """

    name: Literal["released-marco"] = "released-marco"
    summary: ClassVar[str] = "each round ends with the ranker's share of its steps, but for the first"
    citation: ClassVar[str] = "SimXNS at 0163380, SimANS/co_training/co_training_marco_train.py:124, 283"
    share: Share = Field(
        default=0.1, description="of a round's steps that are the ranker's, from the second round on."
    )

    def first_turn(self, number: int, steps: int) -> FirstTurn:
        """Return who begins a round."""
        return FirstTurn("retriever", steps if number == 0 else steps - _part(self.share, steps))

    def scheduled(self, who: Who, steps: int, round_steps: int) -> int:
        """Return the steps of a schedule."""
        return _released(self.share, who, steps, round_steps)


TURNS: dict[str, type[Turns]] = classes_by_name(
    RankerFirst, ReleasedWiki, ReleasedMarco, RetrieverAlone, RankerAlone
)
"""Name in specs -> class."""

AnyTurns = Annotated[Turns, AnyOf("turns", TURNS)]


def make_turns(choice: Any) -> Turns:
    """Return how the steps are shared, from a name, or from a name with parameters.

    Raises:
        PieceError: something is wrong with it.
    """
    return make_piece("turns", TURNS, choice)


def _part(share: float, steps: int) -> int:
    """Return a share of the steps, one at least, and not all."""
    return min(max(1, round(share * steps)), steps - 1)


def _released(share: float, who: Who, steps: int, round_steps: int) -> int:
    """Return what the released scripts schedule: a learner's share of all steps, taken or not."""
    ranker = steps * _part(share, round_steps) // round_steps
    return ranker if who == "ranker" else steps - ranker


def _other(who: Who) -> Who:
    return "ranker" if who == "retriever" else "retriever"
