"""JSON schemas of the pieces in spec files, by which editors complete names and parameters."""

from __future__ import annotations

from typing import Any

from pydantic import WithJsonSchema

from harness.negatives.registry import DRAWS, LAWS, SOURCES
from harness.pieces import PIECE_IN_SCHEMA
from harness.training.losses.registry import LOSSES
from harness.training.topologies.registry import TOPOLOGIES
from harness.training.turns import TURNS

PIECES: dict[str, dict[str, type[Any]]] = {
    "source": SOURCES,
    "law": LAWS,
    "draw": DRAWS,
    "topology": TOPOLOGIES,
    "loss": LOSSES,
    "turns": TURNS,
}
WHOLE, CHANGED, PARAMETERS = "whole", "changed", "parameters"


def must_be(kind: str) -> WithJsonSchema:
    """Annotate a field with a piece: its name, or its name with parameters."""
    return WithJsonSchema({PIECE_IN_SCHEMA: kind, "as": WHOLE})


def may_be(kind: str) -> WithJsonSchema:
    """Annotate a field with a piece, or with parameters that change a preset's."""
    return WithJsonSchema({PIECE_IN_SCHEMA: kind, "as": CHANGED})


def parameters_of_any(kind: str) -> WithJsonSchema:
    """Annotate a field with parameters alone."""
    return WithJsonSchema({PIECE_IN_SCHEMA: kind, "as": PARAMETERS})


def with_pieces(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the models of the pieces in the places of the annotations, and below `$defs`."""
    definitions: dict[str, Any] = {}
    filled: dict[str, Any] = _filled(schema, definitions)
    return {**filled, "$defs": {**filled.get("$defs", {}), **definitions}}


def _filled(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_filled(one, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    kind = part.get(PIECE_IN_SCHEMA)
    if not isinstance(kind, str):
        return {key: _filled(value, definitions) for key, value in list(part.items())}
    beside = {key: value for key, value in part.items() if key not in (PIECE_IN_SCHEMA, "as")}
    return {**beside, **_choice(kind, part.get("as", WHOLE), definitions)}


def _choice(kind: str, form: str, definitions: dict[str, Any]) -> dict[str, Any]:
    _define(kind, definitions)
    whole = [{"enum": list(PIECES[kind])}, {"$ref": f"#/$defs/{kind}"}]
    if form == WHOLE:
        return {"anyOf": whole}
    parameters = {"type": "object", "properties": _all_parameters(kind, definitions)}
    if form == PARAMETERS:
        return parameters
    return {"anyOf": [*whole, {**parameters, "not": {"required": ["name"]}}]}


def _define(kind: str, definitions: dict[str, Any]) -> None:
    """Add the models of a kind, told apart by `name`."""
    if kind in definitions:
        return
    names = {name: f"#/$defs/{kind}.{name}" for name in PIECES[kind]}
    definitions[kind] = {
        "oneOf": [{"$ref": place} for place in names.values()],
        "discriminator": {"propertyName": "name", "mapping": names},
    }
    for name, piece in PIECES[kind].items():
        model = piece.model_json_schema()
        model["properties"]["name"] = {"const": name}
        model["required"] = ["name", *model.get("required", [])]
        definitions[f"{kind}.{name}"] = _filled(model, definitions)


def _all_parameters(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of each parameter of any piece of a kind."""
    found: dict[str, list[Any]] = {}
    for name in PIECES[kind]:
        for parameter, schema in definitions[f"{kind}.{name}"]["properties"].items():
            if parameter != "name" and schema not in found.setdefault(parameter, []):
                found[parameter].append(schema)
    return {name: of[0] if len(of) == 1 else {"anyOf": of} for name, of in found.items()}
