"""A working folder in which every listed target is made in seconds: the smallest world, scale and targets."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import yaml

from harness.specs.library import Library
from tests.place import Place, edit

ROWS = 4
"""Rows of a target that are left, beside those that others are compared with."""


class SmallestPlace(Place):
    """A place with every listed target, at its smallest; commands run in this process, with MLflow."""

    def __init__(self, root: Path, rows: int | None = ROWS) -> None:
        super().__init__(root)
        self.whole = rows is None
        shutil.rmtree(root / "experiments/tuning")  # of rows that are not left
        edit(root / "experiments/scales/simulation.yaml", fewest_steps)
        library = Library(root / "experiments")
        for target, whole in {name: library.target_yaml(name).data for name in library.targets()}.items():
            path = root / f"experiments/papers/{target}.yaml"
            path.write_text(yaml.safe_dump(smallest(whole, rows), sort_keys=False))


def fewest_steps(spec: dict[str, Any]) -> None:
    for phase in spec["substitutes"].values():
        phase.update(steps=4, batch=8, **({"refresh": 2} if "refresh" in phase else {}))
    spec["seeds"]["count"] = 1


def smallest(target: dict[str, Any], rows: int | None) -> dict[str, Any]:
    """Return a target with few readings, values, seeds and ranks, and with few rows or all."""
    target = copy.deepcopy(target)  # what is read of a file is kept, and shared
    named = {target.get("baseline"), target.get("focus")}
    left = [row for place, row in enumerate(target["rows"]) if place < (rows or 999) or row["name"] in named]
    for row in left:
        if "readings" in row:
            row["readings"] = {key: values[:2] for key, values in list(row["readings"].items())[:1]}
        if "values" in row:
            row["values"] = row["values"][:2]
    names = {row["name"] for row in left}
    pairs = [pair for pair in target.get("compare", []) if names.issuperset(pair)]
    most = {"seeds": 2, "pairs": 2, "ranks": 20, "queries": 16}
    less = {key: min(target[key], number) for key, number in most.items() if key in target}
    kept = {"compare": pairs} if "compare" in target else {}
    return target | less | kept | {"rows": left}
