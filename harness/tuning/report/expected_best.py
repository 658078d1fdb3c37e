"""The expected best value of n trials and its uncertainty, with table and figure.

Dodge et al., "Show Your Work: Improved Reporting of Experimental Results" (EMNLP 2019), report the expected
maximum of n trials in place of the best of all, which grows with the budget. They draw the n with
replacement, which is biased downwards for n near N; here it is the exact mean over all subsets of n of the N:

    E[best of n] = sum over i of v_i C(i - 1, n - 1) / C(N, n),  v_1 <= ... <= v_N

For random search, whose trials are independent draws, it is the expected result of n trials.
"""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.evaluation.significance import FloatArray
from harness.reports.document import Table, TableColumn, fields
from harness.reports.drawing import describe, figure_to, legend_label, line_look
from harness.reports.text import NOTHING
from harness.tuning.report.figures import best_so_far, value_axis
from harness.tuning.report.result import StudyResult, TuningResult
from harness.tuning.report.text import axis_text, factor_of, title_of, value_of

RESAMPLES = 2000
LEVEL = 0.95
BUDGETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
PALE = 0.13


def is_exact(result: TuningResult) -> bool:
    """Whether trials are independent draws, so that the expectation is exact."""
    return result.sampler == "random"


def expected_best(values: npt.ArrayLike) -> FloatArray:
    """Return the expected maximum of n of the N values, without replacement, for n = 1..N.

    Args:
        values: [N], more is better.

    Returns:
        [N].
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    curve: FloatArray = _weights(len(ordered)) @ ordered
    return curve


def expected_band(
    values: npt.ArrayLike, level: float = LEVEL, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Return the ends [N] of a percentile bootstrap over the values: other trials could have been drawn.

    No resample exceeds the best value seen, so the upper end is too low near n = N.
    """
    array = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(array), (RESAMPLES, len(array)))
    curves = np.sort(array[chosen], axis=1) @ _weights(len(array)).T
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def counted_values(result: TuningResult, study: StudyResult) -> FloatArray:
    """Return the value of each drawn trial on the first objective, signed so that more is better.

    A pruned trial counts with its last value, at most that of the best finished trial, since it cannot be
    chosen. A failed trial counts as the worst value, unless it was tried again. The papers' settings were not
    drawn and are left out.
    """
    drawn = [trial for trial in study.trials if not trial.first]
    finished = [result.gain(trial.values[0]) for trial in drawn if trial.values]
    if not finished:
        return np.empty(0)
    pruned = [trial.watched for trial in drawn if trial.state == "pruned" and trial.watched is not None]
    ended = [*finished, *(min(result.gain(value), max(finished)) for value in pruned)]
    lost = [trial for trial in drawn if trial.state == "failed" and not study.tried_again(trial)]
    return np.array([*ended, *([min(ended)] * len(lost))])


def _weights(count: int) -> FloatArray:
    """Return [n, i]: the chance that the i-th smallest of N values is the greatest of n of them."""
    return np.array(
        [[comb(i, n - 1) / comb(count, n) for i in range(count)] for n in range(1, count + 1)]
    ).reshape(count, count)


def expected_table(result: TuningResult) -> Table:
    """Return one line per study, a column for each of some budgets; empty if no trial was drawn."""
    values = {study.row: counted_values(result, study) for study in result.studies}
    most = max(len(of) for of in values.values())
    if most == 0:
        return Table("Expected best against budget", (), ())
    budgets = [*(budget for budget in BUDGETS if budget < most), most]
    rows = tuple(fields([row, *_texts(result, of, budgets)]) for row, of in values.items())
    columns = (TableColumn("Study", names=True), *(TableColumn(f"n = {budget}") for budget in budgets))
    return Table("Expected best against budget", columns, rows, _caption(result))


def _texts(result: TuningResult, values: FloatArray, budgets: list[int]) -> list[str]:
    """Return the expectation at each budget, up to the study's number of trials."""
    if not len(values):
        return [NOTHING] * len(budgets)
    first = result.objectives[0]
    curve, *ends = (first.sign * line for line in (expected_best(values), *expected_band(values)))

    def text(budget: int) -> str:
        low, high = sorted(float(end[budget - 1]) for end in ends)
        return f"{value_of(first, curve[budget - 1])} [{value_of(first, low)}, {value_of(first, high)}]"

    return [text(budget) if budget <= len(values) else NOTHING for budget in budgets]


def _caption(result: TuningResult) -> str:
    exact = (
        "It is the expected result of n trials of this random search."
        if is_exact(result)
        else f"Trials of sampler {result.sampler} depend on earlier ones, so this is not the expected "
        "result of a tuning: it shows how many of the tried settings are good. The history shows the tuning "
        "itself."
    )
    return (
        f"In {axis_text(result.objectives[0])}: the exact mean of the best over all subsets of n trials "
        f"(Dodge et al. 2019), with a {100 * LEVEL:g} % bootstrap over trials. {exact}"
    )


def draw_expected(result: TuningResult, svg: Path, png: Path) -> None:
    """Draw the history and the expectation of all studies, reproducible to the byte."""
    with figure_to(svg, png, 9.6, 4.6) as figure:
        describe(figure, title_of(result, "Best setting against budget"), _legend())
        left, right = figure.subplots(1, 2, sharey=True)
        for number, study in enumerate(result.studies):
            look = {**line_look(number), "markersize": 4}
            at, best = best_so_far(result, study)
            left.plot(
                at, best, drawstyle="steps-post", label=legend_label(study.row), markevery=(0.0, 0.12), **look
            )
            _draw_expected(right, result, number)
        left.set_title("history: best finished so far", loc="left")
        exact = "" if is_exact(result) else f", as if in any order ({result.sampler} is not random)"
        right.set_title(f"expected best of n trials{exact}", loc="left")
        for axis in (left, right):
            axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
            axis.set_xlabel("trials")
            value_axis(axis, result, named=axis is left)
        low = "lower" if result.objectives[0].sign > 0 else "upper"
        left.legend(loc=f"{low} right", ncols=1 + (len(result.studies) > 5), fontsize=7.5, framealpha=0.8)


def _draw_expected(axis: Axes, result: TuningResult, number: int) -> None:
    """Draw the expectation of one study with its band, in the study's style."""
    values, look = counted_values(result, result.studies[number]), line_look(number)
    if not len(values):
        return
    factor = result.objectives[0].sign * factor_of(result.objectives[0])
    at = range(1, len(values) + 1)
    low, high = expected_band(values)
    axis.fill_between(at, low * factor, high * factor, color=look["color"], alpha=PALE, linewidth=0, zorder=1)
    axis.plot(at, expected_best(values) * factor, markevery=(0.0, 0.12), **{**look, "markersize": 4})


def _legend() -> str:
    return (
        "Right: exact mean over all subsets of n trials, papers' settings excluded; band: "
        f"{100 * LEVEL:g} % bootstrap over trials, which cannot exceed the best value seen.\n"
        "A pruned trial counts with its last value, at most that of the best finished one."
    )
