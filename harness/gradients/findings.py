"""SimANS's four findings (section 3.2) as criteria with intervals.

The criteria were fixed before any curve of ours was inspected. Each is a set of ratios with bounds below
which the paper is right. The intervals of a criterion's ratios hold simultaneously at 95 % (Bonferroni). A
finding holds if all intervals are below their bounds, does not hold if one is above, and else is undecided
("cannot be told"), as where a mean that is compared cannot itself be told from none. The fourth finding has
two parts with a line each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.errors import UserError
from harness.gradients.statistics import BY_GROUP, BY_QUERY, LEVEL, SQUARED, Gradients, band, curves
from harness.negatives.candidates import Floats

READINGS = {"norms": BY_QUERY, "vectors": BY_GROUP}
"""Readings of mean and variance: those of norms; or norm of the mean and trace of the covariance."""

HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be told"

STRETCHES = (0.0, 0.05, 0.25, 0.5, 1.0)
"""Ends of stretches: of 200 ranks 1-10, 11-50, 51-100, 101-200. Stretches are averaged, since neighbouring
ranks differ by chance; the first are shorter, since the paper's curves fall fast at first."""

TENTHS = tuple(float(end) for end in np.linspace(0, 1, 11))
"""Ends of tenths, averaged so that no single rank decides the least and the greatest mean."""

TOP = 10
"""Ranks with high variance according to the paper."""

MAGNITUDE = 10.0
"""An order of magnitude."""

ABOUT = 2.0
"""Two ranks are about the same if neither is twice the other; the paper has a plot and no number."""

NEAR = 1.25
"""Factor within which a rank is near another: from four fifths of it to a quarter more."""

LOW = 0.5
"""A variance is low at or below half of that of the top ranks."""

LEAST = 20
"""Minimum of ranks for a comparison with the top ranks."""


@dataclass(frozen=True)
class Sample:
    """Curves that criteria read: of the queries, then of resamples, B in all.

    Attributes:
        mean: [B, R] curves of the mean.
        variance: [B, R] curves of the variance.
        positive: [B] mean rank of the positives.
        squared: whether curves of the mean hold squares, which are averaged over ranks before their root is
            taken.
        units: number of resampled groups; None of queries.
    """

    mean: Floats
    variance: Floats
    positive: Floats
    squared: bool
    units: int | None


@dataclass(frozen=True)
class Ratio:
    """A ratio with a bound.

    Attributes:
        name: numerator and denominator in words.
        above: [B] numerator of the queries, then of resamples.
        below: [B] denominator.
        bound: bound below which the paper is right.
        root: whether both are squares of what is compared.
    """

    name: str
    above: Floats
    below: Floats
    bound: float
    root: bool = False

    def logs(self) -> Floats:
        """Return the logarithm of the ratio, [B]."""
        tiny = np.finfo(float).tiny
        logs = np.log(np.maximum(self.above, tiny)) - np.log(np.maximum(self.below, tiny))
        return np.asarray(logs / 2 if self.root else logs)

    def noise(self, level: float, units: int | None) -> bool:
        """Return whether one of the two squares cannot be told from 0."""
        parts = (self.above, self.below) if self.root else ()
        return any(float(band(part[0], part[1:], level, units)[0]) <= 0 for part in parts)


def decreasing(sample: Sample) -> Iterator[Ratio]:
    """Each stretch of ranks has a smaller mean, and a smaller variance, than the one before."""
    ends = _ends(sample, STRETCHES)
    for name, curve, root in (("mean", sample.mean, sample.squared), ("variance", sample.variance, False)):
        for begin, middle, end in zip(ends, ends[1:], ends[2:], strict=False):
            text = f"{name}, ranks {middle + 1}-{end} / {begin + 1}-{middle}"
            yield Ratio(text, _over(curve, middle, end), _over(curve, begin, middle), 1.0, root)


def same_magnitude(sample: Sample) -> Iterator[Ratio]:
    """The greatest mean of a tenth of the ranks is less than ten times the least."""
    ends = _ends(sample, TENTHS)
    tenths = np.stack([_over(sample.mean, *pair) for pair in itertools.pairwise(ends)])
    text = "mean, greatest tenth / least tenth"
    yield Ratio(text, tenths.max(axis=0), tenths.min(axis=0), MAGNITUDE, sample.squared)


def top_variance(sample: Sample) -> Iterator[Ratio]:
    """The variance beyond the top 10 is smaller than theirs, on average over ranks."""
    ranks = sample.variance.shape[1]
    rest, top = _over(sample.variance, TOP, ranks), _over(sample.variance, 0, TOP)
    yield Ratio(f"variance, ranks {TOP + 1}-{ranks} / 1-{TOP}", rest, top, 1.0)


def at_boundary(sample: Sample) -> Iterator[Ratio]:
    """The positives' mean rank is about the rank after which the variance is low.

    That rank is where a step, high before and low after it, is nearest to the curve by least squares.
    """
    boundary = _boundary(sample.variance)
    yield Ratio("mean rank of the positives / boundary", sample.positive, boundary, ABOUT)
    yield Ratio("boundary / mean rank of the positives", boundary, sample.positive, ABOUT)


def informative_there(sample: Sample) -> Iterator[Ratio]:
    """Near the positives' mean rank, means are larger than at a rank drawn uniformly, variances are low."""
    ranks = np.arange(1, sample.mean.shape[1] + 1)
    centre = np.minimum(sample.positive, len(ranks))[:, None]
    near = (ranks >= np.floor(centre / NEAR)) & (ranks <= np.ceil(centre * NEAR))
    mean, variance = (
        (curve * near).sum(axis=1) / near.sum(axis=1) for curve in (sample.mean, sample.variance)
    )
    text = "mean, all ranks / near the positives' rank"
    yield Ratio(text, sample.mean.mean(axis=1), mean, 1.0, sample.squared)
    top = _over(sample.variance, 0, TOP)
    yield Ratio(f"variance, near the positives' rank / ranks 1-{TOP}", variance, top, LOW)


CRITERIA: dict[str, Callable[[Sample], Iterator[Ratio]]] = {
    "1. Both curves decrease with rank": decreasing,
    "2. The means stay within an order of magnitude": same_magnitude,
    "3. The variance of the top 10 is larger than the rest": top_variance,
    "4a. The positives' mean rank is the boundary of the high variance": at_boundary,
    "4b. Near it the mean is large and the variance low": informative_there,
}


def findings(gradients: Gradients) -> pd.DataFrame:
    """Return which of SimANS's findings hold, under both readings of mean and variance.

    Args:
        gradients: result of :func:`~harness.gradients.per_rank.measure`.

    Returns:
        One line per finding and reading. Columns: retriever; reading, ``norms`` or ``vectors``; finding;
        criterion; compared, the ratio nearest to its bound or furthest beyond, or one of a mean that cannot
        be told from none; value, low, high, that ratio and its interval, NaN of such a mean; bound; answer.

    Raises:
        UserError: fewer than 20 ranks.
    """
    ranks = gradients.norm.shape[1]
    if ranks < LEAST:
        raise UserError(f"findings are about {LEAST} ranks or more, got {ranks}", where="gradients")
    lines = [
        {
            "retriever": gradients.retriever,
            "reading": reading,
            "finding": finding,
            **_judged(criterion, sample),
        }
        for reading, sample in _samples(gradients)
        for finding, criterion in CRITERIA.items()
    ]
    return pd.DataFrame(lines)


def _samples(gradients: Gradients) -> Iterator[tuple[str, Sample]]:
    """Yield each reading with its curves, of the queries and then of replicates."""
    gradient_curves = curves(gradients)
    for reading, (mean, variance) in READINGS.items():
        positive = np.append(gradient_curves.positive_rank, gradient_curves.positive_replicate[mean])
        stacked = [
            np.vstack([gradient_curves.value[name], gradient_curves.replicate[name]])
            for name in (mean, variance)
        ]
        units = gradients.groups if mean in BY_GROUP else None
        yield reading, Sample(stacked[0], stacked[1], positive, mean == SQUARED, units)


def _judged(criterion: Callable[[Sample], Iterator[Ratio]], sample: Sample) -> dict[str, object]:
    """Return the answer and the ratio that decides it."""
    ratios = list(criterion(sample))
    level = 1 - (1 - LEVEL) / len(ratios)
    about = " ".join((criterion.__doc__ or "").split("\n")[0].split())
    noise = next((ratio for ratio in ratios if ratio.noise(level, sample.units)), None)
    if noise is not None:
        unknown = dict.fromkeys(("value", "low", "high"), np.nan)
        return {
            "criterion": about, "compared": noise.name, **unknown, "bound": noise.bound, "answer": OPEN
        }  # fmt: skip
    lines = [_line(ratio, level, sample.units) for ratio in ratios]
    worst = max(lines, key=lambda line: line["low"] / line["bound"])
    answer = FAILS
    if worst["low"] <= worst["bound"]:
        worst = max(lines, key=lambda line: line["high"] / line["bound"])
        answer = HOLDS if worst["high"] < worst["bound"] else OPEN
    if criterion is informative_there and sample.positive[0] > sample.mean.shape[1]:
        answer = OPEN  # no measured rank is near it
    compared = ratios[lines.index(worst)].name
    return {"criterion": about, "compared": compared, **worst, "answer": answer}


def _line(ratio: Ratio, level: float, units: int | None) -> dict[str, float]:
    logs = ratio.logs()
    low, high = band(logs[0], logs[1:], level, units)
    ends = {"low": float(np.exp(low)), "high": float(np.exp(high))}
    return {"value": float(np.exp(logs[0])), **ends, "bound": ratio.bound}


def _ends(sample: Sample, shares: tuple[float, ...]) -> list[int]:
    return [round(share * sample.mean.shape[1]) for share in shares]


def _over(curve: Floats, begin: int, end: int) -> Floats:
    """Return the mean of curves [B, R] over ranks, [B]."""
    return np.asarray(curve[:, begin:end].mean(axis=1))


def _boundary(variance: Floats) -> Floats:
    """Return the last rank of the high part of curves [B, R], [B]."""
    ranks = variance.shape[1]
    count = np.arange(1, ranks)
    before = variance.cumsum(axis=1)[:, :-1]
    after = variance.sum(axis=1, keepdims=True) - before
    drop = np.maximum(before / count - after / (ranks - count), 0)
    return np.asarray((count * (ranks - count) * drop**2).argmax(axis=1) + 1.0)
