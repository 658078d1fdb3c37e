"""JSON schemas of the spec files, for editors; `python -m harness.specs.schema` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from harness.specs.dataset import Dataset
from harness.specs.kinds import TARGETS
from harness.specs.models import Paper
from harness.specs.recipe import Recipe
from harness.specs.scale import Scale
from harness.specs.tuning import TuningSpec
from harness.storage.files import write_json

MODELS: dict[str, Any] = {
    "paper": Paper,
    "target": Annotated[Union[tuple(TARGETS.values())], Field(discriminator="kind")],  # noqa: UP007 - of a dict
    "recipe": Recipe,
    "dataset": Dataset,
    "scale": Scale,
    "tuning": TuningSpec,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each kind of file."""
    found = {kind: TypeAdapter(model).json_schema(by_alias=True) for kind, model in MODELS.items()}
    for model in (model for of in found.values() for model in of.get("$defs", {}).values()):
        properties = model.get("properties", {})
        chosen = properties.get("sampler")
        if "SamplerChoice" in str(chosen):
            properties["sampler"] = {"anyOf": [{"type": "string"}, *chosen.get("anyOf", [chosen])]}
    return found


def main() -> None:
    """Write experiments/schema/<kind>.json."""
    folder = Path(__file__).resolve().parents[2] / "experiments" / "schema"
    for kind, schema in schemas().items():
        write_json(folder / f"{kind}.json", schema)


if __name__ == "__main__":
    main()
