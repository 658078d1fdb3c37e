"""Work timed in turn with a peer's, in one process: CPU seconds, their ratio and its spread.

A benchmark prints its lines; with ``--write`` it also leaves them in `results/benchmarks/`, of which
`python -m tests.benchmarks.report` makes a table and a figure. A ratio above 1 means that the peer takes
longer.
"""

from __future__ import annotations

import cProfile
import gc
import importlib.metadata
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).resolve().parents[2] / "results/benchmarks"

Pairs = Sequence[tuple[float, float]]
"""(ours, the peer's) of each round."""


@dataclass(frozen=True)
class Line:
    """A comparison.

    Attributes:
        case: model and sizes.
        peer: who it is compared with.
        ratio: the peer's over ours, the median of the rounds.
        low: of the middle half of the rounds.
        high: likewise.
        ours: median.
        theirs: median.
        unit: of both.
        asked: the least that the ratio should be; none where nothing is asked.
        note: what else was counted.
    """

    case: str
    peer: str
    ratio: float
    low: float
    high: float
    ours: float
    theirs: float
    unit: str = "CPU s"
    asked: float | None = None
    note: str = ""

    @staticmethod
    def of(
        case: str,
        peer: str,
        pairs: Pairs,
        *,
        unit: str = "CPU s",
        asked: float | None = None,
        note: str = "",
    ) -> Line:
        """Return the comparison of some rounds."""
        ours, theirs = np.median(pairs, axis=0)
        low, middle, high = np.quantile([peer_s / own_s for own_s, peer_s in pairs], [0.25, 0.5, 0.75])
        return Line(case, peer, *map(float, (middle, low, high, ours, theirs)), unit, asked, note)

    def __str__(self) -> str:
        asked = "" if self.asked is None else f", asked {self.asked:g}"
        more = f"; {self.note}" if self.note else ""
        sizes = f"{self.theirs:.3g} / {self.ours:.3g} {self.unit}"
        spread = f"{self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.case}: {self.peer} / ours {spread}{asked} ({sizes}{more})"


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of one call, the mean over some; objects that are no longer used are collected before."""
    gc.collect()
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times


def shares(work: Callable[[], object], most: int = 4) -> str:
    """Return the functions that take most of the time of a piece of work, each without what it calls."""
    profile = cProfile.Profile()
    profile.runcall(work)
    spent = sorted((entry.inlinetime, _name(entry.code)) for entry in profile.getstats())[::-1]
    whole = sum(took for took, _ in spent)
    return ", ".join(f"{name} {100 * took / whole:.0f} %" for took, name in spent[:most])


def _name(code: Any) -> str:
    """The name of a function; one written in C is told in words, such as `<method 'sort' of ...>`."""
    said = re.search(r"method '?([\w.]+)", code) if isinstance(code, str) else None
    return said[1].rpartition(".")[2] if said else getattr(code, "co_name", str(code))


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> Pairs:
    """Return the figures of both in each round, after one of both that does not count."""
    every = [(ours(), theirs()) for _ in range(rounds + 1)]
    return every[1:]


def tell(name: str, title: str, lines: Sequence[Any], packages: Sequence[str] = ("torch",)) -> None:
    """Print the lines of a benchmark, and write them where ``--write`` is given.

    Args:
        name: of the benchmark, as its module.
        title: what is measured.
        lines: of its cases, each a dataclass that prints itself.
        packages: whose versions decide the figures.
    """
    for line in lines:
        print(line)
    if "--write" in sys.argv:
        RESULTS.mkdir(parents=True, exist_ok=True)
        versions = {package: importlib.metadata.version(package) for package in packages}
        content = {"title": title, "versions": versions, "lines": [asdict(line) for line in lines]}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (RESULTS / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
