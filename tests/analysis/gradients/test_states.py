"""Gradients of the last layer that begin from the states that enter it are those of the whole encoder."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.partial import PartialEncoder, prepared
from harness.gradients.coefficients import contrasted, loss_coefficients
from harness.gradients.last_layer import only_last_layers
from harness.gradients.layer_gradients import LayerGradients
from harness.gradients.lists import build_lists
from harness.gradients.per_rank import measure
from harness.gradients.vector_cache import VectorCache
from harness.retrieval.states import FrozenTexts, States
from harness.runs.retriever import Retriever

from .conftest import RANKS

NAMES = ("two layers, shared, mean", "one layer, separate, cls")


def entering(retriever: Retriever) -> FrozenTexts:
    """The states that enter the last layer, of all texts, in the encoder's own precision."""
    part, tokens = PartialEncoder(retriever.encoder.eval(), "last-layer"), retriever.tokens

    def states(sequences: Any, states_of: Any) -> States:
        with torch.no_grad():
            flat = [
                states_of(*map(torch.from_numpy, sequences.padded(np.array([row]), tokens.pad)))[0].numpy()
                for row in range(len(sequences))
            ]
        return States(np.concatenate(flat), sequences.offset)

    queries = {split: states(of, part.query_states()) for split, of in tokens.queries.items()}
    return FrozenTexts(states(tokens.documents, part.passage_states()), queries, tokens.pad)


def headed(retriever: Retriever) -> Retriever:
    """The same with a head off the identity, over vectors of length 1."""
    encoder: DualEncoder = prepared(retriever.encoder, "head")
    for tower in encoder.towers().values():
        tower.normalised, tower.scale = True, 4.0
        assert tower.head is not None
        torch.nn.init.normal_(tower.head.weight, std=0.3, generator=torch.Generator().manual_seed(2))
    return Retriever("headed", encoder.double(), retriever.collection, retriever.tokens)


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_over_states_gradients_are_those_of_the_whole_encoder(
    double: Any, lists_of: Any, name: str, head: bool
) -> None:
    retriever = headed(double(name)) if head else double(name)
    lists = lists_of(retriever, 2)
    inside = contrasted("sampled", lists.query, lists.document[:, 1:], 0)
    coefficients = loss_coefficients(lists.score, inside)
    by_name: list[dict[str, torch.Tensor]] = []
    states = entering(retriever)
    for over in (retriever, replace(retriever, entering=lambda: states)):
        gradients = LayerGradients(over, lists, coefficients, "both")
        found: dict[str, torch.Tensor] = {}
        with only_last_layers(over.encoder, list(gradients.layers.values())):
            for at, parameter, gradient in gradients.of(1, np.arange(RANKS), 90, VectorCache(0)):
                table = found.setdefault(parameter, torch.zeros(RANKS, *gradient.values.shape[1:]).double())
                table[at] = gradient.values
        by_name.append(found)
    whole, over_states = by_name
    assert whole.keys() == over_states.keys()
    assert any("head" in parameter for parameter in whole) == head
    assert max(float(gradient.abs().max()) for gradient in whole.values()) > 1e-3
    for parameter in whole:
        torch.testing.assert_close(over_states[parameter], whole[parameter], rtol=0, atol=1e-8)


def test_lengths_and_sums_over_states_pass_no_layer_below(double: Any) -> None:
    retriever = double("two layers, shared, mean")
    states = entering(retriever)
    over = replace(retriever, entering=lambda: states)
    passed: list[int] = []
    below = retriever.encoder.query.transformer.encoder.layer[0]
    expected = measure(retriever, ranks=RANKS, queries=4, groups=2, seed=3)
    assert len(over.documents)
    assert len(over.queries("dev"))  # by which candidates are found
    hook = below.register_forward_hook(lambda *_: passed.append(1))
    measured = measure(over, ranks=RANKS, queries=4, groups=2, seed=3)
    hook.remove()
    assert not passed
    np.testing.assert_allclose(measured.norm, expected.norm, rtol=1e-8)
    np.testing.assert_allclose(measured.product, expected.product, rtol=1e-8, atol=1e-12)


def test_documents_are_embedded_once_where_the_encoder_is_as_precise_as_vectors(double: Any) -> None:
    """In float32 the scores are those by which the negatives were ranked."""
    retriever = double("two layers, shared, mean")
    single = replace(retriever, encoder=copy.deepcopy(retriever.encoder).float())
    vectors, queries = single.documents, single.queries("dev")
    passed: list[int] = []
    hook = single.encoder.query.register_forward_pre_hook(lambda *_: passed.append(1))
    lists = build_lists(single, "dev", RANKS, 4, seed=3)
    hook.remove()
    assert not passed
    np.testing.assert_array_equal(lists.passages[lists.place[0]].numpy(), vectors[lists.document[0]])
    np.testing.assert_array_equal(lists.queries.numpy(), queries[lists.query])
    assert (np.diff(lists.score[:, 1:], axis=1) <= 0).all()


def test_states_are_computed_only_where_gradients_are_by_a_layer(double: Any) -> None:
    asked: list[int] = []
    retriever = double("two layers, shared, mean")
    single = copy.deepcopy(retriever.encoder).float()
    over = replace(retriever, encoder=single, entering=lambda: asked.append(1))
    measure(over, ranks=RANKS, queries=4, groups=2, wrt="score")
    assert not asked
    measure(over, ranks=RANKS, queries=4, groups=2)
    assert len(asked) == 1
