"""The story of an evaluation: find the system, measure it, put it beside the rows that are there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch

from harness.encoders.pretrained import read_encoder
from harness.errors import UserError
from harness.evaluation.measures import evaluate_split
from harness.evaluation.run_file import read_run_file, shallow
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import EvaluatedRun
from harness.specs.target import Trained
from harness.systems.measuring import (
    LEVEL,
    Lengths,
    Measuring,
    on_collection,
    on_target,
    refuse_unmeasured,
)
from harness.systems.result import EvaluateResult, MeasuredOn
from harness.systems.rows import Outcome, rows_beside
from harness.systems.system import Checkpoint, RankedElsewhere, find_system
from harness.targets.mirror import MirroredCommand, mirroring_runs
from harness.targets.reproduce import resolve_at

UNSAID = Lengths()
"""Lengths of which a command says none."""

COLLECTIONS = "evaluate"
"""Experiment of MLflow for what is measured on a collection that no target has."""


@dataclass(frozen=True)
class EvaluateRequest:
    """Arguments of an evaluation.

    Attributes:
        system: a checkpoint, a run, or a run file.
        on: a target, or a collection as `--collection` takes it.
        scale: of a target.
        dataset: one of a target's; by default all.
        split: in the place of the one that is measured.
        measures: of a collection, in the place of the usual ones.
        pooling: of a checkpoint that does not say it.
        lengths: in the place of the scale's, or of the checkpoint's own on a collection.
    """

    system: str
    on: str
    scale: str = "quick"
    dataset: str | None = None
    split: str | None = None
    measures: tuple[str, ...] = ()
    pooling: str | None = None
    lengths: Lengths = UNSAID

    @property
    def of_collection(self) -> bool:
        """Whether a collection is named, and no target."""
        return ":" in self.on

    @property
    def call(self) -> str:
        """The arguments of the equivalent command."""
        options = [("--on", self.on)]
        options += [] if self.of_collection else [("--scale", self.scale)]
        named = {"dataset": self.dataset, "split": self.split, "pooling": self.pooling, **vars(self.lengths)}
        options += [(f"--{key.replace('_', '-')}", str(of)) for key, of in named.items() if of is not None]
        options += [("--measure", name) for name in self.measures]
        return shlex.join(["evaluate", self.system, *chain.from_iterable(options)])


def evaluate(library: Library, stages: Stages, request: EvaluateRequest) -> EvaluateResult:
    """Measure a system on a target or a collection; a checkpoint becomes a run of the store.

    Raises:
        UserError: the system, the target or the collection is not there, or does not fit the other.
    """
    _refuse_other_options(request)
    system = find_system(stages, request.system, request.pooling)
    resolved, parts = _parts(library, stages, request)
    if isinstance(system, RankedElsewhere):
        _refuse_lengths(request)
        outcomes = [_of_file(stages, system, _only(parts))]
    else:
        runs = [of.as_run(system.settings) for of in parts]
        for settings in runs:
            _refuse_longer(settings)
        with mirroring_runs(stages, _command(stages, request, system, resolved, runs)) as recorded:
            outcomes = [
                _of_checkpoint(recorded, system, of, settings)
                for of, settings in zip(parts, runs, strict=True)
            ]
    rows, remarks = rows_beside(resolved, stages, system, outcomes)
    columns = [column for of in parts for column in of.columns]
    unit = "percent" if resolved is None else resolved.target.unit
    level = max((of.level for of in parts), default=LEVEL)
    told = [*(remark for of in outcomes for remark in of.remarks), *remarks]
    scale = None if resolved is None else resolved.scale.name
    measured = [of.measured for of in outcomes]
    return EvaluateResult(
        system, request.on, scale, measured, columns, rows, unit, level, told, len(stages.made)
    )


def _refuse_other_options(request: EvaluateRequest) -> None:
    """Refuse options of the other of target and collection."""
    if request.of_collection and request.dataset is not None:
        raise UserError("a collection has no datasets", where="--dataset", fix="leave it out")
    if request.measures and not request.of_collection:
        what, fix = "a target has measures of its own", "leave it out, or name a collection, --on beir:PATH"
        raise UserError(what, where="--measure", fix=fix)


def _refuse_lengths(request: EvaluateRequest) -> None:
    if request.lengths != UNSAID:
        where = "--query-tokens or --passage-tokens"
        raise UserError("a run file reads no texts", where=where, fix="leave it out")


def _parts(
    library: Library, stages: Stages, request: EvaluateRequest
) -> tuple[Resolved | None, list[Measuring]]:
    """Return the target at its scale, if one is named, and what is measured."""
    if request.of_collection:
        own = on_collection(request.on, request.split, request.measures, request.lengths, stages)
        resolved, parts = None, [own]
    else:
        named = resolve(library, request.on, request.scale)
        if not isinstance(named.target, Trained):
            fix = "name a target whose rows are runs, see `harness list`"
            raise UserError(f"{request.on} counts the datasets of a paper, and measures nothing", fix=fix)
        resolved = resolve_at(library, request.on, request.scale, stages)
        parts = on_target(resolved, request.dataset, request.split, request.lengths)
        torch.set_num_threads(resolved.scale.spec.threads)
    for of in parts:
        refuse_unmeasured(of, stages.collections.get(of.collection))
    return resolved, parts


def _only(parts: Sequence[Measuring]) -> Measuring:
    """Return the one collection that a run file ranks.

    Raises:
        UserError: the target has several datasets.
    """
    if len(parts) > 1:
        names = ", ".join(of.dataset for of in parts)
        what = f"a run file is of one dataset, the target has several: {names}"
        raise UserError(what, where="--on", fix=f"add --dataset {parts[0].dataset}, or another of them")
    return parts[0]


def _of_file(stages: Stages, system: RankedElsewhere, of: Measuring) -> Outcome:
    """Read, check and measure a run file."""
    collection = stages.collections.get(of.collection)
    with stages.progress.task(f"reading {system.path.name}"):
        file = read_run_file(system.path, collection, of.split)
        scores = evaluate_split(file.ranking, collection, of.split, of.measures).assign(split=of.split)
    remarks = (*file.remarks, *shallow(file, of.measures, len(collection.documents)))
    return Outcome(MeasuredOn(of, collection, None), scores, remarks)


def _of_checkpoint(stages: Stages, system: Checkpoint, of: Measuring, settings: EvaluatedRun) -> Outcome:
    """Return what the run of a checkpoint reached, made first unless it is done."""
    run = stages.run(settings, f"{system.name}, {of.dataset}")
    scores = run.folder.per_query()
    collection = stages.collections.get(of.collection)
    return Outcome(MeasuredOn(of, collection, run.chain.last), scores[scores["split"] == of.split])


def _refuse_longer(settings: EvaluatedRun) -> None:
    """Refuse texts longer than a checkpoint reads, before anything is made."""
    start, tokens = settings.checkpoint.start, settings.tokens
    most = read_encoder(start, settings.checkpoint.pooling).most
    for key in ("query_tokens", "passage_tokens"):
        asked = getattr(tokens, key)
        if asked > most:
            fix = f"add --{key.replace('_', '-')} {most}, or less"
            raise UserError(f"{key} {asked} is more than the {most} that it reads", where=start, fix=fix)


def _command(
    stages: Stages,
    request: EvaluateRequest,
    system: Checkpoint,
    resolved: Resolved | None,
    runs: Sequence[EvaluatedRun],
) -> MirroredCommand:
    """Return how MLflow and the rankings' metadata describe the runs of a checkpoint."""
    places = [stages.store.run(stages.collections.chain(settings).last) for settings in runs]
    about = {"mlflow.runName": f"{system.name}, {request.on}", "evaluated_on": request.on}
    about |= {} if resolved is None else {"scale": resolved.scale.name}
    return MirroredCommand(
        experiment=COLLECTIONS if resolved is None else resolved.paper,
        tags=lambda mirror, name: about,
        folders=lambda: [folder for folder in places if (folder / "spec.json").exists()],
        call=request.call,
        goal=f"{system.about} on {request.on}",
        again=f"harness {request.call}",
    )
