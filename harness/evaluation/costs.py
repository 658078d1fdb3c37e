"""What training costs, from the seconds that a run recorded of its steps and refreshes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Literal

import numpy as np

CostName = Literal["step", "drawing", "encoding", "mining", "construction", "construction-a-step", "all"]

COSTS: dict[str, str] = {
    "step": "a step of training the retriever, drawing included",
    "drawing": "drawing the negatives of a batch, a part of the step",
    "encoding": "embedding documents and training queries, at a refresh",
    "mining": "searching and scoring candidates, at a refresh",
    "construction": "constructing candidates, embedding and mining, at a refresh",
    "construction-a-step": "embedding and mining at a refresh, divided by the steps between refreshes",
    "all": "a step with its share of the refreshes",
}
"""What a column of seconds may hold -> in words."""


def run_costs(lines: Iterable[Mapping[str, Any]], phase: str, refresh: int | None) -> dict[str, float]:
    """Return the costs of a run in seconds, medians over its steps and over its refreshes.

    Args:
        lines: of its metrics; a step has ``seconds`` and ``seconds_drawing``, a refresh ``seconds_encoding``
            and ``seconds_mining``. Time between steps (pauses, checkpoints, watching) is in none of them.
        phase: the phase that is told of.
        refresh: steps between refreshes.

    Returns:
        Each cost by its name, as far as it was recorded.
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
    """Return the median over runs with the quartiles, none with one run.

    The quartiles are linear between the values in order (Hyndman and Fan 1996, definition 7); of three runs
    they are half way from the middle one to the others.

    Args:
        values: one a run, in the order of the seeds.
    """
    low, middle, high = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    several = len(values) > 1
    return {
        "median": middle,
        "low": low if several else None,
        "high": high if several else None,
        "per_run": [float(value) for value in values],
    }
