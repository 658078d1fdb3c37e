"""All laws by name, and the papers' samplers as presets over them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError, nearest
from harness.negatives.laws.debiased import Debiased
from harness.negatives.laws.law import Law
from harness.negatives.laws.score import Score
from harness.negatives.laws.simans import SimANS
from harness.negatives.laws.trisampler import TriSampler
from harness.negatives.laws.uniform import Uniform

LAWS: dict[str, type[Law]] = {law.name: law for law in (Uniform, Score, Debiased, SimANS, TriSampler)}
MASKS = ("labelled", "known-relevant")


@dataclass(frozen=True)
class Preset:
    """A paper's sampler: a source, a law with its parameters, a draw and a topology under one name."""

    name: str
    summary: str
    source: str
    settings: dict[str, Any]


def laws() -> dict[str, type[Law]]:
    """Return every law by name."""
    return dict(LAWS)


def presets() -> dict[str, Preset]:
    """Return every preset by name."""
    return {preset.name: preset for preset in _PRESETS}


def make_law(name: str, parameters: dict[str, Any]) -> Law:
    """Return a law with its parameters checked.

    Raises:
        UserError: unknown law, unknown parameter, or a value out of its range.
    """
    if name not in LAWS:
        raise UserError(f"unknown law '{name}'", fix=nearest(name, LAWS))
    law = LAWS[name]
    known = [field.name for field in fields(law)]  # type: ignore[arg-type]
    for key in parameters:
        if key not in known:
            raise UserError(f"law '{name}' has no parameter '{key}'", fix=nearest(key, known))
    try:
        return law(**parameters)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"law '{name}', parameter '{first['loc'][0]}': {first['msg']}, got {first['input']!r}"
        ) from error


def _preset(name: str, law: type[Law], summary: str = "", **changes: Any) -> Preset:
    settings: dict[str, Any] = {
        "candidate_source": "top-k",
        "law": law.name,
        "law_parameters": {},
        "draw": "without-replacement",
        "topology": "own",
        "mask": "labelled",
    }
    return Preset(name, summary or law.summary, law.source, settings | changes)


_PRESETS = (
    _preset("uniform", Uniform),
    _preset("top-k", Score),
    _preset("debiased", Debiased),
    _preset("simans", SimANS),
    _preset("trisampler", TriSampler),
    _preset(
        "in-batch", Uniform, "the other queries' positives", candidate_source="none", topology="in-batch"
    ),
)
