"""A working folder with tiny specs and a store of its own, used by its command line."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness.cli.application import app, main
from harness.specs.library import Library

CHECKOUT = Path(__file__).parents[1]
TARGET = "trisampler/table-5"
ROWS = ("BM25", "Base", "Uniform Sampling", "TriSampler")


def edit(path: Path, change: Callable[[dict], None]) -> None:
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def small_world(spec: dict) -> None:
    spec["collections"]["simulation"]["parameters"] |= {
        "topics": 8, "train_queries": 150, "dev_queries": 20, "test_queries": 30,
    }  # fmt: skip


def few_steps(spec: dict) -> None:
    spec["substitutes"]["both-towers"] |= {"steps": 30, "refresh": 10}
    spec["substitutes"]["base/retriever"]["steps"] = 64
    spec["substitutes"]["ranker"]["steps"] = 40
    spec["encoder"] |= {"hidden": 32, "intermediate": 32}
    spec["ranker"] |= {"hidden": 32, "intermediate": 32, "reranked": 10}
    spec["candidates_cap"] = 20
    spec["threads"] = 1


def few_rows(spec: dict) -> None:
    spec["rows"] = [row for row in spec["rows"] if row["name"] in ROWS]
    spec.pop("compare", None)  # of rows that are not left


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


class Place:
    """A working folder with tiny specs and a store of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(CHECKOUT / "experiments", root / "experiments")
        for dataset in ("ms-pas", "nq", "tqa", "ms-doc"):
            edit(root / f"experiments/datasets/{dataset}.yaml", small_world)
        edit(root / "experiments/scales/simulation.yaml", few_steps)
        self.write_out("trisampler/table-5-ar2")  # its rows stay, whatever becomes of those of table-5
        edit(root / "experiments/papers/trisampler/table-5.yaml", few_rows)

    def write_out(self, target: str) -> None:
        """Write a target that extends another as a file that extends none."""
        whole = Library(self.root / "experiments").target_yaml(target).data
        path = self.root / f"experiments/papers/{target}.yaml"
        path.write_text(yaml.safe_dump(whole, sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "harness.cli", *arguments]

    def environment(self) -> dict[str, str]:
        hidden = {"HARNESS_STORE", "HARNESS_EXPERIMENTS", "MLFLOW_TRACKING_URI"}
        kept = {key: value for key, value in os.environ.items() if key not in hidden}
        return kept | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def call(self, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
        """Run a command as a process would, without the seconds that a process takes to start."""
        monkeypatch.chdir(self.root)
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://")
        monkeypatch.delenv("HARNESS_STORE", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

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

    @classmethod
    def at(cls, root: Path) -> Place:
        """The place whose files lie there already."""
        place = cls.__new__(cls)
        place.root = root
        return place

    def copy(self, root: Path) -> Place:
        shutil.copytree(self.root, root)
        return Place.at(root)

    def reproduce(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("reproduce", TARGET, "--scale", "simulation", "--seeds", "1", *more)

    @property
    def results(self) -> Path:
        return self.root / "results/local/simulation" / TARGET

    def runs(self, kind: str) -> list[Path]:
        folders = sorted((self.root / "store/runs").glob("*"))
        specs = [folder for folder in folders if (folder / "spec.json").exists()]
        return [folder for folder in specs if json.loads((folder / "spec.json").read_text())["kind"] == kind]
