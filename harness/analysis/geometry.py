"""Where samplers draw around query and positive: the plane of TriSampler's two constraints.

x = s(q, d-) - s(q, d+): 0 where a negative is as relevant as the positive (equation 5).
y = s(d+, d-) - s(q, d-): above 0 where it is nearer to the positive than the query is (equation 6).

The paper states the region as s(q, d-) ~ s(q, d+) and s(d+, d-) >= s(q, d-), without saying how near "~" is,
and draws it with an angle of 60 degrees. `REGIONS` has readings of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from harness.analysis.draws import VISITS, at_drawn, drawn_columns, each_sampler
from harness.errors import UserError
from harness.evaluation.over_queries import Estimate, mean, quantile, share
from harness.negatives.candidates import Booleans, Candidates, Floats, Integers
from harness.negatives.laws.region import Region
from harness.negatives.laws.trisampler import apex_angle, difference_of_angles
from harness.negatives.noise import Noise
from harness.negatives.sampler import Sampler, chances, effective_number

ALL = "all candidates"

NEAR = 2.0
"""|x| at which equation 5, exp(-x^2 / 4), has fallen to 1 / e of its peak."""

REGIONS = {
    "half-plane": "y > 0, the support of equation 6",
    "near": f"y > 0 and |x| <= {NEAR:g}, where equation 5 has at least 1 / e of its peak",
    "shell": "y > 0 and |x| at most a standard deviation of the row's scores, as the law `region`",
    "apex": "an angle at q between d+ - q and d- - q of at most 60 degrees",
}
"""Readings of the triangular region."""

QUANTILES = (0.1, 0.5, 0.9)


def geometry(
    samplers: Mapping[str, Sampler], rounds: Sequence[Candidates], *, visits: int = VISITS
) -> pd.DataFrame:
    """Return statistics of where samplers draw.

    Args:
        samplers: name -> sampler.
        rounds: candidates of one or more refreshes, in order.
        visits: draws of each row.

    Returns:
        One line per sampler (and for all candidates), round, quantity and reading, with columns
        ``sampler``, ``round``, ``quantity``, ``reading``, ``value``, ``low`` and ``high``, an interval over
        queries. Quantities, of all draws of all rows: ``inside``, the share in a region of `REGIONS`;
        ``zero weight``, the share with weight 0 by equation 6, y <= 0; ``x`` and ``y``, their means;
        ``angle 10 %``, ``50 %``, ``90 %``, quantiles in degrees of equation 4's difference (``eq4``) and of
        the angle at q (``apex``); ``effective candidates``, exp(entropy) of a draw's chances, mean over
        rows, whatever the draw; for all candidates their number.

    Raises:
        UserError: candidates without s(d+, d-), or no sampler.
    """
    lines = []
    for number, candidates in enumerate(rounds):
        _refuse_unknown(candidates)
        values = _values(candidates)
        for name, columns, effective in _drawings(samplers, candidates, number, visits):
            for quantity, reading, estimate in _quantities(values, candidates, columns):
                lines.append((name, number, quantity, reading, *map(float, estimate)))
            counted = mean(effective, np.ones(len(effective)), candidates.query)
            lines.append((name, number, "effective candidates", "", *map(float, counted)))
    names = ["sampler", "round", "quantity", "reading", "value", "low", "high"]
    return pd.DataFrame(lines, columns=names)


def points(samplers: Mapping[str, Sampler], rounds: Sequence[Candidates], *, visits: int = 1) -> pd.DataFrame:
    """Return the points of all draws in the plane, and those of all candidates.

    Args:
        samplers: name -> sampler.
        rounds: candidates of one or more refreshes, in order; a sample of rows keeps the frame small.
        visits: draws of each row.

    Returns:
        One line per draw, and one per candidate under the sampler `ALL`, with columns ``sampler``,
        ``round``, ``query``, ``positive`` and ``document`` (numbers), ``x``, ``y``.

    Raises:
        UserError: candidates without s(d+, d-), or no sampler.
    """
    frames = []
    for number, candidates in enumerate(rounds):
        _refuse_unknown(candidates)
        values = _values(candidates)
        for name, columns, _ in _drawings(samplers, candidates, number, visits):
            used = _used(candidates, columns)
            row = np.broadcast_to(np.arange(len(used))[:, None], used.shape)[used]
            taken = {"document": candidates.document, "x": values["x"], "y": values["y"]}
            at = {key: at_drawn(of, columns)[used] for key, of in taken.items()}
            place = {"query": candidates.query[row], "positive": candidates.positive[row]}
            frames.append(pd.DataFrame({"sampler": name, "round": number, **place, **at}))
    frame = pd.concat(frames, ignore_index=True)
    return frame.astype({"sampler": pd.CategoricalDtype([ALL, *samplers])})


def regions(candidates: Candidates) -> dict[str, Booleans]:
    """Return which candidates are in the triangular region, [R, K], under each reading of `REGIONS`."""
    x, y = candidates.gap(), candidates.positive_similarity.astype(np.float64) - candidates.score
    still = Noise(0, 0, np.zeros(len(x), dtype=np.int64))
    shell = Region(shape="triangular").weigh(candidates, still).log_weight
    return {
        "half-plane": y > 0,
        "near": (y > 0) & (np.abs(x) <= NEAR),
        "shell": np.isfinite(shell),
        "apex": np.asarray(apex_angle(candidates) <= np.deg2rad(60)),
    }


def _values(candidates: Candidates) -> dict[str, Floats]:
    return {
        "x": candidates.gap(),
        "y": candidates.positive_similarity.astype(np.float64) - candidates.score,
        "eq4": np.rad2deg(difference_of_angles(candidates)),
        "apex": np.rad2deg(apex_angle(candidates)),
    }


def _drawings(
    samplers: Mapping[str, Sampler], candidates: Candidates, number: int, visits: int
) -> Iterator[tuple[str, Integers, Floats]]:
    """Yield name, drawn columns [visits, R, n] and effective numbers [R], of all candidates first."""
    rows, width = candidates.score.shape
    everything = np.broadcast_to(np.arange(width), (1, rows, width))
    yield ALL, everything, candidates.valid.sum(axis=1).astype(np.float64)
    noise = Noise(0, number, np.zeros(rows, dtype=np.int64))
    for name, sampler in each_sampler(samplers):
        columns = drawn_columns(sampler, candidates, visits=visits, round=number)
        weights = sampler.law.weigh(candidates, noise)
        yield name, columns, effective_number(chances(weights, sampler(candidates, noise)))


def _quantities(
    values: Mapping[str, Floats], candidates: Candidates, columns: Integers
) -> Iterator[tuple[str, str, Estimate]]:
    """Yield quantity, reading and estimate of the draws."""
    query, used = candidates.query, _used(candidates, columns)
    count = used.sum(axis=1)
    of = {name: at_drawn(value, columns) for name, value in values.items()}
    for reading, inside in regions(candidates).items():
        hits = (at_drawn(inside, columns) & used).sum(axis=1)
        yield "inside", reading, share(hits, count, query)
    yield "zero weight", "", share(((of["y"] <= 0) & used).sum(axis=1), count, query)
    for name in ("x", "y"):
        yield name, "", mean(np.where(used, of[name], 0.0).sum(axis=1), count, query)
    for at in QUANTILES:
        for reading in ("eq4", "apex"):
            yield f"angle {at:.0%}".replace("%", " %"), reading, quantile(of[reading], used, query, at)


def _used(candidates: Candidates, columns: Integers) -> Booleans:
    """Return which draws are valid candidates, [R, visits * n]; of samplers all are."""
    return at_drawn(candidates.valid, columns)


def _refuse_unknown(candidates: Candidates) -> None:
    if np.isnan(candidates.positive_similarity[candidates.valid]).any():
        raise UserError(
            "these candidates have no s(d+, d-): their scores were read from a file",
            where="geometry",
            fix="mine them with `scores: model`",
        )
