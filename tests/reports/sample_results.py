"""A made-up results folder: three targets of two papers, on two datasets, with two verdicts."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from sample import sample_cells
from sample_readings import sample_readings

PROVENANCE = {
    "manifest": "pydocs: 100.0 % of documents as in the manifest",
    "environments": [
        {
            "commit": "0123abc",
            "dirty": False,
            "hardware": {"cores": 2, "cpu": "A processor", "gpus": [], "memory_bytes": 8_000_000_000},
            "packages": {"torch": "2.13.0", "numpy": "2.4.6"},
            "platform": "Linux",
            "python": "3.11.7",
            "threads": 2,
        }
    ],
    "runs": [
        {"row": "TriSampler", "seed": 0, "fingerprint": "5cfd01faa108e93c", "seconds": 12.34,
         "finished": 1795276258.4, "environment": 0},
        {"row": "BM25", "seed": 0, "fingerprint": "a260bcd73d911d8e", "seconds": None, "finished": None,
         "environment": 0},
    ],
}  # fmt: skip


def write_results(scale: Path) -> None:
    """Write cells, provenance and (empty) per-query scores, and nothing that is rendered from them."""
    cells = sample_cells(missing="SimANS")
    other = copy.deepcopy(cells) | {"target": "simans/table-2", "paper": "simans", "title": "An <i> & a |"}
    other["verdict"] = "reproduced"
    for column in other["columns"]:
        column["dataset_title"] = "Natural Questions"
    readings = sample_readings(few=True) | {"simulation": False, "scale": "scratch"}
    for content in (cells, other, readings):
        folder = scale / content["target"]
        folder.mkdir(parents=True)
        _write(folder / "cells.json", content)
        _write(folder / "provenance.json", PROVENANCE)
        (folder / "per_query.parquet").write_bytes(b"")


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, sort_keys=True), encoding="utf-8")
