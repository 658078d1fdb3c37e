"""Encoders of other families than BERT: gradients of the last layer are those of autograd, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import Tower
from harness.errors import UserError
from harness.gradients.last_layer import last_layer
from harness.gradients.per_sample import traced

BERT_LIKE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
MODERN = {**BERT_LIKE, "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2}
FAMILIES = {
    "DistilBert": {"vocab_size": 50, "dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 24},
    "Electra": {**BERT_LIKE, "embedding_size": 16},
    "Ernie": BERT_LIKE,
    "ModernBert": {**MODERN, "bos_token_id": 1, "eos_token_id": 2},
    "Roberta": BERT_LIKE,
    "XLMRoberta": BERT_LIKE,
}
SEQUENCES = Ragged(np.arange(5, 40, dtype=np.int32), np.array([0, 7, 20, 35]))


def tower(family: str, settings: dict) -> Tower:
    """A random encoder of a family, in float64."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**settings)
    return Tower(getattr(transformers, f"{family}Model")(config), pooling="mean").double().eval()


@pytest.mark.parametrize("numbers", [[1, 1, 1, 1], [0, 2, 1, 0]], ids=["one sequence", "several"])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_sequence_by_sequence(family: str, numbers: list[int]) -> None:
    layer = last_layer(tower(family, FAMILIES[family]))
    cotangent = torch.randn(4, 16, dtype=torch.float64)
    trace = traced(layer, SEQUENCES, np.array(numbers), 0, cotangent)
    seen = 0
    for place, number in enumerate(numbers):
        ids = torch.from_numpy(SEQUENCES.padded(np.array([number]), 0)[0])
        score = layer.tower(ids, torch.ones_like(ids))[0] @ cotangent[place]
        named = layer.parameters
        for name, gradient in zip(
            named, torch.autograd.grad(score, list(named.values()), allow_unused=True), strict=True
        ):
            if gradient is not None:
                module, _, parameter = name.rpartition(".")
                values = dict(trace[module].gradients())[parameter].values[place]
                torch.testing.assert_close(values, gradient, rtol=1e-10, atol=1e-12)
                seen += 1
    assert seen >= 4 * 7  # ModernBERT has no biases


def test_one_sequence_goes_through_the_lower_layers_once() -> None:
    layer, seen = last_layer(tower("Roberta", BERT_LIKE)), []
    lower, last = layer.tower.transformer.encoder.layer[0], layer.entrance
    for module in (lower, last):
        module.register_forward_hook(lambda _, inputs, output: seen.append(len(inputs[0])))
    traced(layer, SEQUENCES, np.full(4, 2), 0, torch.randn(4, 16, dtype=torch.float64))
    assert seen == [1, 4]


def test_a_layer_whose_gradients_are_not_known_is_refused() -> None:
    settings = {"vocab_size": 50, "d_model": 16, "d_kv": 8, "num_layers": 2, "num_heads": 2, "d_ff": 24}
    torch.manual_seed(0)
    t5 = transformers.T5EncoderModel(transformers.T5Config(**settings))
    with pytest.raises(UserError, match=r"T5LayerNorm.*; or use the gradients by an embedding or the score"):
        last_layer(Tower(t5, pooling="mean"))
