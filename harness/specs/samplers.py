"""How a row of a table chooses its sampler, and the settings that follow from the choice."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic import Field

from harness.negatives.registry import make_law, presets
from harness.specs.base import Spec
from harness.specs.settings import SamplerSettings

Parameter = bool | int | float | str


class SamplerChoice(Spec):
    """A preset, with changes to its law's parameters, its draw or its mask."""

    preset: str
    with_: dict[str, Parameter] = Field(default={}, alias="with")
    draw: str | None = None
    mask: str | None = None


def by_name(value: Any) -> Any:
    """Let a preset without changes be written as its name alone."""
    return {"preset": value} if isinstance(value, str) else value


def sampler_settings(choice: SamplerChoice, candidates: int, negatives: int) -> SamplerSettings:
    """Return the settings of a choice.

    Args:
        choice: a preset and its changes.
        candidates: K, after the scale's cap.
        negatives: n for each positive.
    """
    settings = presets()[choice.preset].settings
    law = make_law(settings["law"], {**settings["law_parameters"], **choice.with_})
    return SamplerSettings(
        preset=choice.preset,
        source=settings["candidate_source"],
        law=settings["law"],
        law_parameters=asdict(law),  # type: ignore[call-overload]
        draw=choice.draw or settings["draw"],
        topology=settings["topology"],
        mask=choice.mask or settings["mask"],
        candidates=candidates,
        negatives=negatives,
    )
