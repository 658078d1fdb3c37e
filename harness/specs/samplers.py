"""How a row of a table chooses its sampler, and the settings that follow from the choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from harness.negatives.presets import Preset, presets
from harness.negatives.registry import make_draw, make_law, make_source
from harness.specs.base import Spec
from harness.specs.piece_schemas import may_be, parameters_of_any
from harness.specs.settings import SamplerSettings
from harness.training.topologies.registry import make_topology, without_alias

Parameter = bool | int | float | str
PieceChoice = str | dict[str, Any]


class SamplerChoice(Spec):
    """A preset, with changes to its law's parameters, or to its other pieces.

    A piece is a name, a `name` with parameters, or parameters alone, which change those of the preset's.
    """

    preset: str
    law: Annotated[dict[str, Parameter], parameters_of_any("law")] = Field(
        default={}, description="parameters of the preset's law"
    )
    source: Annotated[PieceChoice, may_be("source")] | None = None
    draw: Annotated[PieceChoice, may_be("draw")] | None = None
    topology: Annotated[PieceChoice, may_be("topology")] | None = None
    mask: str | None = None

    @field_validator("topology")
    @classmethod
    def _without_alias(cls, choice: Any) -> Any:
        return without_alias(choice)

    @property
    def summary(self) -> str:
        """One line on the preset, with its source."""
        base = presets()[self.preset]
        return f"{base.summary[0].upper()}{base.summary[1:]}. Source: {base.citation}."

    @property
    def text(self) -> str:
        """The preset with what its law is changed in, such as ``simans, b = 1.0``."""
        return ", ".join([self.preset, *(f"{key} = {value}" for key, value in self.law.items())])

    @property
    def draws(self) -> bool:
        """Whether candidates come from a source; an unknown preset is reported elsewhere."""
        return self.preset not in presets() or self.piece("source") is not None

    def piece(self, kind: str) -> Any:
        """Return what is chosen of a kind (``source``, ``law``, ``draw``, ``topology``), not checked yet."""
        base: Preset = presets()[self.preset]
        return changed(getattr(base, kind), getattr(self, kind))


def by_name(value: Any) -> Any:
    """Let a preset without changes be written as its name alone."""
    return {"preset": value} if isinstance(value, str) else value


def changed(base: Mapping[str, Any] | None, change: Any) -> Any:
    """Return a preset's piece as changed: another name replaces it, parameters alone change it."""
    if change is None:
        return base
    if not isinstance(change, Mapping):
        return change
    same = base is not None and change.get("name", base["name"]) == base["name"]
    return {**base, **change} if same and base is not None else change


def sampler_settings(choice: SamplerChoice, candidates: int, negatives: int) -> SamplerSettings:
    """Return the settings of a choice.

    Args:
        choice: a preset and its changes.
        candidates: K, after the scale's cap; of no account where nothing is drawn.
        negatives: n for each positive; likewise.
    """
    source = choice.piece("source")
    return SamplerSettings(
        preset=choice.preset,
        source=None if source is None else make_source(source),
        law=make_law(choice.piece("law")),
        draw=make_draw(choice.piece("draw")),
        topology=make_topology(choice.piece("topology")),
        mask=choice.mask or presets()[choice.preset].mask,
        candidates=None if source is None else candidates,
        negatives=None if source is None else negatives,
    )
