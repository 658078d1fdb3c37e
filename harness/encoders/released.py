"""Checkpoints as AR2 and SimANS released them, made into folders that everything here opens.

A file is what `torch.save` made of a dictionary whose `model_dict` has the weights (SimXNS at 0163380,
SimANS/utils/dpr_utils.py:22-77). Sizes and tokenizer are of the encoder that it was trained from. Code in a
file never runs: it is read as tensors and plain values alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import Tensor, nn

from harness.collections.tokenizer import an_object, checkpoint_json, load_tokenizer
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.pretrained import refuse_foreign
from harness.encoders.ranker import CrossEncoder
from harness.encoders.transformer import refuse_no_numbers
from harness.errors import UserError, told
from harness.storage.files import atomic_folder

Kind = Literal["retriever", "ranker"]

TOWERS = ("question_model.", "ctx_model.")
"""What the names of weights begin with in a retriever: for queries and for passages (model/models.py:85)."""

RANKER = {"encoder.": "bert.", "qa_classifier.": "classifier."}
"""The same in a ranker (model/models.py:638), and in the model of `transformers` that is one."""

UNREAD = ("embeddings.position_ids", "pooler.")
"""Weights of an encoder that none of its vectors depends on."""

SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
"""Keys of config.json that must be there."""

OTHERS = (
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "layer_norm_eps",
    "initializer_range",
    "pad_token_id",
)
"""Keys that may be there; those of a BERT stand for them where they are not."""

_ENCODER = "give --config the encoder that it was trained from: ERNIE 2.0, of MS MARCO passages coCondenser"


def convert(file: Path, folder: Path, *, config: str, tokenizer: str) -> Kind:
    """Make a folder of a released file, as `DualEncoder.save` or `CrossEncoder.save` write it.

    A retriever has a tower for queries and one for passages, whose vector is that of [CLS]. A ranker is a
    linear map of that vector; its code never passes token types, so that it keeps the first one alone.

    Args:
        file: the released file.
        folder: to be written, which is not there yet.
        config: folder or hub id of the encoder that it was trained from, whose sizes it has.
        tokenizer: folder or hub id of its tokenizer.

    Returns:
        What it is.

    Raises:
        UserError: the file cannot be read, is of another kind or of other sizes; sizes or tokenizer cannot be
            had or are of another; the folder is there, or cannot be written.
    """
    if folder.exists():
        raise UserError("this is there already", where=str(folder), fix="name another folder, or remove it")
    weights, sizes, where = _weights(file), _sizes(config), str(file)
    kind, own_tokenizer = _kind(weights, where), load_tokenizer(tokenizer)
    model = (_retriever if kind == "retriever" else _ranker)(weights, sizes, where)
    bert = model.query.transformer if isinstance(model, DualEncoder) else model.model
    refuse_foreign(tokenizer, own_tokenizer, bert)
    with atomic_folder(folder) as beside:
        model.save(beside, own_tokenizer, sizes["max_position_embeddings"])
    return kind


def _weights(file: Path) -> dict[str, Tensor]:
    """Return the weights in a released file, by name."""
    if not file.is_file():
        raise UserError("no such file", where=str(file), fix="give the path of a released checkpoint")
    fix = "download it again: what AR2 or SimANS released, unpacked"
    with told("no checkpoint could be read", where=str(file), fix=fix):
        saved = torch.load(file, map_location="cpu", weights_only=True)
    weights = saved.get("model_dict") if isinstance(saved, Mapping) else None
    if not isinstance(weights, Mapping) or not all(isinstance(one, Tensor) for one in weights.values()):
        raise UserError("it has no weights below `model_dict`", where=str(file), fix=fix)
    return dict(weights)


def _kind(weights: Mapping[str, Tensor], where: str) -> Kind:
    if all(any(name.startswith(tower) for name in weights) for tower in TOWERS):
        return "retriever"
    if "qa_classifier.weight" in weights:
        return "ranker"
    what = "neither a retriever of two towers nor a ranker"
    fix = "give a checkpoint of NQ, TriviaQA or MS MARCO passages"
    if "embeddingHead.weight" in weights:
        what = "a retriever with a LayerNorm above its vectors (MS MARCO documents), as no encoder here"
    raise UserError(what, where=where, fix=fix)


def _sizes(start: str) -> dict[str, Any]:
    """Return the entries of a BERT's configuration from the encoder that a checkpoint was trained from."""
    said = an_object(checkpoint_json(start, "config.json") or {}, start, "config.json")
    if said.get("model_type", "bert") not in ("bert", "ernie"):
        raise UserError(f"a model of type {said['model_type']}, and no BERT", where=start, fix=_ENCODER)
    missing = [key for key in SIZES if not isinstance(said.get(key), int)]
    if missing:
        raise UserError(f"its config.json says no {missing[0]}", where=start, fix=_ENCODER)
    return {key: said[key] for key in (*SIZES, *OTHERS) if key in said}


def _retriever(weights: Mapping[str, Tensor], sizes: Mapping[str, Any], where: str) -> DualEncoder:
    kind, options = transformers.BertModel, {"add_pooling_layer": False}
    query, passage = (
        Tower(_filled(kind, _named(weights, {prefix: ""}), sizes, where, **options), pooling="cls")
        for prefix in TOWERS
    )
    return DualEncoder(query, passage).eval()


def _ranker(weights: Mapping[str, Tensor], sizes: Mapping[str, Any], where: str) -> CrossEncoder:
    kind, more = transformers.BertForTokenClassification, {"num_labels": 1, "classifier_dropout": 0.0}
    model = _filled(kind, _named(weights, RANKER), {**sizes, **more}, where)
    embeddings = model.bert.embeddings
    first = embeddings.token_type_embeddings.weight[:1].detach().clone()
    embeddings.token_type_embeddings = nn.Embedding(1, first.shape[1], _weight=first)
    model.config.type_vocab_size = 1
    return CrossEncoder(model).eval()


def _named(weights: Mapping[str, Tensor], prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """Return weights whose names begin as said, by the names that `transformers` has for them."""
    return {
        new + name.removeprefix(old): weight
        for old, new in prefixes.items()
        for name, weight in weights.items()
        if name.startswith(old) and not name.removeprefix(old).startswith(UNREAD)
    }


def _filled(
    kind: Any, weights: Mapping[str, Tensor], config: Mapping[str, Any], where: str, **options: Any
) -> Any:
    """Return a model with the weights of a file, which must be all that it has.

    Raises:
        UserError: some are missing, too many, of other sizes, or no finite numbers.
    """
    with told("config.json has sizes that are none", where=where, fix=_ENCODER):
        model = kind(transformers.BertConfig(**config), **options)
    own = model.state_dict()
    for names, what in (
        (own.keys() - weights.keys(), "it has no weights of"),
        (weights.keys() - own.keys(), "there is no place for the weights of"),
    ):
        if names:
            others = f" and {len(names) - 1} others" if len(names) > 1 else ""
            raise UserError(f"{what} {min(names)}{others}", where=where, fix=_ENCODER)
    for name, weight in weights.items():
        if weight.shape != own[name].shape:
            there, here = (" x ".join(map(str, one.shape)) for one in (weight, own[name]))
            raise UserError(f"its {name} is {there}, and {here} by config.json", where=where, fix=_ENCODER)
    model.load_state_dict(dict(weights))
    refuse_no_numbers(where, model)
    return model
