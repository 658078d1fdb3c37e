"""Models of the sizes in a config.json, with the weights of a released file and no others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers
from torch import Tensor, nn

from harness.collections.tokenizer import an_object, checkpoint_json
from harness.encoders.dense import Dense
from harness.encoders.key_layouts import PAGE, Body, Layout, TowerKeys
from harness.encoders.transformer import refuse_no_numbers
from harness.encoders.weight_files import names_text
from harness.errors import UserError, told

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
"""Keys that may be there; those of `transformers` are used where they are not."""

BODIES: dict[str, Body] = {"bert": "BERT", "ernie": "BERT", "dpr": "BERT", "roberta": "RoBERTa"}
"""`model_type` of config.json -> the model that is built; an ERNIE 2.0 is a BERT of four token types."""

_MODELS = {
    "BERT": ("BertConfig", "BertModel", "BertForTokenClassification"),
    "RoBERTa": ("RobertaConfig", "RobertaModel", "RobertaForTokenClassification"),
}

_ENCODER = f"give --config the encoder that it was trained from, see {PAGE}"


class Sizes:
    """The sizes of a checkpoint: those of the encoder that it was trained from.

    Args:
        place: the released file or folder.
        config: folder or hub id of that encoder; by default a folder's own.

    Raises:
        UserError: none is given, and the checkpoint has none of its own.
    """

    def __init__(self, place: Path, config: str | None) -> None:
        folders = (place, place / "query_model") if place.is_dir() else ()
        own = next((str(folder) for folder in folders if (folder / "config.json").is_file()), None)
        start = config or own
        if start is None:
            raise UserError("a file has no sizes of its own", where=str(place), fix=_ENCODER)
        self.start = start
        self.said = an_object(checkpoint_json(start, "config.json") or {}, start, "config.json")
        kind = self.said.get("model_type", "bert")
        self.kind = kind
        self.body = BODIES.get(kind) if isinstance(kind, str) else None

    def of(self, layout: Layout) -> tuple[Body, dict[str, Any]]:
        """Return which model a layout's transformers are, and the entries of its configuration.

        Raises:
            UserError: it is of another kind than the layout, or lacks sizes.
        """
        if self.body is None or layout.body not in (None, self.body):
            what = f"a model of type {self.kind}, and no {layout.body or 'BERT or RoBERTa'}"
            raise UserError(what, where=self.start, fix=_ENCODER)
        missing = [key for key in SIZES if not isinstance(self.said.get(key), int)]
        if missing:
            raise UserError(f"its config.json says no {missing[0]}", where=self.start, fix=_ENCODER)
        return self.body, {key: self.said[key] for key in (*SIZES, *OTHERS) if key in self.said}


def model_of(
    body: Body, sizes: Mapping[str, Any], where: str, *, ranker: bool = False, **options: Any
) -> Any:
    """Return a model of some sizes, whose weights are still to come.

    Raises:
        UserError: no model has such sizes.
    """
    settings, plain, scorer = (getattr(transformers, name) for name in _MODELS[body])
    with told("config.json has sizes that are none", where=where, fix=_ENCODER):
        return (scorer if ranker else plain)(settings(**sizes), **options)


def dense_of(layout: Layout, keys: TowerKeys, weights: Mapping[str, Tensor], width: int) -> Dense | None:
    """Return a dense layer of the sizes in a file; none if the tower has none."""
    weight = weights.get(f"{keys.linear}weight") if keys.linear else None
    if weight is None and not layout.mapped:
        return None
    outputs = width if weight is None or not weight.ndim else weight.shape[0]
    bias = layout.mapped or f"{keys.linear}bias" in weights
    return Dense(width, outputs, bias=bias, layer_norm=bool(keys.norm))


def fill(parts: list[tuple[str, nn.Module]], weights: Mapping[str, Tensor], where: str) -> None:
    """Load weights into modules; each weight has its place, and each place its weight.

    Args:
        parts: how the names of a module's weights begin, and the module.
        weights: by name.
        where: the file, for the message.

    Raises:
        UserError: some are missing, too many, of other sizes, or no finite numbers.
    """
    own = {prefix + name: value for prefix, part in parts for name, value in part.state_dict().items()}
    wrong = []
    if own.keys() - weights.keys():
        wrong.append(f"it has no weights of {names_text(own.keys() - weights.keys())}")
    if weights.keys() - own.keys():
        wrong.append(f"there is no place for the weights of {names_text(weights.keys() - own.keys())}")
    other = [name for name in sorted(own.keys() & weights.keys()) if weights[name].shape != own[name].shape]
    if other:
        there, here = (" x ".join(map(str, one[other[0]].shape)) or "a number" for one in (weights, own))
        more = f" (and {len(other) - 1} more of other sizes)" if len(other) > 1 else ""
        wrong.append(f"its {other[0]} is {there}, and {here} by config.json{more}")
    if wrong:
        raise UserError(", ".join(wrong), where=where, fix=_ENCODER)
    whole = [name for name in own if not weights[name].is_floating_point()]
    if whole:
        what = f"the weights of {names_text(whole)} are whole numbers"
        raise UserError(what, where=where, fix="give a checkpoint in floats, not quantised")
    for prefix, part in parts:
        part.load_state_dict({name: weights[prefix + name] for name in part.state_dict()})
        refuse_no_numbers(where, part)
