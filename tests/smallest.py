"""A working folder in which every listed target is made in seconds: the smallest world, scale and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.specs.library import Library
from tests.place import Place, edit

ROWS = 3
"""Rows of a target that are left, beside those that its others are compared with."""


class SmallestPlace(Place):
    """A place with every listed target, at its smallest; commands run at the scale of the simulation."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        edit(root / "experiments/scales/simulation.yaml", fewest_steps)
        library = Library(root / "experiments")
        for target, whole in {name: library.target_yaml(name).data for name in library.targets()}.items():
            path = root / f"experiments/papers/{target}.yaml"
            path.write_text(yaml.safe_dump(smallest(whole), sort_keys=False))


def fewest_steps(spec: dict[str, Any]) -> None:
    for phase in spec["substitutes"].values():
        phase |= {"steps": 4, "batch": 8} | ({"refresh": 2} if "refresh" in phase else {})
    spec["seeds"]["count"] = 1


def smallest(target: dict[str, Any]) -> dict[str, Any]:
    """Return a target with few rows, readings, values, seeds and ranks."""
    named = {target.get("baseline"), target.get("focus")}
    rows = [row for place, row in enumerate(target["rows"]) if place < ROWS or row["name"] in named]
    for row in rows:
        if "readings" in row:
            row["readings"] = {key: values[:2] for key, values in list(row["readings"].items())[:1]}
        if "values" in row:
            row["values"] = row["values"][:2]
    less = {"seeds": 2, "pairs": 2, "ranks": 20, "queries": 16}
    return target | {key: most for key, most in less.items() if key in target} | {"rows": rows}
