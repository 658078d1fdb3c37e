"""Training costs, from the seconds that a run recorded for its steps and refreshes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Literal

import numpy as np

CostName = Literal["step", "drawing", "encoding", "mining", "construction", "construction-a-step", "all"]

COSTS: dict[str, str] = {
    "step": "a training step of the retriever, including drawing",
    "drawing": "drawing the negatives of a batch, part of the step",
    "encoding": "re-encoding documents and training queries at a refresh",
    "mining": "searching and scoring candidates at a refresh",
    "construction": "constructing candidates at a refresh: re-encoding and mining",
    "construction-a-step": "re-encoding and mining at a refresh, divided by the steps between refreshes",
    "all": "a step plus its share of the refreshes",
}
"""Name of a cost -> its description."""


def run_costs(lines: Iterable[Mapping[str, Any]], phase: str, refresh: int | None) -> dict[str, float]:
    """Return the costs of a run in seconds, as medians over its steps and over its refreshes.

    Args:
        lines: lines of the run's metrics; a step has ``seconds`` and ``seconds_drawing``, a refresh
            ``seconds_encoding`` and ``seconds_mining``. They exclude the time between steps (pauses,
            checkpoints, evaluation on dev).
        phase: name of the phase, as in the lines.
        refresh: number of steps between refreshes; None where there are no refreshes.

    Returns:
        Name of a cost -> seconds, for those that were recorded.
    """
    seconds: dict[str, list[float]] = {}
    keys = {
        (phase, "seconds"): "step",
        (phase, "seconds_drawing"): "drawing",
        (f"{phase} mining", "seconds_encoding"): "encoding",
        (f"{phase} mining", "seconds_mining"): "mining",
    }
    for line in lines:
        for (line_phase, key), name in keys.items():
            if line["phase"] == line_phase and key in line:
                seconds.setdefault(name, []).append(float(line[key]))
    costs = {name: median(values) for name, values in seconds.items()}
    if {"encoding", "mining"} <= costs.keys() and refresh is not None:
        costs["construction"] = costs["encoding"] + costs["mining"]
        costs["construction-a-step"] = costs["construction"] / refresh
        costs["all"] = costs["step"] + costs["construction-a-step"]
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
