"""What was reached with so many trials: as the search went, and as it is expected to go."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.drawing import describe, figure_to, line_look
from harness.tuning.report.expected_best import LEVEL, counted, expected_band, expected_best, is_exact
from harness.tuning.report.figures.panels import best_so_far, value_axis
from harness.tuning.report.result import Found
from harness.tuning.report.text import factor_of, title_of

PALE = 0.13


def draw_expected(found: Found, svg: Path, png: Path) -> None:
    """Draw both panels, all studies in each; the same trials give the same bytes."""
    with figure_to(svg, png, 9.6, 4.6) as figure:
        describe(figure, title_of(found, "Best setting against budget"), _legend())
        left, right = figure.subplots(1, 2, sharey=True)
        for number, study in enumerate(found.studies):
            look = {**line_look(number), "markersize": 4}
            at, best = best_so_far(found, study)
            left.plot(at, best, drawstyle="steps-post", label=study.row, markevery=(0.0, 0.12), **look)
            _draw_expected(right, found, number)
        left.set_title("as it went: best finished so far", loc="left")
        exact = "" if is_exact(found) else f", as if in any order ({found.sampler} is not random)"
        right.set_title(f"expected best of n trials{exact}", loc="left")
        for axis in (left, right):
            axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
            axis.set_xlabel("trials")
            value_axis(axis, found, named=axis is left)
        low = "lower" if found.objectives[0].sign > 0 else "upper"
        left.legend(loc=f"{low} right", ncols=1 + (len(found.studies) > 5), fontsize=7.5, framealpha=0.8)


def _draw_expected(axis: Axes, found: Found, number: int) -> None:
    """Draw the expectation of one study with its band, in the look of the study."""
    values, look = counted(found, found.studies[number]), line_look(number)
    if not len(values):
        return
    factor = found.objectives[0].sign * factor_of(found.objectives[0])
    at = range(1, len(values) + 1)
    low, high = expected_band(values)
    axis.fill_between(at, low * factor, high * factor, color=look["color"], alpha=PALE, linewidth=0, zorder=1)
    axis.plot(at, expected_best(values) * factor, markevery=(0.0, 0.12), **{**look, "markersize": 4})


def _legend() -> str:
    return (
        "Right: exact mean over all subsets of n trials, without the papers' settings; band: "
        f"{100 * LEVEL:g} % bootstrap over trials, which cannot rise above the best value seen.\n"
        "A pruned trial counts with its value when pruned, at most the best finished one."
    )
