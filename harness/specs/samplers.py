"""How a row of a table chooses its sampler, and the settings that follow from the choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from harness.negatives.presets import Preset, presets
from harness.negatives.registry import make_draw, make_law, make_source, make_topology
from harness.pieces import settings_of
from harness.specs.base import Spec
from harness.specs.settings import SamplerSettings

Parameter = bool | int | float | str
PieceChoice = str | dict[str, Any]


class SamplerChoice(Spec):
    """A preset, with changes to its law's parameters (`with`), or to its other pieces.

    A piece is a name, a `name` with parameters, or parameters alone, which change those of the preset's.
    """

    preset: str
    with_: dict[str, Parameter] = Field(default={}, alias="with")
    source: PieceChoice | None = None
    draw: PieceChoice | None = None
    topology: PieceChoice | None = None
    mask: str | None = None

    @property
    def summary(self) -> str:
        """One line on the preset, with its source."""
        base = presets()[self.preset]
        return f"{base.summary[0].upper()}{base.summary[1:]}. Source: {base.citation}."

    def piece(self, kind: str) -> Any:
        """Return what is chosen of a kind (``source``, ``law``, ``draw``, ``topology``), not checked yet."""
        base: Preset = presets()[self.preset]
        return changed(getattr(base, kind), self.with_ if kind == "law" else getattr(self, kind))


def by_name(value: Any) -> Any:
    """Let a preset without changes be written as its name alone."""
    return {"preset": value} if isinstance(value, str) else value


def changed(base: Mapping[str, Any] | None, given: Any) -> Any:
    """Return a preset's piece with what is given: another name replaces it, parameters alone change it."""
    if given is None:
        return base
    if not isinstance(given, Mapping):
        return given
    same = base is not None and given.get("name", base["name"]) == base["name"]
    return {**base, **given} if same and base is not None else given


def sampler_settings(choice: SamplerChoice, candidates: int, negatives: int) -> SamplerSettings:
    """Return the settings of a choice.

    Args:
        choice: a preset and its changes.
        candidates: K, after the scale's cap.
        negatives: n for each positive.
    """
    source = choice.piece("source")
    return SamplerSettings(
        preset=choice.preset,
        source=None if source is None else settings_of(make_source(source)),
        law=settings_of(make_law(choice.piece("law"))),
        draw=settings_of(make_draw(choice.piece("draw"))),
        topology=settings_of(make_topology(choice.piece("topology"))),
        mask=choice.mask or presets()[choice.preset].mask,
        candidates=candidates,
        negatives=negatives,
    )
