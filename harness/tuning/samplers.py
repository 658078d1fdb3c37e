"""Optuna's samplers and pruners by name, and a sampler that repeats its proposals after a crash."""

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
"""Generations of a genetic sampler within its budget; Optuna's default of 50 trials leaves one."""

REDUCTION = 3
"""One of three trials that reach a rung continues, as in Hyperband (Li et al. 2018)."""


class RepeatableSampler(BaseSampler):
    """Creates a new sampler for each trial, seeded by the trial's place among those that count.

    Its proposals are a function of the seed, that place and the earlier trials, in any process. Trials that
    are tried again after a crash do not shift the places.

    Args:
        name: name of the sampler, as the spec writes it.
        make: creates the sampler from a seed.
        seed: the tuning's seed.

    Attributes:
        place: place of the next trial, from 0.
    """

    def __init__(self, name: str, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._name, self._make, self._seed = name, make, seed
        self.place = 0

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that the sampler samples jointly."""
        self._joint = self._of("")
        return self._joint.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample those parameters jointly."""
        if self._name == "cma-es":  # CMA-ES adds the trial's number to its seed
            trial = copy.copy(trial)
            trial.number = self.place
        return self._joint.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter, independently of those sampled before."""
        return self._of(param_name).sample_independent(study, trial, param_name, param_distribution)

    def _of(self, parameter: str) -> BaseSampler:
        return self._make(int(content_hash(self._seed, self.place, parameter)[:7], 16))


def make_sampler(name: str, seed: int, trials: int) -> RepeatableSampler:
    """Return a sampler.

    Args:
        name: ``tpe``, ``random``, ``grid``, ``cma-es`` or ``nsga-ii``.
        seed: the tuning's seed.
        trials: budget of a study; it determines the population size of ``nsga-ii``.
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
        name: ``median``, ``hyperband``, ``successive-halving`` or ``none``.
        refresh: training steps between two points of the curve; none disables pruning.
        steps: training steps of a trial.
    """
    if refresh is None or name == "none":
        return optuna.pruners.NopPruner()
    if name == "median":
        return optuna.pruners.MedianPruner()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(refresh, max(steps, refresh), REDUCTION)
    return optuna.pruners.SuccessiveHalvingPruner(refresh, REDUCTION)


def _grid(seed: int) -> BaseSampler:
    """Return a sampler that visits each setting once, conditional parameters included."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.BruteForceSampler(seed=seed)
