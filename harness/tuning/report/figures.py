"""The figures of trials, a panel a study: their history, and their values over each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.reports.drawing import INK, OKABE_ITO, describe, few_ticks, figure_to, log_ticks
from harness.tuning.report.result import StudyResult, TrialResult, TuningResult
from harness.tuning.report.text import axis_text, condition_text, factor_of, names_of, number_text, title_of

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
"""Height of failed trials, which have no value, as a share of the panel."""
HISTORY_WIDE = 3
SLICES_WIDE = 4
EDGE = 0.04
"""Margin beyond either end of a parameter's range, as a share of it."""

LEGEND = (
    "Filled: finished. Hollow: pruned, at its last value. Cross at the bottom: failed. Star: papers' setting."
)


def grid_of(figure: Figure, count: int, wide: int) -> list[Axes]:
    """Return `count` panels, `wide` in a row; the rest of the last row is empty."""
    lines = -(-count // wide)
    axes = figure.subplots(lines, wide, squeeze=False, sharey=True)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return list(axes.flat[:count])


def shown_value(result: TuningResult, trial: TrialResult) -> float | None:
    """Return a trial's value of the first objective as it is plotted; none if it has no value."""
    value = trial.values[0] if trial.values else trial.watched if trial.state == "pruned" else None
    return None if value is None else value * factor_of(result.objectives[0])


def scatter_trials(
    axis: Axes, result: TuningResult, trials: Sequence[TrialResult], at: Sequence[float]
) -> None:
    """Draw trials along an axis with a marker for their state; failed ones at the bottom."""
    values = [shown_value(result, trial) for trial in trials]
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


def value_axis(axis: Axes, result: TuningResult, *, named: bool) -> None:
    """Set up the axis of the first objective."""
    few_ticks(axis.yaxis)
    axis.grid(axis="y")
    if named:
        axis.set_ylabel(axis_text(result.objectives[0]))


def best_so_far(result: TuningResult, study: StudyResult) -> tuple[list[int], list[float]]:
    """Return trial numbers, from 1, and the best finished value up to each, from the first finished on."""
    at: list[int] = []
    values: list[float] = []
    for trial in study.trials:
        if trial.values is not None:
            gain = result.gain(trial.values[0])
            best = max(gain, *values[-1:]) if values else gain
        elif values:
            best = values[-1]
        else:
            continue
        at.append(trial.number + 1)
        values.append(best)
    return at, [result.gain(value) * factor_of(result.objectives[0]) for value in values]


def draw_history(result: TuningResult, svg: Path, png: Path) -> None:
    """Draw the trials of each study in order, reproducible to the byte."""
    wide = min(HISTORY_WIDE, len(result.studies))
    with figure_to(svg, png, 9.6, 2.3 * -(-len(result.studies) // wide) + 1.2) as figure:
        describe(figure, title_of(result, "Trials in order"), f"{LEGEND} Line: best finished so far.")
        for number, (axis, study) in enumerate(
            zip(grid_of(figure, len(result.studies), wide), result.studies, strict=True)
        ):
            _draw_study(axis, result, study, named=number % wide == 0)


def _draw_study(axis: Axes, result: TuningResult, study: StudyResult, *, named: bool) -> None:
    scatter_trials(axis, result, study.trials, [trial.number + 1 for trial in study.trials])
    at, best = best_so_far(result, study)
    axis.step(at, best, where="post", color=INK, linewidth=1.2, zorder=1)
    axis.set_title(study.row, loc="left")
    axis.set_xlabel("trial")
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    value_axis(axis, result, named=named)


def draw_slices(result: TuningResult, svg: Path, png: Path) -> None:
    """Draw a panel for each study and parameter, reproducible to the byte."""
    panels = [(study, key) for study in result.studies for key in study.space]
    wide = min(SLICES_WIDE, len(panels))
    with figure_to(svg, png, 9.6, 2.2 * -(-len(panels) // wide) + 1.1) as figure:
        describe(figure, title_of(result, "Value over each parameter, other parameters varying"), LEGEND)
        axes = grid_of(figure, len(panels), wide)
        for number, (axis, (study, key)) in enumerate(zip(axes, panels, strict=True)):
            _draw_panel(axis, result, study, key)
            value_axis(axis, result, named=number % wide == 0)


def _draw_panel(axis: Axes, result: TuningResult, study: StudyResult, key: str) -> None:
    """Draw the trials that have the parameter; choices are spaced evenly."""
    of, trials = study.space[key], [trial for trial in study.trials if key in trial.setting]
    if of["type"] == "categorical":
        choices = [number_text(choice) for choice in of["choices"]]
        at = [float(choices.index(number_text(trial.setting[key]))) for trial in trials]
        axis.set_xticks(range(len(choices)), choices)
        axis.set_xlim(-0.5, len(choices) - 0.5)
    else:
        at = [float(trial.setting[key]) for trial in trials]
        low, high = float(of["low"]), float(of["high"])
        if of.get("log"):
            axis.set_xscale("log")
            log_ticks(axis.xaxis)
            axis.set_xlim(low / (high / low) ** EDGE, high * (high / low) ** EDGE)
        else:
            few_ticks(axis.xaxis)
            axis.set_xlim(low - EDGE * (high - low), high + EDGE * (high - low))
    scatter_trials(axis, result, trials, at)
    axis.set_title(study.row, loc="left")
    axis.set_xlabel("\n".join(filter(None, (names_of(study.space)[key], condition_text(of.get("when"))))))
