"""Layouts of released checkpoints, recognised by the names of their weights.

Sources of the names: SimXNS at 0163380, SimANS/model/models.py:85-108, 316-359 and 638-659 (AR2, SimANS);
facebookresearch/DPR, dpr/models/hf_models.py and biencoder.py; `transformers`, models/dpr; microsoft/ANCE,
model/models.py; jingtaozhan/DRhard, model.py (STAR, ADORE); texttron/tevatron, modeling/dense.py.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from harness.encoders.weight_files import names_text
from harness.errors import UserError

Side = Literal["shared", "query", "passage"]
Body = Literal["BERT", "RoBERTa"]

PAGE = "docs/checkpoints.md"
"""What lists the layouts, for people."""


class TowerKeys(NamedTuple):
    """How the names of a tower's weights begin.

    Attributes:
        side: what it embeds.
        transformer: the weights of its transformer.
        linear: those of a linear map over its pooled vector; empty where there is never one.
        norm: those of the LayerNorm after that map; empty where there is never one.
    """

    side: Side
    transformer: str
    linear: str = ""
    norm: str = ""


class Layout(NamedTuple):
    """The layout of a checkpoint.

    Attributes:
        name: for people.
        signs: beginnings of names of which one is enough to recognise it, in no layout further up.
        towers: of a retriever, or what a ranker reads pairs by.
        body: the model of `transformers` that a tower is; None where config.json chooses.
        pooling: of its vectors; None where the file does not show it.
        mapped: whether the linear map is always there.
        unread: beginnings of further names that may be there, and that no vector or score depends on.
        scorer: of a ranker, how the names of its map to one score begin.
        apart: whether its towers are released in a file each.
    """

    name: str
    signs: tuple[str, ...]
    towers: tuple[TowerKeys, ...]
    body: Body | None = "BERT"
    pooling: Literal["cls"] | None = "cls"
    mapped: bool = False
    unread: tuple[str, ...] = ()
    scorer: str = ""
    apart: bool = False


UNREAD = ("embeddings.position_ids", "embeddings.token_type_ids", "pooler.")
"""Weights of any transformer that none of its vectors depends on: how their names begin below its own."""

_WORDS = "embeddings.word_embeddings.weight"

_ONE_ENCODER: tuple[tuple[str, Body | None], ...] = (
    ("bert.", "BERT"),
    ("ernie.", "BERT"),
    ("roberta.", "RoBERTa"),
    ("", None),
)
"""How the names of an encoder begin -> what it is, as its config.json has to have it."""

LAYOUTS = (
    Layout(
        name="ranker of AR2 and SimANS",
        signs=("qa_classifier.",),
        towers=(TowerKeys("shared", "encoder."),),
        body=None,
        unread=("binary.",),
        scorer="qa_classifier.",
    ),
    Layout(
        name="RobertaDot of ANCE, STAR, ADORE and SimANS' MS MARCO documents",
        signs=("embeddingHead.",),
        towers=(TowerKeys("shared", "roberta.", "embeddingHead.", "norm."),),
        body="RoBERTa",
        mapped=True,
        unread=("classifier.", "lm_head."),
    ),
    Layout(
        name="two towers of DPR, AR2, SimANS and of ANCE's answers to questions",
        signs=("question_model.", "ctx_model."),
        towers=(
            TowerKeys("query", "question_model.", "question_model.encode_proj."),
            TowerKeys("passage", "ctx_model.", "ctx_model.encode_proj."),
        ),
    ),
    Layout(
        name="DPR of transformers",
        signs=("question_encoder.", "ctx_encoder."),
        towers=(
            TowerKeys("query", "question_encoder.bert_model.", "question_encoder.encode_proj."),
            TowerKeys("passage", "ctx_encoder.bert_model.", "ctx_encoder.encode_proj."),
        ),
        apart=True,
    ),
    Layout(
        name="two towers of Tevatron",
        signs=("lm_q.", "lm_p."),
        towers=(
            TowerKeys("query", "lm_q.", "pooler.linear_q."),
            TowerKeys("passage", "lm_p.", "pooler.linear_p."),
        ),
        body=None,
    ),
    *(
        Layout(
            name=f"encoder of one tower ({prefix}*)" if prefix else "encoder of one tower",
            signs=(f"{prefix}{_WORDS}",),
            towers=(TowerKeys("shared", prefix),),
            body=body,
            pooling=None,
            unread=("cls.", "lm_head."),
        )
        for prefix, body in _ONE_ENCODER
    ),
)
"""The first one of which a name is there is the layout of a file."""


def layout_of(names: Collection[str]) -> Layout | None:
    """Return the layout of weights by their names, whole or not; None if it is none that is read here."""
    return next((one for one in LAYOUTS if any(name.startswith(one.signs) for name in names)), None)


def recognised(names: Collection[str], where: str) -> Layout:
    """Return the layout of weights, with its towers.

    Args:
        names: of the weights.
        where: the file, for the message.

    Raises:
        UserError: it is none that is read here, or a tower is missing.
    """
    layout = layout_of(names)
    if layout is None:
        what = f"its weights are of no layout that is read here: {names_text(names)}"
        raise UserError(what, where=where, fix=f"give a checkpoint of a layout that {PAGE} lists")
    missing = [keys for keys in layout.towers if not _there(keys, names)]
    if missing and not (layout.apart and len(missing) < len(layout.towers)):
        keys = missing[0]
        of = "" if keys.side == "shared" else f" for {WHAT[keys.side]}"
        what = f"it has no tower{of} (weights {keys.transformer}*), as a {layout.name} has"
        raise UserError(what, where=where, fix="give the whole checkpoint")
    return layout


def towers_in(layout: Layout, names: Collection[str]) -> list[TowerKeys]:
    """Return the towers of a layout that a file has."""
    return [keys for keys in layout.towers if _there(keys, names)]


def unread_names(layout: Layout, names: Collection[str]) -> list[str]:
    """Return the names of weights that no vector or score depends on."""
    inside = tuple(keys.transformer + unread for keys in layout.towers for unread in UNREAD)
    return sorted(name for name in names if name.startswith((*layout.unread, *inside)))


WHAT: dict[Side, str] = {"shared": "both", "query": "queries", "passage": "passages"}
"""What a tower embeds, in words."""


def _there(keys: TowerKeys, names: Collection[str]) -> bool:
    return any(name.startswith(keys.transformer) for name in names)
