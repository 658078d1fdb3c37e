"""What tuning writes: rows with tuned settings, to be trained with fresh seeds."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from harness.specs.models import Comparison, Row
from harness.specs.samplers import Parameter
from harness.specs.settings import RunSettings
from harness.specs.varied import varied


def _is_name(value: str) -> str:
    if not re.fullmatch(r"\w[\w-]*", value):
        raise ValueError(f"'{value}' is no name of a tuning; letters, digits, - and _ alone")
    return value


class Tuned(Row):
    """A row with what was tuned for it: `overrides`, by the keys of a tuning, of `harness.specs.varied`.

    They change the row's own phase and negatives alone, whoever owns their keys elsewhere; the runs that it
    stands on are those of other rows.
    """

    overrides: dict[str, Parameter] = Field(default={})

    def tuned(self, settings: RunSettings) -> RunSettings:
        """Return the settings of the row's run with what was tuned.

        Raises:
            PieceError: the run has no such parameter, or it cannot have such a value.
        """
        return varied(settings, self.overrides) if self.overrides else settings


class Confirmation(Comparison):
    """The papers' settings and the best of a tuning, with seeds that no trial used.

    It is no target of a paper: `harness tune NAME --confirm` writes it beside the tuning's results, and it
    is named by the path of its file.

    Attributes:
        tuning: name of the tuning.
        target: whose rows were tuned, from which all else is taken.
        seed_shift: added to the first seeds of the scale, of base runs and of continued training.
    """

    kind: Literal["confirmation"]  # type: ignore[assignment]
    tuning: Annotated[str, AfterValidator(_is_name)]
    target: str
    seed_shift: PositiveInt
    rows: list[Tuned] = Field(min_length=1)  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """Its name among the results; below the tuning's, so that one folder holds all of a tuning."""
        return f"tuning/{self.tuning}/confirmation"
