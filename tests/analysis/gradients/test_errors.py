"""What cannot be is one clear message, and leaves the encoder as it was."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from harness.errors import UserError
from harness.gradients.last_layer import last_layer
from harness.gradients.per_rank import gradients_per_rank, measure
from harness.runs.retriever import Retriever


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "tset"}, r"no queries 'tset'.*test"),
        ({"ranks": 144}, r"rank 144 is asked for, and only 138 documents are left"),
        ({"ranks": 0}, r"ranks is 0; give at least 1"),
        ({"queries": 900}, r"900 queries are asked for, and 'dev' has 20 with a labelled positive"),
        ({"wrt": "passages"}, r"wrt is 'passages'; did you mean 'passage'"),
        ({"contrast": "some"}, r"contrast is 'some'.*sampled"),
        ({"loss": "simens"}, r"unknown loss 'simens'; did you mean 'simans'"),
        ({"loss": {"name": "hinge", "margin": -1.0}}, r"loss 'hinge', parameter 'margin'"),
        ({"loss": "distillation"}, r"loss 'distillation' reads a ranker's scores; give `teacher`"),
        ({"groups": 1}, r"groups is 1; give at least 2"),
    ],
    ids=str,
)
def test_one_clear_message(double, settings, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        gradients_per_rank(double("no layer, shared, idf"), **{"ranks": 2, **settings})
    assert "\n" not in str(caught.value)


class Scaled(nn.Module):
    """A module that nobody has told how to take gradients of, sequence by sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, hidden):
        return hidden * self.factor


def test_a_last_layer_of_another_kind_is_refused_by_its_name(double) -> None:
    known = double("two layers, shared, mean")
    encoder = copy.deepcopy(known.encoder)
    encoder.query.transformer.encoder.layer[1].attention.output.dense = Scaled()
    other = Retriever("other", encoder, known.collection, known.tokens)
    with pytest.raises(UserError, match=r"holds a Scaled \(.*layer.1.attention.output.dense\).*Linear"):
        measure(other, ranks=2, queries=2)


def test_an_earlier_layer_may_be_of_any_kind(double) -> None:
    encoder = copy.deepcopy(double("two layers, shared, mean").encoder)
    encoder.query.transformer.encoder.layer[0].intermediate.dense = Scaled()
    assert all("layer.1" in name for name in last_layer(encoder.query).modules)


def test_a_pooler_that_nothing_reads_is_no_part_of_the_last_layer(double) -> None:
    encoder = copy.deepcopy(double("two layers, shared, mean").encoder)
    encoder.query.transformer.pooler = nn.Linear(16, 16)
    assert all("pooler" not in name for name in last_layer(encoder.query).modules)


@pytest.mark.parametrize("fails", [False, True])
def test_the_encoder_is_left_as_it_was(double, fails: bool) -> None:
    known = double("one layer, separate, cls")
    encoder = copy.deepcopy(known.encoder).train()
    encoder.passage.transformer.eval()
    frozen = next(encoder.query.parameters()).requires_grad_(False)
    retriever = Retriever("mixed", encoder, known.collection, known.tokens)
    retriever.documents, retriever.queries("dev")

    def state() -> list[object]:
        modes = [module.training for module in encoder.modules()]
        hooks = [len(module._forward_hooks) for module in encoder.modules()]
        return [
            modes,
            hooks,
            [p.requires_grad for p in encoder.parameters()],
            [p.grad for p in encoder.parameters()],
        ]

    before = state()
    if fails:
        with pytest.raises(UserError):
            measure(retriever, ranks=2, queries=2, memory=10)
    else:
        measure(retriever, ranks=2, queries=2)
    assert state() == before and not frozen.requires_grad
