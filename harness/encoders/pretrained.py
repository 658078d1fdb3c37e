"""Pretrained encoders: those of the harness, of `SentenceTransformer` and of `transformers`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
"""Word vectors that an encoder may have beyond its tokenizer's pieces, as tables are padded."""

_OLD_POOLING = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens"}
"""Pooling -> its key in older configurations of `SentenceTransformer`, without `pooling_mode`."""


class PretrainedEncoder(NamedTuple):
    """An encoder with its tokenizer.

    Attributes:
        encoder: the dual encoder, in evaluation mode and in 32-bit floats.
        tokenizer: folder or hub id of its tokenizer.
        longest: maximal length of a text in tokens, according to the checkpoint.
        most: maximal length of a text in tokens that the encoder supports.
    """

    encoder: DualEncoder
    tokenizer: str
    longest: int
    most: int


class _PoolingConfig(NamedTuple):
    """A checkpoint's configuration of pooling; `pooling` is None if there is none."""

    pooling: str | None
    normalised: bool


def read_encoder(start: str, pooling: Pooling | None = None) -> PretrainedEncoder:
    """Read an encoder with its own tokenizer.

    Pooling and normalisation are those of the checkpoint's ``modules.json``; prompts are not supported.

    Args:
        start: a folder that the harness saved; else a folder or hub id of `SentenceTransformer` or
            `transformers`, whose single tower embeds queries and passages.
        pooling: kind of pooling, for a checkpoint without a configuration of pooling.

    Raises:
        UserError: the encoder cannot be read, its tokenizer does not match, its pooling is unknown, or it
            has unsupported modules.
    """
    if pooling is not None and pooling not in get_args(Pooling):
        raise UserError(f"unknown pooling '{pooling}'", fix=nearest(pooling, get_args(Pooling)))
    folder, tokens = Path(start), tokenizer_at(start)
    if folder.is_dir() and holds_encoder(folder):
        check_folder(folder)
        encoder = DualEncoder.load(folder)
        _agreed(start, encoder.query.pooling, pooling)
    else:
        encoder = _one_tower(start, pooling)
    tokenizer = load_tokenizer(tokens)
    for tower in encoder.towers().values():
        _refuse_foreign(start, tokenizer, tower.transformer)
    places = getattr(encoder.query.transformer.config, "max_position_embeddings", None)
    most = min(tokenizer.model_max_length, places or tokenizer.model_max_length)
    longest = (_read_optional_json(tokens, "sentence_bert_config.json") or {}).get("max_seq_length") or most
    return PretrainedEncoder(encoder.float().eval(), tokens, min(longest, most), most)


def tokenizer_at(start: str) -> str:
    """Return folder or hub id of the tokenizer of an encoder."""
    folder = Path(start)
    if not folder.is_dir():
        return start
    return str(tokenizer_of(folder.resolve()) if holds_encoder(folder) else folder.resolve())


def refuse_longer(start: str, loaded: PretrainedEncoder, lengths: Mapping[str, int | None]) -> None:
    """Refuse texts that are longer than an encoder can read.

    Args:
        start: where it was read, for the message.
        loaded: the encoder.
        lengths: ``query_tokens`` and ``passage_tokens``, as far as they are set.

    Raises:
        UserError: one is longer.
    """
    for key, value in lengths.items():
        if value is not None and value > loaded.most:
            raise UserError(f"{key} {value} is more than the {loaded.most} that it reads", where=start)


def _one_tower(start: str, pooling: Pooling | None) -> DualEncoder:
    transformer, config = _transformer(start), _pooling_config(start)
    if config.pooling is None and pooling is None:
        fix = "add pooling='mean' or pooling='cls', as it was trained"
        raise UserError("its pooling is not configured", where=start, fix=fix)
    chosen = _agreed(start, config.pooling, pooling)
    tower = Tower(transformer, pooling=cast(Pooling, chosen), normalised=config.normalised)
    return DualEncoder(tower, tower)


def _transformer(start: str) -> Any:
    """Load an encoder, without the pooler of BERT and the like, which is not used.

    Raises:
        UserError: there is no encoder, or some of its weights are missing.
    """
    with _without_load_report():
        transformer, loading_info = open_pretrained(transformers.AutoModel, start, output_loading_info=True)
    missing = sorted(key for key in loading_info["missing_keys"] if not key.startswith("pooler."))
    if missing:
        what = f"has no weights of {missing[0]}{' and others' if len(missing) > 1 else ''}"
        raise UserError(what, where=start, fix="give the whole checkpoint")
    if hasattr(transformer, "pooler"):
        transformer.pooler = None
    return transformer


@contextmanager
def _without_load_report() -> Iterator[None]:
    """Suppress `transformers`' table of unused weights."""
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(before)


def _agreed(start: str, configured: str | None, requested: str | None) -> str | None:
    """Return the checkpoint's pooling, else the requested one; they must not differ."""
    if None not in (configured, requested) and configured != requested:
        raise UserError(f"pools by {configured}, not by {requested}", where=start, fix="leave pooling= out")
    return configured or requested


def _pooling_config(start: str) -> _PoolingConfig:
    """Read the configuration of pooling from ``modules.json``.

    Raises:
        UserError: it has an unsupported module or pooling.
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
        what = f"its pooling is {pooling or ', '.join(others) or 'missing'}"
        raise UserError(what, where=start, fix="give one that pools by cls or mean")
    return _PoolingConfig(pooling, normalised="Normalize" in kinds)


def _refuse_foreign(start: str, tokenizer: Any, transformer: Any) -> None:
    """Raise an error for a tokenizer that cannot be the encoder's own."""
    pieces, rows = len(tokenizer), transformer.get_input_embeddings().num_embeddings
    if pieces <= len(set(tokenizer.all_special_ids)):  # what `transformers` makes up where there is none
        raise UserError("it has no tokenizer", where=start, fix="put its tokenizer there")
    if not pieces <= rows <= pieces + SPARE_ROWS:
        what = f"its tokenizer has {pieces} pieces, but its encoder has {rows} word vectors"
        fix = "put the tokenizer of its training there"
        raise UserError(what, where=start, fix=fix)
    if tokenizer.pad_token_id is None:
        raise UserError("its tokenizer has no padding token", where=start, fix="set its pad_token")


def _read_optional_json(start: str, name: str) -> Any:
    """Return the content of a checkpoint's JSON file; None if there is no such file."""
    path = Path(start) / name
    if Path(start).is_dir():
        return read_json(path) if path.exists() else None
    quiet = {"_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": False}
    cached = cached_file(start, name, **quiet)
    return read_json(Path(cached)) if cached else None
