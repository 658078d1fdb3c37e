"""What a search writes: rows with the settings that it tuned, to be made with fresh seeds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt

from harness.negatives.pieces import settings_of
from harness.specs.base import Spec
from harness.specs.models import Comparison, Row, Shared
from harness.specs.settings import PhaseSettings, RunSettings
from harness.training.losses.registry import make_loss


def _is_name(value: str) -> str:
    if not re.fullmatch(r"\w[\w-]*", value):
        raise ValueError(f"'{value}' is no name of a search; letters, digits, - and _ alone")
    return value


SHARED = ("candidates", "negatives")
"""Overrides of what the target's rows share; the others are of the phase that the row trains."""


class Overrides(Spec):
    """What a row sets that belongs to the scale, the recipe or all rows elsewhere, since it was tuned for it.

    They change the row's own phase alone: its warm-up, and a ranker that teaches it, are those of other rows.
    """

    learning_rate: PositiveFloat | None = None
    steps: PositiveInt | None = None
    refresh: PositiveInt | None = None
    batch: PositiveInt | None = None
    temperature: PositiveFloat | None = None
    candidates: PositiveInt | None = Field(default=None, description="K, before the scale's cap")
    negatives: PositiveInt | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Those that are set."""
        return self.model_dump(exclude_none=True)


class Tuned(Row):
    """A row with what was tuned for it beside its sampler."""

    overrides: Overrides = Field(default=Overrides())

    def under(self, shared: Shared) -> Shared:
        """Return what is shared, with the row's own numbers of candidates and negatives."""
        own = {key: value for key, value in self.overrides.given.items() if key in SHARED}
        return shared.model_copy(update=own)

    def tuned(self, settings: RunSettings) -> RunSettings:
        """Return the settings of the row's run with what was tuned of its phase."""
        own = {key: value for key, value in self.overrides.given.items() if key not in SHARED}
        if settings.phase is None or not own:
            return settings
        phase = settings.phase.model_dump()
        if "temperature" in own:
            own["loss"] = settings_of(make_loss({**phase["loss"], "temperature": own.pop("temperature")}))
        return settings.model_copy(update={"phase": PhaseSettings(**{**phase, **own})})


class Confirmation(Comparison):
    """The papers' settings and the best of a search, with seeds that no trial used.

    It is no target of a paper: `harness search NAME --confirm` writes it beside the search's results, and it
    is named by the path of its file.

    Attributes:
        search: name of the search.
        target: what it searched, from which all else is taken.
        seed_shift: added to the first seeds of the scale, of warm-ups and of continued training.
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
