"""The dual encoder that a phase starts from: fresh, or a checkpoint as its settings and its files agree."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from harness.collections.checkpoint_place import located
from harness.encoders.dual_encoder import DualEncoder, Tower, holds_encoder
from harness.encoders.pooling import Pooling
from harness.encoders.pretrained import read_encoder, refuse_longer
from harness.encoders.sentence_files import sentence_files
from harness.encoders.transformer import fresh_config, fresh_transformer
from harness.errors import UserError


def build_dual_encoder(
    settings: Any,
    *,
    vocabulary: int,
    pad: int,
    idf: np.ndarray[Any, Any],
    longest: int,
) -> DualEncoder:
    """Build a dual encoder from its settings; random weights come from torch's generator.

    Args:
        settings: the run's `harness.specs.settings.EncoderSettings`.
        vocabulary: number of token ids.
        pad: id of the padding token.
        idf: [vocabulary] token weights for ``idf-mean``.
        longest: length of the longest sequence in tokens.

    Raises:
        UserError: the checkpoint of the settings cannot be read, says otherwise, or reads shorter texts.
    """
    if settings.start != "fresh":
        return _started(settings, idf, longest)

    def tower() -> Tower:
        config = fresh_config(settings, vocabulary=vocabulary, pad=pad, longest=longest)
        return _tower(settings, fresh_transformer(config), idf)

    query = tower()
    return DualEncoder(query, query if settings.towers == "shared" else tower())


def _tower(settings: Any, transformer: Any, idf: np.ndarray[Any, Any]) -> Tower:
    return Tower(
        transformer,
        pooling=settings.pooling,
        idf=_weights(settings.pooling, idf),
        projection=settings.projection,
        scale=settings.score_scale,
        token_dropout=settings.token_dropout,
    )


def _weights(pooling: str, idf: np.ndarray[Any, Any]) -> torch.Tensor | None:
    return torch.from_numpy(np.array(idf, dtype=np.float32)) if pooling == "idf-mean" else None


def _started(settings: Any, idf: np.ndarray[Any, Any], longest: int) -> DualEncoder:
    """Return the encoder of a checkpoint as it is, with what the settings put on top of it."""
    start, saved = settings.start, holds_encoder(Path(located(settings.start)))
    pools = saved or sentence_files(start).pooling is not None
    if pools and settings.pooling is not None:
        what = "it says itself how it pools"
        raise UserError(what, where=start, fix="remove `pooling` beside the checkpoint")
    if not pools and settings.pooling is None:
        fix = "add `pooling` beside the checkpoint, as it was trained"
        raise UserError("its pooling is not configured", where=start, fix=fix)
    loaded = read_encoder(start, None if pools else _any_pooling(settings))
    refuse_longer(start, loaded, {"a longest text of": longest})
    there = loaded.encoder
    if settings.towers == "shared" and not there.shared:
        what = "it has a tower for queries and one for passages"
        raise UserError(what, where=start, fix="remove `towers` beside the checkpoint")
    query = _on_top(settings, there.query, None if pools else idf)
    if there.shared and settings.towers != "separate":
        return DualEncoder(query, query)
    passage = copy.deepcopy(there.query) if there.shared else there.passage
    return DualEncoder(query, _on_top(settings, passage, None if pools else idf))


def _any_pooling(settings: Any) -> Pooling:
    """Return a pooling by which a checkpoint can be opened that has none; its towers are made anew."""
    return cast("Pooling", settings.pooling if settings.pooling in ("cls", "mean") else "mean")


def _on_top(settings: Any, there: Tower, idf: np.ndarray[Any, Any] | None) -> Tower:
    """Return a checkpoint's tower with dropout of tokens, a factor on its embeddings, and a new projection.

    Args:
        settings: of the encoder.
        there: the tower as the checkpoint has it.
        idf: [vocabulary] token weights, where the settings say how it pools.
    """
    own = there.projection
    if own is not None and settings.projection not in (None, own.out_features):
        what = f"its projection is to {own.out_features}, and {settings.projection} in the settings"
        raise UserError(what, where=settings.start, fix="remove `projection` beside the checkpoint")
    tower = Tower(
        there.transformer,
        pooling=there.pooling if idf is None else settings.pooling,
        idf=there.idf if idf is None else _weights(settings.pooling, idf),
        projection=settings.projection if own is None else own.out_features,
        scale=there.scale * settings.score_scale,
        token_dropout=settings.token_dropout,
        normalised=there.normalised,
        head=there.head is not None,
        dense=there.dense,
    )
    if tower.head is not None and there.head is not None:
        tower.head.load_state_dict(there.head.state_dict())
    if own is not None and tower.projection is not None:
        tower.projection.weight.data.copy_(own.weight.data * settings.score_scale)
    return tower
