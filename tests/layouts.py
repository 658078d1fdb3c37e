"""Small models of papers, saved under the names of weights that their released checkpoints have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

Embed = Callable[[Tensor, Tensor], Tensor]
"""From ids and mask to vectors."""

TEXTS = ["red apples fall", "green pears fall from a tree", "the tree is green", "a red sky at night " * 6]


def settings(tokenizer: Any, kind: str) -> dict[str, Any]:
    """Return config.json of an encoder of a real kind, made small."""
    own: dict[str, dict[str, Any]] = {
        "bert": {"type_vocab_size": 2, "layer_norm_eps": 1e-12, "max_position_embeddings": 64},
        "ernie": {"type_vocab_size": 4, "layer_norm_eps": 1e-5, "max_position_embeddings": 64},
        "roberta": {"type_vocab_size": 1, "layer_norm_eps": 1e-5, "max_position_embeddings": 65},
    }
    return {
        "model_type": kind, "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "hidden_act": "gelu", "initializer_range": 0.3,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        "pad_token_id": tokenizer.pad_token_id, **own[kind],
    }  # fmt: skip


def start(folder: Path, tokenizer: Any, kind: str) -> Path:
    """Write what a checkpoint was trained from: sizes and tokenizer."""
    tokenizer.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(settings(tokenizer, kind)))
    return folder


def body(tokenizer: Any, kind: str, *, seed: int = 0) -> Any:
    """Return a transformer with random weights."""
    torch.manual_seed(seed)
    sizes = settings(tokenizer, kind)
    sizes.pop("model_type")
    if kind == "roberta":
        return transformers.RobertaModel(transformers.RobertaConfig(**sizes)).eval()
    return transformers.BertModel(transformers.BertConfig(**sizes)).eval()


def layer(kind: type[nn.Module], *sizes: int, seed: int = 5) -> nn.Module:
    torch.manual_seed(seed)
    made = kind(*sizes)
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    return made


def named(parts: dict[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}{key}": one for name, part in parts.items() for key, one in part.state_dict().items()}


def first(model: Any, *above: nn.Module) -> Embed:
    """Return what embeds by the vector of [CLS] and what comes above it."""

    def embed(ids: Tensor, mask: Tensor) -> Tensor:
        vector = model(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]
        for one in above:
            vector = one(vector)
        return vector

    return embed


def two_towers(path: Path, tokenizer: Any, kind: str = "bert", projected: int = 0) -> tuple[Embed, Embed]:
    """Save a retriever of DPR, ANCE, AR2 or SimANS."""
    weights, embeds = {}, []
    for seed, name in enumerate(("question_model.", "ctx_model.")):
        model = body(tokenizer, kind, seed=seed)
        above = [layer(nn.Linear, 16, projected, seed=seed)] if projected else []
        weights |= named({name: model, **{f"{name}encode_proj.": one for one in above}})
        weights[f"{name}embeddings.position_ids"] = torch.arange(64)[None]
        embeds.append(first(model, *above))
    others = {"optimizer_dict": {"state": {0: {"step": 3}}}, "scheduler_dict": {"last_epoch": 3}, "offset": 3}
    torch.save({"model_dict": weights, **others, "epoch": 0, "encoder_params": {}}, path)
    return embeds[0], embeds[1]


def roberta_dot(tokenizer: Any, outputs: int = 16, seed: int = 0) -> tuple[dict[str, Tensor], Embed]:
    """Return the weights of a RobertaDot, and what it embeds by."""
    model = body(tokenizer, "roberta", seed=seed)
    head, norm = layer(nn.Linear, 16, outputs), layer(nn.LayerNorm, outputs)
    return named({"roberta.": model, "embeddingHead.": head, "norm.": norm}), first(model, head, norm)


def folder_of(folder: Path, tokenizer: Any, kind: str, weights: dict[str, Tensor], **config: Any) -> Path:
    """Write a folder of `transformers` as old code did: sizes, tokenizer, a pickle of weights."""
    start(folder, tokenizer, kind)
    (folder / "config.json").write_text(json.dumps(settings(tokenizer, kind) | config))
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


def hugging_face_dpr(folder: Path, tokenizer: Any, side: str, projected: int = 0) -> Embed:
    """Save one of DPR's encoders as `transformers` does, and return what it embeds by itself."""
    sizes = settings(tokenizer, "bert")
    sizes.pop("model_type")
    torch.manual_seed(len(side))
    kind = {"query": transformers.DPRQuestionEncoder, "passage": transformers.DPRContextEncoder}[side]
    model = kind(transformers.DPRConfig(**sizes, projection_dim=projected)).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return lambda ids, mask: model(input_ids=ids, attention_mask=mask).pooler_output


def tevatron(folder: Path, tokenizer: Any, *, tied: bool) -> tuple[Embed, Embed]:
    """Save a retriever of Tevatron, with maps over its pooled vectors."""
    folder.mkdir()
    models = [body(tokenizer, "bert", seed=seed) for seed in ((0, 0) if tied else (0, 1))]
    maps = [layer(nn.Linear, 16, 12, seed=seed) for seed in ((0, 0) if tied else (0, 1))]
    for model, name in zip(models, ("", "") if tied else ("query_model", "passage_model"), strict=True):
        model.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder)
    torch.save(named({"linear_q.": maps[0], "linear_p.": maps[1]}), folder / "pooler.pt")
    return first(models[0], maps[0]), first(models[1], maps[1])
