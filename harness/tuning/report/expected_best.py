"""The best value to expect of a search with fewer trials, and how well it is known.

Dodge et al., "Show Your Work: Improved Reporting of Experimental Results" (EMNLP 2019), report the expected
maximum of n trials in place of the best of all, which grows with the budget. They take the n with
replacement, which is biased below for n near N; here it is the exact mean over all subsets of n of the N:

    E[best of n] = sum over i of v_i C(i - 1, n - 1) / C(N, n),  v_1 <= ... <= v_N

It is what n trials of a random search are expected to reach, as those are drawn alike and independently.
"""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt

from harness.tuning.report.result import Found, Study

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95


def is_exact(found: Found) -> bool:
    """Whether trials were drawn alike and independently, so that the expectation is that of the search."""
    return found.sampler == "random"


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


def counted(found: Found, study: Study) -> FloatArray:
    """Return what each drawn trial counts as on the first objective, so that more is better.

    A pruned trial counts with the value when it was pruned, but never more than the best finished one, since
    it cannot be chosen. A failed one that was tried again is left out, any other counts as the worst value.
    The papers' settings were not drawn and are left out.
    """
    drawn = [trial for trial in study.trials if not trial.first]
    finished = [found.gain(trial.values[0]) for trial in drawn if trial.values]
    if not finished:
        return np.empty(0)
    pruned = [trial.watched for trial in drawn if trial.state == "pruned" and trial.watched is not None]
    ended = [*finished, *(min(found.gain(value), max(finished)) for value in pruned)]
    lost = [trial for trial in drawn if trial.state == "failed" and not study.tried_again(trial)]
    return np.array([*ended, *([min(ended)] * len(lost))])


def _weights(count: int) -> FloatArray:
    """Return [n, i]: the chance that the i-th smallest of N values is the greatest of n of them."""
    return np.array(
        [[comb(i, n - 1) / comb(count, n) for i in range(count)] for n in range(1, count + 1)]
    ).reshape(count, count)
