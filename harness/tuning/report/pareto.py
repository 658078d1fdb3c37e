"""The Pareto front of two objectives, settings that no other beats in both; its table and its figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.reports.document import Table, TableColumn, fields
from harness.reports.drawing import describe, few_ticks, figure_to, legend_label, line_look
from harness.tuning.report.figures import PAPER
from harness.tuning.report.result import StudyResult, TrialResult, TuningResult
from harness.tuning.report.text import axis_text, factor_of, setting_text, title_of, value_of

FinishedTrial = tuple[TrialResult, tuple[float, ...]]


def front_of(result: TuningResult, study: StudyResult) -> Sequence[FinishedTrial]:
    """Return the finished trials of the front, by the first objective, best first."""

    def gains(values: tuple[float, ...]) -> tuple[float, float]:
        return result.gain(values[0]), result.gain(values[1], 1)

    ordered = sorted(study.complete, key=lambda finished: gains(finished[1]), reverse=True)
    front: list[FinishedTrial] = []
    for finished in ordered:
        if not front or gains(finished[1])[1] > gains(front[-1][1])[1]:
            front.append(finished)
    return front


def front_table(result: TuningResult) -> Table:
    """Return one line per setting on the front of its study."""
    rows = tuple(
        fields([study.row, setting_text(trial.setting), *map(value_of, result.objectives, values)])
        for study in result.studies
        for trial, values in front_of(result, study)
    )
    columns = (
        TableColumn("Study", names=True),
        TableColumn("Setting", names=True),
        *(TableColumn(axis_text(one)) for one in result.objectives),
    )
    caption = "Settings that no other setting of the same study beats in both objectives."
    return Table("Pareto front", columns, rows, caption)


def draw_pareto(result: TuningResult, svg: Path, png: Path) -> None:
    """Draw all studies in one panel, reproducible to the byte."""
    first, second = (factor_of(objective) for objective in result.objectives)
    with figure_to(svg, png, 9.6, 5.0) as figure:
        describe(figure, title_of(result, "Both objectives"), _legend())
        axis = figure.subplots()
        for number, study in enumerate(result.studies):
            look = line_look(number)
            style = {key: look[key] for key in ("color", "marker")}
            for trial, values in study.complete:
                place = values[1] * second, values[0] * first
                axis.scatter(*place, s=22, alpha=0.5, linewidth=0, zorder=2, **style)
                if trial.first:
                    axis.scatter(*place, **{**PAPER, "facecolor": look["color"]})
            front = [(values[1] * second, values[0] * first) for _, values in front_of(result, study)]
            if front:
                steps = "steps-post" if result.objectives[1].sign < 0 else "steps-pre"
                axis.plot(
                    *zip(*sorted(front), strict=True), drawstyle=steps, label=legend_label(study.row), **look
                )
        for line in (axis.xaxis, axis.yaxis):
            few_ticks(line)
        axis.grid(visible=True, axis="both")
        axis.set_xlabel(axis_text(result.objectives[1]))
        axis.set_ylabel(axis_text(result.objectives[0]))
        axis.legend(loc="lower right", fontsize=7.5, framealpha=0.8)


def _legend() -> str:
    return "Line: Pareto front of a study. Pale: all finished trials. Star: papers' setting."
