"""Settings of a run with parameters varied: tuning is the one place that sets what others own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from harness.errors import nearest
from harness.negatives.registry import make_draw, make_law, make_source
from harness.pieces import PieceError, settings_of
from harness.specs.run_settings import TrainedRun
from harness.specs.samplers import Parameter
from harness.specs.settings import PhaseSettings, SamplerSettings
from harness.training.losses.registry import make_loss

PIECES: dict[str, Callable[[Any], Any]] = {"law": make_law, "source": make_source, "draw": make_draw}
OF_SAMPLER, OF_PHASE = ("candidates", "negatives"), ("learning_rate", "steps")
PLAIN = (*OF_SAMPLER, *OF_PHASE, "temperature")
KNOWN = (*PLAIN, *(f"{piece}.<parameter>" for piece in PIECES))
"""Keys that tuning may vary; `temperature` is that of the loss."""


def varied(settings: TrainedRun, values: Mapping[str, Parameter]) -> TrainedRun:
    """Return the settings of a run with some of them changed.

    Args:
        settings: of a row that draws negatives.
        values: key (see `KNOWN`) -> value.

    Raises:
        PieceError: the run has no such parameter, or it cannot have such a value; `place` is the key.
    """
    sampler, phase = settings.sampler, settings.phase
    for piece, make in PIECES.items():
        chosen = {key: value for key, value in values.items() if key.startswith(f"{piece}.")}
        if chosen:
            changed = {key.partition(".")[2]: value for key, value in chosen.items()}
            made = _made(make, {**settings_of(getattr(sampler, piece)), **changed}, chosen)
            sampler = sampler.model_copy(update={piece: made})
    if "temperature" in values:
        changed = {"temperature": values["temperature"]}
        loss = _made(make_loss, {**settings_of(phase.loss), **changed}, changed)
        phase = phase.model_copy(update={"loss": loss})
    for key in values:
        piece, dot, _ = key.partition(".")
        if key not in PLAIN and not (dot and piece in PIECES):
            raise PieceError("no tuning can vary it", nearest(key, KNOWN), (key,))
    of_sampler = {key: values[key] for key in OF_SAMPLER if key in values}
    of_phase = {key: values[key] for key in OF_PHASE if key in values}
    new_sampler = _checked(SamplerSettings, {**dict(sampler), **of_sampler})
    new_phase = _checked(PhaseSettings, {**dict(phase), **of_phase})
    return settings.model_copy(update={"sampler": new_sampler, "phase": new_phase})


def own_value(settings: TrainedRun, key: str) -> Any:
    """Return the value that a row has by itself; none where it has no such parameter."""
    sampler, phase = settings.sampler, settings.phase
    piece, _, parameter = key.partition(".")
    if parameter:
        return settings_of(getattr(sampler, piece)).get(parameter)
    if key == "temperature":
        return settings_of(phase.loss).get(key)
    return getattr(sampler if key in OF_SAMPLER else phase, key)


def _made(make: Callable[[Any], Any], piece: dict[str, Any], chosen: Mapping[str, Parameter]) -> Any:
    try:
        return make(piece)
    except PieceError as error:
        wrong = str(error.place[0]) if error.place else ""
        key = next((key for key in chosen if key.rpartition(".")[2] == wrong), next(iter(chosen)))
        raise PieceError(error.what, error.fix, (key,)) from error


def _checked(model: Any, values: dict[str, Any]) -> Any:
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        expected = first["msg"].removeprefix("Input should be ")
        raise PieceError(f"got {first['input']!r}", f"expected {expected}", first["loc"][:1]) from error
