"""The history of a search: each trial in its order, and the best so far."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.drawing import INK, describe, figure_to
from harness.tuning.report.figures.panels import LEGEND, best_so_far, grid_of, scatter_trials, value_axis
from harness.tuning.report.result import Found, Study
from harness.tuning.report.text import title_of

WIDE = 3


def draw_history(found: Found, svg: Path, png: Path) -> None:
    """Draw a panel for each study; the same trials give the same bytes."""
    wide = min(WIDE, len(found.studies))
    with figure_to(svg, png, 9.6, 2.3 * -(-len(found.studies) // wide) + 1.2) as figure:
        describe(figure, title_of(found, "Trials in their order"), f"{LEGEND} Line: best finished so far.")
        for number, (axis, study) in enumerate(
            zip(grid_of(figure, len(found.studies), wide), found.studies, strict=True)
        ):
            _draw_study(axis, found, study, named=number % wide == 0)


def _draw_study(axis: Axes, found: Found, study: Study, *, named: bool) -> None:
    scatter_trials(axis, found, study.trials, [trial.number + 1 for trial in study.trials])
    at, best = best_so_far(found, study)
    axis.step(at, best, where="post", color=INK, linewidth=1.2, zorder=1)
    axis.set_title(study.row, loc="left")
    axis.set_xlabel("trial")
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    value_axis(axis, found, named=named)
