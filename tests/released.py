"""Small checkpoints as AR2 and SimANS released theirs: one file of weights, moments and counters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers


def sizes_of(vocabulary: int, *, types: int) -> dict[str, Any]:
    """Return what config.json says of the encoder that they were trained from."""
    return {
        "vocab_size": vocabulary, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 64, "type_vocab_size": types,
        "layer_norm_eps": 1e-5, "hidden_act": "gelu", "pad_token_id": 0, "initializer_range": 0.3,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
    }  # fmt: skip


def save_retriever(path: Path, vocabulary: int, *, types: int, seed: int = 0) -> tuple[Any, Any]:
    """Save a retriever, and return its towers, for queries and for passages."""
    torch.manual_seed(seed)
    config = transformers.BertConfig(**sizes_of(vocabulary, types=types))
    towers = transformers.BertModel(config).eval(), transformers.BertModel(config).eval()
    _save(path, {"question_model": towers[0], "ctx_model": towers[1]})
    return towers


def save_ranker(path: Path, vocabulary: int, *, types: int, seed: int = 1) -> tuple[Any, torch.nn.Linear]:
    """Save a ranker, and return its encoder and its linear map."""
    torch.manual_seed(seed)
    bert = transformers.BertModel(transformers.BertConfig(**sizes_of(vocabulary, types=types))).eval()
    linear = torch.nn.Linear(16, 1)
    _save(path, {"encoder": bert, "qa_classifier": linear})
    return bert, linear


def _save(path: Path, parts: dict[str, torch.nn.Module]) -> None:
    weights = {f"{name}.{key}": one for name, part in parts.items() for key, one in part.state_dict().items()}
    others = {"optimizer_dict": {"state": {0: {"step": 3}}}, "scheduler_dict": {"last_epoch": 3}, "offset": 3}
    torch.save({"model_dict": weights, **others, "epoch": 0, "encoder_params": {}}, path)
