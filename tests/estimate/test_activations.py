"""What the formula says a step keeps is what autograd keeps; at the true sizes nothing is allocated."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from harness.estimate.activations import (
    STORING,
    BatchShape,
    Storing,
    activation_bytes,
    forward_bytes,
    layer_bytes,
)
from harness.estimate.parameters import Bert

WITHIN = 1.02
"""The formula leaves out ids and the normalisations' statistics: within 2 % of what is kept, never more."""

SMALL = (Bert(64, 2, 4, 128, True, 100, 512), BatchShape(8, 48))
BASE = (Bert(768, 12, 12, 3072, True, 100, 512), BatchShape(256, 128))
LARGE = (Bert(1024, 24, 16, 4096, True, 100, 512), BatchShape(256, 160))


def kept_by_autograd(bert: Bert, batch: BatchShape, device: str) -> int:
    """Bytes of the storages, but parameters, that a forward pass saves for its backward pass."""
    share = 0.1 if bert.dropout else 0.0
    config = transformers.BertConfig(
        vocab_size=bert.vocabulary, hidden_size=bert.hidden, num_hidden_layers=bert.layers,
        num_attention_heads=bert.heads, intermediate_size=bert.intermediate,
        hidden_dropout_prob=share, attention_probs_dropout_prob=share, attn_implementation="eager",
    )  # fmt: skip
    with torch.device(device):
        model: Any = transformers.BertModel(config, add_pooling_layer=False).train()
        ids = torch.ones(batch.sequences, batch.tokens, dtype=torch.int64)
    of_model = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    storages: dict[int, tuple[int, Tensor]] = {}  # holds them, so that no storage's place is used twice

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in of_model:
            storages[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = model(ids)
    assert output.last_hidden_state.requires_grad
    return sum(size for size, _ in storages.values())


@pytest.mark.parametrize(
    ("case", "device"), [(SMALL, "cpu"), (BASE, "meta"), (LARGE, "meta")], ids=["small", "base", "large"]
)
@pytest.mark.parametrize("dropout", [True, False])
def test_the_formula_is_what_autograd_keeps(
    case: tuple[Bert, BatchShape], device: str, dropout: bool
) -> None:
    bert, batch = Bert(**{**case[0].__dict__, "dropout": dropout}), case[1]
    stored = kept_by_autograd(bert, batch, device)
    formula = activation_bytes(bert, batch, STORING["cpu"])
    assert formula <= stored <= WITHIN * formula


def test_it_is_the_source_s_formula_where_that_applies() -> None:
    """Values of 2 bytes, masks of 1: sbh (34 + 5 a s / h) a layer, hence our values doubled."""
    bert, batch = LARGE
    s, b, h, a = batch.tokens, batch.sequences, bert.hidden, bert.heads
    masks = 2 * s * b * h + a * s * s * b
    assert (layer_bytes(bert, batch, Storing(1, fused=False)) - masks) / 2 + masks == s * b * h * (
        34 + 5 * a * s / h
    )


def test_longest_sequences_bound_what_goes_through_at_once() -> None:
    assert BatchShape(256, 128).part(4096) == BatchShape(32, 128)
    assert BatchShape(3, 128).part(4096) == BatchShape(3, 128)
    assert BatchShape(3, 5000).part(4096) == BatchShape(1, 5000)


def test_without_gradient_a_layer_at_a_time_is_there() -> None:
    bert, batch = BASE
    storing = STORING["cuda"]
    layer = layer_bytes(bert, batch, storing)
    assert forward_bytes(bert, batch) < layer < activation_bytes(bert, batch, storing)
