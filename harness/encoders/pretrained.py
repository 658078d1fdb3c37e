"""Pretrained encoders: those of the harness, of `SentenceTransformer` and of `transformers`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import torch

from harness.collections.checkpoint_place import located
from harness.collections.tokenizer import load_tokenizer, sentence_config
from harness.encoders.dense import read_dense
from harness.encoders.dual_encoder import DualEncoder, Tower, holds_encoder, tokenizer_of
from harness.encoders.pooling import Pooling
from harness.encoders.sentence_files import SentenceFiles, sentence_files
from harness.encoders.transformer import pretrained_transformer
from harness.errors import UserError, nearest, told
from harness.storage.checksums import check_folder

SPARE_ROWS = 1024
"""Word vectors that an encoder may have beyond its tokenizer's pieces, as tables are padded."""


class PretrainedEncoder(NamedTuple):
    """An encoder with its tokenizer.

    Attributes:
        encoder: the dual encoder, in evaluation mode and in 32-bit floats.
        tokenizer: folder of its tokenizer.
        longest: maximal length of a text in tokens, according to the checkpoint, if it says one.
        most: maximal length of a text in tokens that the encoder supports.
    """

    encoder: DualEncoder
    tokenizer: str
    longest: int | None
    most: int


def read_encoder(start: str, pooling: Pooling | None = None) -> PretrainedEncoder:
    """Read an encoder with its own tokenizer.

    What the checkpoint's files say is read as `SentenceTransformer` reads it: pooling, normalisation, lower
    case, the longest text. What is not read here and changes embeddings or scores is refused.

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
    folder, longest = Path(located(start)), None
    if holds_encoder(folder):
        check_folder(folder)
        encoder = DualEncoder.load(folder)
        _agreed(start, encoder.query.pooling, pooling)
        longest = sentence_config(str(tokenizer_of(folder))).get("max_seq_length")
    else:
        files = sentence_files(start)
        encoder, longest = _one_tower(start, files, pooling), files.longest
    tokens = tokenizer_at(start)
    tokenizer = load_tokenizer(tokens)
    encoder = encoder.float().eval()
    for tower in encoder.towers().values():
        refuse_foreign(start, tokenizer, tower.transformer)
    said = tokenizer.model_max_length  # a float where it is without end
    if not isinstance(said, int | float) or said < 1:
        raise UserError(f"its tokenizer reads {said!r} tokens", where=start, fix=_SHORTER)
    most = int(min(said, places(encoder.query.transformer) or NO_LIMIT))
    longest = min(longest or most, most)
    if most < NO_LIMIT:
        _refuse_unread(start, encoder.query, tokenizer, most)
    return PretrainedEncoder(encoder, tokens, None if longest >= NO_LIMIT else longest, most)


NO_LIMIT = 1_000_000
"""Tokens; `transformers` writes 10^30 where a tokenizer says no longest text."""


def places(transformer: Any) -> int | None:
    """Return how many tokens an encoder has positions for; None if it says none, or needs none.

    RoBERTa and its kin count positions from the one after that of padding.
    """
    for name, module in transformer.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            before = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - before
    said = getattr(transformer.config, "max_position_embeddings", None)
    return said if isinstance(said, int) and said > 0 else None


def _refuse_unread(start: str, tower: Tower, tokenizer: Any, most: int) -> None:
    """Refuse an encoder that cannot read a text as long as it says, or gives no finite numbers for it."""
    special = set(tokenizer.all_special_ids)
    word = next(number for number in range(len(tokenizer)) if number not in special)
    ids = torch.full((1, min(most, _TRIED)), word)
    with told(f"it does not read {most} tokens, which it says it does", where=start, fix=_SHORTER):
        with torch.inference_mode():
            embedding = tower(ids, torch.ones_like(ids))
        if not bool(torch.isfinite(embedding).all()):
            raise ValueError("the embedding is not finite")


_TRIED = 4096
_SHORTER = "set model_max_length in tokenizer_config.json to what it was trained with"


def tokenizer_at(start: str) -> str:
    """Return the folder of the tokenizer of an encoder."""
    folder = Path(located(start))
    root = tokenizer_of(folder) if holds_encoder(folder) else Path(located(sentence_files(start).root))
    return str(root.resolve())


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


def _one_tower(start: str, files: SentenceFiles, pooling: Pooling | None) -> DualEncoder:
    if files.pooling is None and pooling is None:
        fix = "add pooling='mean' or pooling='cls', as it was trained"
        raise UserError("its pooling is not configured", where=start, fix=fix)
    chosen = _agreed(start, files.pooling, pooling)
    transformer = pretrained_transformer(files.root)
    dense = None
    if files.dense:
        dense = read_dense(Path(located(start)), files.dense, transformer.config.hidden_size)
    tower = Tower(transformer, pooling=cast(Pooling, chosen), normalised=files.normalised, dense=dense)
    return DualEncoder(tower, tower)


def _agreed(start: str, configured: str | None, requested: str | None) -> str | None:
    """Return the checkpoint's pooling, else the requested one; they must not differ."""
    if None not in (configured, requested) and configured != requested:
        raise UserError(f"pools by {configured}, not by {requested}", where=start, fix="leave pooling= out")
    return configured or requested


def refuse_foreign(start: str, tokenizer: Any, transformer: Any) -> None:
    """Refuse a tokenizer that cannot be the encoder's own.

    Raises:
        UserError: it has no pieces, other ones, or no padding token.
    """
    pieces, rows = len(tokenizer), transformer.get_input_embeddings().num_embeddings
    if pieces <= len(set(tokenizer.all_special_ids)):  # what `transformers` makes up where there is none
        raise UserError("it has no tokenizer", where=start, fix="put its tokenizer there")
    if not pieces <= rows <= pieces + SPARE_ROWS:
        what = f"its tokenizer has {pieces} pieces, but its encoder has {rows} word vectors"
        fix = "put the tokenizer of its training there"
        raise UserError(what, where=start, fix=fix)
    if tokenizer.pad_token_id is None:
        raise UserError("its tokenizer has no padding token", where=start, fix="set its pad_token")
