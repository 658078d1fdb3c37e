"""The gradients of a finished run, measured once, in its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from harness.encoders.partial import whole_of
from harness.gradients.findings import findings
from harness.gradients.per_rank import GradientSettings, frame_of, measure
from harness.gradients.statistics import Gradients
from harness.records.run_folder import RunFolder
from harness.runs.retriever import Retriever
from harness.runs.stages import Stages
from harness.specs.run_settings import TrainedRun
from harness.storage.files import content_hash, read_parquet, write_parquet
from harness.training.checkpoints import final_of

VERSION = 3
"""Raised when the same settings give other numbers."""

CURVES, FINDINGS = "curves.parquet", "findings.parquet"


@dataclass(frozen=True)
class RankSettings:
    """What is measured of a run.

    Attributes:
        split: split of the queries.
        ranks: number of negatives of each query, from rank 1.
        queries: at most so many queries, drawn from the split; all by default.
    """

    split: str
    ranks: int
    queries: int | None = None

    def folder(self, run: RunFolder) -> Path:
        """Return where it lies in the folder of a run."""
        return run.folder / "gradients" / content_hash(VERSION, asdict(self), run.folder.name)


def options_of(measured: RankSettings) -> dict[str, str | int | None]:
    """Return all that a measurement depends on beside the run, for the record."""
    usual = GradientSettings(split=measured.split, ranks=measured.ranks, queries=measured.queries)
    given = {key: value for key, value in asdict(usual).items() if key not in ("teacher", "memory")}
    return {**given, "version": VERSION}


class RunGradients(NamedTuple):
    """Gradients of a run by rank, and the findings about them; see `frame_of` and `findings`."""

    curves: pd.DataFrame
    findings: pd.DataFrame


def measure_run(stages: Stages, settings: TrainedRun, run: RunFolder, measured: RankSettings) -> None:
    """Measure the gradients of a finished run, unless they are in its folder.

    Args:
        stages: that made the run.
        settings: of the run.
        run: its folder.
        measured: what is measured.

    Raises:
        UserError: no such split, or more ranks than documents.
    """
    if (measured.folder(run) / FINDINGS).exists():
        return
    reader = stages.products.saved(settings, final_of(run.checkpoints))
    collection, tokens = stages.collections.get(settings.collection), stages.collections.tokens(settings)
    encoder = whole_of(reader.encoder)
    entering = partial(stages.products.entering_last_layer, settings, encoder)
    retriever = Retriever(settings.kind, encoder, collection, tokens, reader, entering)
    labelled = len(np.unique(retriever.pairs(measured.split).pairs[:, 0]))
    queries = None if measured.queries is None else min(measured.queries, labelled)
    gradients = measure(retriever, split=measured.split, ranks=measured.ranks, queries=queries)
    write_gradients(gradients, run, measured)


def write_gradients(gradients: Gradients, run: RunFolder, measured: RankSettings) -> None:
    """Write gradients into the folder of a run; the findings come last, since they mark it as complete."""
    folder = measured.folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(frame_of(gradients).assign(queries=len(gradients.norm)), folder / CURVES)
    write_parquet(findings(gradients), folder / FINDINGS)


def read_gradients(run: RunFolder, measured: RankSettings) -> RunGradients:
    """Return what `measure_run` wrote.

    Raises:
        UserError: a file is missing or corrupt.
    """
    folder = measured.folder(run)
    fix = f"delete {folder} and run again"
    return RunGradients(read_parquet(folder / CURVES, fix), read_parquet(folder / FINDINGS, fix))
