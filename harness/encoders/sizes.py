"""The sizes of a checkpoint, from its config.json; nothing is downloaded, and no weights are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.checkpoint_place import found
from harness.collections.tokenizer import an_object, checkpoint_json
from harness.encoders.dense import count_parameters, dense_sizes
from harness.encoders.dual_encoder import holds_encoder, tokenizer_of
from harness.encoders.layout import dense_paths
from harness.encoders.pretrained import tokenizer_at
from harness.encoders.sentence_files import sentence_files


class CheckpointSizes(NamedTuple):
    """Sizes of one tower, or of a ranker.

    Attributes:
        hidden: width of the hidden vectors.
        layers: number of layers.
        heads: number of attention heads.
        intermediate: width of the feed-forward layers.
        dropout: share of values dropped in training.
        vocabulary: number of token ids.
        positions: number of position embeddings.
        types: number of token types.
        dense: parameters of a dense layer over the pooled vector.
        embedding: width of the embedding that such a layer returns; 0 without one.
    """

    hidden: int
    layers: int
    heads: int
    intermediate: int
    dropout: float
    vocabulary: int
    positions: int
    types: int
    dense: int = 0
    embedding: int = 0


_KEYS = {
    "hidden": ("hidden_size", "dim", "d_model"),
    "layers": ("num_hidden_layers", "n_layers", "num_layers"),
    "heads": ("num_attention_heads", "n_heads", "num_heads"),
    "intermediate": ("intermediate_size", "hidden_dim", "d_ff"),
    "dropout": ("hidden_dropout_prob", "dropout", "dropout_rate"),
    "vocabulary": ("vocab_size",),
    "positions": ("max_position_embeddings",),
    "types": ("type_vocab_size",),
}
"""Size -> its names in the configurations of `transformers`, those of BERT first."""

_WITHOUT = {"dropout": 0.0, "positions": 0, "types": 0}
"""Size -> what it is where a configuration has no such key."""


def checkpoint_sizes(start: str) -> CheckpointSizes | None:
    """Return the sizes of a checkpoint; none if it is not on this machine, or says them in no known way.

    Raises:
        UserError: its files are not read here.
    """
    folder = found(start)
    if folder is None:
        return None
    root = tokenizer_at(str(folder))
    config = an_object(checkpoint_json(root, "config.json") or {}, start, "config.json")
    sizes = {size: _said(config, size) for size in _KEYS}
    return None if None in sizes.values() else CheckpointSizes(**sizes, **_dense(folder))


def _dense(folder: Path) -> dict[str, int]:
    """Return the sizes of a checkpoint's dense layer, if it has one."""
    saved = holds_encoder(folder)
    root = tokenizer_of(folder) if saved else folder
    paths = dense_paths(root) if saved else sentence_files(str(folder)).dense
    if not paths:
        return {}
    return {"dense": count_parameters(root, paths), "embedding": dense_sizes(root, paths)[1]}


def has_two_towers(start: str) -> bool:
    """Return whether a checkpoint on this machine has a tower for queries and one for passages."""
    folder = found(start)
    return folder is not None and Path(tokenizer_at(str(folder))).name == "query"


def _said(config: dict[str, Any], size: str) -> Any:
    value = next((config[key] for key in _KEYS[size] if config.get(key) is not None), _WITHOUT.get(size))
    return value if isinstance(value, int | float) else None
