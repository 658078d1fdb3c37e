"""Two objectives against each other, with the front of each study."""

from __future__ import annotations

from pathlib import Path

from harness.reports.drawing import describe, few_ticks, figure_to, line_look
from harness.tuning.report.figures.panels import PAPER
from harness.tuning.report.pareto import front_of
from harness.tuning.report.result import Found
from harness.tuning.report.text import axis_text, factor_of, title_of


def draw_pareto(found: Found, svg: Path, png: Path) -> None:
    """Draw all studies in one panel; the same trials give the same bytes."""
    first, second = (factor_of(objective) for objective in found.objectives)
    with figure_to(svg, png, 9.6, 5.0) as figure:
        describe(figure, title_of(found, "Both objectives"), _legend())
        axis = figure.subplots()
        for number, study in enumerate(found.studies):
            look = line_look(number)
            apart = {key: look[key] for key in ("color", "marker")}
            for trial, values in study.complete:
                place = values[1] * second, values[0] * first
                axis.scatter(*place, s=22, alpha=0.5, linewidth=0, zorder=2, **apart)
                if trial.first:
                    axis.scatter(*place, **{**PAPER, "facecolor": look["color"]})
            front = [(values[1] * second, values[0] * first) for _, values in front_of(found, study)]
            if front:
                steps = "steps-post" if found.objectives[1].sign < 0 else "steps-pre"
                axis.plot(*zip(*sorted(front), strict=True), drawstyle=steps, label=study.row, **look)
        for line in (axis.xaxis, axis.yaxis):
            few_ticks(line)
        axis.grid(visible=True, axis="both")
        axis.set_xlabel(axis_text(found.objectives[1]))
        axis.set_ylabel(axis_text(found.objectives[0]))
        axis.legend(loc="lower right", fontsize=7.5, framealpha=0.8)


def _legend() -> str:
    return (
        "Joined: the front of a study, than which no other setting was better in both. Pale: all finished "
        "trials. Star: papers' setting."
    )
