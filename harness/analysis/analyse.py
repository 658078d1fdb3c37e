"""The story of `harness analyse`: open the finished runs of a table, look at them, write what was seen."""

from __future__ import annotations

import inspect
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml

from harness.analysis.registry import Analysis, find_analysis
from harness.analysis.row_analyses import Frames
from harness.api.run import Opened, open_row
from harness.errors import UserError, nearest
from harness.records.environment import describe_environment
from harness.records.mlflow_analysis import record_analysis
from harness.records.mlflow_entries import environment_tags
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.models import with_runs
from harness.specs.resolve import Resolved, resolve
from harness.storage.files import content_hash


@dataclass(frozen=True)
class Asked:
    """What is to be looked at.

    Attributes:
        name: of the analysis.
        target: whose rows.
        scale: of the rows.
        rows: their names; all that the analysis can look at by default.
        seed: number of the seed, from 0.
        dataset: of a target with several; its first by default.
        options: of the analysis, as `key=value`.
        publish: whether it is to be committed.
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
        """Return the command that asks for it."""
        said = ["harness", "analyse", self.name, self.target, "--scale", self.scale]
        for row in self.rows:
            said += ["--row", row]
        said += ["--seed", str(self.seed)] if self.seed else []
        said += ["--dataset", self.dataset] if self.dataset else []
        for option in self.options:
            said += ["--with", option]
        return shlex.join([*said, *(["--publish"] if self.publish else [])])


@dataclass(frozen=True)
class Analysed:
    """What was seen.

    Attributes:
        asked: what was asked for.
        analysis: which.
        resolved: the target at its scale.
        runs: that were looked at.
        frames: by name.
        options: of the analysis, defaults left out.
    """

    asked: Asked
    analysis: Analysis
    resolved: Resolved
    runs: Sequence[Opened]
    frames: Frames
    options: Mapping[str, Any] = field(default_factory=dict)


def analyse(library: Library, stages: Stages, asked: Asked) -> Analysed:
    """Look at finished runs; nothing is trained.

    Raises:
        UserError: no such analysis, target, row or option; a run is not there or not finished; or the
            analysis cannot look at it.
    """
    analysis = find_analysis(asked.name)
    options = _options(analysis, asked.options)
    resolved = resolve(library, asked.target, asked.scale)
    torch.set_num_threads(resolved.scale.spec.threads)
    names = _rows(resolved, analysis, asked.rows)
    runs = [open_row(stages, resolved, name, asked.seed, asked.dataset) for name in names]
    with stages.progress.task(analysis.title):
        frames = analysis.make(runs, **options)
    return Analysed(asked, analysis, resolved, runs, frames, options)


def _rows(resolved: Resolved, analysis: Analysis, named: Sequence[str]) -> Sequence[str]:
    """Return the rows that are named, or else all that the analysis can look at."""
    if named:
        return named
    rows = [row for row in with_runs(resolved.target.rows) if analysis.takes(resolved.run(row, 0))]
    if not rows:
        raise UserError(f"{resolved.name} has no row for {analysis.name}", fix="name another target")
    return [row.name for row in rows]


def _options(analysis: Analysis, given: Sequence[str]) -> dict[str, Any]:
    """Return the options of an analysis by name.

    Raises:
        UserError: there is no such option, or not this value.
    """
    known = {
        name: parameter.default
        for name, parameter in inspect.signature(analysis.make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    found = {}
    for option in given:
        name, equals, text = option.partition("=")
        if not equals or name not in known:
            fix = nearest(name, known) or f"{analysis.name} has none"
            raise UserError(f"--with {option}: no such option of {analysis.name}", fix=fix)
        value, usual = yaml.safe_load(text), known[name]
        if usual is not None and type(value) is not type(usual):
            fix = f"write for example --with {name}={usual}"
            raise UserError(f"--with {option}: no {type(usual).__name__}", fix=fix)
        found[name] = value
    return found


def record(found: Analysed, stages: Stages, files: Sequence[Path]) -> bool:
    """Write an analysis to MLflow, in the experiment of its paper; returns whether that went well."""
    asked, resolved = found.asked, found.resolved
    made_from = [run.run.fingerprint for run in found.runs]
    tags = {
        "mlflow.runName": f"{found.analysis.name} of {resolved.name}",
        "analysis": found.analysis.name,
        "target": resolved.name,
        "scale": asked.scale,
        "seed": str(asked.seed),
        "dataset": asked.dataset or resolved.dataset,
        "rows": "; ".join(run.name for run in found.runs),
        "runs": " ".join(made_from),
        "command": asked.command,
        **environment_tags(describe_environment()),
    }
    first, *columns = (summary := found.analysis.sum_up(found.frames)).columns
    numbers = {
        f"{line[first]}/{column}": float(line[column])
        for line in summary.to_dict("records")
        for column in columns
        if math.isfinite(line[column])
    }
    return record_analysis(
        stages.store.tracking_uri,
        resolved.paper,
        fingerprint=content_hash("analysis", asked.name, found.options, made_from),
        tags=tags,
        numbers=numbers,
        files=files,
    )
