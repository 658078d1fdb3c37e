"""The folder of a saved tower, in the layout of `transformers` and `SentenceTransformer`, without pickles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.collections.tokenizer import PROMPTS
from harness.encoders.dense import Dense, read_dense, save_map
from harness.encoders.pooling import Pooling
from harness.encoders.transformer import pretrained_transformer
from harness.errors import UserError, told
from harness.storage.files import read_json, write_json

_TOWER_JSON = "harness_tower.json"

_DENSE = ("2_Dense", "2_LayerNorm")
"""Folders of the dense layer over the pooled vector: its map, and its LayerNorm if it has one."""


@dataclass(frozen=True)
class TowerFiles:
    """The content of a tower's folder: its weights and settings; `projection` and `head` are [out, in]."""

    transformer: Any
    pooling: Pooling
    scale: float
    token_dropout: float
    idf: Tensor | None
    projection: Tensor | None
    normalised: bool
    head: Tensor | None = None
    dense: Dense | None = None


def save_tower_files(tower: TowerFiles, folder: Path, tokenizer: Any, longest: int) -> None:
    """Write a tower's folder, as `Tower.save` describes."""
    folder.mkdir(parents=True, exist_ok=True)
    tower.transformer.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    modules: list[tuple[str, str]] = [("", "Transformer")]
    transformer: dict[str, object] = {"max_seq_length": longest, "do_lower_case": False}
    if tower.pooling == "idf-mean" and tower.idf is not None:
        modules.append(("1_WordWeights", "WordWeights"))
        vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
        weights = dict(zip(vocabulary, tower.idf.tolist(), strict=True))
        words = {"vocab": vocabulary, "word_weights": weights, "unknown_word_weight": 1.0}
        write_json(folder / "1_WordWeights" / "config.json", words)
        save_file(
            {"emb_layer.weight": tower.idf[:, None].contiguous()}, folder / "1_WordWeights/model.safetensors"
        )
    if tower.pooling == "first-last":
        modules.append(("1_WeightedLayerPooling", "WeightedLayerPooling"))
        _save_layer_weights(folder / "1_WeightedLayerPooling", tower.transformer.config)
        transformer["config_args"] = {"output_hidden_states": True}
    width = tower.transformer.config.hidden_size
    pooled = width if tower.dense is None else tower.dense.outputs
    modules.append(("2_Pooling", "Pooling"))
    token = tower.pooling == "cls"
    write_json(
        folder / "2_Pooling" / "config.json",
        {
            "word_embedding_dimension": width,
            "pooling_mode_cls_token": token,
            "pooling_mode_mean_tokens": not token,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    paths = _dense_paths(tower.dense)
    if tower.dense is not None:
        modules += zip(paths, ("Dense", "LayerNorm"), strict=False)
        tower.dense.save(folder, paths)
    if tower.normalised:
        modules.append(("3_Normalize", "Normalize"))
        (folder / "3_Normalize").mkdir(exist_ok=True)
    if tower.head is not None:
        modules.append(("3_Head", "Dense"))
        save_map(folder / "3_Head", tower.head)
        if tower.normalised:
            modules.append(("3_Head_Normalize", "Normalize"))
            (folder / "3_Head_Normalize").mkdir(exist_ok=True)
    if tower.projection is not None or tower.scale != 1.0:
        modules.append(("3_Dense", "Dense"))
        scaled = torch.eye(pooled) * tower.scale if tower.projection is None else tower.projection
        save_map(folder / "3_Dense", scaled)
    write_json(folder / "sentence_bert_config.json", transformer)
    write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
    )
    write_json(folder / PROMPTS, {"similarity_fn_name": "dot", "prompts": getattr(tokenizer, "prompts", {})})
    tower_settings = {
        "pooling": tower.pooling,
        "scale": tower.scale,
        "token_dropout": tower.token_dropout,
        "projected": tower.projection is not None,
        "normalised": tower.normalised,
        **({} if tower.head is None else {"head": True}),
        **({"dense": list(paths)} if paths else {}),
    }
    write_json(folder / _TOWER_JSON, tower_settings)


def is_tower(folder: Path) -> bool:
    """Return whether `save_tower_files` wrote a folder."""
    return (folder / _TOWER_JSON).exists()


def dense_paths(folder: Path) -> tuple[str, ...]:
    """Return the folders of a saved tower's dense layer, below its own; none if it has no dense layer."""
    paths = read_json(folder / _TOWER_JSON).get("dense", [])
    if list(paths) not in ([], [_DENSE[0]], [*_DENSE]):
        raise UserError(f"its dense layer lies in {paths!r}", where=str(folder), fix="save it again")
    return tuple(paths)


def _dense_paths(dense: Dense | None) -> tuple[str, ...]:
    if dense is None:
        return ()
    return _DENSE if dense.norm is not None else _DENSE[:1]


def load_tower_files(folder: Path) -> TowerFiles:
    """Read a tower's folder, as `Tower.load` describes."""
    if not folder.is_dir():
        raise UserError(
            "no such folder", where=str(folder), fix="give a folder that `harness` saved an encoder to"
        )
    tower_settings = read_json(folder / _TOWER_JSON)
    fix = "delete it and train again"
    try:
        transformer = pretrained_transformer(str(folder))
    except UserError as error:
        raise UserError(f"corrupt encoder ({error.what})", where=str(folder), fix=fix) from error
    with told("corrupt encoder", where=str(folder), fix=fix):
        words, dense = folder / "1_WordWeights/model.safetensors", folder / "3_Dense/model.safetensors"
        idf = load_file(words)["emb_layer.weight"][:, 0] if words.exists() else None
        projection = load_file(dense)["linear.weight"] if tower_settings["projected"] else None
        head, paths = folder / "3_Head/model.safetensors", dense_paths(folder)
        width = transformer.config.hidden_size
        return TowerFiles(
            transformer=transformer,
            pooling=TypeAdapter(Pooling).validate_python(tower_settings["pooling"]),
            scale=float(tower_settings["scale"]),
            token_dropout=float(tower_settings["token_dropout"]),
            idf=idf,
            projection=projection,
            normalised=bool(tower_settings.get("normalised", False)),  # older folders do not say it
            head=load_file(head)["linear.weight"] if tower_settings.get("head") else None,
            dense=read_dense(folder, paths, width) if paths else None,
        )


def _save_layer_weights(folder: Path, config: Any) -> None:
    layers = config.num_hidden_layers
    first = min(1, layers)
    weight = torch.zeros(layers + 1 - first)
    weight[0] += 0.5
    weight[-1] += 0.5
    sizes = {
        "word_embedding_dimension": config.hidden_size,
        "layer_start": first,
        "num_hidden_layers": layers,
    }
    write_json(folder / "config.json", sizes)
    save_file({"layer_weights": weight}, folder / "model.safetensors")
