"""The story of `harness analyse`: open the finished runs of a table, analyse them, record the result."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from harness.analysis.options import read_options
from harness.analysis.registry import Analysis, find_analysis
from harness.analysis.row_analyses import Frames
from harness.api.run import OpenedRun, open_row
from harness.errors import UserError
from harness.records.environment import describe_environment
from harness.records.mlflow_analysis import record_analysis
from harness.records.mlflow_entries import environment_tags
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.target import with_runs
from harness.storage.files import content_hash


@dataclass(frozen=True)
class AnalysisRequest:
    """Arguments of an analysis.

    Attributes:
        name: name of the analysis.
        target: target whose rows are analysed.
        scale: scale of the runs.
        rows: names of rows; by default all that the analysis accepts.
        seed: number of the seed, from 0.
        dataset: dataset of a target with several; by default its first.
        options: options of the analysis, as `key=value`.
        publish: whether results are written to `results/`.
    """

    name: str
    target: str
    scale: str = "quick"
    rows: Sequence[str] = ()
    seed: int = 0
    dataset: str | None = None
    options: Sequence[str] = ()
    publish: bool = False

    @property
    def command(self) -> str:
        """Return the equivalent command line."""
        words = ["harness", "analyse", self.name, self.target, "--scale", self.scale]
        for row in self.rows:
            words += ["--row", row]
        words += ["--seed", str(self.seed)] if self.seed else []
        words += ["--dataset", self.dataset] if self.dataset else []
        for option in self.options:
            words += ["--with", option]
        return shlex.join([*words, *(["--publish"] if self.publish else [])])


@dataclass(frozen=True)
class AnalysisResult:
    """The result of an analysis.

    Attributes:
        request: its arguments.
        analysis: the analysis in the registry.
        resolved: the target at its scale.
        runs: the analysed runs.
        frames: name -> frame.
        options: options that differ from their defaults.
    """

    request: AnalysisRequest
    analysis: Analysis
    resolved: Resolved
    runs: Sequence[OpenedRun]
    frames: Frames
    options: Mapping[str, Any] = field(default_factory=dict)


def analyse(library: Library, stages: Stages, request: AnalysisRequest) -> AnalysisResult:
    """Analyse finished runs; nothing is trained.

    Raises:
        UserError: no such analysis, target, row or option; a run is missing or unfinished; or the analysis
            does not apply to it.
    """
    analysis = find_analysis(request.name)
    options = read_options(analysis.make, analysis.name, request.options)
    resolved = resolve(library, request.target, request.scale)
    torch.set_num_threads(resolved.scale.spec.threads)
    names = _rows(resolved, analysis, request.rows)
    runs = [open_row(stages, resolved, name, request.seed, request.dataset) for name in names]
    with stages.progress.task(analysis.title):
        frames = analysis.make(runs, **options)
    return AnalysisResult(request, analysis, resolved, runs, frames, options)


def _rows(resolved: Resolved, analysis: Analysis, named: Sequence[str]) -> Sequence[str]:
    """Return the named rows, or else all that the analysis accepts."""
    if named:
        return named
    made = [row for row in with_runs(resolved.target.rows) if row.is_made_on(resolved.dataset)]
    rows = [row for row in made if analysis.accepts(resolved.run(row, 0))]
    if not rows:
        raise UserError(f"{resolved.name} has no row for {analysis.name}", fix="name another target")
    return [row.name for row in rows]


def record(result: AnalysisResult, stages: Stages, files: Sequence[Path]) -> bool:
    """Write an analysis to MLflow, in the experiment of its paper; return whether that succeeded."""
    request, resolved = result.request, result.resolved
    fingerprints = [run.run.fingerprint for run in result.runs]
    tags = {
        "mlflow.runName": f"{result.analysis.name} of {resolved.name}",
        "analysis": result.analysis.name,
        "target": resolved.name,
        "scale": request.scale,
        "seed": str(request.seed),
        "dataset": request.dataset or resolved.dataset,
        "rows": "; ".join(run.name for run in result.runs),
        "runs": " ".join(fingerprints),
        "command": request.command,
        **environment_tags(describe_environment()),
    }
    first, *columns = (summary := result.analysis.sum_up(result.frames)).columns
    numbers = {
        f"{line[first]}/{column}": float(line[column])
        for line in summary.to_dict("records")
        for column in columns
        if math.isfinite(line[column])
    }
    return record_analysis(
        stages.store.tracking_uri,
        resolved.paper,
        fingerprint=content_hash("analysis", request.name, result.options, fingerprints),
        tags=tags,
        numbers=numbers,
        files=files,
    )
