"""The layouts in which collections are published, by the name that commands and specs give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.collections.collection import OWN
from harness.collections.layouts.beir import LAYOUT as BEIR
from harness.collections.layouts.beir import BeirLayout
from harness.collections.layouts.dpr import LAYOUT as DPR
from harness.collections.layouts.dpr import DprLayout
from harness.collections.layouts.files import Files, collection_name, open_files
from harness.collections.layouts.ir import IrLayout
from harness.collections.layouts.msmarco import LAYOUT as MSMARCO
from harness.collections.layouts.msmarco import MsMarcoLayout
from harness.collections.layouts.parquet import LAYOUT as PARQUET
from harness.collections.layouts.parquet import ParquetLayout
from harness.collections.layouts.rows import Layout
from harness.collections.layouts.simans import LAYOUT as SIMANS
from harness.collections.layouts.simans import open_simans
from harness.storage.places import data_folder


@dataclass(frozen=True)
class Kind:
    """A layout in which collections are published.

    Attributes:
        summary: what it reads, in a few words.
        files: the files that it needs; none where a library has them.
        open: makes the reader of a folder's or an archive's files.
        options: parameters that it takes beside those of all kinds.
    """

    summary: str
    files: str
    open: Callable[..., Layout] | None = None
    options: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    "beir": Kind(
        "a folder or archive in the layout of BEIR",
        "corpus.jsonl, queries.jsonl, qrels/{train,dev,test}.tsv",
        BeirLayout,
    ),
    "msmarco": Kind(
        "MS MARCO's passages or documents, as Microsoft publishes them",
        "collection.tsv, queries.{train,dev.small}.tsv, qrels.{train,dev.small}.tsv; or msmarco-docs.tsv",
        MsMarcoLayout,
    ),
    "dpr": Kind(
        "DPR's passages of Wikipedia and its questions with answers",
        "psgs_w100.tsv, nq-train.json, nq-dev.qa.csv, nq-test.qa.csv",
        DprLayout,
        ("dataset", "positives"),
    ),
    "simans": Kind(
        "what SimANS released: MS MARCO passages with titles, or DPR's files",
        "para.txt, para.title.txt, train.query.txt, dev.query.txt, qrels.{train,dev}.tsv, train_ce_0.tsv",
        open_simans,
    ),
    "parquet": Kind(
        "a data set of the Hugging Face hub in parquet",
        "corpus/*.parquet, queries/*.parquet, qrels/{train,dev,test}*.parquet or .tsv",
        ParquetLayout,
    ),
    "ir": Kind("any id of ir_datasets, such as ir:msmarco-passage (extra `data`)", ""),
}
"""Name of a layout -> what it is; the names are those of `OWN`."""

_LAYOUTS = {"beir": BEIR, "msmarco": MSMARCO, "dpr": DPR, "simans": SIMANS, "parquet": PARQUET}

PLACE = {kind: "id" if kind == "ir" else "folder" for kind in OWN}
"""Kind -> the parameter that names the collection: an id, or the path of a folder or an archive."""


def name_of(kind: str, place: str) -> str:
    """Return the name of a collection without its kind, of its id or path; nothing is read."""
    return place if kind == "ir" else collection_name(data_folder(place))


def open_layout(kind: str, parameters: Mapping[str, Any]) -> Layout:
    """Open a collection, so that its splits are known; only names of files are read.

    Args:
        kind: a name of `KINDS`.
        parameters: as a spec has them.

    Raises:
        UserError: it is not there, a file is missing, or an archive is damaged.
    """
    chosen = KINDS[kind]
    if chosen.open is None:
        return IrLayout(parameters["id"])
    files: Files = open_files(data_folder(parameters["folder"]), _LAYOUTS[kind])
    options = {key: parameters[key] for key in chosen.options if parameters.get(key) is not None}
    return chosen.open(files, **options)
