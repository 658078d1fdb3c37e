"""The `transformers` models of encoders: fresh ones, and those of a folder or the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
import transformers
from safetensors import safe_open

from harness.collections.checkpoint_place import POOLER, POOLER_CONFIG, located
from harness.collections.tokenizer import WHOLE, quiet, refuse_pointers
from harness.errors import UserError, told


class Sizes(Protocol):
    """The sizes of a fresh encoder, as in `harness.specs.settings.EncoderSettings`."""

    @property
    def hidden(self) -> int: ...  # noqa: D102
    @property
    def layers(self) -> int: ...  # noqa: D102
    @property
    def heads(self) -> int: ...  # noqa: D102
    @property
    def intermediate(self) -> int: ...  # noqa: D102
    @property
    def dropout(self) -> float: ...  # noqa: D102


def fresh_config(sizes: Sizes, *, vocabulary: int, pad: int, longest: int, **more: Any) -> Any:
    """Return the configuration of a BERT.

    Args:
        sizes: width, number and dropout of its layers.
        vocabulary: number of token ids.
        pad: id of the padding token.
        longest: length of the longest sequence in tokens.
        **more: further entries of the configuration.
    """
    return transformers.BertConfig(
        vocab_size=vocabulary,
        pad_token_id=pad,
        max_position_embeddings=longest,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
        **more,
    )


def fresh_transformer(config: Any) -> Any:
    """Return a BERT with random weights from torch's generator.

    Position and type embeddings start at zero: random ones add a component that all passages share, which a
    small encoder has too few steps to unlearn.
    """
    model = transformers.BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        model.embeddings.position_embeddings.weight.zero_()
        model.embeddings.token_type_embeddings.weight.zero_()
    return model


def pretrained_transformer(start: str) -> Any:
    """Load an encoder with all of its weights, without the pooler of BERT and the like, which is not used.

    Of an encoder with a decoder only those of the T5 family are read, and their encoder alone.

    Raises:
        UserError: there is no encoder, some of its weights are missing, left out or no finite numbers, it is
            of a kind that is not read here, or the hub cannot be reached.
    """
    refuse_pointers(start)
    config = _config(start)
    kind = getattr(transformers, _ENCODER_OF.get(config.model_type, "AutoModel"))
    model, loading = _open(kind, start, config=config, **_TOLD)
    missing = sorted(key for key in loading["missing_keys"] if not key.startswith("pooler."))
    _refuse_incomplete(start, missing, loading)
    _refuse_heads(start, loading, config)
    if hasattr(model, "pooler"):
        model.pooler = None
    refuse_no_numbers(start, model)
    return model


def pretrained_scorer(start: str) -> Any:
    """Load an encoder with one output from a local folder or a hub id; a missing head is random.

    Its head is that of its class, see `scorer_of`.

    Raises:
        UserError: there is no encoder, some of its weights are missing or no finite numbers, its head has
            several outputs, or the hub cannot be reached.
    """
    refuse_pointers(start)
    config = _config(start)
    headed = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    if headed and config.num_labels != 1:
        raise UserError(
            f"a head of {config.num_labels} outputs", where=start, fix="give a ranker, which has one"
        )
    kind = scorer_of(config)
    config.num_labels = 1
    model, loading = _open(kind, start, config=config, **_TOLD)
    inside = f"{model.base_model_prefix}."
    missing = [key for key in loading["missing_keys"] if key.startswith(inside) and "pooler" not in key]
    _refuse_incomplete(start, sorted(missing), loading)
    refuse_no_numbers(start, model)
    return model


FOR_TOKENS = "ForTokenClassification"
"""What the class of a ranker ends in whose head is a linear map; of its scores that of [CLS] is read."""


def scorer_of(config: Any) -> Any:
    """Return the class of `transformers` that opens a ranker, by its configuration."""
    tokens = any(name.endswith(FOR_TOKENS) for name in config.architectures or ())
    linear = tokens and config.num_labels == 1
    sequences, one_each = (
        transformers.AutoModelForSequenceClassification,
        transformers.AutoModelForTokenClassification,
    )
    return one_each if linear else sequences


_TOLD: dict[str, Any] = {"output_loading_info": True, "ignore_mismatched_sizes": True}
"""Options that let us tell which weights are missing, or of other sizes than config.json says."""

_ENCODER_OF = {"t5": "T5EncoderModel", "mt5": "MT5EncoderModel", "umt5": "UMT5EncoderModel"}
"""Type of a model with a decoder -> the class of its encoder."""


def _config(start: str) -> Any:
    """Return the configuration of a checkpoint, whose kind is read here.

    Raises:
        UserError: there is none, or it is of another kind.
    """
    if (Path(located(start)) / "adapter_config.json").exists():
        fix = "merge it into its base model (`merge_and_unload` of peft), and save that"
        raise UserError("an adapter (LoRA or the like), and no whole encoder", where=start, fix=fix)
    if any((Path(located(start)) / name).exists() for name in (POOLER, POOLER_CONFIG)):
        maps = f"its vectors are made by maps of Tevatron ({POOLER}), which `transformers` does not read"
        raise UserError(maps, where=start, fix=CONVERT)
    config = _open(transformers.AutoConfig, start)
    what = None
    if config.model_type == "dpr":
        what = "one of DPR's two encoders, which are two checkpoints"
    elif getattr(config, "is_decoder", False):
        what = "a decoder (`is_decoder` in config.json), which reads no text to its end"
    elif getattr(config, "is_encoder_decoder", False) and config.model_type not in _ENCODER_OF:
        what = f"a model with a decoder ({config.model_type})"
    elif getattr(config, "quantization_config", None) is not None:
        what = "quantised weights (`quantization_config` in config.json)"
    elif (getattr(config, "num_hidden_layers", None) or 0) < 0:
        what = f"a model of {config.num_hidden_layers} layers"
    if what is not None:
        fix = "give an encoder whose one tower embeds queries and passages, with weights in floats"
        if config.model_type == "dpr":
            fix = "`harness convert QUERIES FOLDER --passages PASSAGES` makes a folder of both"
        raise UserError(f"{what}; it is not read here", where=start, fix=fix)
    return config


def _refuse_incomplete(start: str, missing: list[str], loading: Mapping[str, Any]) -> None:
    """Refuse a checkpoint of which some weights would be random, or some layers left out."""
    other = sorted(str(key[0]) for key in loading["mismatched_keys"])
    left = sorted(key for key in loading["unexpected_keys"] if _LAYER.search(key) and "decoder" not in key)
    for keys, what in (
        (other, "config.json says other sizes than those of"),
        (missing, "has no weights of"),
        (left, "config.json leaves out the weights of"),
    ):
        if keys:
            others = " and others" if len(keys) > 1 else ""
            raise UserError(f"{what} {keys[0]}{others}", where=start, fix="give the whole checkpoint")


def _refuse_heads(start: str, loading: Mapping[str, Any], config: Any) -> None:
    """Refuse a checkpoint whose vectors or scores are made by weights that no encoder has."""
    left = sorted(str(key) for key in loading["unexpected_keys"])
    maps = [key for key in left if key.startswith(_MAPS)]
    scorer = [key for key in left if key.startswith("classifier.")]
    if maps:
        what = f"its vectors are made by weights that `transformers` does not read: {maps[0]}"
        raise UserError(what, where=start, fix=CONVERT)
    if scorer and config.num_labels == 1:
        what = f"a ranker, whose one score {scorer[0]} makes, and no retriever"
        raise UserError(what, where=start, fix="give a retriever, or start a ranker from it")


_MAPS = (
    "embeddingHead.",
    "norm.",
    "encode_proj.",
    "question_model.",
    "ctx_model.",
    "question_encoder.",
    "ctx_encoder.",
)
"""How names of weights begin that only the code of their paper reads."""

CONVERT = "`harness convert FILE FOLDER` makes a folder that is read, see docs/checkpoints.md"

_LAYER = re.compile(r"(^|\.)(layers?|block|h)\.\d+\.")


def refuse_no_numbers(start: str, model: torch.nn.Module) -> None:
    """Refuse weights that are no finite floats.

    Raises:
        UserError: some are not.
    """
    for name, weight in model.named_parameters():
        if not weight.is_floating_point():
            what = f"the weights of {name} are whole numbers"
            raise UserError(what, where=start, fix="give a checkpoint in floats, not quantised")
        if not bool(torch.isfinite(weight).all()):
            what = f"the weights of {name} are not all finite numbers"
            raise UserError(what, where=start, fix="give a checkpoint whose training went well")


def _open(kind: Any, start: str, **more: Any) -> Any:
    """Load a pretrained object through a class of `transformers`; a checkpoint's own code never runs.

    Raises:
        UserError: it cannot be loaded.
    """
    with quiet(), told("no encoder could be loaded", where=start, fix=WHOLE):
        _refuse_whole_numbers(start)
        return kind.from_pretrained(located(start), trust_remote_code=False, **more)


def _refuse_whole_numbers(start: str) -> None:
    """Refuse weights in whole numbers, which `transformers` would take for floats."""
    for path in sorted(Path(located(start)).glob("*.safetensors")):
        with safe_open(path, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118  (no mapping)
                kind = weights.get_slice(name).get_dtype()
                if kind.startswith(("I", "U")) and not name.endswith("_ids"):
                    what = f"the weights of {name} are whole numbers"
                    raise UserError(what, where=start, fix="give a checkpoint in floats, not quantised")
