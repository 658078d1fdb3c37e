"""The best value to expect of a tuning with fewer trials, and how well it is known.

Dodge et al., "Show Your Work: Improved Reporting of Experimental Results" (EMNLP 2019), report the expected
maximum of n trials in place of the best of all, which grows with the budget. They take the n with
replacement, which is biased below for n near N; here it is the exact mean over all subsets of n of the N:

    E[best of n] = sum over i of v_i C(i - 1, n - 1) / C(N, n),  v_1 <= ... <= v_N

It is what n trials of a random search are expected to reach, as those are drawn alike and independently.
"""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harness.reports.document import Column, Table, fields
from harness.reports.drawing import describe, figure_to, line_look
from harness.reports.text import NOTHING
from harness.tuning.report.figures import best_so_far, value_axis
from harness.tuning.report.result import StudyResult, TuningResult
from harness.tuning.report.text import axis_text, factor_of, title_of, value_of

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95
BUDGETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
PALE = 0.13


def is_exact(result: TuningResult) -> bool:
    """Whether trials were drawn alike and independently, so that the expectation is that of the tuning."""
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

    No resample holds a value above the best that was seen, so the upper end says too little near n = N.
    """
    array = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(array), (RESAMPLES, len(array)))
    curves = np.sort(array[chosen], axis=1) @ _weights(len(array)).T
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def counted_values(result: TuningResult, study: StudyResult) -> FloatArray:
    """Return what each drawn trial counts as on the first objective, so that more is better.

    A pruned trial counts with the value when it was pruned, but never more than the best finished one, since
    it cannot be chosen. A failed one that was tried again is left out, any other counts as the worst value.
    The papers' settings were not drawn and are left out.
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
    """Return a line for each study, a column for each of some budgets; empty where no trial was drawn."""
    values = {study.row: counted_values(result, study) for study in result.studies}
    most = max(len(of) for of in values.values())
    if most == 0:
        return Table("Expected best against budget", (), ())
    budgets = [*(budget for budget in BUDGETS if budget < most), most]
    rows = tuple(fields([row, *_texts(result, of, budgets)]) for row, of in values.items())
    columns = (Column("Study", names=True), *(Column(f"n = {budget}") for budget in budgets))
    return Table("Expected best against budget", columns, rows, _caption(result))


def _texts(result: TuningResult, values: FloatArray, budgets: list[int]) -> list[str]:
    """Return the expectation at each budget; a study with fewer trials has none beyond them."""
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
        "It is what as many trials of this random search are expected to reach."
        if is_exact(result)
        else f"Trials of sampler {result.sampler} build on those before them, so this is no expectation of "
        "the tuning: it tells how many of the settings that it tried are good. What it reached is its "
        "history."
    )
    return (
        f"In {axis_text(result.objectives[0])}: the exact mean of the best over all subsets of n trials "
        f"(Dodge et al. 2019), with a {100 * LEVEL:g} % bootstrap over trials. {exact}"
    )


def draw_expected(result: TuningResult, svg: Path, png: Path) -> None:
    """Draw both panels, all studies in each; the same trials give the same bytes."""
    with figure_to(svg, png, 9.6, 4.6) as figure:
        describe(figure, title_of(result, "Best setting against budget"), _legend())
        left, right = figure.subplots(1, 2, sharey=True)
        for number, study in enumerate(result.studies):
            look = {**line_look(number), "markersize": 4}
            at, best = best_so_far(result, study)
            left.plot(at, best, drawstyle="steps-post", label=study.row, markevery=(0.0, 0.12), **look)
            _draw_expected(right, result, number)
        left.set_title("as it went: best finished so far", loc="left")
        exact = "" if is_exact(result) else f", as if in any order ({result.sampler} is not random)"
        right.set_title(f"expected best of n trials{exact}", loc="left")
        for axis in (left, right):
            axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
            axis.set_xlabel("trials")
            value_axis(axis, result, named=axis is left)
        low = "lower" if result.objectives[0].sign > 0 else "upper"
        left.legend(loc=f"{low} right", ncols=1 + (len(result.studies) > 5), fontsize=7.5, framealpha=0.8)


def _draw_expected(axis: Axes, result: TuningResult, number: int) -> None:
    """Draw the expectation of one study with its band, in the look of the study."""
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
        "Right: exact mean over all subsets of n trials, without the papers' settings; band: "
        f"{100 * LEVEL:g} % bootstrap over trials, which cannot rise above the best value seen.\n"
        "A pruned trial counts with its value when pruned, at most the best finished one."
    )
