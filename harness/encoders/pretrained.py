"""Encoders that were trained anywhere: by the harness, with `SentenceTransformer` or with `transformers`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import transformers
from transformers.utils import cached_file

from harness.collections.tokens import load_tokenizer
from harness.encoders.dual_encoder import DualEncoder, Tower, holds_encoder, tokenizer_of
from harness.encoders.pooling import Pooling
from harness.encoders.transformer import open_pretrained
from harness.errors import UserError, nearest
from harness.storage.checksums import check_folder
from harness.storage.files import read_json

SPARE_ROWS = 1024
"""Vectors that an encoder may have beyond its tokenizer's pieces: tables are padded."""

_OLD_POOLING = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens"}
"""Pooling -> its key in the configuration of a `SentenceTransformer` before `pooling_mode`."""


class PretrainedEncoder(NamedTuple):
    """An encoder and how texts are made ready for it.

    Attributes:
        encoder: in evaluation mode, 32-bit.
        tokenizer: folder or hub id of its tokenizer.
        longest: tokens of a text at most, as the checkpoint says.
        most: tokens of a text that it could read.
    """

    encoder: DualEncoder
    tokenizer: str
    longest: int
    most: int


class _PoolingConfig(NamedTuple):
    """What a checkpoint says of how its token vectors become an embedding."""

    pooling: str | None
    normalised: bool


def read_encoder(start: str, pooling: Pooling | None = None) -> PretrainedEncoder:
    """Read an encoder with its own tokenizer.

    Pooling and normalisation are as the checkpoint says, in ``modules.json``; prompts are not added to texts.

    Args:
        start: a folder that the harness saved; else a folder or hub id of `SentenceTransformer` or of
            `transformers`, whose one tower embeds queries and passages.
        pooling: of a checkpoint that does not say it.

    Raises:
        UserError: nothing can be read there, its tokenizer is not its own, it says nothing of pooling, or it
            does what cannot be done here.
    """
    if pooling is not None and pooling not in get_args(Pooling):
        raise UserError(f"unknown pooling '{pooling}'", fix=nearest(pooling, get_args(Pooling)))
    folder = Path(start)
    if folder.is_dir() and holds_encoder(folder):
        check_folder(folder)
        encoder, tokens = DualEncoder.load(folder), str(tokenizer_of(folder.resolve()))
        _agreed(start, encoder.query.pooling, pooling)
    else:
        tokens = str(folder.resolve()) if folder.is_dir() else start
        encoder = _one_tower(start, pooling)
    tokenizer = load_tokenizer(tokens)
    for tower in encoder.towers().values():
        _refuse_foreign(start, tokenizer, tower.transformer)
    places = getattr(encoder.query.transformer.config, "max_position_embeddings", None)
    most = min(tokenizer.model_max_length, places or tokenizer.model_max_length)
    longest = (_read_optional_json(tokens, "sentence_bert_config.json") or {}).get("max_seq_length") or most
    return PretrainedEncoder(encoder.float().eval(), tokens, min(longest, most), most)


def _one_tower(start: str, pooling: Pooling | None) -> DualEncoder:
    transformer, config = _transformer(start), _pooling_config(start)
    if config.pooling is None and pooling is None:
        fix = "add pooling='mean' or pooling='cls', as it was trained"
        raise UserError("it does not say how its token vectors are pooled", where=start, fix=fix)
    chosen = _agreed(start, config.pooling, pooling)
    tower = Tower(transformer, pooling=cast(Pooling, chosen), normalised=config.normalised)
    return DualEncoder(tower, tower)


def _transformer(start: str) -> Any:
    """Load an encoder without the pooler of BERT and the like, which embeddings here do not use.

    Raises:
        UserError: there is none, or it lacks weights, which would be random.
    """
    with _without_load_report():
        transformer, loading_info = open_pretrained(transformers.AutoModel, start, output_loading_info=True)
    missing = sorted(key for key in loading_info["missing_keys"] if not key.startswith("pooler."))
    if missing:
        what = f"holds no weights of {missing[0]}{' and others' if len(missing) > 1 else ''}"
        raise UserError(what, where=start, fix="give the whole checkpoint")
    if hasattr(transformer, "pooler"):
        transformer.pooler = None
    return transformer


@contextmanager
def _without_load_report() -> Iterator[None]:
    """Keep `transformers` from printing a table of weights that are in a file and not needed."""
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(before)


def _agreed(start: str, configured: str | None, requested: str | None) -> str | None:
    """Return the pooling that the checkpoint says, else the one that is asked for."""
    if None not in (configured, requested) and configured != requested:
        raise UserError(f"pools by {configured}, not by {requested}", where=start, fix="leave pooling= out")
    return configured or requested


def _pooling_config(start: str) -> _PoolingConfig:
    """Read ``modules.json``.

    Raises:
        UserError: it has a module that is not read here.
    """
    modules = _read_optional_json(start, "modules.json")
    if modules is None:
        return _PoolingConfig(None, normalised=False)
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        what = f"its modules are {', '.join(kinds)}"
        fix = "give one of Transformer, Pooling and at most Normalize"
        raise UserError(what, where=start, fix=fix)
    settings = _read_optional_json(start, f"{modules[1]['path']}/config.json") or {}
    old_poolings = [name for name, key in _OLD_POOLING.items() if settings.get(key)]
    pooling = settings.get("pooling_mode") or (old_poolings[0] if len(old_poolings) == 1 else None)
    if pooling not in _OLD_POOLING:
        others = [key for key, value in settings.items() if value is True]
        what = f"its pooling is {pooling or ', '.join(others) or 'not said'}"
        raise UserError(what, where=start, fix="give one that pools by cls or mean")
    return _PoolingConfig(pooling, normalised="Normalize" in kinds)


def _refuse_foreign(start: str, tokenizer: Any, transformer: Any) -> None:
    """Refuse a tokenizer that cannot be the one that an encoder was trained with."""
    pieces, rows = len(tokenizer), transformer.get_input_embeddings().num_embeddings
    if pieces <= len(set(tokenizer.all_special_ids)):  # what `transformers` makes up where there is none
        raise UserError("no tokenizer lies beside it", where=start, fix="put its own there")
    if not pieces <= rows <= pieces + SPARE_ROWS:
        what = f"its tokenizer has {pieces} pieces, its encoder vectors of {rows}"
        fix = "put the tokenizer there that the encoder was trained with"
        raise UserError(what, where=start, fix=fix)
    if tokenizer.pad_token_id is None:
        raise UserError("its tokenizer has no token that fills", where=start, fix="give it a pad_token")


def _read_optional_json(start: str, name: str) -> Any:
    """Return what a JSON file of a checkpoint holds; none where it has no such file."""
    path = Path(start) / name
    if Path(start).is_dir():
        return read_json(path) if path.exists() else None
    quiet = {"_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": False}
    cached = cached_file(start, name, **quiet)
    return read_json(Path(cached)) if cached else None
