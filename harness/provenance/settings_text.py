"""Resolved settings in a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.pieces import settings_of
from harness.specs.base import FRESH
from harness.specs.run_settings import StartedRun, TrainedRun
from harness.specs.sampler_paths import value_text
from harness.specs.settings import PhaseSettings, SamplerSettings


def piece_text(piece: Mapping[str, Any] | None) -> str:
    """Return a piece with all its parameters.

    >>> piece_text({"name": "blend", "share": 0.5, "of": [{"name": "uniform"}]})
    'blend(share 0.5, of uniform)'
    """
    if piece is None:
        return "none, nothing is drawn"
    parameters = [f"{key} {_value(value)}" for key, value in piece.items() if key != "name"]
    return f"{piece['name']}({', '.join(parameters)})" if parameters else str(piece["name"])


def scale_text(name: str, settings: TrainedRun) -> str:
    """Return the choices of a scale: collection, encoder and the steps of a run's phases."""
    encoder = settings.encoder
    sizes = f", {encoder.layers} layers of width {encoder.hidden}" if encoder.start == FRESH else ""
    pooling = f", pooling {encoder.pooling}" if encoder.pooling else ""
    phases = "; ".join(_phases(settings))
    return f"{name}: {settings.collection.kind}; encoder {encoder.start}{sizes}{pooling}; {phases}"


def seeds_text(settings: TrainedRun) -> str:
    """Return the seeds of a run and of those that it continues, the earliest last."""
    own = f"{settings.kind} {settings.seed}"
    return f"{own}, {seeds_text(settings.start)}" if isinstance(settings, StartedRun) else own


def _phases(settings: TrainedRun) -> Iterator[str]:
    """Yield the phases of a run and of those that it continues, the earliest first."""
    if isinstance(settings, StartedRun):
        yield from _phases(settings.start)
    yield f"{settings.kind} {_phase(settings.phase)}"


def _phase(phase: PhaseSettings) -> str:
    if not phase.steps:
        return "no steps"
    refresh = f", refresh every {phase.refresh}" if phase.refresh else ""
    return f"{phase.steps} steps of {phase.batch} at {phase.learning_rate:g}{refresh}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return piece_text(value) if "name" in value else str(value)
    if isinstance(value, list | tuple):
        return " + ".join(map(_value, value))
    return "none" if value is None else value_text(value)


def sampler_lines(sampler: SamplerSettings) -> Iterator[tuple[str, str]]:
    """Yield K, n and mask of a sampler, then its pieces; law and draw are idle where nothing is drawn."""
    drawn = sampler.source is not None
    size = f"K = {sampler.candidates}, n = {sampler.negatives}" if drawn else "nothing drawn"
    yield "sampler", f"{sampler.preset}: {size}, mask {sampler.mask}"
    for kind in ("source", "law", "draw", "topology") if drawn else ("topology",):
        piece = getattr(sampler, kind)
        yield "", f"{kind} {piece_text(None if piece is None else settings_of(piece))}"
