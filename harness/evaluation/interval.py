"""A mean with its confidence interval, from one or several components of its variance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from scipy import optimize, special, stats

SMALLEST = 1e-300
"""Smallest tail probability that is distinguished from 0."""


@dataclass(frozen=True)
class VarianceComponent:
    """A component of the variance of a mean.

    Attributes:
        variance: estimated variance, in squared units of the mean.
        df: degrees of freedom of the estimate.
    """

    variance: float
    df: float


@dataclass(frozen=True)
class Interval:
    """A mean with Student's t interval, or Banerjee's where the variance has several components.

    The squared half-width is the sum over components of t_i^2 v_i, with t_i the quantile of Student's
    distribution for the component's own degrees of freedom (Banerjee, Sankhya 1960). For independent
    components of any size the coverage is at least the level: conditional on the v_i it is
    G(sum t_i^2 v_i / V), with V the true variance and G the distribution function of a squared normal, which
    is concave; so the coverage is at least the mean, weighted by the true components, of the coverage of each
    component's own t interval, which is the level. With one component it is Student's interval.

    Attributes:
        mean: estimate of the mean.
        parts: components of the variance of the mean.
        level: confidence, for example 0.95.
        least: components of another interval of the mean; this one is never narrower.
    """

    mean: float
    parts: tuple[VarianceComponent, ...]
    level: float
    least: tuple[VarianceComponent, ...] = ()

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return _reach(self._widest, (1 - self.level) / 2)

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    @property
    def standard_error(self) -> float:
        """Square root of the estimated variance of the mean."""
        return math.sqrt(sum(part.variance for part in self._widest))

    @property
    def df(self) -> float:
        """Degrees of freedom of the variance, by Satterthwaite (Biometrics Bulletin 1946)."""
        parts = [part for part in self._widest if part.variance > 0] or self._widest
        if len(parts) == 1 or self.standard_error == 0:
            return min(part.df for part in parts)
        return self.standard_error**4 / sum(part.variance**2 / part.df for part in parts)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of a mean of 0: the smallest 1 - level at which the interval excludes 0."""
        groups = (self.parts, self.least) if self.least else (self.parts,)
        return max(2 * _tail(group, abs(self.mean)) for group in groups)

    @property
    def _widest(self) -> tuple[VarianceComponent, ...]:
        tail = (1 - self.level) / 2
        return max(self.parts, self.least, key=lambda parts: _reach(parts, tail))


def smallest_detectable_difference(interval: Interval, power: float = 0.8, comparisons: int = 1) -> float:
    """Return the true difference that a two-sided test at the interval's level detects with a power.

    Solves P(T > c) = power for a noncentral t of `interval.df` degrees of freedom, where c is the half-width
    in standard errors; the probability of a significant difference of the wrong sign is neglected (Cohen
    1988, chapter 2).

    Args:
        interval: interval of the difference, for the checkpoints or for the method.
        power: probability of detecting the difference, in (0, 1).
        comparisons: number of rows in Holm's correction; its first step requires a p-value below
            (1 - level) / comparisons, and the power is that of this step.

    Returns:
        The difference, in units of the mean; 0 where the variance is 0.
    """
    adjusted = replace(interval, level=1 - (1 - interval.level) / comparisons)
    if adjusted.standard_error == 0:
        return 0.0
    critical = adjusted.half_width / adjusted.standard_error

    def lacking(shift: float) -> float:
        return float(stats.nct.sf(critical, adjusted.df, shift)) - power

    high = critical + 1
    while lacking(high) < 0:
        high *= 2
    return float(optimize.brentq(lacking, 0.0, high)) * adjusted.standard_error


def power_to_see(interval: Interval, difference: float) -> float:
    """Return the probability that a test at the interval's level finds a true difference, with its sign.

    The standard error is the estimated one, as in `smallest_detectable_difference`: 0.8 at what it returns.

    Args:
        interval: interval of the difference, for the checkpoints or for the method.
        difference: the true difference, of either sign, in units of the mean.
    """
    if interval.standard_error == 0:
        return float(difference != 0)
    critical, shift = (of / interval.standard_error for of in (interval.half_width, abs(difference)))
    return float(stats.nct.sf(critical, interval.df, shift))


def detectable_range(interval: Interval) -> tuple[float, float]:
    """Return the interval of the smallest detectable difference, at the interval's level.

    It is a multiple of the standard error, whose square has the distribution of a chi-square over its degrees
    of freedom, by Satterthwaite; with few seeds it may be wrong by a factor of several.
    """
    smallest, tail, df = smallest_detectable_difference(interval), (1 - interval.level) / 2, interval.df
    low, high = (smallest * math.sqrt(df / stats.chi2.ppf(at, df)) for at in (1 - tail, tail))
    return low, high


def _reach(parts: Iterable[VarianceComponent], tail: float) -> float:
    """Half-width of the interval with a probability of `tail` outside at either side."""
    return math.sqrt(sum(float(special.stdtrit(part.df, tail)) ** 2 * part.variance for part in parts))


def _tail(parts: Iterable[VarianceComponent], distance: float) -> float:
    """Tail at which the half-width is `distance`; with zero variance 1/2 for a distance of 0, else 0."""
    varying = [part for part in parts if part.variance > 0]
    if not varying:
        return 0.5 if distance == 0 else 0.0
    errors = distance / math.sqrt(sum(part.variance for part in varying))
    tails = sorted(float(special.stdtr(part.df, -errors)) for part in varying)
    low, high = max(tails[0], SMALLEST), tails[-1]  # between those that the parts would have alone

    def lacking(log_tail: float) -> float:
        return _reach(varying, math.exp(log_tail)) - distance

    if high <= low or lacking(math.log(low)) <= 0:
        return tails[0]
    if lacking(math.log(high)) >= 0:
        return high
    return math.exp(optimize.brentq(lacking, math.log(low), math.log(high), xtol=1e-13))
