"""Training costs, from the seconds that a run recorded for its steps and refreshes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import numpy as np

LEAST_RUNS = 4
"""Runs of which each half has a spread of its own."""

CostName = Literal[
    "step", "drawing", "encoding", "mining", "similarity", "construction", "construction-a-step", "all"
]

COSTS: dict[str, str] = {
    "step": "a training step of the retriever, including drawing",
    "drawing": "drawing the negatives of a batch, part of the step",
    "encoding": "re-encoding documents and training queries at a refresh",
    "mining": "searching and scoring candidates at a refresh",
    "similarity": "scoring s(d+, d-) of the candidates at a refresh, 0 for a law that does not read it",
    "construction": "constructing candidates at a refresh: re-encoding, mining, and s(d+, d-) if it is read",
    "construction-a-step": "constructing candidates at a refresh, divided by the steps between refreshes",
    "all": "a step plus its share of the refreshes",
}
"""Name of a cost -> its description."""


def similarity_apart(lines: Iterable[Mapping[str, Any]], phase: str) -> bool:
    """Return whether each refresh of a run's lines tells the seconds of the similarities of documents."""
    return all("seconds_similarity" in line for line in lines if line["phase"] == f"{phase} mining")


def run_costs(
    lines: Iterable[Mapping[str, Any]], phase: str, refresh: int | None, *, charged: bool | None = None
) -> dict[str, float]:
    """Return the costs of a run in seconds, as medians over its steps and over its refreshes.

    Args:
        lines: lines of the run's metrics; a step has ``seconds`` and ``seconds_drawing``, a refresh
            ``seconds_encoding``, ``seconds_mining`` and, as a part of it, ``seconds_similarity``. They
            exclude the time between steps (pauses, checkpoints, evaluation on dev).
        phase: name of the phase, as in the lines.
        refresh: number of steps between refreshes; None where there are no refreshes.
        charged: whether the run's law reads similarities of documents; to one that does not, those scored for
            its diagnostics cost nothing; None where they are not told apart, and part of mining.

    Returns:
        Name of a cost -> seconds, for those that were recorded.
    """
    seconds: dict[str, list[float]] = {}
    for line in lines:
        for name, value in _line_costs(line, phase, charged).items():
            seconds.setdefault(name, []).append(value)
    costs = {name: median(values) for name, values in seconds.items()}
    if {"encoding", "mining"} <= costs.keys() and refresh is not None:
        costs["construction"] = costs["encoding"] + costs["mining"] + costs.get("similarity", 0.0)
        costs["construction-a-step"] = costs["construction"] / refresh
        if "step" in costs:  # there is none where all turns were the ranker's
            costs["all"] = costs["step"] + costs["construction-a-step"]
    return costs


def _line_costs(line: Mapping[str, Any], phase: str, charged: bool | None) -> dict[str, float]:
    """Return the costs that one line records."""
    keys = {
        phase: {"seconds": "step", "seconds_drawing": "drawing"},
        f"{phase} mining": {"seconds_encoding": "encoding", "seconds_mining": "mining"},
    }
    named = keys.get(line["phase"], {})
    costs = {name: float(line[key]) for key, name in named.items() if key in line}
    if charged is not None and "mining" in costs:
        similarity = float(line["seconds_similarity"])
        costs |= {"mining": costs["mining"] - similarity, "similarity": similarity if charged else 0.0}
    return costs


def over_runs(values: Sequence[float]) -> dict[str, Any]:
    """Return the median over runs with its quartiles; with one run, without.

    Quartiles interpolate linearly between the sorted values (Hyndman and Fan 1996, definition 7); of three
    runs they lie half way between the middle one and its neighbours.

    Args:
        values: one value for each run, in the order of the seeds.
    """
    low, middle, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    several = len(values) > 1
    return {
        "median": middle,
        "low": low if several else None,
        "high": high if several else None,
        "per_run": [float(value) for value in values],
    }


@dataclass(frozen=True)
class AgainstItself:
    """The ratio of a row's seconds to its own, of one half of its runs to the other, with its interval."""

    ratio: float
    low: float
    high: float


def against_itself(values: Sequence[float], level: float = 0.95) -> AgainstItself | None:
    """Return the ratio of every other run's seconds to those of the rest: what chance and machine alone give.

    It is the ratio of geometric means. Its interval is Student's t on the logarithms, with the variance that
    both halves share, S - 2 degrees of freedom.

    Args:
        values: seconds of S runs, in the order of the seeds.
        level: confidence of the interval, in (0, 1).

    Returns:
        None of fewer than `LEAST_RUNS` runs, or of one that took no time.
    """
    from scipy import special

    if len(values) < LEAST_RUNS or min(values) <= 0:
        return None
    logs = np.log(values)
    halves = logs[::2], logs[1::2]
    freedom = len(logs) - 2
    squares = sum(float(((half - half.mean()) ** 2).sum()) for half in halves)
    spread = np.sqrt(squares / freedom * sum(1 / len(half) for half in halves))
    middle, reach = halves[0].mean() - halves[1].mean(), special.stdtrit(freedom, (1 + level) / 2) * spread
    return AgainstItself(*(float(np.exp(at)) for at in (middle, middle - reach, middle + reach)))
