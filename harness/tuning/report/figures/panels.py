"""What the figures of a search have in common: panels, points by state, the papers' setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.reports.drawing import INK, OKABE_ITO, few_ticks
from harness.tuning.report.result import Found, Study, Trial
from harness.tuning.report.text import axis_text, factor_of

COMPLETE: dict[str, Any] = {
    "marker": "o", "s": 22, "facecolor": OKABE_ITO[0], "edgecolor": "black", "linewidth": 0.5, "zorder": 3,
}  # fmt: skip
PRUNED: dict[str, Any] = {
    "marker": "v", "s": 20, "facecolor": "white", "edgecolor": INK, "linewidth": 0.8, "zorder": 2,
}  # fmt: skip
FAILED: dict[str, Any] = {"marker": "x", "s": 26, "color": INK, "linewidth": 1.2, "zorder": 3}
PAPER: dict[str, Any] = {
    "marker": "*", "s": 150, "facecolor": OKABE_ITO[5], "edgecolor": "black", "linewidth": 0.8, "zorder": 5,
}  # fmt: skip
LOW = 0.04
"""Height of a failed trial, as a share of the panel: it has no value."""

LEGEND = (
    "Filled: finished. Hollow: pruned, at its last value. Cross at the bottom: failed. Star: papers' setting."
)


def grid_of(figure: Figure, count: int, wide: int) -> list[Axes]:
    """Return so many panels, `wide` in a line; what is left of the last line is empty."""
    lines = -(-count // wide)
    axes = figure.subplots(lines, wide, squeeze=False, sharey=True)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return list(axes.flat[:count])


def shown(found: Found, trial: Trial) -> float | None:
    """Return where a trial stands on the first objective, as it is shown; none where it has no value."""
    value = trial.values[0] if trial.values else trial.watched if trial.state == "pruned" else None
    return None if value is None else value * factor_of(found.objectives[0])


def scatter_trials(axis: Axes, found: Found, trials: Sequence[Trial], at: Sequence[float]) -> None:
    """Draw trials at places along an axis, each as it ended; failed ones lie at the bottom."""
    values = [shown(found, trial) for trial in trials]
    lost = [place for place, value in zip(at, values, strict=True) if value is None]
    axis.scatter(lost, [LOW] * len(lost), transform=axis.get_xaxis_transform(), clip_on=False, **FAILED)
    for first, state, look in (
        (False, "complete", COMPLETE),
        (False, "pruned", PRUNED),
        (True, "complete", PAPER),
        (True, "pruned", {**PAPER, "facecolor": "white"}),
    ):
        points = [
            (place, value)
            for trial, place, value in zip(trials, at, values, strict=True)
            if value is not None and (trial.first, trial.state) == (first, state)
        ]
        axis.scatter([x for x, _ in points], [y for _, y in points], **look)


def value_axis(axis: Axes, found: Found, *, named: bool) -> None:
    """Set up the axis of the first objective."""
    few_ticks(axis.yaxis)
    axis.grid(axis="y")
    if named:
        axis.set_ylabel(axis_text(found.objectives[0]))


def best_so_far(found: Found, study: Study) -> tuple[list[int], list[float]]:
    """Return the numbers of trials, from 1, and the best finished value up to each; from the first on."""
    at: list[int] = []
    values: list[float] = []
    for trial in study.trials:
        if trial.values is not None:
            gain = found.gain(trial.values[0])
            best = max(gain, *values[-1:]) if values else gain
        elif values:
            best = values[-1]
        else:
            continue
        at.append(trial.number + 1)
        values.append(best)
    return at, [found.gain(value) * factor_of(found.objectives[0]) for value in values]
