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


def _tower(settings: Any, transformer: Any, idf: np.ndarray[Any, Any], normalised: bool = False) -> Tower:
    return Tower(
        transformer,
        pooling=settings.pooling,
        idf=torch.from_numpy(np.array(idf, dtype=np.float32)) if settings.pooling == "idf-mean" else None,
        projection=settings.projection,
        scale=settings.score_scale,
        token_dropout=settings.token_dropout,
        normalised=normalised,
    )


def _started(settings: Any, idf: np.ndarray[Any, Any], longest: int) -> DualEncoder:
    """Return the encoder of a checkpoint, read as `load_encoder` reads it, with the rest of the settings."""
    start, saved = settings.start, holds_encoder(Path(located(settings.start)))
    configured = None if saved else sentence_files(start).pooling
    loaded = read_encoder(start, None if saved or configured else _any_pooling(settings))
    refuse_longer(start, loaded, {"a longest text of": longest})
    _refuse_otherwise(settings, loaded.encoder, pools=saved or configured is not None)
    query, passage = loaded.encoder.query, loaded.encoder.passage
    if settings.towers == "shared":
        shared = _as_settings(settings, query, idf)
        return DualEncoder(shared, shared)
    passage = copy.deepcopy(query) if loaded.encoder.shared else passage
    return DualEncoder(_as_settings(settings, query, idf), _as_settings(settings, passage, idf))


def _any_pooling(settings: Any) -> Pooling:
    """Return a pooling by which a checkpoint can be opened that has none; its towers are made anew."""
    return cast("Pooling", settings.pooling if settings.pooling in ("cls", "mean") else "mean")


def _as_settings(settings: Any, there: Tower, idf: np.ndarray[Any, Any]) -> Tower:
    """Return a tower of the settings with the weights of a checkpoint's."""
    tower = _tower(settings, there.transformer, idf, there.normalised)
    if tower.projection is not None and there.projection is not None:
        tower.projection.weight.data.copy_(there.projection.weight.data)
    return tower


def _refuse_otherwise(settings: Any, there: DualEncoder, *, pools: bool) -> None:
    """Refuse settings that a checkpoint contradicts; they would be trained from something else."""
    tower = there.query
    width = tower.projection.out_features if tower.projection is not None else None
    asked = [
        ("pooling", settings.pooling, tower.pooling if pools else settings.pooling),
        ("score_scale", settings.score_scale, settings.score_scale if tower.scale == 1.0 else tower.scale),
        ("towers", settings.towers, settings.towers if there.shared else "separate"),
        ("projection", settings.projection, settings.projection if width is None else width),
    ]
    for key, here, found in asked:
        if here != found:
            what = f"its {key} is {found}, and {here} in the settings"
            raise UserError(what, where=settings.start, fix=f"set encoder.{key} to {found}")
