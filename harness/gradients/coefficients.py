"""The gradient of a negative's loss as coefficients of the gradients of scores.

A query has a positive, number 0, and R negatives. Whatever the loss, the gradient of negative r is

    g_r = own_r grad s_r + scale_r sum over j of w_j grad s_j

so the gradients of 1 + R scores and one or two weighted sums of them determine those of all R losses.

SimANS uses the loss -log(1 - p_r), where p is the softmax over "a positive and sampled negatives" (footnote
2). Call those C, and odds_r = p_r / (1 - p_r). The derivatives are odds_r (1[j = r] - p_j), so w is p and own
= odds = -scale if r is in C. If r joins C only for its own loss, w is the softmax over C and own = p_r =
-scale, which is the same sum. The second form also applies to the one negative of C that may have more than
half of the weight, whose odds are unbounded: w is then the softmax over C without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy import special

from harness.errors import UserError, nearest
from harness.negatives.candidates import Booleans, Floats, Integers
from harness.negatives.noise import uniform
from harness.training.losses.loss import Loss
from harness.training.losses.registry import LOSSES, make_loss
from harness.training.losses.scores import Scores

Contrast = Literal["sampled", "all", "alone"]

SAMPLED = 15
"""Sampled negatives in the denominator: SimANS trains with 15 to a positive (appendix D)."""

CONTRAST_STAGE = 101
"""Stage of the noise that samples them; draws and batches use lower numbers."""

PAPER, PRINTED = "simans", "simans-equation-2"
"""SimANS's loss; and its equation 2 as printed, s_n times the gradient of s_n, that of s_n^2 / 2."""


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of the gradients of scores, for Q queries.

    Attributes:
        own: [Q, R] factor of the negative's own score.
        scale: [Q, R] factor of a weighted sum.
        which: [Q, R] index of the weighted sum, 0 or 1.
        weight: [Q, 2, 1 + R] weights of both sums, the positive's first.
    """

    own: Floats
    scale: Floats
    which: Integers
    weight: Floats

    def of_score(self) -> Floats:
        """Return the derivative of each negative's loss by its own score, [Q, R]."""
        mine = np.take_along_axis(self.weight[:, :, 1:], self.which[:, None, :], axis=1)[:, 0]
        return np.asarray(self.own + self.scale * mine)


def contrasted(contrast: Contrast, query: Integers, document: Integers, seed: int) -> Booleans:
    """Return which negatives are in the denominator of every negative's loss, [Q, R].

    Args:
        contrast: ``sampled``: 15 of the R, drawn uniformly for each query, besides the positive and the
            negative itself; ``all``: all R; ``alone``: only the positive and the negative itself.
        query: [Q] numbers of the queries.
        document: [Q, R] numbers of the negatives.
        seed: seed of the draw.
    """
    if contrast != "sampled":
        return np.full(document.shape, contrast == "all")
    noise = uniform(seed, 0, 0, CONTRAST_STAGE, 0, query[:, None], document)
    return np.asarray(noise.argsort(axis=1).argsort(axis=1) < SAMPLED)


def loss_coefficients(
    scores: Floats,
    inside: Booleans,
    loss: Any = PAPER,
    *,
    contrast: Contrast = "sampled",
    teacher: Floats | None = None,
) -> Coefficients:
    """Return the gradients of all negatives' losses as coefficients of the gradients of scores.

    A loss of the registry has one value for a list. A negative's gradient is then the part of the gradient
    through its own score; with ``alone`` it is the whole gradient of the list of positive and negative.

    Args:
        scores: [Q, 1 + R] float64, the positive's first.
        inside: [Q, R] result of :func:`contrasted`.
        loss: ``simans``, ``simans-equation-2``, or a training loss as a spec writes it.
        contrast: contrast that `inside` was made for.
        teacher: [Q, 1 + R] a ranker's scores, for losses that need them.

    Raises:
        UserError: no such loss, or it needs a ranker's scores and there are none.
    """
    if loss in (PAPER, PRINTED):
        return _of_paper(scores, inside, printed=loss == PRINTED)
    training_loss = _training_loss(loss)
    if training_loss.needs_teacher and teacher is None:
        raise UserError(
            f"loss '{training_loss.name}' reads a ranker's scores", fix="give `teacher`, or another loss"
        )
    read = np.zeros_like(scores) if teacher is None else teacher
    return _of_training_loss(scores, inside, training_loss, contrast, read)


def _of_paper(scores: Floats, inside: Booleans, *, printed: bool) -> Coefficients:
    in_softmax = np.concatenate([np.ones((len(scores), 1), dtype=bool), inside], axis=1)
    inner = np.where(in_softmax, scores, -np.inf)
    heavy = special.softmax(inner, axis=1) > 0.5
    heavy[:, 0] = False
    outer = np.where(heavy, -np.inf, inner)
    which, among = heavy[:, 1:], inside & ~heavy[:, 1:]
    others = [special.logsumexp(some, axis=1, keepdims=True) for some in (inner, outer)]
    gap = scores[:, 1:] - np.where(which, others[1], others[0])
    p = np.where(among, np.exp(np.minimum(gap, 0.0)), special.expit(gap))
    rest = np.where(among, 1 - p, special.expit(-gap))
    own = np.where(among, p / np.where(among, rest, 1.0), p)
    own = own * p * rest if printed else own
    weight = np.stack([special.softmax(some, axis=1) for some in (inner, outer)], axis=1)
    return Coefficients(own, -own, which.astype(np.int64), weight)


def _training_loss(loss: Any) -> Loss:
    if isinstance(loss, str) and loss not in LOSSES:
        raise UserError(f"unknown loss '{loss}'", fix=nearest(loss, [PAPER, PRINTED, *LOSSES]))
    return make_loss(loss)


def _of_training_loss(
    scores: Floats, inside: Booleans, loss: Loss, contrast: Contrast, teacher: Floats
) -> Coefficients:
    queries, ranks = inside.shape
    own, scale = np.empty((queries, ranks)), np.zeros((queries, ranks))
    weight = np.zeros((queries, 2, 1 + ranks))
    weight[:, :, 0] = contrast == "alone"
    slope, at = _slope(loss), np.arange(ranks)
    for query in range(queries):
        slopes = slope(_lists(inside[query], scores[query]), torch.from_numpy(teacher[query])).numpy()
        own[query] = slopes[at if len(slopes) == ranks else 0, 1 + at]
        if contrast == "alone":
            scale[query] = slopes[:, 0]
    return Coefficients(own, scale, np.zeros((queries, ranks), dtype=np.int64), weight)


def _lists(inside: Booleans, scores: Floats) -> torch.Tensor:
    """Return the list of each negative, [R, 1 + R], or the common one, [1, 1 + R]; -inf for absent scores."""
    in_list = np.concatenate([[True], inside])[None]
    if not inside.all():
        in_list = in_list | np.eye(len(scores), dtype=bool)[1:]
    return torch.from_numpy(np.where(in_list, scores, -np.inf))


def _slope(loss: Loss) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return a function for the derivatives of a loss by the scores of each list of a query."""
    target = torch.zeros(1, dtype=torch.int64)

    def of_list(scores: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        return loss(Scores(scores[None], target, teacher[None]))

    return torch.func.vmap(torch.func.grad(of_list), in_dims=(0, None))
