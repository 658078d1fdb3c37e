"""JSON schemas of the spec files, for editors; `python -m harness.specs.schema` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.files import write_json
from harness.specs.base import Spec
from harness.specs.models import Paper, Target
from harness.specs.parts import Dataset, Recipe, Scale

MODELS: dict[str, type[Spec]] = {
    "paper": Paper,
    "target": Target,
    "recipe": Recipe,
    "dataset": Dataset,
    "scale": Scale,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each kind of file."""
    found = {kind: model.model_json_schema(by_alias=True) for kind, model in MODELS.items()}
    row = found["target"]["$defs"]["Row"]["properties"]["sampler"]
    row["anyOf"] = [{"type": "string"}, *row["anyOf"]]
    return found


def main() -> None:
    """Write experiments/schema/<kind>.json."""
    folder = Path(__file__).resolve().parents[2] / "experiments" / "schema"
    for kind, schema in schemas().items():
        write_json(folder / f"{kind}.json", schema)


if __name__ == "__main__":
    main()
