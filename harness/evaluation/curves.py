"""Learning curves: a measure of the dev queries during training, over steps, seconds and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.evaluation.significance import checkpoint_interval


def watched_name(split: str, measure: str) -> str:
    """Return what a measure of a split other than dev is called in a run's metrics."""
    return f"{split} {measure}"


@dataclass(frozen=True)
class DevPoint:
    """A point of one run's learning curve.

    Attributes:
        value: mean of the measure over the dev queries, a fraction.
        seconds: seconds of training since the phase began; None where a step's seconds were not recorded.
    """

    value: float
    seconds: float | None


def run_curve(
    lines: Iterable[Mapping[str, Any]],
    phase: str,
    measure: str,
    *,
    begin: float | None = None,
    end: tuple[int, float] | None = None,
) -> dict[int, DevPoint]:
    """Return a run's learning curve, by step.

    The seconds of a step sum over all steps up to it and the refreshes before it (embedding and mining); the
    refresh at the step itself comes after its evaluation.

    Args:
        lines: lines of the run's metrics.
        phase: name of the phase, as in the lines.
        measure: measure of the dev queries, logged at refreshes in lines of ``<phase> dev``; or of another
            split by `watched_name`, logged at both ends, too, in lines of ``<phase> watched``.
        begin: value at step 0, that of the encoder which the phase starts from; none where it is logged.
        end: number of the last step, and the value there; none where it is logged.
    """
    values = {} if begin is None else {0: begin}
    looked = (f"{phase} dev", f"{phase} watched")
    done: list[tuple[float, float]] = []
    recorded = True
    for line in lines:
        if line["phase"] in looked and measure in line:
            values[line["step"]] = float(line[measure])
        elif (seconds := work_seconds(line, phase)) is not None:
            mining = line["phase"] == f"{phase} mining"
            recorded &= mining or "seconds" in line
            done.append((line["step"] + (0.5 if mining else 0.0), seconds))  # between this step and the next
    if end is not None:
        values[end[0]] = end[1]
    return {
        step: DevPoint(value, sum(seconds for at, seconds in done if at <= step) if recorded else None)
        for step, value in sorted(values.items())
    }


def work_seconds(line: Mapping[str, Any], phase: str) -> float | None:
    """Return the seconds of training that a line of metrics records for a phase; None if it records none.

    They are those of a step of the retriever or the ranker, or of a refresh (embedding and mining); dev
    evaluation is excluded.
    """
    if line["phase"] in (phase, f"{phase} ranker"):
        return float(line.get("seconds", 0.0))
    if line["phase"] == f"{phase} mining":
        return float(line["seconds_encoding"]) + float(line["seconds_mining"])
    return None


def mean_curve(runs: Sequence[Mapping[int, DevPoint]], level: float) -> list[dict[str, Any]]:
    """Return the points of a row's mean curve, one for each step that all its runs have.

    Args:
        runs: learning curves of `run_curve`, one for each seed.
        level: confidence of the interval over seeds (Student's t of the seeds' values, S - 1 degrees of
            freedom), in (0, 1); with one seed there is no interval.
    """
    steps = sorted(set.intersection(*(set(run) for run in runs))) if runs else []
    return [_point(step, [run[step] for run in runs], level) for step in steps]


def _point(step: int, seeds: Sequence[DevPoint], level: float) -> dict[str, Any]:
    values = [seed.value for seed in seeds]
    seconds = [seed.seconds for seed in seeds if seed.seconds is not None]
    interval = checkpoint_interval([values], level) if len(values) > 1 else None  # seeds for its queries
    return {
        "step": step,
        "mean": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "per_seed": values,
        "seconds": float(np.mean(seconds)) if len(seconds) == len(seeds) else None,
        "seconds_per_seed": seconds if len(seconds) == len(seeds) else None,
    }
