"""How much of what differs between trials each parameter explains: fANOVA, with its uncertainty.

Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance" (ICML 2014), by
Optuna: a random forest is fitted to the finished trials, and the variance of its prediction over the space is
divided among the parameters. Shares are of each parameter alone, and are not scaled to add up to 1: what they
leave is of several parameters together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from harness.tuning.report.result import Study, Trial

FOREST_SEEDS = 10
RESAMPLES = 40
TREES = 16
LEVEL = 0.9
FEWEST, FEWEST_A_PARAMETER = 10, 4
"""Finished trials below which a forest says nothing that another sample of trials would not deny."""


@dataclass(frozen=True)
class Share:
    """The importance of one parameter.

    Attributes:
        key: of the parameter.
        share: of the variance, a mean over forests.
        forests: standard deviation over the seeds of the forest.
        low, high: range over trials drawn again with replacement.
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
        shares: the greatest first; empty where there is a reason.
        trials: finished ones that they were computed from.
        why_not: the reason, in words.
        left_out: parameters that only some trials have.
    """

    shares: Sequence[Share]
    trials: int
    why_not: str | None
    left_out: Sequence[str]


def importance(study: Study, place: int = 0) -> Importance:
    """Return the importances for an objective, or why there are none.

    Args:
        study: one of its studies.
        place: of the objective.
    """
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
        Share(key, float(of.mean()), float(of.std(ddof=1)), float(low[number]), float(high[number]))
        for number, (key, of) in enumerate(zip(keys, on_all.T, strict=True))
    ]
    ordered = sorted(shares, key=lambda share: -share.share)
    return Importance(ordered, len(trials), None, left_out)


def _why_not(keys: Sequence[str], values: Sequence[float]) -> str | None:
    needed = max(FEWEST, FEWEST_A_PARAMETER * len(keys))
    if len(keys) < 2:
        return (
            "a parameter alone explains all there is to explain" if keys else "no parameter is always there"
        )
    if len(values) < needed:
        return f"too few trials: {len(values)} finished, {needed} are needed for {len(keys)} parameters"
    return "all finished trials have the same value" if len(set(values)) == 1 else None


def _fanova(
    study: Study, keys: Sequence[str], trials: Sequence[tuple[Trial, float]], seed: int
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
    """Return a study in memory, without the line that Optuna logs of each."""
    told = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    finally:
        optuna.logging.set_verbosity(told)


def _distribution(of: Mapping[str, Any]) -> BaseDistribution:
    """Return where a parameter was searched; a logarithmic one by its logarithm, as it was drawn."""
    if of["type"] == "categorical":
        return CategoricalDistribution(tuple(of["choices"]))
    if of.get("log"):
        return FloatDistribution(math.log10(of["low"]), math.log10(of["high"]))
    if of["type"] == "int":
        return IntDistribution(of["low"], of["high"], step=of.get("step") or 1)
    return FloatDistribution(of["low"], of["high"], step=of.get("step"))


def _along(of: Mapping[str, Any], value: Any) -> Any:
    return math.log10(value) if of.get("log") else value
