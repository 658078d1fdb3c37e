"""Diagnostics of each refresh, as training logs them, over its steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.errors import UserError
from harness.reports.drawing import describe, figure_to, legend_label, line_look

DIAGNOSTICS = {
    "effective_candidates": "effective number of candidates",
    "gap_mean": "mean of s(q,d-) - s(q,d+)",
    "gap_sd": "standard deviation of s(q,d-) - s(q,d+)",
    "zero_relu_share": "candidates with s(d+,d-) at most s(q,d-) (%)",
    "fallback_rows_share": "rows that fell back (%)",
}
"""Diagnostic of `harness.negatives.sampler.diagnose` -> label in figures."""


def rounds(metrics: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the diagnostics of each refresh.

    Args:
        metrics: name of a row -> its logged metrics (`OpenedRun.metrics`).

    Returns:
        One line per row, refresh and diagnostic, with columns ``row``; ``round``, from 0; ``step`` that
        follows the refresh; ``diagnostic``, a key of `DIAGNOSTICS`; ``value``, shares as fractions.

    Raises:
        UserError: a row was trained without a refresh.
    """
    return pd.concat([_of_row(name, logged) for name, logged in metrics.items()], ignore_index=True)


def _of_row(name: str, logged: pd.DataFrame) -> pd.DataFrame:
    is_refresh = logged["phase"].str.endswith(" refresh") & logged["metric"].isin(DIAGNOSTICS)
    refreshes = logged[is_refresh].rename(columns={"metric": "diagnostic"})
    if refreshes.empty:
        raise UserError(f"{name} was trained without a refresh", fix="name rows that draw their negatives")
    number = {step: place for place, step in enumerate(sorted(refreshes["step"].unique()))}
    refreshes = refreshes.assign(row=name, round=refreshes["step"].map(number))
    return refreshes[["row", "round", "step", "diagnostic", "value"]]


def draw_rounds(frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None:
    """Draw a panel for each diagnostic, with a line for each row.

    Args:
        frame: frame of `rounds`.
        svg: path of the vector figure.
        png: path of the bitmap.
        title: title of the figure.
    """
    legend = (
        "Of the candidates of up to 1000 training pairs, at each refresh, over the steps taken before it."
    )
    with figure_to(svg, png, 9.6, 5.6) as figure:
        describe(figure, title, legend)
        panels = figure.subplots(2, 3).ravel()
        for axis, (diagnostic, label) in zip(panels, DIAGNOSTICS.items(), strict=False):
            _draw_panel(axis, frame[frame["diagnostic"] == diagnostic], label)
        panels[-1].axis("off")
        handles, labels = panels[0].get_legend_handles_labels()
        panels[-1].legend(handles, labels, loc="center left", frameon=False)
        for axis in panels[2:-1]:
            axis.set_xlabel("optimizer steps")


def _draw_panel(axis: Axes, frame: pd.DataFrame, label: str) -> None:
    factor = 100 if label.endswith("(%)") else 1
    for number, (row, lines) in enumerate(frame.groupby("row", sort=False)):
        axis.plot(lines["step"], lines["value"] * factor, label=legend_label(str(row)), **line_look(number))
    axis.set_title(label, loc="left", fontsize=8.5)
    axis.grid(axis="y")
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
