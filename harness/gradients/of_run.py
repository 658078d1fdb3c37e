"""The gradients of a finished run, measured once and kept in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.gradients.findings import findings
from harness.gradients.per_rank import frame_of, measure
from harness.gradients.statistics import Gradients
from harness.records.run_folder import RunFolder
from harness.runs.device import device
from harness.runs.retriever import Retriever
from harness.runs.stages import Stages
from harness.specs.run_settings import TrainedRun
from harness.storage.files import content_hash, read_parquet, write_parquet
from harness.training.checkpoints import load_final

VERSION = 1
"""Raised when the same settings give other numbers."""


class KeptGradients(NamedTuple):
    """Gradients of a run by rank, and the findings about them; see `frame_of` and `findings`."""

    curves: pd.DataFrame
    findings: pd.DataFrame


def measure_run(stages: Stages, settings: TrainedRun, folder: RunFolder, **asked: object) -> None:
    """Measure the gradients of a run unless they are in its folder.

    Args:
        stages: that made the run.
        settings: of the run.
        folder: of the run, finished.
        asked: `split`, `ranks` and `queries` of :class:`~harness.gradients.per_rank.GradientSettings`.

    Raises:
        UserError: no such split, or more ranks than documents.
    """
    if (_folder(folder, asked) / "findings.parquet").exists():
        return
    encoder = load_final(folder.checkpoints).to(device())
    collection, tokens = stages.collections.get(settings.collection), stages.collections.tokens(settings)
    retriever = Retriever(settings.kind, encoder, collection, tokens)
    there = len(np.unique(retriever.pairs(str(asked["split"])).pairs[:, 0]))
    gradients = measure(retriever, **{**asked, "queries": min(int(str(asked["queries"])), there)})
    keep(gradients, folder, **asked)


def keep(gradients: Gradients, folder: RunFolder, **asked: object) -> None:
    """Write gradients of a run into its folder, the file by which they are found last."""
    kept = _folder(folder, asked)
    kept.mkdir(parents=True, exist_ok=True)
    write_parquet(frame_of(gradients).assign(queries=len(gradients.norm)), kept / "curves.parquet")
    write_parquet(findings(gradients), kept / "findings.parquet")


def read_gradients(folder: RunFolder, **asked: object) -> KeptGradients:
    """Return what `measure_run` kept.

    Raises:
        UserError: a file is missing or corrupt.
    """
    kept = _folder(folder, asked)
    fix = f"delete {kept} and run again"
    return KeptGradients(*(read_parquet(kept / f"{name}.parquet", fix) for name in KeptGradients._fields))


def _folder(folder: RunFolder, asked: dict[str, object]) -> Path:
    return folder.folder / "gradients" / content_hash(VERSION, asked)
