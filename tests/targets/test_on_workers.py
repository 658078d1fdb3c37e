"""Runs that several workers make are those of one process, whatever becomes of a worker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.runs import spread
from harness.runs.run import Means
from harness.runs.spread import Done, Spread, Task, WorkerCall
from tests.smallest import SmallestPlace

TARGET = "trisampler/table-5"


@pytest.mark.slow
def test_a_table_of_two_workers_is_that_of_one(tmp_path: Path) -> None:
    tables = []
    for name, more in (("one", ()), ("two", ("--workers", "2"))):
        place = SmallestPlace(tmp_path / name)
        said = place.say("reproduce", TARGET, "--scale", "simulation", *more)
        assert said.code == 0, said.err
        [cells] = (place.root / "results/local").glob("**/cells.json")
        tables.append(cells.read_bytes())
        again = place.say("reproduce", TARGET, "--scale", "simulation", *more)
        assert "Trained 0 runs" in again.out
    assert tables[0] == tables[1]


def test_workers_and_ranks_are_not_given_together(tmp_path: Path) -> None:
    said = SmallestPlace(tmp_path).say("reproduce", TARGET, "--workers", "2", "--ranks", "2")
    assert said.code == 2 and "leave --workers out, or the others" in said.err


def task(name: str, *needs: str) -> Task:
    return Task(name, None, f"run {name}", frozenset(needs))  # type: ignore[arg-type]


class Dealt:
    """Workers that are no processes: what they answer is known before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: dict[str, list[Done]]) -> None:
        self.answers, self.sent, self.said = answers, list[str](), list[str]()
        monkeypatch.setattr(spread, "_start", lambda call, number: (Process(), Line(self)))
        monkeypatch.setattr(spread, "wait", lambda lines: [min(lines, key=lambda line: line.when)])

    def run(self, tasks: list[Task], workers: int) -> tuple[list[str], dict[str, str]]:
        """Deal tasks; returns the names of what was heard of, in turn, and what failed."""
        heard: list[str] = []
        call = WorkerCall(Path(), Means(), threads=1)
        dealt = Spread(tasks, call, self.said.append, lambda one, done: heard.append(one.fingerprint))
        dealt.run(workers)
        return heard, dealt.failed


class Process:
    pid = None

    def join(self) -> None:
        """Be over."""


class Line:
    when = 0

    def __init__(self, dealt: Dealt) -> None:
        self.dealt, self.task = dealt, ""

    def send(self, given: Task) -> None:
        self.task = given.fingerprint
        self.dealt.sent.append(self.task)
        self.when = Line.when = Line.when + 1

    def recv(self) -> Done:
        left = self.dealt.answers.get(self.task, [])
        return left.pop(0) if left else MADE

    def close(self) -> None:
        """Be over."""


MADE = Done(made=True, seconds=1.0)
FAILED = replace(MADE, made=False, why="its loss is not finite")
LOST = replace(MADE, made=False, why="its process was ended", lost=True)
CHAIN = [task("base"), task("one", "base"), task("two", "base"), task("other")]


def run(monkeypatch: Any, answers: dict[str, list[Done]], workers: int, tasks: Any = CHAIN) -> Any:
    dealt = Dealt(monkeypatch, answers)
    return dealt, *dealt.run(tasks, workers)


@pytest.mark.parametrize("workers", [1, 2, 3, 9])
def test_what_others_need_is_made_before_them(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    dealt, heard, failed = run(monkeypatch, {}, workers)
    assert sorted(heard) == ["base", "one", "other", "two"] and not failed and not dealt.said
    assert heard.index("base") < min(heard.index("one"), heard.index("two"))


def test_what_needs_a_run_that_failed_fails_with_it_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dealt, heard, failed = run(monkeypatch, {"base": [FAILED]}, 2)
    assert sorted(heard) == ["base", "other"] and sorted(dealt.sent) == ["base", "other"]
    assert failed == dict.fromkeys(("base", "one", "two"), FAILED.why)


def test_a_run_of_a_lost_worker_is_left_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    dealt, heard, failed = run(monkeypatch, {"base": [LOST]}, 2)
    assert sorted(heard) == ["base", "one", "other", "two"] and not failed
    assert dealt.said == ["worker 1 is lost: its process was ended; run base is left to others"]


def test_a_run_that_ends_two_workers_is_left_to_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    _, heard, failed = run(monkeypatch, {"other": [LOST, LOST, LOST]}, 3)
    assert sorted(heard) == ["base", "one", "two"] and not failed


def test_where_all_workers_are_lost_the_command_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HarnessError, match="all 1 workers failed"):
        run(monkeypatch, {"base": [LOST]}, 1)
