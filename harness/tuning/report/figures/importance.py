"""The importance of each parameter, with what its uncertainty comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes

from harness.reports.drawing import INK, OKABE_ITO, describe, figure_to
from harness.tuning.report.importance import FOREST_SEEDS, LEVEL, RESAMPLES, Importance
from harness.tuning.report.result import Found
from harness.tuning.report.text import names_of, title_of

WIDE = 3


def draw_importance(
    found: Found, importances: Mapping[tuple[str, int], Importance], svg: Path, png: Path
) -> None:
    """Draw a panel for each study and objective that has importances.

    Args:
        found: the search.
        importances: (row, place of the objective) -> what was computed.
        svg: where to write the vector figure.
        png: where to write the bitmap.
    """
    drawn = {key: of for key, of in importances.items() if of.shares}
    wide = min(WIDE, len(drawn))
    bars = max(len(of.shares) for of in drawn.values())
    lines = -(-len(drawn) // wide)
    with figure_to(svg, png, 9.6, lines * (0.75 + 0.28 * bars) + 1.1) as figure:
        describe(figure, title_of(found, "Importance of the parameters (fANOVA)"), _legend())
        axes = figure.subplots(lines, wide, squeeze=False)
        for axis in axes.flat[len(drawn) :]:
            axis.set_axis_off()
        for axis, ((row, place), of) in zip(axes.flat, drawn.items(), strict=False):
            _draw_panel(axis, of)
            several = f", {found.objectives[place].name}" if len(found.objectives) > 1 else ""
            axis.set_title(f"{row}{several} ({of.trials} finished)", loc="left")


def _draw_panel(axis: Axes, of: Importance) -> None:
    names = names_of(share.key for share in of.shares)
    places = range(len(of.shares))
    axis.barh(places, [share.share for share in of.shares], height=0.55, color=OKABE_ITO[4])
    for place, share in zip(places, of.shares, strict=True):
        axis.plot([share.low, share.high], [place, place], color=INK, linewidth=1.1, zorder=3)
        ends = [share.share - share.forests, share.share + share.forests]
        axis.plot(ends, [place, place], color=INK, linewidth=3.4, solid_capstyle="butt", zorder=4)
    axis.set_yticks(places, [names[share.key] for share in of.shares])
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.set_xlabel("share of the variance, alone")


def _legend() -> str:
    return (
        f"Thin: {100 * LEVEL:g} % range over {RESAMPLES} bootstraps of the trials. Thick: standard deviation "
        f"over {FOREST_SEEDS} seeds of the forest. What shares leave of 1 is of several parameters together."
    )
