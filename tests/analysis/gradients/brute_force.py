"""Gradients of negatives by autograd, one negative at a time and one passage at a time; shares no code."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.training.losses.registry import make_loss
from harness.training.losses.scores import Scores

SIDES = ("query", "passage", "both")


def last_parameters(tower) -> list[Tensor]:
    layers = tower.transformer.config.num_hidden_layers
    start = f"transformer.encoder.layer.{layers - 1}." if layers else "transformer.embeddings."
    return [p for name, p in tower.named_parameters() if name.startswith((start, "projection."))]


def parameters(encoder, wrt: str) -> list[Tensor]:
    """Those that a gradient is taken by, query tower before passage tower."""
    if encoder.shared:
        return last_parameters(encoder.query)
    towers = {
        "query": [encoder.query],
        "passage": [encoder.passage],
        "both": [encoder.query, encoder.passage],
    }
    return [parameter for tower in towers[wrt] for parameter in last_parameters(tower)]


def embedded(tower, sequences, number: int) -> Tensor:
    ids, mask = sequences.padded(np.array([number]), 0)
    return tower(torch.from_numpy(ids), torch.from_numpy(mask))[0]


def negative_loss(
    scores: Tensor, inside, negative: int, loss, contrast: str, teacher: Tensor | None
) -> Tensor:
    """The loss of one negative, numbered from 1, of scores [1 + R]."""
    members = [0, *(np.flatnonzero(inside) + 1)]
    members += [] if negative in members else [negative]
    at = members.index(negative)
    if loss in ("simans", "simans-equation-2"):
        s_n = scores[members].softmax(dim=0)[at]
        return -torch.log(1 - s_n) if loss == "simans" else s_n**2 / 2
    listed = scores[members]
    if contrast != "alone":
        mine = torch.arange(len(members)) == at
        listed = torch.where(mine, listed, listed.detach())
    teacher_scores = None if teacher is None else teacher[members][None]
    return make_loss(loss)(Scores(listed[None], torch.tensor([0]), teacher_scores))


def brute_force(retriever, lists, inside, wrt: str, loss, contrast: str, teacher=None) -> np.ndarray:
    """Gradients of all negatives, [Q, R, P]."""
    teacher_scores = [None] * len(inside) if teacher is None else torch.from_numpy(teacher)
    retriever.encoder.eval().requires_grad_(True)
    return np.stack(
        [
            np.stack(
                _of_query(
                    retriever,
                    lists,
                    row,
                    wrt,
                    lambda scores, negative, at=row: negative_loss(
                        scores, inside[at], negative, loss, contrast, teacher_scores[at]
                    ),
                )
            )
            for row in range(len(lists.query))
        ]
    )


def _of_query(retriever, lists, row: int, wrt: str, loss) -> list[np.ndarray]:
    encoder, tokens = retriever.encoder, retriever.tokens
    q = embedded(encoder.query, tokens.queries[lists.split], lists.query[row])
    p = torch.stack([embedded(encoder.passage, tokens.documents, d) for d in lists.document[row]])
    if wrt in ("query", "query-embedding"):
        p = p.detach()
    elif wrt in ("passage", "passage-embedding"):
        q = q.detach()
    scores = p @ q
    slopes = []
    for negative in range(1, len(scores)):
        value = loss(scores, negative)
        if wrt in SIDES:
            slopes.append(_slope(value, parameters(encoder, wrt), None))
        else:
            by = {"query-embedding": q, "passage-embedding": p, "score": scores}[wrt]
            slopes.append(_slope(value, [by], None if wrt == "query-embedding" else negative))
    return slopes


def _slope(value: Tensor, by: list[Tensor], own: int | None) -> np.ndarray:
    slopes = torch.autograd.grad(value, by, retain_graph=True, allow_unused=True)
    slopes = [torch.zeros_like(b) if s is None else s for s, b in zip(slopes, by, strict=True)]
    return torch.cat([(s if own is None else s[own]).flatten() for s in slopes]).numpy()
