"""Optuna's samplers and pruners by name, and a sampler that proposes the same again after a crash."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from harness.storage.files import content_hash

GENERATIONS = 5
"""Generations of a genetic search within its budget; with Optuna's 50 trials a generation there is one."""

REDUCTION = 3
"""Of three trials that reach a rung one goes on, as in Hyperband (Li et al. 2018)."""


class RepeatableSampler(BaseSampler):
    """Makes its sampler anew for each trial, seeded by the trial's place among those that count.

    What it proposes is then a function of the seed, that place and the trials before, in whatever process.
    Trials that are tried again after a crash do not shift the places.

    Args:
        name: of the sampler, as a tuning writes it.
        make: makes the sampler from a seed.
        seed: of the tuning.

    Attributes:
        place: of the trial that is asked for next, from 0.
    """

    def __init__(self, name: str, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._name, self._make, self._seed = name, make, seed
        self.place = 0

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what the sampler samples jointly."""
        self._joint = self._of("")
        return self._joint.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample jointly."""
        if self._name == "cma-es":  # it adds the trial's number to its seed
            trial = copy.copy(trial)
            trial.number = self.place
        return self._joint.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter, whatever was sampled before it."""
        return self._of(param_name).sample_independent(study, trial, param_name, param_distribution)

    def _of(self, parameter: str) -> BaseSampler:
        return self._make(int(content_hash(self._seed, self.place, parameter)[:7], 16))


def make_sampler(name: str, seed: int, trials: int) -> RepeatableSampler:
    """Return a sampler.

    Args:
        name: tpe, random, grid, cma-es or nsga-ii.
        seed: of the tuning.
        trials: the budget, from which nsga-ii takes the size of its population.
    """
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
        "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
        "grid": _grid,
        "cma-es": lambda seed: optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False),
        "nsga-ii": lambda seed: optuna.samplers.NSGAIISampler(
            seed=seed, population_size=max(2, trials // GENERATIONS)
        ),
    }
    return RepeatableSampler(name, makers[name], seed)


def make_pruner(name: str, refresh: int | None, steps: int) -> BasePruner:
    """Return a pruner.

    Args:
        name: median, hyperband, successive-halving or none.
        refresh: steps between two looks at the curve; without any nothing is pruned.
        steps: of a trial.
    """
    if refresh is None or name == "none":
        return optuna.pruners.NopPruner()
    if name == "median":
        return optuna.pruners.MedianPruner()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(refresh, max(steps, refresh), REDUCTION)
    return optuna.pruners.SuccessiveHalvingPruner(refresh, REDUCTION)


def _grid(seed: int) -> BaseSampler:
    """Return a sampler that visits each setting once, those too that only exist under a condition."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.BruteForceSampler(seed=seed)
