"""Gradients of negatives by rank: SimANS's pilot study (sections 3.1, 3.2), its open choices as parameters.

Its figure 1 has mean and variance over queries of the gradients at each of the first 200 ranks, by the
parameters of the last layer. The paper leaves open how a gradient becomes a number, which tower's layer is
meant, which negatives are in the softmax, and whether dropout was on. Here the first is a column, the next
two are parameters, and dropout is off. The last layer of an encoder without layers is its embeddings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from harness.errors import UserError, nearest
from harness.gradients.accumulate import Accumulated, accumulate_layers, accumulate_vectors
from harness.gradients.coefficients import PAPER, Contrast, contrasted, loss_coefficients
from harness.gradients.layer_gradients import LayerGradients
from harness.gradients.lists import RankedLists, build_lists
from harness.gradients.statistics import BY_GROUP, SQUARED, Curves, Gradients, band, curves
from harness.negatives.candidates import Floats, Integers
from harness.negatives.noise import uniform
from harness.runs.retriever import Retriever

Wrt = Literal["query", "passage", "both", "query-embedding", "passage-embedding", "score"]

LEAST_QUERIES = 2
"""Queries over which there is a variance."""

GROUPS_STAGE = 103
"""Stage of the noise that assigns queries to groups."""

POSITIVES = "mean rank of the positives"
"""The statistic without a rank of its own."""

Teacher = Callable[[Integers, Integers], Floats]


@dataclass(frozen=True)
class GradientSettings:
    """Settings of the analysis.

    Attributes:
        split: split of the queries; each has one positive, the first labelled.
        ranks: number of negatives per query, from rank 1.
        queries: number of queries drawn from the split; all by default.
        wrt: variable of the gradient: parameters of the last layer of the ``query`` tower, the ``passage``
            tower or ``both``; the ``query-embedding``; the ``passage-embedding`` of the negative; its
            ``score``.
        loss: ``simans`` (binary cross-entropy of a negative, -log(1 - s_n)), ``simans-equation-2`` (as
            printed) or a training loss.
        contrast: negatives in the softmax besides the positive and the negative itself: 15 ``sampled``,
            ``all``, or none (``alone``).
        teacher: function of numbers of queries [Q] and documents [Q, 1 + R] to a ranker's scores [Q, 1 + R].
        memory: bound in bytes, besides model, collection and its embeddings.
        groups: number of groups of queries, whose sums of gradients are resampled for bands.
        seed: seed of sampling and of the bootstrap.
    """

    split: str = "dev"
    ranks: int = 200
    queries: int | None = None
    wrt: Wrt = "both"
    loss: Any = PAPER
    contrast: Contrast = "sampled"
    teacher: Teacher | None = None
    memory: int = 2**31
    groups: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choice, known in (("wrt", self.wrt, Wrt), ("contrast", self.contrast, Contrast)):
            if choice not in get_args(known):
                raise UserError(
                    f"{name} is '{choice}'", where="gradients", fix=nearest(choice, get_args(known))
                )
        for name, number, least in (("ranks", self.ranks, 1), ("groups", self.groups, 2)):
            if number < least:
                raise UserError(f"{name} is {number}", where="gradients", fix=f"give at least {least}")


def gradients_per_rank(retriever: Retriever, **settings: Any) -> pd.DataFrame:
    """Return mean and variance of the gradients of negatives at each rank.

    Args:
        retriever: the retriever to analyse.
        **settings: attributes of :class:`GradientSettings`.

    Returns:
        The frame of :func:`frame_of`.

    Raises:
        UserError: an invalid setting, more ranks than documents, a loss without its ranker, or a bound on
            memory into which one rank does not fit.
    """
    return frame_of(measure(retriever, **settings))


def measure(retriever: Retriever, **settings: Any) -> Gradients:
    """Return the gradients for frames, findings and figures; arguments as of :func:`gradients_per_rank`."""
    checked = GradientSettings(**settings)
    lists = build_lists(retriever, checked.split, checked.ranks, checked.queries, checked.seed)
    if len(lists.query) < LEAST_QUERIES:
        what = f"{len(lists.query)} query of '{checked.split}' has no variance over queries"
        raise UserError(what, where="gradients", fix=f"ask for at least {LEAST_QUERIES}")
    groups = min(checked.groups, len(lists.query))
    group = uniform(checked.seed, 0, 0, GROUPS_STAGE, lists.query).argsort().argsort() % groups
    accumulated = _accumulate(retriever, lists, checked, group, groups)
    return Gradients(
        retriever.name, accumulated.norm, accumulated.product, group, lists.positive_rank, checked.seed
    )


def _accumulate(
    retriever: Retriever, lists: RankedLists, settings: GradientSettings, group: Integers, groups: int
) -> Accumulated:
    inside = contrasted(settings.contrast, lists.query, lists.document[:, 1:], settings.seed)
    teacher = (
        None if settings.teacher is None else settings.teacher(lists.query, lists.document).astype(np.float64)
    )
    coefficients = loss_coefficients(
        lists.score, inside, settings.loss, contrast=settings.contrast, teacher=teacher
    )
    if settings.wrt not in ("query", "passage", "both"):
        return accumulate_vectors(lists, coefficients, settings.wrt, (group, groups))
    gradients = LayerGradients(retriever, lists, coefficients, settings.wrt)
    return accumulate_layers(gradients, (group, groups), settings.memory)


def frame_of(gradients: Gradients) -> pd.DataFrame:
    """Return the curves as a frame, one line per statistic and rank.

    Returns:
        Columns: retriever; statistic; rank, from 1; value, low and high, with a band of 95 %; relative,
        relative_low and relative_high, with each curve and replicate divided by its maximum. The norm of the
        mean is the root of an unbiased square, and 0 where that is below 0; where its low end is 0, a mean
        cannot be told from none. The last line is the mean rank of the positives, without a rank of its own.
    """
    gradient_curves = curves(gradients)
    units = {name: gradients.groups if name in BY_GROUP else None for name in gradient_curves.value}
    frames = [_curve_frame(name, gradient_curves, units[name]) for name in gradient_curves.value]
    ends = band(gradient_curves.positive_rank, gradient_curves.positive_replicate["mean of norms"])
    positives = {
        "statistic": [POSITIVES],
        "value": [gradient_curves.positive_rank],
        "low": [float(ends[0])],
        "high": [float(ends[1])],
    }
    frame = pd.concat([*frames, pd.DataFrame(positives)], ignore_index=True)
    frame["rank"] = frame["rank"].astype("Int64")
    frame.insert(0, "retriever", gradients.retriever)
    return frame


def _curve_frame(name: str, gradient_curves: Curves, units: int | None) -> pd.DataFrame:
    value, replicate = gradient_curves.value[name], gradient_curves.replicate[name]
    relative, others = _relative(value), _relative(replicate)
    low, high = band(value, replicate, units=units)
    relative_low, relative_high = band(relative, others, units=units)
    columns = {
        "value": value,
        "low": low,
        "high": high,
        "relative": relative,
        "relative_low": relative_low,
        "relative_high": relative_high,
    }
    if name == SQUARED:
        columns = {key: np.sqrt(np.maximum(squares, 0)) for key, squares in columns.items()}
    return pd.DataFrame({"statistic": name, "rank": np.arange(1, len(value) + 1), **columns})


def _relative(values: Floats) -> Floats:
    """Divide curves [..., R] by their maximum; a curve of zeros is unchanged."""
    most = values.max(axis=-1, keepdims=True)
    return np.asarray(values / np.where(most > 0, most, 1.0))
