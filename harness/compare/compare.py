"""The story of a comparison: find both sides, measure them on one collection, pair them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pandas as pd

from harness.api.finished import dataset_of
from harness.collections.clusters import clusters_of
from harness.collections.collection import RELEVANT, Collection
from harness.compare.differences import by_query, furthest, outcome, query_lines
from harness.compare.measure import measure_side, the_collection
from harness.compare.pairs import SeedPair, pair_up, score_tables
from harness.compare.positives import documents_before, joint_ranks, positive_ranks
from harness.compare.result import LEVEL, CompareResult, MeasureLine, QueryLine
from harness.compare.sides import (
    ComparedSide,
    find_side,
    refuse_twice,
    scale_of,
    settings_at,
    with_distinct_names,
    with_lengths,
)
from harness.errors import UserError, nearest
from harness.evaluation.comparison import difference_block
from harness.evaluation.measures import DEV_MEASURE
from harness.evaluation.score_tables import paired_difference
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import RunSettings


@dataclass(frozen=True)
class CompareRequest:
    """Arguments of a comparison.

    Attributes:
        a: address of side A.
        b: address of side B.
        scale: scale at which rows are looked up.
        seeds: number of seeds of a row; by default that of the spec.
        measure: name or label of the measure that is compared query by query; by default the primary one.
        split: split of the queries; by default the one that the table of a side measures, else ``test``.
        show: number of largest gains, and of largest losses, to list.
        dataset: dataset of rows, and of the target `on`, where these have several; by default the first.
        on: target whose collection is used for encoders that have no run.
    """

    a: str
    b: str
    scale: str = "quick"
    seeds: int | None = None
    measure: str | None = None
    split: str | None = None
    show: int = 10
    dataset: str | None = None
    on: str | None = None

    @property
    def command(self) -> str:
        """Return the equivalent command line."""
        plain = vars(CompareRequest(self.a, self.b))
        options = [(f"--{name}", str(value)) for name, value in vars(self).items() if value != plain[name]]
        return shlex.join(["harness", "compare", self.a, self.b, *chain.from_iterable(options)])


def compare(library: Library, stages: Stages, request: CompareRequest) -> CompareResult:
    """Compare two sides; nothing is trained.

    Raises:
        UserError: a side is missing or unfinished, both are the same, or they use different collections.
    """
    a, b = (
        find_side(library, stages, side, scale=request.scale, seeds=request.seeds, dataset=request.dataset)
        for side in (request.a, request.b)
    )
    refuse_twice(a, b)
    a, b = with_distinct_names(a, b)
    settings, labels, split = _measuring(library, request, a, b)
    collection = the_collection(stages, a, b, settings)
    by_seed = a.is_row and b.is_row
    one, other = (measure_side(stages, side, settings, collection, split) for side in (a, b))
    pairs = pair_up(one, other, by_seed=by_seed)
    measures = _measures(pairs, labels, request.measure)
    clusters = clusters_of(collection.queries[split]) if _clustered(library, request, a, b) else None
    depth = min(
        [len(collection.documents), *(s.settings.depth for s in (a, b) if s.settings), settings.depth]
    )
    relevant = _relevant(collection, split)
    ranks = positive_ranks(pairs, relevant, depth)
    lines = query_lines(pairs, measures[0], ranks)
    gains, losses = furthest(by_query(lines), request.show)
    texts = dict(zip(collection.queries[split].ids, collection.queries[split].texts, strict=True))
    return CompareResult(
        a=a,
        b=b,
        scale=scale_of(library, settings),
        split=split,
        collection=collection,
        seeds=[pair.seed for pair in pairs],
        by_seed=by_seed,
        measures=[_line(pairs, m, labels.get(m, m), a, b, clusters, by_seed=by_seed) for m in measures],
        lines=lines,
        gains=[_query(pairs, lines, query, texts[query], relevant[query]) for query in gains],
        losses=[_query(pairs, lines, query, texts[query], relevant[query]) for query in losses],
        joint=joint_ranks(ranks, depth),
        depth=depth,
        command=request.command,
        clusters=clusters,
    )


def _clustered(library: Library, request: CompareRequest, a: ComparedSide, b: ComparedSide) -> bool:
    """Return whether a dataset by which the sides are measured has clusters of queries."""
    if request.on is None:
        return bool(a.clusters or b.clusters)
    on = resolve(library, request.on, request.scale)
    return on.clusters(dataset_of(on, request.dataset)) is not None


def _measuring(
    library: Library, request: CompareRequest, a: ComparedSide, b: ComparedSide
) -> tuple[RunSettings, dict[str, str], str]:
    """Return the settings by which both sides are measured, labels and split: a run's own, or a target's."""
    labels, split = {**a.labels, **b.labels}, request.split or a.measured or b.measured or "test"
    if request.on is not None:
        settings, named, of_target = settings_at(library, request.on, request.scale, request.dataset)
        return settings, {**labels, **named}, request.split or of_target
    stored = [side.settings for side in (a, b) if side.settings is not None]
    if not stored:
        what = f"neither {a.name} nor {b.name} has a run that names its collection"
        raise UserError(what, fix="add --on TARGET, for example --on trisampler/table-5, and --scale")
    return with_lengths(stored), labels, split


def _measures(pairs: Sequence[SeedPair], labels: dict[str, str], name: str | None) -> list[str]:
    """Return the measures of both sides, the requested or the primary one first."""
    measures_of_sides = [set(side.scores["measure"]) for pair in pairs for side in (pair.a, pair.b)]
    common = sorted(set.intersection(*measures_of_sides))
    if not common:
        raise UserError("the two sides have no measure in common", fix="reproduce both again")
    order = [*(measure for measure in labels if measure in common), *common]
    if name is None:
        first = order[0] if labels or DEV_MEASURE not in common else DEV_MEASURE
    else:
        first = next((measure for measure in order if name in (measure, labels.get(measure))), "")
        if not first:
            known = [labels.get(measure, measure) for measure in common]
            raise UserError(f"no measure '{name}' of both sides", fix=nearest(name, known))
    return list(dict.fromkeys([first, *order]))


def _line(
    pairs: Sequence[SeedPair],
    measure: str,
    label: str,
    a: ComparedSide,
    b: ComparedSide,
    clusters: Mapping[str, str] | None,
    *,
    by_seed: bool,
) -> MeasureLine:
    one, other = score_tables(pairs, measure, by_seed=by_seed)
    paired = paired_difference(one, other, a.name, b.name)
    if paired is None:
        raise ValueError("pairs without a common seed")
    means = [float(table.to_numpy().mean()) for table in (one, other)]
    differences, numbers = pd.Series(paired.mean(axis=0), index=one.columns), None
    by_queries = outcome(differences)
    if clusters is not None:
        named = differences.index.map(clusters)
        numbers = pd.factorize(named)[0].astype(np.int64)
        by_queries = replace(by_queries, p_value=outcome(differences.groupby(named).mean()).p_value)
    return MeasureLine(label, means[0], means[1], difference_block(paired, LEVEL, numbers), by_queries)


def _relevant(collection: Collection, split: str) -> dict[str, list[str]]:
    """Return the relevant documents of each judged query."""
    qrels = collection.queries[split].qrels
    return {
        query: [document for document, grade in judged.items() if grade >= RELEVANT]
        for query, judged in qrels.items()
    }


def _query(
    pairs: Sequence[SeedPair], lines: pd.DataFrame, query: str, text: str, relevant: Sequence[str]
) -> QueryLine:
    own = lines[lines["query"] == query]
    a, b = ([None if pd.isna(rank) else int(rank) for rank in own[column]] for column in ("rank_a", "rank_b"))
    return QueryLine(
        query=query,
        text=" ".join(text.split()),
        a=float(own["a"].mean()),
        b=float(own["b"].mean()),
        ranks_a=a,
        ranks_b=b,
        before_a=documents_before([pair.a.ranking for pair in pairs], query, relevant),
        before_b=documents_before([pair.b.ranking for pair in pairs], query, relevant),
    )
