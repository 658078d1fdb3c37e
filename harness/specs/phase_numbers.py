"""The numbers of a phase at a scale: the published ones, or what the scale puts in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.specs.recipe import NEVER, Phase
from harness.specs.scale import Scale, Substitute

KEYS = ("rate", "batch", "steps", "refresh", "ranker.rate")
"""Numbers of a phase that a scale may replace."""


@dataclass(frozen=True)
class Numbers:
    """Numbers of a phase; none where there is no such number.

    Attributes:
        rate: greatest learning rate.
        batch: queries in a step.
        steps: of the optimizer.
        refresh: steps between two minings of the candidates.
        ranker_rate: greatest learning rate of a ranker that trains beside the retriever.
    """

    rate: float | None
    batch: int | None
    steps: int | None
    refresh: int | None
    ranker_rate: float | None

    def of(self, key: str) -> float | None:
        """Return a number by its key in a spec, one of `KEYS`."""
        value: float | None = getattr(self, key.replace(".", "_"))
        return value


def published(phase: Phase, dataset: str) -> Numbers:
    """Return the numbers that were published for a dataset."""

    def on(value: Any) -> Any:
        return value.get(dataset) if isinstance(value, dict) else value

    refresh = on(phase.refresh)
    return Numbers(
        rate=on(phase.rate),
        batch=on(phase.batch),
        steps=on(phase.steps),
        refresh=None if refresh == NEVER else refresh,
        ranker_rate=on(phase.ranker.rate) if phase.ranker else None,
    )


def used(scale: Scale, name: str, phase: Phase, dataset: str) -> Numbers:
    """Return the numbers that a phase is trained with at a scale.

    Args:
        scale: whose substitutes replace what was published, unless it is trained `as_published`.
        name: of the phase, ``<recipe>/<phase>``.
        phase: the phase.
        dataset: name of the dataset.
    """
    numbers = published(phase, dataset) if scale.as_published else _substituted(scale, name, phase)
    return numbers if mined(phase) else Numbers(**{**numbers.__dict__, "refresh": None})


def lacking(scale: Scale, name: str, phase: Phase, dataset: str) -> list[str]:
    """Return the keys of the numbers that a phase needs and does not have at a scale."""
    numbers = used(scale, name, phase, dataset)
    needed = ["rate", "batch", "steps", *(["refresh"] if mined(phase) else [])]
    if phase.ranker is not None:
        needed.append("ranker.rate")
    return [key for key in needed if numbers.of(key) is None]


def mined(phase: Phase) -> bool:
    """Whether candidates are mined again while a phase trains; those of its own may be drawn from nothing."""
    own = phase.own
    drawn = own is None or own.sampler.draws
    return drawn and phase.refresh != NEVER


def lacking_error(
    scale: Scale, scale_name: str, name: str, phase: Phase, dataset: str
) -> tuple[str, str] | None:
    """Return what a phase lacks at a scale, and what to do; none where it lacks nothing."""
    missing = lacking(scale, name, phase, dataset)
    if not missing:
        return None
    keys = ", ".join(f"`{key}`" for key in missing)
    if scale.as_published:
        what = f"phase '{name}' has no published {keys} on dataset '{dataset}'"
        return what, f"add them to recipes/{name.partition('/')[0]}.yaml with their source"
    what = f"phase '{name}' has no substitute for {keys} at scale '{scale_name}'"
    fix = f"add them to scales/{scale_name}.yaml, below `substitutes`, for '{phase.trains}' or '{name}'"
    return what, fix


def _substituted(scale: Scale, name: str, phase: Phase) -> Numbers:
    """Return what a scale puts in the place of published numbers, key by key from the narrower substitute."""
    narrow, wide = (scale.substitutes.get(key, Substitute()) for key in (name, phase.trains))
    ranker = narrow.ranker or wide.ranker
    return Numbers(
        rate=narrow.rate or wide.rate,
        batch=narrow.batch or wide.batch,
        steps=narrow.steps or wide.steps,
        refresh=narrow.refresh or wide.refresh,
        ranker_rate=ranker.rate if ranker and phase.ranker else None,
    )
