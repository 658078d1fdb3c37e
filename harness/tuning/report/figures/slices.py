"""Values over each parameter by itself, whatever the others were."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes

from harness.reports.drawing import describe, few_ticks, figure_to, log_ticks
from harness.tuning.report.figures.panels import LEGEND, grid_of, scatter_trials, value_axis
from harness.tuning.report.result import Found, Study
from harness.tuning.report.text import condition_text, names_of, number_text, title_of

WIDE = 4
EDGE = 0.04
"""Room beyond either end of a parameter's range, as a share of it."""


def draw_slices(found: Found, svg: Path, png: Path) -> None:
    """Draw a panel for each study and parameter; the same trials give the same bytes."""
    panels = [(study, key) for study in found.studies for key in study.space]
    wide = min(WIDE, len(panels))
    with figure_to(svg, png, 9.6, 2.2 * -(-len(panels) // wide) + 1.1) as figure:
        describe(figure, title_of(found, "Value over each parameter, the others as they were"), LEGEND)
        axes = grid_of(figure, len(panels), wide)
        for number, (axis, (study, key)) in enumerate(zip(axes, panels, strict=True)):
            _draw_panel(axis, found, study, key)
            value_axis(axis, found, named=number % wide == 0)


def _draw_panel(axis: Axes, found: Found, study: Study, key: str) -> None:
    """Draw the trials that have the parameter; names stand one after the other."""
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
    scatter_trials(axis, found, trials, at)
    axis.set_title(study.row, loc="left")
    axis.set_xlabel("\n".join(filter(None, (names_of(study.space)[key], condition_text(of.get("when"))))))
