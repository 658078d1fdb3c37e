"""What a search writes: rows with the settings that it tuned, to be made with fresh seeds."""

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
        raise ValueError(f"'{value}' is no name of a search; letters, digits, - and _ alone")
    return value


class Tuned(Row):
    """A row with what was tuned for it: `overrides`, by the keys of a search, of `harness.specs.varied`.

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
    """The papers' settings and the best of a search, with seeds that no trial used.

    It is no target of a paper: `harness search NAME --confirm` writes it beside the search's results, and it
    is named by the path of its file.

    Attributes:
        search: name of the search.
        target: what it searched, from which all else is taken.
        seed_shift: added to the first seeds of the scale, of base runs and of continued training.
    """

    kind: Literal["confirmation"]  # type: ignore[assignment]
    search: Annotated[str, AfterValidator(_is_name)]
    target: str
    seed_shift: PositiveInt
    rows: list[Tuned] = Field(min_length=1)  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """Its name among the results; below the search's, so that one folder holds all of a search."""
        return f"searches/{self.search}/confirmation"
