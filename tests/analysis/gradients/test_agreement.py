"""Gradients, lengths and sums are those of autograd, one negative at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.gradients.coefficients import contrasted, loss_coefficients
from harness.gradients.last_layer import only_last_layers
from harness.gradients.layer_gradients import LayerGradients
from harness.gradients.per_rank import measure
from harness.gradients.vector_cache import VectorCache
from tests.cases import few

from .brute_force import SIDES, brute_force
from .conftest import ENCODERS, RANKS

LOSSES = [
    "simans",
    "simans-equation-2",
    "softmax-cross-entropy",
    {"name": "softmax-cross-entropy", "temperature": 0.3},
    "bce",
    {"name": "bce", "chance": "softmax"},
    "hinge",
    "triplet",
    {"name": "triplet", "over": "violating"},
    "pairwise-logistic",
    {"name": "pairwise-logistic", "weight": "reciprocal-rank"},
    {"name": "debiased-contrastive", "floor": "positive"},
    "distillation",
    "adversarial-paper",
    "adversarial-released",
    {"name": "sum", "parts": ["bce", "distillation"], "weights": [0.5, 2.0]},
]
EXACT = {"rtol": 1e-8, "atol": 1e-10}


def stacked(gradients: LayerGradients, ranks: int, places: int) -> np.ndarray:
    """All gradients of the first query's negatives, [R, P]."""
    table = {
        f"{tower}.{name}": parameter.new_zeros(ranks, *parameter.shape)
        for tower, layer in gradients.layers.items()
        for name, parameter in layer.parameters.items()
    }
    with only_last_layers(gradients.encoder, list(gradients.layers.values())):
        for at, name, gradient in gradients.of(0, np.arange(ranks), places, VectorCache(0)):
            columns = slice(None) if gradient.rows is None else gradient.rows
            table[name][at[:, None], columns] = (
                gradient.values if gradient.rows is not None else gradient.values[:, None]
            )
    return torch.cat([values.flatten(1) for values in table.values()], dim=1).numpy()


@pytest.mark.parametrize("wrt", few(SIDES, SIDES[0]))
@pytest.mark.parametrize("name", ENCODERS)
def test_gradients_one_by_one(double, lists_of, name: str, wrt: str) -> None:
    retriever = double(name)
    lists = lists_of(retriever, 1)
    inside = contrasted("sampled", lists.query, lists.document[:, 1:], 0)
    coefficients = loss_coefficients(lists.score, inside)
    computed = stacked(LayerGradients(retriever, lists, coefficients, wrt), RANKS, places=90)
    expected = brute_force(retriever, lists, inside, wrt, "simans", "sampled")[0]
    np.testing.assert_allclose(computed, expected, **EXACT)
    assert np.abs(expected).max() > 1e-3


def teacher(query, document):
    """A ranker's scores: anything that differs."""
    return np.sin(query[:, None] * 7.0 + document)


@pytest.mark.parametrize("contrast", few(["sampled", "all", "alone"], "sampled"))
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_every_loss_and_contrast(double, lists_of, loss, contrast: str) -> None:
    retriever = double("two layers, shared, mean")
    lists = lists_of(retriever, 2)
    inside = contrasted(contrast, lists.query, lists.document[:, 1:], 3)
    teacher_scores = teacher(lists.query, lists.document)
    coefficients = loss_coefficients(lists.score, inside, loss, contrast=contrast, teacher=teacher_scores)
    computed = stacked(LayerGradients(retriever, lists, coefficients, "both"), RANKS, places=4096)
    expected = brute_force(retriever, lists, inside, "both", loss, contrast, teacher_scores)
    np.testing.assert_allclose(computed, expected[0], **EXACT)
    settings = {
        "ranks": RANKS,
        "queries": 2,
        "seed": 3,
        "loss": loss,
        "contrast": contrast,
        "teacher": teacher,
    }
    norm = measure(retriever, **settings).norm
    np.testing.assert_allclose(norm, np.linalg.norm(expected, axis=2), **EXACT)


@pytest.mark.parametrize("loss", ["simans", "hinge"])
@pytest.mark.parametrize("wrt", ["query-embedding", "passage-embedding", "score", "passage"])
def test_everything_that_a_gradient_is_taken_by(double, lists_of, wrt: str, loss: str) -> None:
    """And the sums over groups of queries, by their inner products."""
    retriever = double("no layer, separate, projection")
    lists = lists_of(retriever, 5)
    inside = contrasted("sampled", lists.query, lists.document[:, 1:], 3)
    expected = brute_force(retriever, lists, inside, wrt, loss, "sampled")
    measured = measure(retriever, ranks=RANKS, queries=5, wrt=wrt, loss=loss, groups=2, seed=3)
    np.testing.assert_allclose(measured.norm, np.linalg.norm(expected, axis=2), **EXACT)
    sums = np.stack([expected[measured.group == group].sum(axis=0) for group in (0, 1)])
    np.testing.assert_allclose(measured.product, np.einsum("grp,hrp->rgh", sums, sums), **EXACT)


def test_a_negative_with_nearly_all_weight_keeps_its_digits() -> None:
    """Its odds are e^40; what is left of it beside a gradient through all scores would be noise."""
    scores = np.array([[0.0, 40.0, 1.0, -1.0]])
    coefficients = loss_coefficients(scores, np.full((1, 3), True), contrast="all")
    assert np.abs(coefficients.own).max() < 2
    of_all = coefficients.scale[0, :, None] * coefficients.weight[0, coefficients.which[0]]
    of_all[np.arange(3), np.arange(1, 4)] += coefficients.own[0]
    for negative in range(3):
        leaf = torch.tensor(scores[0], requires_grad=True)
        others = [column for column in range(4) if column != negative + 1]
        (leaf.logsumexp(0) - leaf[others].logsumexp(0)).backward()
        np.testing.assert_allclose(of_all[negative], leaf.grad.numpy(), rtol=1e-12, atol=1e-15)
