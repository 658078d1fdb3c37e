"""Checkpoints that SimANS released as files: where their folders are expected, and what makes them."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from harness.storage.places import data_folder

_BASE = "nghuyong/ernie-2.0-base-en"
_LARGE = "nghuyong/ernie-2.0-large-en"
_CONDENSER = "Luyu/co-condenser-marco"


class Released(NamedTuple):
    """A checkpoint of AR2, of which `harness convert` makes a folder.

    Attributes:
        file: in what SimANS released.
        config: hub id of the encoder that it was trained from.
        like: hub id of an encoder of its sizes, by which a plan counts; but for a few token types.
    """

    file: str
    config: str
    like: str


RELEASED = {
    "released/simans/nq/retriever": Released("ckpt/NQ/nq_fintinue.pkl", _BASE, _BASE),
    "released/simans/nq/ranker": Released("ckpt/NQ/checkpoint-reranker26000", _LARGE, _LARGE),
    "released/simans/tqa/retriever": Released("ckpt/TQ/triviaqa_fintinue.pkl", _BASE, _BASE),
    "released/simans/tqa/ranker": Released("ckpt/TQ/checkpoint-reranker34000", _LARGE, _LARGE),
    "released/simans/ms-pas/retriever": Released("ckpt/MS-Pas/checkpoint-20000", _CONDENSER, _BASE),
    "released/simans/ms-pas/ranker": Released("ckpt/MS-Pas/checkpoint-reranker20000", _LARGE, _LARGE),
}
"""Folder below HARNESS_DATA -> the file, as SimANS' scripts name it (SimXNS at 0163380, train_*_AR2.sh)."""


def conversion(start: str) -> str:
    """Return what makes the folder of a released checkpoint, in words."""
    of = RELEASED[start]
    call = shlex.join(["harness", "convert", of.file, str(data_folder(start)), "--config", of.config])
    return f"`{call}` makes it of the file that SimANS released (SimXNS, folder SimANS)"
