"""Contour plots of the value over two parameters, for studies with exactly two numeric ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

from harness.reports.drawing import INK, describe, few_ticks, figure_to, log_ticks
from harness.tuning.report.figures import FAILED, PAPER, PRUNED
from harness.tuning.report.result import StudyResult, TuningResult
from harness.tuning.report.text import axis_text, factor_of, names_of, title_of

FEWEST = 4
"""Minimum of finished trials for an interpolation."""

SHADES = "cividis"
"""A colour map whose steps are equal in grey as well."""


def with_contour(result: TuningResult) -> list[StudyResult]:
    """Return the studies with exactly two unconditional, continuous parameters."""
    return [
        study
        for study in result.studies
        if len(study.space) == 2 and all(map(_is_float, study.space.values()))
    ]


def _is_float(of: object) -> bool:
    return isinstance(of, dict) and of["type"] == "float" and of.get("when") is None


def draw_contour(result: TuningResult, svg: Path, png: Path) -> None:
    """Draw a panel for each study of `with_contour`, reproducible to the byte."""
    studies = with_contour(result)
    wide = min(2, len(studies))
    lines = -(-len(studies) // wide)
    with figure_to(svg, png, 9.6, (3.9 if wide > 1 else 4.6) * lines + 1.1) as figure:
        describe(figure, title_of(result, "Value over two parameters"), _legend())
        axes = figure.subplots(lines, wide, squeeze=False)
        for axis in axes.flat[len(studies) :]:
            axis.set_axis_off()
        for axis, study in zip(axes.flat, studies, strict=False):
            _draw_study(figure, axis, result, study)


def _draw_study(figure: Figure, axis: Axes, result: TuningResult, study: StudyResult) -> None:
    keys = list(study.space)
    for key, scale, limits, label in (
        (keys[0], axis.set_xscale, axis.set_xlim, axis.set_xlabel),
        (keys[1], axis.set_yscale, axis.set_ylim, axis.set_ylabel),
    ):
        of = study.space[key]
        scale("log" if of.get("log") else "linear")
        limits(of["low"], of["high"])
        label(names_of(keys)[key])
    for line, key in ((axis.xaxis, keys[0]), (axis.yaxis, keys[1])):
        (log_ticks if study.space[key].get("log") else few_ticks)(line)
    shades = _draw_between(axis, result, study)
    _draw_trials(axis, result, study, shades)
    axis.grid(visible=False)
    axis.set_title(study.row, loc="left")
    if shades is not None:
        figure.colorbar(shades, ax=axis, label=axis_text(result.objectives[0]))


def _draw_between(axis: Axes, result: TuningResult, study: StudyResult) -> ContourSet | None:
    """Fill the triangles between finished trials, linearly in the coordinates of the space."""
    factor = factor_of(result.objectives[0])
    values = np.array([values[0] * factor for _, values in study.complete])
    places = np.array([[float(trial.setting[key]) for key in study.space] for trial, _ in study.complete])
    if len(values) < FEWEST or len(np.unique(values)) < 2:
        return None
    logged = [bool(of.get("log")) for of in study.space.values()]
    straight = np.where(logged, np.log10(np.where(logged, places, 1.0)), places)
    spread = straight.max(axis=0) - straight.min(axis=0)
    if not spread.all():
        return None
    try:
        x, y = ((straight - straight.min(axis=0)) / spread).T
        triangles = Triangulation(x, y).triangles
    except (RuntimeError, ValueError):
        return None  # all on a line
    between = Triangulation(places[:, 0], places[:, 1], triangles)
    return axis.tricontourf(between, values, levels=9, cmap=SHADES, alpha=0.85)


def _draw_trials(axis: Axes, result: TuningResult, study: StudyResult, shades: ContourSet | None) -> None:
    factor = factor_of(result.objectives[0])
    for trial in study.trials:
        x, y = (float(trial.setting[key]) for key in study.space)
        if trial.values is None:
            axis.scatter(x, y, clip_on=False, **(PRUNED if trial.state == "pruned" else FAILED))
            continue
        shade = shades.to_rgba(np.array([trial.values[0] * factor]))[0] if shades is not None else "white"
        axis.scatter(x, y, s=26, color=[shade], edgecolor="white", linewidth=1.6, zorder=3, clip_on=False)
        axis.scatter(x, y, s=26, facecolor="none", edgecolor="black", linewidth=0.7, zorder=4, clip_on=False)
    for paper in study.papers:
        axis.scatter(*(float(paper[key]) for key in study.space), clip_on=False, **PAPER)
    best = result.best(study)
    if best is not None:
        x, y = (float(best.setting[key]) for key in study.space)
        axis.scatter(x, y, s=120, facecolor="none", edgecolor=INK, linewidth=1.6, zorder=6, clip_on=False)
        axis.scatter(x, y, s=165, facecolor="none", edgecolor="white", linewidth=1.2, zorder=6, clip_on=False)


def _legend() -> str:
    return (
        "Points: finished trials, coloured by value. Between them: linear interpolation over triangles, not "
        "measured.\n"
        "Ring: best. Hollow: pruned. Cross: failed. Star: papers' setting."
    )
