"""Checkpoints as papers released them, made into folders that everything here opens.

A layout is recognised by the names of its weights (`harness.encoders.key_layouts`). Sizes and tokenizer are
of the encoder that it was trained from. Code in a file never runs, and a weight without its place, or a
place without its weight, is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from harness.collections.checkpoint_place import local_folder, located
from harness.collections.tokenizer import load_tokenizer
from harness.encoders.dual_encoder import DualEncoder, Tower, holds_encoder
from harness.encoders.key_layouts import (
    WHAT,
    Layout,
    Side,
    layout_of,
    recognised,
    towers_in,
    unread_names,
)
from harness.encoders.pooling import Pooling
from harness.encoders.pretrained import places, read_encoder, refuse_foreign
from harness.encoders.ranker import CrossEncoder
from harness.encoders.released_models import Sizes, dense_of, fill, model_of
from harness.encoders.weight_files import read_weights
from harness.errors import UserError, nearest
from harness.storage.files import atomic_folder

Kind = Literal["retriever", "ranker"]

BERT_TOKENIZER = "google-bert/bert-base-uncased"

_SUFFIXES = (".bin", ".cp", ".pkl", ".pt", ".pth", ".safetensors")
"""How names of files of weights end, and those of hub ids do not."""


class Converted(NamedTuple):
    """What a folder was made of.

    Attributes:
        kind: what it is.
        layout: that of the names of its weights, for people.
        shared: whether one tower embeds queries and passages.
        unread: names of weights that were left out, as no vector or score depends on them.
    """

    kind: Kind
    layout: str
    shared: bool
    unread: tuple[str, ...]


class Towers(NamedTuple):
    """The towers of one place.

    Attributes:
        by_side: a shared one; or one for queries, one for passages, or both.
        layout: of the names of the weights, for people.
        unread: names of weights that were left out.
        tokenizer: folder of its own tokenizer, if it has one.
        longest: of its texts in tokens, if it has a limit of its own.
    """

    by_side: dict[Side, Tower]
    layout: str
    unread: tuple[str, ...]
    tokenizer: str | None
    longest: int | None = None


def convert(
    file: Path | str,
    folder: Path,
    *,
    config: str | None = None,
    tokenizer: str | None = None,
    passages: Path | str | None = None,
    pooling: Pooling | None = None,
) -> Converted:
    """Make a folder of a released checkpoint, as `DualEncoder.save` or `CrossEncoder.save` write it.

    Towers with the same weights become one that is shared. A ranker is a linear map of the vector of [CLS];
    its code never passes token types, so that it keeps the first one alone.

    Args:
        file: the released file; or a folder or hub id, of `transformers`, SentenceTransformer or Tevatron.
        folder: to be written, which is not there yet.
        config: folder or hub id of the encoder that it was trained from, whose sizes it has; by default a
            folder's own.
        tokenizer: folder or hub id of its tokenizer; by default a folder's own, else that of BERT or, of a
            RoBERTa, that of `config`.
        passages: the same as `file`, of the tower for passages, where the towers are released apart.
        pooling: of an encoder whose files do not have it.

    Raises:
        UserError: a file cannot be read, is of another kind or of other sizes; sizes or tokenizer cannot be
            had or are of another; the folder is there, or cannot be written.
    """
    if folder.exists():
        raise UserError("this is there already", where=str(folder), fix="name another folder, or remove it")
    if pooling is not None and pooling not in get_args(Pooling):
        raise UserError(f"unknown pooling '{pooling}'", fix=nearest(pooling, get_args(Pooling)))
    place = _place(str(file))
    weights = None if _opened(place) else read_weights(place)
    layout = None if weights is None or _is_plain(place, weights) else recognised(weights, str(place))
    if layout and layout.scorer and weights and passages is None:
        ranker, done = _ranker(place, layout, weights, config)
        own = tokenizer or _own_tokenizer(place) or _usual_tokenizer(place, config)
        _save(ranker, folder, own, str(place))
        return done
    query = _towers(place, weights, config, pooling)
    passage = None
    if passages is not None:
        other = _place(str(passages))
        passage = _towers(other, None if _opened(other) else read_weights(other), config, pooling)
        if tokenizer is None:
            _refuse_two_tokenizers(query, passage, str(passages))
    encoder = _both(query, passage, str(place), str(passages))
    own = tokenizer or query.tokenizer or _usual_tokenizer(place, config)
    longest = [one.longest for one in (query, passage) if one is not None and one.longest is not None]
    _save(encoder, folder, own, str(place), min(longest, default=None))
    unread = tuple(dict.fromkeys(query.unread + (passage.unread if passage else ())))
    return Converted("retriever", query.layout, encoder.shared, unread)


def _save(
    made: DualEncoder | CrossEncoder, folder: Path, tokenizer: str, where: str, longest: int | None = None
) -> None:
    """Write the folder, with a tokenizer that can be its own."""
    own = load_tokenizer(tokenizer)
    towers = made.towers().values() if isinstance(made, DualEncoder) else ()
    bodies = [made.model] if isinstance(made, CrossEncoder) else [tower.transformer for tower in towers]
    for body in bodies:
        refuse_foreign(where, own, body)
    most = min(places(body) or own.model_max_length for body in bodies)
    with atomic_folder(folder) as beside:
        made.save(beside, own, min(longest or most, most))


def _place(start: str) -> Path:
    """Return the file or folder that is named by its path, or by a hub id."""
    path = Path(start)
    if path.is_file():
        return path
    file = path.is_absolute() or path.suffix in _SUFFIXES or start.count("/") != 1
    if file and local_folder(start) is None:
        raise UserError("no such file", where=start, fix="give the path of a released checkpoint")
    return Path(located(start))


def _opened(place: Path) -> bool:
    """Return whether `read_encoder` knows a folder by more than its weights."""
    return place.is_dir() and (holds_encoder(place) or (place / "modules.json").is_file())


def _own_tokenizer(place: Path) -> str | None:
    folders = (place, place / "query_model") if place.is_dir() else ()
    names = ("tokenizer.json", "vocab.txt", "vocab.json")
    return next((str(one) for one in folders if any((one / name).is_file() for name in names)), None)


def _usual_tokenizer(place: Path, config: str | None) -> str:
    """Return the tokenizer of a checkpoint that has none: BERT's, or that of its RoBERTa."""
    sizes = Sizes(place, config)
    return sizes.start if sizes.body == "RoBERTa" else BERT_TOKENIZER


def _refuse_two_tokenizers(query: Towers, passage: Towers, where: str) -> None:
    """Refuse towers that read by tokenizers of their own which differ."""
    if query.tokenizer and passage.tokenizer:
        first, second = load_tokenizer(query.tokenizer), load_tokenizer(passage.tokenizer)
        pieces = first.get_vocab() == second.get_vocab()
        differ = None
        if not pieces or first(_PROBE)["input_ids"] != second(_PROBE)["input_ids"]:
            differ = "its tokenizer reads other pieces"
        elif first.prompts != second.prompts:
            differ = "it puts other prompts before texts"
        if differ:
            what = f"{differ} than that of the tower for queries"
            raise UserError(what, where=where, fix="give two towers of one retriever")


_PROBE = "Élan: two-tower RETRIEVAL, 1 + 2"
"""A text that tokenizers of the same pieces read differently where they treat capitals and accents so."""


def _both(query: Towers, passage: Towers | None, where: str, passages: str) -> DualEncoder:
    """Return the encoder of one place or two.

    Raises:
        UserError: a tower is missing, or there twice.
    """
    first = _one(query, "query", where, single=passage is None)
    second = _one(passage or query, "passage", where if passage is None else passages, single=passage is None)
    if first.dimension != second.dimension:
        what = f"queries have {first.dimension} dimensions, and passages {second.dimension}"
        raise UserError(what, where=where, fix="give two towers of one retriever")
    return DualEncoder(first, first if _same(first, second) else second).eval()


def _one(towers: Towers, side: Side, where: str, *, single: bool) -> Tower:
    """Return the tower of a place for one side.

    Args:
        towers: of the place.
        side: which one.
        where: the place, for the message.
        single: whether no other place is given.
    """
    tower = towers.by_side.get(side, towers.by_side.get("shared"))
    if not single and len(towers.by_side) > 1:
        what = "it has a tower for queries and one for passages"
        raise UserError(what, where=where, fix="give it as FILE, without --passages")
    if tower is not None:
        return tower
    (there,) = towers.by_side
    if single:
        what = f"it has a tower for {WHAT[there]} and none for {WHAT[side]}"
        fix = "give both: FILE is the one for queries, and --passages the one for passages"
    else:
        what, fix = f"a tower for {WHAT[there]}, given for {WHAT[side]}", "exchange FILE and --passages"
    raise UserError(what, where=where, fix=fix)


def _same(first: Tower, second: Tower) -> bool:
    """Return whether two towers are the same function, as where a shared one was saved twice."""
    own, other = first.state_dict(), second.state_dict()
    settings = [(one.pooling, one.scale, one.normalised) for one in (first, second)]
    return (
        settings[0] == settings[1]
        and own.keys() == other.keys()
        and all(torch.equal(own[name], other[name]) for name in own)
    )


def _towers(
    place: Path, weights: Mapping[str, Tensor] | None, config: str | None, pooling: Pooling | None
) -> Towers:
    """Return the towers of a file or folder.

    Args:
        place: the file or folder.
        weights: of it; none where `read_encoder` knows it by more than those.
        config: whose sizes it has.
        pooling: where the place does not have it.
    """
    where = str(place)
    if weights is None or _is_plain(place, weights):
        return _of_encoder(place, pooling)
    layout = recognised(weights, where)
    if layout.scorer:
        raise UserError(f"a {layout.name}, and no retriever", where=where, fix="give a retriever")
    pools = layout.pooling or pooling
    if pools is None:
        raise _unpooled(where)
    body, sizes = Sizes(place, config).of(layout)
    parts: list[tuple[str, nn.Module]] = []
    by_side: dict[Side, Tower] = {}
    for keys in towers_in(layout, weights):
        transformer = model_of(body, sizes, where, add_pooling_layer=False)
        dense = dense_of(layout, keys, weights, sizes["hidden_size"])
        parts.append((keys.transformer, transformer))
        if dense is not None:
            parts += [(keys.linear, dense.linear), *([(keys.norm, dense.norm)] if dense.norm else [])]
        by_side[keys.side] = Tower(transformer, pooling=pools, dense=dense)
    unread = unread_names(layout, weights)
    fill(parts, {name: weights[name] for name in weights.keys() - set(unread)}, where)
    return Towers(by_side, layout.name, tuple(unread), _own_tokenizer(place))


def _is_plain(place: Path, weights: Mapping[str, Tensor]) -> bool:
    """Return whether a folder's weights are those of an encoder of `transformers`, which knows them best."""
    layout = layout_of(weights)
    return place.is_dir() and (layout is None or layout.pooling is None)


def _of_encoder(place: Path, pooling: Pooling | None) -> Towers:
    """Return the towers of a folder that is opened as it is."""
    if pooling is None and not _opened(place):
        raise _unpooled(str(place))
    read = read_encoder(str(place), pooling)
    both: dict[Side, Tower] = {"query": read.encoder.query, "passage": read.encoder.passage}
    by_side: dict[Side, Tower] = {"shared": read.encoder.query} if read.encoder.shared else both
    return Towers(by_side, "folder of an encoder", (), read.tokenizer, read.longest)


def _unpooled(where: str) -> UserError:
    fix = "add --pooling cls or --pooling mean, as it was trained"
    return UserError("its pooling is in no file", where=where, fix=fix)


def _ranker(
    place: Path, layout: Layout, weights: Mapping[str, Tensor], config: str | None
) -> tuple[CrossEncoder, Converted]:
    """Return the ranker of a file."""
    body, sizes = Sizes(place, config).of(layout)
    head = {"num_labels": 1, "classifier_dropout": 0.0}
    model = model_of(body, {**sizes, **head}, str(place), ranker=True)
    unread = unread_names(layout, weights)
    parts = [(layout.towers[0].transformer, model.base_model), (layout.scorer, model.classifier)]
    fill(parts, {name: weights[name] for name in weights.keys() - set(unread)}, str(place))
    embeddings = model.base_model.embeddings
    first = embeddings.token_type_embeddings.weight[:1].detach().clone()
    embeddings.token_type_embeddings = nn.Embedding(1, first.shape[1], _weight=first)
    model.config.type_vocab_size = 1
    return CrossEncoder(model).eval(), Converted("ranker", layout.name, True, tuple(unread))
