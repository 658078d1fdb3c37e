"""How much of a published improvement is reproduced, and whether the rows keep their order.

Breuer, Ferro, Fuhr, Maistro, Sakai, Schaer and Soboroff, How to Measure the Reproducibility of
System-oriented IR Experiments, SIGIR 2020. They compare an advanced run with a baseline run in the original
and in the reproduced experiment; here these are a row and the table's baseline. Papers print means, and both
of their measures of the overall effect need only means: the mean difference is the difference of means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from harness.evaluation.comparison import CellBlock


@dataclass(frozen=True)
class Means:
    """Mean scores of a row and of the baseline in one experiment."""

    row: float
    baseline: float


def effect_ratio(published: Means, reproduced: Means) -> float | None:
    """Return the effect ratio: the reproduced improvement over the baseline divided by the published one.

    ER = (row' - baseline') / (row - baseline), with ' for the reproduced experiment: 1 if the improvements
    are equal, between 0 and 1 if the reproduced one is smaller, negative if it has the opposite sign.

    Returns:
        The ratio; None if the published improvement is 0.
    """
    improvement = published.row - published.baseline
    return (reproduced.row - reproduced.baseline) / improvement if improvement else None


def delta_relative_improvement(published: Means, reproduced: Means) -> float | None:
    """Return the published relative improvement minus the reproduced one.

    DeltaRI = (row - baseline) / baseline - (row' - baseline') / baseline': 0 if they are equal, positive if
    the reproduced one is smaller.

    Returns:
        The difference, a fraction; None if a baseline is 0.
    """
    if not published.baseline or not reproduced.baseline:
        return None
    relative = [(means.row - means.baseline) / means.baseline for means in (published, reproduced)]
    return relative[0] - relative[1]


def rank_agreement(published: Sequence[float], reproduced: Sequence[float]) -> float | None:
    """Return Kendall's tau-b between two orders of the same rows, ties included (Kendall, Biometrika 1945).

    Returns:
        From -1 (reversed order) to 1 (same order); None with fewer than two rows, or if one side is all
        ties.
    """
    if len(set(published)) < 2 or len(set(reproduced)) < 2:
        return None
    return float(stats.kendalltau(published, reproduced, variant="b").statistic)


def measure_reproducibility(
    columns: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    baseline: str,
    stand_ins: Sequence[str | None],
) -> CellBlock:
    """Return the ``reproducibility`` block of a comparison.

    Args:
        columns: the columns of `cells.json`; only those that the paper prints are measured.
        rows: the rows of `cells.json`, with their cells.
        baseline: name of the row that the others are compared with.
        stand_ins: column by column, which collection stands in for the paper's, in words; None where it is
            the paper's own.

    Returns:
        ``not_given``, the reason for omitting effect ratio and delta relative improvement, or None;
        ``effects``, one ``{"row", "column", "effect_ratio", "delta_ri"}`` for each row and column with both
        a published and a reproduced figure; ``ranks``, one ``{"column", "rows", "tau"}`` for each column,
        tau None if it is undefined.
    """
    effects: list[CellBlock] = []
    ranks: list[CellBlock] = []
    for place, column in enumerate(columns):
        if not column["published"]:
            continue
        both = {row["name"]: figures for row in rows if (figures := _both(row["cells"][place])) is not None}
        pairs = list(both.values())
        tau = rank_agreement([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        ranks.append({"column": column["label"], "rows": len(pairs), "tau": tau})
        if stand_ins[place] is None and baseline in both:
            effects += [
                {"row": name, "column": column["label"], **_effects(pair, both[baseline])}
                for name, pair in both.items()
                if name != baseline
            ]
    return {"not_given": _not_given(stand_ins, effects), "effects": effects, "ranks": ranks}


def _both(cell: Mapping[str, Any]) -> tuple[float, float] | None:
    """Published figure and reproduced mean of a cell that has both."""
    if cell["published"] is None or cell["reproduced"] is None:
        return None
    return cell["published"]["value"], cell["reproduced"]["mean"]


def _effects(row: tuple[float, float], baseline: tuple[float, float]) -> CellBlock:
    published, reproduced = Means(row[0], baseline[0]), Means(row[1], baseline[1])
    return {
        "effect_ratio": effect_ratio(published, reproduced),
        "delta_ri": delta_relative_improvement(published, reproduced),
    }


def _not_given(stand_ins: Sequence[str | None], effects: Sequence[CellBlock]) -> str | None:
    if effects:
        return None
    return next(filter(None, stand_ins), "no row has figures on both sides, and the baseline too")
