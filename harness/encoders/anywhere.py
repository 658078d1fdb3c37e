"""Encoders that were trained anywhere: by the harness, with `SentenceTransformer` or with `transformers`."""

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
from harness.encoders.transformer import opened
from harness.errors import UserError, nearest
from harness.storage.checksums import check_folder
from harness.storage.files import read_json

SPARE_ROWS = 1024
"""Vectors that an encoder may have beyond its tokenizer's pieces: tables are padded."""

_OLD_POOLING = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens"}
"""Pooling -> its key in the configuration of a `SentenceTransformer` before `pooling_mode`."""


class FromAnywhere(NamedTuple):
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


class _Said(NamedTuple):
    """What a checkpoint says of how its token vectors become an embedding."""

    pooling: str | None
    normalised: bool


def read_encoder(start: str, pooling: Pooling | None = None) -> FromAnywhere:
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
    longest = (_json_of(tokens, "sentence_bert_config.json") or {}).get("max_seq_length") or most
    return FromAnywhere(encoder.float().eval(), tokens, min(longest, most), most)


def tokenizer_at(start: str) -> str:
    """Return folder or hub id of the tokenizer of an encoder."""
    folder = Path(start)
    if not folder.is_dir():
        return start
    return str(tokenizer_of(folder.resolve()) if holds_encoder(folder) else folder.resolve())


def refuse_longer(start: str, found: FromAnywhere, lengths: Mapping[str, int | None]) -> None:
    """Refuse texts that are longer than an encoder can read.

    Args:
        start: where it was read, for the message.
        found: the encoder.
        lengths: ``query_tokens`` and ``passage_tokens``, as far as they are set.

    Raises:
        UserError: one is longer.
    """
    for key, value in lengths.items():
        if value is not None and value > found.most:
            raise UserError(f"{key} {value} is more than the {found.most} that it reads", where=start)


def _one_tower(start: str, pooling: Pooling | None) -> DualEncoder:
    transformer, said = _transformer(start), _said(start)
    if said.pooling is None and pooling is None:
        fix = "add pooling='mean' or pooling='cls', as it was trained"
        raise UserError("it does not say how its token vectors are pooled", where=start, fix=fix)
    chosen = _agreed(start, said.pooling, pooling)
    tower = Tower(transformer, pooling=cast(Pooling, chosen), normalised=said.normalised)
    return DualEncoder(tower, tower)


def _transformer(start: str) -> Any:
    """Load an encoder without the pooler of BERT and the like, which embeddings here do not use.

    Raises:
        UserError: there is none, or it lacks weights, which would be random.
    """
    with _without_load_report():
        transformer, told = opened(transformers.AutoModel, start, output_loading_info=True)
    missing = sorted(key for key in told["missing_keys"] if not key.startswith("pooler."))
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


def _agreed(start: str, said: str | None, asked: str | None) -> str | None:
    """Return the pooling that the checkpoint says, else the one that is asked for."""
    if None not in (said, asked) and said != asked:
        raise UserError(f"pools by {said}, not by {asked}", where=start, fix="leave pooling= out")
    return said or asked


def _said(start: str) -> _Said:
    """Read ``modules.json``.

    Raises:
        UserError: it has a module that is not read here.
    """
    modules = _json_of(start, "modules.json")
    if modules is None:
        return _Said(None, normalised=False)
    kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        what = f"its modules are {', '.join(kinds)}"
        fix = "give one of Transformer, Pooling and at most Normalize"
        raise UserError(what, where=start, fix=fix)
    settings = _json_of(start, f"{modules[1]['path']}/config.json") or {}
    known = [name for name, key in _OLD_POOLING.items() if settings.get(key)]
    found = settings.get("pooling_mode") or (known[0] if len(known) == 1 else None)
    if found not in _OLD_POOLING:
        others = [key for key, value in settings.items() if value is True]
        what = f"its pooling is {found or ', '.join(others) or 'not said'}"
        raise UserError(what, where=start, fix="give one that pools by cls or mean")
    return _Said(found, normalised="Normalize" in kinds)


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


def _json_of(start: str, name: str) -> Any:
    """Return what a JSON file of a checkpoint holds; none where it has no such file."""
    path = Path(start) / name
    if Path(start).is_dir():
        return read_json(path) if path.exists() else None
    quiet = {"_raise_exceptions_for_missing_entries": False, "_raise_exceptions_for_connection_errors": False}
    found = cached_file(start, name, **quiet)
    return read_json(Path(found)) if found else None
