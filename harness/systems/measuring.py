"""On what a system is measured, and by what: the datasets of a target, or a collection of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.api.finished import dataset_of
from harness.collections.built_in import MEASURED_ALONE
from harness.collections.clusters import ClusteredBy
from harness.collections.collection import Collection
from harness.collections.layouts.registry import open_layout
from harness.encoders.pretrained import read_encoder
from harness.errors import UserError, nearest
from harness.evaluation.measures import check_measure, grade_of
from harness.runs.stages import Stages
from harness.specs.named_collection import read_option
from harness.specs.resolve import Resolved, ResolvedColumn
from harness.specs.run_settings import EvaluatedRun
from harness.specs.settings import RERANKED, CheckpointSettings, CollectionSettings, TokenSettings

USUAL = {
    "nDCG@10": "nDCG@10",
    "MRR@10": "RR(rel=2)@10",
    "recall@100": "R(rel=2)@100",
    "recall@1000": "R(rel=2)@1000",
}
"""What a collection is measured by unless a command says otherwise: label -> measure."""

ANSWERED = {f"answer hits@{depth}": f"AnswerHit@{depth}" for depth in (20, 100)}
"""What is added where queries have answers."""

DEPTH = 1000
"""Documents of a ranking on a collection that no target measures."""

LEVEL = 0.95
"""Confidence of intervals where no target has a level of its own."""


@dataclass(frozen=True)
class Lengths:
    """The longest texts that an encoder reads, in tokens; none where checkpoint or scale decide."""

    query_tokens: int | None = None
    passage_tokens: int | None = None


@dataclass(frozen=True)
class Measuring:
    """A collection with a split and measures.

    Attributes:
        dataset: of a target; of a collection that a command names, its name.
        collection: that serves it.
        split: whose queries are measured.
        columns: measures with their labels, the primary one first.
        clusters: what queries of a cluster share; none where each is one by itself.
        level: confidence of the intervals.
        as_run: returns the run that measures a checkpoint there.
    """

    dataset: str
    collection: CollectionSettings
    split: str
    columns: Sequence[ResolvedColumn]
    clusters: ClusteredBy | None
    level: float
    as_run: Callable[[CheckpointSettings], EvaluatedRun]

    @property
    def measures(self) -> list[str]:
        """The measures of the columns, each once."""
        return list(dict.fromkeys(column.measure for column in self.columns))


def on_target(
    resolved: Resolved, dataset: str | None, split: str | None, lengths: Lengths
) -> list[Measuring]:
    """Return how the datasets of a target are measured, or one of them.

    Args:
        resolved: the target at a scale.
        dataset: one of its datasets; by default all.
        split: in the place of the one that its tables measure.
        lengths: in the place of the scale's.

    Raises:
        UserError: there is no such dataset, or the target measures nothing.
    """
    names = resolved.target.datasets if dataset is None else [dataset_of(resolved, dataset)]
    found = [_of_target(resolved, name, split, lengths) for name in names]
    if not any(of.columns for of in found):
        fix = "name a target with measures, see `harness list`"
        raise UserError(f"{resolved.name} measures no rankings", where="--on", fix=fix)
    return [of for of in found if of.columns]


def _of_target(resolved: Resolved, dataset: str, split: str | None, lengths: Lengths) -> Measuring:
    measured = resolved.measured(dataset)
    own = [column for column in resolved.columns if column.dataset == dataset and column.split == measured]
    first = resolved.primary if resolved.primary in own else None
    ordered = dict.fromkeys([*([first] if first else []), *own])
    return Measuring(
        dataset,
        resolved.collection(dataset),
        split or measured,
        [replace(column, split=split or measured) for column in ordered],
        resolved.clusters(dataset),
        getattr(resolved.target, "level", LEVEL),
        lambda checkpoint: _lengthened(resolved.evaluated(checkpoint, dataset), lengths),
    )


def _lengthened(settings: EvaluatedRun, lengths: Lengths) -> EvaluatedRun:
    given = {key: value for key, value in vars(lengths).items() if value is not None}
    return settings.model_copy(update={"tokens": settings.tokens.model_copy(update=given)})


def on_collection(
    text: str, split: str | None, measures: Sequence[str], lengths: Lengths, stages: Stages
) -> Measuring:
    """Return how a collection is measured that a command names.

    Args:
        text: as `--collection` takes it, ``KIND:PLACE``.
        split: in the place of test, or of dev where there are no test queries.
        measures: in the place of the usual ones, as ir-measures names them.
        lengths: in the place of the checkpoint's own.
        stages: over the store.

    Raises:
        UserError: it is no collection, or a measure cannot be computed.
    """
    dataset, named = read_option(text, f"--on {text}")
    if dataset:
        fix = f"write --on {named}"
        raise UserError("a collection is measured as it is, and for no dataset", where="--on", fix=fix)
    choice = named.choice()
    trained = "train" in open_layout(named.kind, choice.settings).splits
    alone = {} if trained else {MEASURED_ALONE: True}
    collection = CollectionSettings(kind=named.kind, parameters={**choice.settings, **alone})
    queries = stages.collections.get(collection).queries
    measured = split or choice.measured
    answered = measured in queries and bool(queries[measured].answers)
    chosen = {name: name for name in measures} or USUAL | (ANSWERED if answered else {})
    for name in chosen.values():
        check_measure(name)
    name = named.title
    columns = [ResolvedColumn(label, name, name, of, measured, False) for label, of in chosen.items()]

    def as_run(checkpoint: CheckpointSettings) -> EvaluatedRun:
        return EvaluatedRun(
            kind="evaluated",
            recipe="none",
            phase_name="none",
            collection=collection,
            seed=0,
            measures=tuple(sorted(set(chosen.values()))),
            depth=DEPTH,
            tokens=_own_lengths(checkpoint, lengths),
            checkpoint=checkpoint,
        )

    return Measuring(name, collection, measured, columns, choice.clusters, LEVEL, as_run)


def _own_lengths(checkpoint: CheckpointSettings, lengths: Lengths) -> TokenSettings:
    """Return the lengths that a checkpoint says, or those given.

    Raises:
        UserError: it says none, and none are given.
    """
    longest = read_encoder(checkpoint.start, checkpoint.pooling).longest
    query, passage = lengths.query_tokens or longest, lengths.passage_tokens or longest
    if query is None or passage is None:
        fix = "add --query-tokens and --passage-tokens, as it was trained"
        raise UserError("it says no longest text", where=checkpoint.start, fix=fix)
    return TokenSettings(vocabulary=None, query_tokens=query, passage_tokens=passage)


def refuse_unmeasured(of: Measuring, collection: Collection) -> None:
    """Refuse a split that is not there or has no interval, and a measure that nothing there can reach.

    Raises:
        UserError: the split has fewer than two queries, or a measure counts a grade that no judgement has.
    """
    known = [split for split in collection.queries if split != "train"]
    if of.split not in known:
        what = f"{collection.name} has no queries '{of.split}' to measure on"
        raise UserError(what, where="--split", fix=nearest(of.split.removesuffix(RERANKED), known))
    queries = collection.queries[of.split]
    if len(queries) < 2:
        what = f"{of.split} has one query, and an interval needs two"
        raise UserError(what, where=collection.name, fix="add queries, or name another split by --split")
    highest = max((grade for judged in queries.qrels.values() for grade in judged.values()), default=0)
    unreached = next((name for name in of.measures if grade_of(name) > highest), None)
    if unreached is not None:
        what = f"'{unreached}' counts grade {grade_of(unreached)}, {of.split} has {highest} at most"
        raise UserError(what, where=collection.name, fix=f"write rel={highest} or less")
