"""The numbers of a phase at a scale: the published ones, or what the scale puts in their place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.specs.recipe import NEVER, Phase, on_dataset
from harness.specs.scale import Scale, Substitute
from harness.specs.settings import Trains

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


NO_STEPS = Numbers(rate=None, batch=None, steps=0, refresh=None, ranker_rate=None)
"""Of a phase that its recipe gives no steps, whatever the scale."""


def published(phase: Phase, dataset: str) -> Numbers:
    """Return the numbers that were published for a dataset."""
    refresh = _on(dataset, phase.refresh)
    return Numbers(
        rate=_on(dataset, phase.rate),
        batch=_on(dataset, phase.batch),
        steps=_on(dataset, phase.steps),
        refresh=None if refresh == NEVER else refresh,
        ranker_rate=_on(dataset, phase.ranker.rate) if phase.ranker and phase.ranker.learns else None,
    )


def used(scale: Scale, name: str, phase: Phase, dataset: str) -> Numbers:
    """Return the numbers that a phase is trained with at a scale.

    Args:
        scale: whose substitutes replace what was published, unless it is trained `as_published`.
        name: of the phase, ``<recipe>/<phase>``.
        phase: the phase.
        dataset: name of the dataset.
    """
    as_printed = published(phase, dataset)
    if as_printed.steps == 0:
        return NO_STEPS
    numbers = as_printed if scale.as_published else _substituted(scale, name, phase, dataset)
    refreshed = mined(phase) and numbers.steps != 0
    return numbers if refreshed else replace(numbers, refresh=None)


def lacking(scale: Scale, name: str, phase: Phase, dataset: str) -> list[str]:
    """Return the keys of the numbers that a phase needs and does not have at a scale."""
    numbers = used(scale, name, phase, dataset)
    if numbers == NO_STEPS:
        return []
    refreshed = mined(phase) and numbers.steps != 0
    needed = ["rate", "batch", "steps", *(["refresh"] if refreshed else [])]
    if phase.ranker is not None and phase.ranker.learns:
        needed.append("ranker.rate")
    return [key for key in needed if numbers.of(key) is None]


def trains_at(scale: Scale, name: str, phase: Phase) -> Trains:
    """Return what a phase trains at a scale; a ranker is never a part of one."""
    if phase.trains == "ranker":
        return phase.trains
    narrow, wide = _substitutes(scale, name, phase)
    return narrow.trains or wide.trains or phase.trains


def mined(phase: Phase) -> bool:
    """Whether candidates are mined again while a phase trains; those of its own may be drawn from nothing."""
    own = phase.own
    drawn = own is None or own.sampler.draws
    return drawn and phase.refresh != NEVER


def lacking_error(
    scale: Scale, scale_name: str, name: str, phase: Phase, dataset: str
) -> tuple[str, str] | None:
    """Return what a phase lacks at a scale, and what to do; none where it lacks nothing."""
    if phase.ranker is not None and phase.ranker.turns_on(dataset, as_published=scale.as_published) is None:
        what = f"phase '{name}' has no turns on dataset '{dataset}'"
        return what, f"add them to recipes/{name.partition('/')[0]}.yaml, below `ranker`"
    recipe, _, own = name.partition("/")
    for starts in phase.checkpoints:
        if on_dataset(starts, dataset) is None:
            what = f"phase '{name}' has no checkpoint on dataset '{dataset}'"
            return what, f"add it to recipes/{recipe}.yaml, below `{own}`, or leave the dataset out"
    missing = lacking(scale, name, phase, dataset)
    if not missing:
        return None
    keys = ", ".join(f"`{key}`" for key in missing)
    if scale.as_published:
        what = f"phase '{name}' has no published {keys} on dataset '{dataset}'"
        return what, f"add them to recipes/{name.partition('/')[0]}.yaml with their source"
    what = f"phase '{name}' has no substitute for {keys} at scale '{scale_name}' on dataset '{dataset}'"
    fix = f"add them to scales/{scale_name}.yaml, below `substitutes`, for '{phase.trains}' or '{name}'"
    return what, fix


def _on(dataset: str, value: Any) -> Any:
    """Return a number that is the same on every dataset, or its value on one; none where it has none."""
    return value.get(dataset) if isinstance(value, dict) else value


def _substitutes(scale: Scale, name: str, phase: Phase) -> tuple[Substitute, Substitute]:
    """Return the substitute that names a phase, and that which names what it trains."""
    narrow, wide = (scale.substitutes.get(key, Substitute()) for key in (name, phase.trains))
    return narrow, wide


def _substituted(scale: Scale, name: str, phase: Phase, dataset: str) -> Numbers:
    """Return what a scale puts in the place of published numbers, key by key from the narrower substitute."""
    narrow, wide = _substitutes(scale, name, phase)
    ranker = narrow.ranker or wide.ranker
    return Numbers(
        rate=_on(dataset, narrow.rate) or _on(dataset, wide.rate),
        batch=narrow.batch or wide.batch,
        steps=wide.steps if narrow.steps is None else narrow.steps,
        refresh=narrow.refresh or wide.refresh,
        ranker_rate=ranker.rate if ranker and phase.ranker and phase.ranker.learns else None,
    )
