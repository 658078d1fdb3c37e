"""A working folder in which every listed target is made in seconds: the smallest world, scale and targets."""

from __future__ import annotations

import copy
import io
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.application import app, main
from harness.specs.library import Library
from tests.place import Place, edit

ROWS = 4
"""Rows of a target that are left, beside those that others are compared with."""

COMMANDS = {command.name or command.callback.__name__ for command in app.registered_commands} | {"runs"}


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of its errors, without that which names the places."""
        return [line for line in self.err.splitlines() if not line.startswith("specs: ")]

    def check(self) -> None:
        """It was done, or tells in one line why not, and names only commands that there are."""
        assert "Traceback" not in self.err + self.out, self.err
        assert set(re.findall(r"`?harness ([a-z]+)", self.err)) <= COMMANDS, self.err
        if self.code:
            assert self.code in {1, 2}, (self.code, self.err)
            (line,) = [line for line in self.lines if line and not line.startswith("warning: ")] or [""]
            assert re.match(r"error: .*\w", line), self.err


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

    def say(self, *arguments: str) -> Said:
        """Run a command as a process would, without the seconds that a process takes to start."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.root)
            patch.setattr(sys, "argv", ["harness", *arguments])
            patch.setenv("COLUMNS", "200")
            for name in ("HARNESS_STORE", "HARNESS_RESULTS", "HARNESS_EXPERIMENTS", "MLFLOW_TRACKING_URI"):
                patch.delenv(name, raising=False)
            with pytest.raises(SystemExit) as ended:
                main()
        return Said(int(ended.value.code or 0), out.getvalue(), err.getvalue())


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
