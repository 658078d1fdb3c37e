"""What is wrong with a sampler that a spec chooses: its names, its parameters, and how its pieces fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness.errors import UserError, nearest
from harness.negatives.presets import presets
from harness.negatives.registry import MASKS, make_draw, make_law, make_source
from harness.pieces import PieceError
from harness.specs.samplers import SamplerChoice
from harness.specs.yaml_file import Location, YamlFile
from harness.training.topologies.registry import make_topology

MAKERS: dict[str, Callable[[Any], Any]] = {
    "source": make_source,
    "draw": make_draw,
    "topology": make_topology,
}


def check_sampler(yaml_file: YamlFile, place: Location, choice: SamplerChoice) -> Iterator[UserError]:
    """Yield what is wrong with a sampler, each at the key that is to be changed.

    Args:
        yaml_file: the spec file.
        place: where the sampler stands in it.
        choice: what can be read of it.
    """
    if choice.preset not in presets():
        here = (*place, "preset") if isinstance(yaml_file.at(place), dict) else place
        what, known = f"unknown sampler '{choice.preset}'", presets()
        yield yaml_file.error(here, what, nearest(choice.preset, known))
        return
    if choice.mask is not None and choice.mask not in MASKS:
        yield yaml_file.error((*place, "mask"), f"unknown mask '{choice.mask}'", nearest(choice.mask, MASKS))
    law, errors = _law(yaml_file, place, choice)
    pieces = {"law": law}
    for kind, make in MAKERS.items():
        piece = choice.piece(kind)
        try:
            pieces[kind] = None if piece is None else make(piece)
        except PieceError as error:
            errors.append(yaml_file.error((*place, kind, *error.place), error.what, error.fix))
    yield from errors
    if not errors:
        yield from _check_fit(yaml_file, place, pieces)


def _law(yaml_file: YamlFile, place: Location, choice: SamplerChoice) -> tuple[Any, list[UserError]]:
    """Make the law parameter by parameter, so that every wrong one is reported."""
    law, errors = choice.piece("law"), []
    base = presets()[choice.preset].law
    for key, value in choice.law.items():
        try:
            make_law({**base, key: value})
        except PieceError as error:
            errors.append(yaml_file.error((*place, "law", key), error.what, error.fix))
    if errors:
        return None, errors
    try:
        return make_law(law), []
    except PieceError as error:
        return None, [yaml_file.error((*place, "law"), error.what, error.fix)]


def _check_fit(yaml_file: YamlFile, place: Location, pieces: dict[str, Any]) -> Iterator[UserError]:
    """Yield where source, law and topology do not fit together."""
    law, source, topology = pieces["law"], pieces["source"], pieces["topology"]
    if source is None:
        if topology.own_only:
            what = "nothing is drawn and nothing is shared"
            fix = f"name a `source`, or a topology other than {topology.name}"
            yield yaml_file.error((*place, "topology"), what, fix)
        return
    if source.name == "previous":
        what = "'previous' alone has no candidates in round 0"
        yield yaml_file.error((*place, "source"), what, "put it into a union with another source")
    for what, fix in lacking(law, source):
        yield yaml_file.error((*place, "source"), what, fix)


def lacking(law: Any, source: Any) -> Iterator[tuple[str, str]]:
    """Yield what a law needs and its source does not have: what is wrong, and what to do."""
    missing = law.needs - source.has
    if "documents" in missing:
        what = f"law '{law.name}' needs embeddings of documents, which source '{source.name}' does not have"
        yield what, "use `scores: model`, or a law of s(q, d) alone"
    if "union" in missing:
        what = f"law '{law.name}' needs a union of two sources, got '{source.name}'"
        yield what, "for example {name: union, parts: [top-k, corpus]}, hard ones first"
