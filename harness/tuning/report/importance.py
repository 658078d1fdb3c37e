"""The importance of parameters by fANOVA and its uncertainty, with table and figure.

Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance" (ICML 2014), by
Optuna: a random forest is fitted to the finished trials, and the variance of its prediction over the space is
divided among the parameters. The shares are main effects and are not scaled to add up to 1; interactions are
the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from matplotlib.axes import Axes
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from harness.reports.document import Table, TableColumn, fields
from harness.reports.drawing import INK, OKABE_ITO, describe, figure_to
from harness.reports.text import decimal_text
from harness.tuning.report.result import StudyResult, TrialResult, TuningResult
from harness.tuning.report.text import names_of, title_of

FOREST_SEEDS = 10
RESAMPLES = 40
TREES = 16
LEVEL = 0.9
FEWEST, FEWEST_A_PARAMETER = 10, 4
"""Minimum of finished trials, in all and for each parameter, for a stable forest."""
WIDE = 3


@dataclass(frozen=True)
class ParameterShare:
    """The importance of one parameter.

    Attributes:
        key: key of the parameter in the space.
        share: share of the variance, mean over forests.
        forests: standard deviation over the seeds of the forest.
        low, high: ends of the range over bootstraps of the trials.
    """

    key: str
    share: float
    forests: float
    low: float
    high: float


@dataclass(frozen=True)
class Importance:
    """The importances of a study's parameters for one objective.

    Attributes:
        shares: largest first; empty if `why_not` has a reason.
        trials: number of finished trials that they are computed from.
        why_not: why there are no importances; none otherwise.
        left_out: keys of parameters that only some trials have.
    """

    shares: Sequence[ParameterShare]
    trials: int
    why_not: str | None
    left_out: Sequence[str]


Importances = Mapping[tuple[str, int], Importance]
"""(row, index of the objective) -> the importances."""


def importance(study: StudyResult, place: int = 0) -> Importance:
    """Return the importances of a study for the objective at index `place`, or why there are none."""
    keys = [key for key, of in study.space.items() if of.get("when") is None]
    left_out = [key for key in study.space if key not in keys]
    trials = [(trial, values[place]) for trial, values in study.complete]
    why_not = _why_not(keys, [value for _, value in trials])
    if why_not:
        return Importance((), len(trials), why_not, left_out)
    on_all = np.array([_fanova(study, keys, trials, seed) for seed in range(FOREST_SEEDS)])
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(trials), len(trials)) for _ in range(RESAMPLES)]
    resampled = [
        _fanova(study, keys, [trials[number] for number in chosen], seed)
        for seed, chosen in enumerate(drawn)
        if len({trials[number][1] for number in chosen}) > 1
    ]
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    shares = [
        ParameterShare(key, float(of.mean()), float(of.std(ddof=1)), float(low[number]), float(high[number]))
        for number, (key, of) in enumerate(zip(keys, on_all.T, strict=True))
    ]
    ordered = sorted(shares, key=lambda share: -share.share)
    return Importance(ordered, len(trials), None, left_out)


def _why_not(keys: Sequence[str], values: Sequence[float]) -> str | None:
    needed = max(FEWEST, FEWEST_A_PARAMETER * len(keys))
    if len(keys) < 2:
        return "a single parameter explains all variance" if keys else "no parameter is in all trials"
    if len(values) < needed:
        return f"too few trials: {len(values)} finished, {len(keys)} parameters need {needed}"
    return "all finished trials have the same value" if len(set(values)) == 1 else None


def _fanova(
    study: StudyResult, keys: Sequence[str], trials: Sequence[tuple[TrialResult, float]], seed: int
) -> list[float]:
    """Return the share of each key in the variance of one forest's prediction."""
    spaces = {key: _distribution(study.space[key]) for key in keys}
    rebuilt = _empty_study()
    rebuilt.add_trials(
        optuna.trial.create_trial(
            params={key: _along(study.space[key], trial.setting[key]) for key in keys},
            distributions=spaces,
            value=value,
        )
        for trial, value in trials
    )
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=seed)
    shares = evaluator.evaluate(rebuilt)
    return [float(shares[key]) for key in keys]


def _empty_study() -> optuna.Study:
    """Return a study in memory, without Optuna's log line."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    finally:
        optuna.logging.set_verbosity(verbosity)


def _distribution(of: Mapping[str, Any]) -> BaseDistribution:
    """Return the distribution of a parameter; a logarithmic range on the scale on which it is drawn."""
    if of["type"] == "categorical":
        return CategoricalDistribution(tuple(of["choices"]))
    if of.get("log"):
        return FloatDistribution(math.log10(of["low"]), math.log10(of["high"]))
    if of["type"] == "int":
        return IntDistribution(of["low"], of["high"], step=of.get("step") or 1)
    return FloatDistribution(of["low"], of["high"], step=of.get("step"))


def _along(of: Mapping[str, Any], value: Any) -> Any:
    return math.log10(value) if of.get("log") else value


def importance_table(result: TuningResult, importances: Importances) -> Table:
    """Return one line per study and parameter; the caption names studies without importances."""
    rows = [
        fields([_study(result, *key), names[share.key], f"{value} ± {share.forests:.2f}", f"[{low}, {high}]"])
        for key, of in importances.items()
        for names in (_names(of),)
        for share in of.shares
        for value, low, high in ([decimal_text(of, 2) for of in (share.share, share.low, share.high)],)
    ]
    columns = (
        TableColumn("Study", names=True),
        TableColumn("Parameter", names=True),
        TableColumn("share"),
        TableColumn(f"{100 * LEVEL:g} %, over trials"),
    )
    reasons = [line for key, of in importances.items() for line in _reasons(_study(result, *key), of)]
    return Table("Importance", columns, tuple(rows), " ".join([*([_caption()] if rows else []), *reasons]))


def _study(result: TuningResult, row: str, place: int) -> str:
    return f"{row}, {result.objectives[place].name}" if len(result.objectives) > 1 else row


def _names(of: Importance) -> dict[str, str]:
    return names_of([*(share.key for share in of.shares), *of.left_out])


def _reasons(study: str, of: Importance) -> list[str]:
    """Return why a study has no importances, or which parameters they leave out."""
    if of.why_not:
        return [f"{study}: none, {of.why_not}."]
    names = _names(of)
    left = ", ".join(names[key] for key in of.left_out)
    return [f"{study}: without {left}, which only some trials have."] if left else []


def _caption() -> str:
    return (
        "Share of the variance explained by each parameter's main effect (fANOVA on finished trials); ± is "
        f"the standard deviation over {FOREST_SEEDS} seeds of the forest, the range is over {RESAMPLES} "
        "bootstraps of the trials. The rest up to 1 is due to interactions. Pruned trials are left out, so "
        "this is the importance among settings that were worth finishing."
    )


def draw_importance(
    result: TuningResult, importances: Mapping[tuple[str, int], Importance], svg: Path, png: Path
) -> None:
    """Draw a panel for each study and objective that has importances.

    Args:
        result: the tuning.
        importances: (row, index of the objective) -> the importances.
        svg: where to write the vector figure.
        png: where to write the bitmap.
    """
    drawn = {key: of for key, of in importances.items() if of.shares}
    wide = min(WIDE, len(drawn))
    bars = max(len(of.shares) for of in drawn.values())
    lines = -(-len(drawn) // wide)
    with figure_to(svg, png, 9.6, lines * (0.75 + 0.28 * bars) + 1.1) as figure:
        describe(figure, title_of(result, "Importance of the parameters (fANOVA)"), _legend())
        axes = figure.subplots(lines, wide, squeeze=False)
        for axis in axes.flat[len(drawn) :]:
            axis.set_axis_off()
        for axis, ((row, place), of) in zip(axes.flat, drawn.items(), strict=False):
            _draw_panel(axis, of)
            several = f", {result.objectives[place].name}" if len(result.objectives) > 1 else ""
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
    axis.set_xlabel("share of the variance (main effect)")


def _legend() -> str:
    return (
        f"Thin: {100 * LEVEL:g} % range over {RESAMPLES} bootstraps of the trials. Thick: standard deviation "
        f"over {FOREST_SEEDS} seeds of the forest. The rest up to 1 is due to interactions."
    )
