"""JSON schemas of the spec files, for editors; `python -m harness.specs.schema` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from harness.specs.dataset import Dataset
from harness.specs.extension import EXTENDS
from harness.specs.kinds.registry import KINDS
from harness.specs.paper import Paper
from harness.specs.piece_schemas import with_pieces
from harness.specs.reading import Reading
from harness.specs.recipe import Recipe
from harness.specs.scale import Scale
from harness.specs.tuning import TuningSpec
from harness.storage.files import write_json

TARGETS = [kind.model for kind in KINDS.values()]
MODELS: dict[str, Any] = {
    "paper": Paper,
    "target": Annotated[Union[tuple(TARGETS)], Field(discriminator="kind")],  # noqa: UP007 - of a dict
    "recipe": Recipe,
    "dataset": Dataset,
    "scale": Scale,
    "reading": Reading,
    "tuning": TuningSpec,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each kind of file."""
    by_kind = {kind: TypeAdapter(model).json_schema(by_alias=True) for kind, model in MODELS.items()}
    by_kind = {kind: _or_preset(schema) for kind, schema in by_kind.items()}
    by_kind["target"] = _or_extending(by_kind["target"])
    return {kind: with_pieces(schema) for kind, schema in by_kind.items()}


def _or_preset(part: Any) -> Any:
    """Return a schema in which the name of a preset stands for a sampler, too."""
    if isinstance(part, list):
        return [_or_preset(one) for one in part]
    if not isinstance(part, dict):
        return part
    if str(part.get("$ref")).endswith("/SamplerChoice"):
        return {"anyOf": [{"type": "string"}, part]}
    return {key: _or_preset(value) for key, value in part.items()}


def _or_extending(target: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a target, or of one that says what differs from another that it extends."""
    models = target.pop("$defs")
    kinds = [models[model.__name__] for model in TARGETS]
    rows = {kind["properties"]["rows"]["items"]["$ref"].rpartition("/")[2] for kind in kinds}
    changes, row = _changes(*kinds), _changes(*(models[row] for row in sorted(rows)))
    changes["properties"] |= {
        EXTENDS: {"type": "string"},
        "shared": _changes(models["Shared"]),
        "rows": {"type": "array", "items": {**row, "required": ["name"]}},
    }
    return {"$defs": models, "if": {"required": [EXTENDS]}, "then": changes, "else": target}


def _changes(*models: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of any keys of some models, null where one is removed."""
    keys = dict.fromkeys(key for model in models for key in model["properties"])
    properties = {}
    for key in keys:
        distinct = [model["properties"][key] for model in models if key in model["properties"]]
        chosen = [one for place, one in enumerate(distinct) if one not in distinct[:place]]
        properties[key] = {"anyOf": [*chosen, {"type": "null"}]}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def main() -> None:
    """Write experiments/schema/<kind>.json."""
    folder = Path(__file__).resolve().parents[2] / "experiments" / "schema"
    for kind, schema in schemas().items():
        write_json(folder / f"{kind}.json", schema)


if __name__ == "__main__":
    main()
