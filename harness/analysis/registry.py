"""The analyses of `harness analyse`; a new one is an entry in `_ALL`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from harness.analysis import row_analyses
from harness.analysis.false_negatives_figure import draw_false_negatives, draw_trade
from harness.analysis.geometry_figure import draw_geometry
from harness.analysis.inclusion_figure import draw_inclusion, draw_inclusion_over_parameters
from harness.analysis.overlap_figure import draw_overlap
from harness.analysis.rounds import draw_rounds
from harness.analysis.row_analyses import Frames
from harness.errors import UserError, nearest
from harness.reports.ranks.figure import draw_gradients
from harness.specs.run_settings import RunSettings, TrainedRun


class PlotFunction(Protocol):
    """A plot function of one frame."""

    def __call__(self, frame: pd.DataFrame, svg: Path, png: Path, *, title: str) -> None: ...  # noqa: D102


def has_encoder(settings: RunSettings) -> bool:
    """Whether a row's run has an encoder."""
    return settings.kind != "bm25"


def draws_candidates(settings: RunSettings) -> bool:
    """Whether a row's run was trained on negatives drawn from candidates."""
    return isinstance(settings, TrainedRun) and settings.sampler.source is not None


def no_tables(_: Frames) -> Mapping[str, pd.DataFrame]:
    """Return no further tables."""
    return {}


@dataclass(frozen=True)
class Analysis:
    """An analysis of a table's rows.

    Attributes:
        name: name on the command line.
        title: title of figures and tables.
        make: finished runs of one seed -> frames; its keywords are the analysis's options.
        sum_up: frames -> a summary, with names in the first column and numbers in the others.
        draw: name of a frame -> its plot function.
        extra_tables: frames -> further tables by title.
        accepts: whether the analysis applies to a row's run.
    """

    name: str
    title: str
    make: Callable[..., Frames]
    sum_up: Callable[[Frames], pd.DataFrame]
    draw: Mapping[str, PlotFunction]
    extra_tables: Callable[[Frames], Mapping[str, pd.DataFrame]] = no_tables
    accepts: Callable[[RunSettings], bool] = has_encoder


_ALL = (
    Analysis(
        "false-negatives",
        "False negatives that samplers draw, and the information that they keep",
        row_analyses.false_negatives_of,
        row_analyses.false_negatives_drawn,
        {"false-negatives": draw_false_negatives, "trade": draw_trade},
        accepts=draws_candidates,
    ),
    Analysis(
        "geometry",
        "Where samplers draw around query and positive",
        row_analyses.geometry_of,
        row_analyses.regions_drawn,
        {"points": draw_geometry},
        accepts=draws_candidates,
    ),
    Analysis(
        "gradients",
        "Gradients of negatives by rank",
        row_analyses.gradients_of,
        row_analyses.some_norms,
        {"gradients": draw_gradients},
        row_analyses.findings_table,
    ),
    Analysis(
        "inclusion",
        "How likely each rank is to be drawn",
        row_analyses.inclusion_of,
        row_analyses.some_ranks,
        {"inclusion": draw_inclusion, "inclusion-over-parameters": draw_inclusion_over_parameters},
        accepts=draws_candidates,
    ),
    Analysis(
        "overlap",
        "What two samplers draw in common",
        row_analyses.overlap_of,
        row_analyses.draws_in_common,
        {"overlap": draw_overlap},
        accepts=draws_candidates,
    ),
    Analysis(
        "rounds",
        "What changes from refresh to refresh",
        row_analyses.rounds_of,
        row_analyses.last_round,
        {"rounds": draw_rounds},
        accepts=draws_candidates,
    ),
)
ANALYSES: Mapping[str, Analysis] = {analysis.name: analysis for analysis in _ALL}
"""Name -> analysis."""


def find_analysis(name: str) -> Analysis:
    """Return the analysis of a name.

    Raises:
        UserError: no such analysis.
    """
    if name not in ANALYSES:
        raise UserError(f"unknown analysis '{name}'", fix=nearest(name, ANALYSES))
    return ANALYSES[name]
