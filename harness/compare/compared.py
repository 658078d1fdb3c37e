"""The story of a comparison: find both sides, measure them on one collection, pair them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import pandas as pd

from harness.collections.collection import RELEVANT, Collection
from harness.compare.differences import by_query, furthest, outcome, query_lines
from harness.compare.measured import measured, the_collection
from harness.compare.pairs import Pair, pair_up, score_tables
from harness.compare.positives import joint_ranks, positive_ranks, standing_before
from harness.compare.result import LEVEL, Compared, MeasureLine, QueryLine
from harness.compare.sides import Side, apart, find_side, refuse_twice, scale_of, settings_at
from harness.errors import UserError, nearest
from harness.evaluation.comparison import difference_block, paired_difference
from harness.evaluation.measures import DEV_MEASURE
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.settings import RunSettings


@dataclass(frozen=True)
class Asked:
    """What is to be compared, and how much of it shown.

    Attributes:
        a: address of one side.
        b: of the other.
        scale: of rows.
        seeds: how many of a row; the spec's number by default.
        measure: whose differences are shown by query, by name or label; the primary one by default.
        split: which queries; those that the table of a side measures on by default, else ``test``.
        show: how many of the largest gains, and of the largest losses.
        dataset: of rows, and of the target `on`, with several; the first by default.
        on: target on whose collection encoders are measured that do not tell it.
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
        """Return the command that asks for it."""
        plain = vars(Asked(self.a, self.b))
        said = [(f"--{name}", str(value)) for name, value in vars(self).items() if value != plain[name]]
        return shlex.join(["harness", "compare", self.a, self.b, *chain.from_iterable(said)])


def compare(library: Library, stages: Stages, asked: Asked) -> Compared:
    """Compare two sides; nothing is trained.

    Raises:
        UserError: a side is not there or not finished, both are the same, or stand on two collections.
    """
    a, b = (
        find_side(library, stages, side, scale=asked.scale, seeds=asked.seeds, dataset=asked.dataset)
        for side in (asked.a, asked.b)
    )
    refuse_twice(a, b)
    a, b = apart(a, b)
    settings, labels, split = _measuring(library, asked, a, b)
    collection = the_collection(stages, a, b, settings)
    by_seed = a.is_row and b.is_row
    one, other = (measured(stages, side, settings, collection, split) for side in (a, b))
    pairs = pair_up(one, other, by_seed=by_seed)
    measures = _measures(pairs, labels, asked.measure)
    depth = min(
        [len(collection.documents), *(s.settings.depth for s in (a, b) if s.settings), settings.depth]
    )
    relevant = _relevant(collection, split)
    ranks = positive_ranks(pairs, relevant, depth)
    lines = query_lines(pairs, measures[0], ranks)
    gains, losses = furthest(by_query(lines), asked.show)
    texts = dict(zip(collection.queries[split].ids, collection.queries[split].texts, strict=True))
    return Compared(
        a=a,
        b=b,
        scale=scale_of(library, settings),
        split=split,
        collection=collection,
        seeds=[pair.seed for pair in pairs],
        by_seed=by_seed,
        measures=[_line(pairs, m, labels.get(m, m), a, b, by_seed=by_seed) for m in measures],
        lines=lines,
        gains=[_query(pairs, lines, query, texts[query], relevant[query]) for query in gains],
        losses=[_query(pairs, lines, query, texts[query], relevant[query]) for query in losses],
        joint=joint_ranks(ranks, depth),
        depth=depth,
        command=asked.command,
    )


def _measuring(library: Library, asked: Asked, a: Side, b: Side) -> tuple[RunSettings, dict[str, str], str]:
    """Return how both are measured, labels of measures, and which queries; of `--on`, as that target does."""
    labels, split = {**a.labels, **b.labels}, asked.split or a.measured or b.measured or "test"
    if asked.on is not None:
        settings, named, of_target = settings_at(library, asked.on, asked.scale, asked.dataset)
        return settings, {**labels, **named}, asked.split or of_target
    told = [side.settings for side in (a, b) if side.settings is not None]
    if not told:
        what = f"neither {a.name} nor {b.name} tells on what collection it is measured"
        raise UserError(what, fix="add --on TARGET, for example --on trisampler/table-5, and --scale")
    return told[0], labels, split


def _measures(pairs: Sequence[Pair], labels: dict[str, str], asked: str | None) -> list[str]:
    """Return the measures of both sides, the one asked for or the primary one first."""
    found = [set(side.scores["measure"]) for pair in pairs for side in (pair.a, pair.b)]
    common = sorted(set.intersection(*found))
    if not common:
        raise UserError("the two sides have no measure in common", fix="reproduce both again")
    order = [*(measure for measure in labels if measure in common), *common]
    if asked is None:
        first = order[0] if labels or DEV_MEASURE not in common else DEV_MEASURE
    else:
        first = next((measure for measure in order if asked in (measure, labels.get(measure))), "")
        if not first:
            known = [labels.get(measure, measure) for measure in common]
            raise UserError(f"no measure '{asked}' of both sides", fix=nearest(asked, known))
    return list(dict.fromkeys([first, *order]))


def _line(pairs: Sequence[Pair], measure: str, label: str, a: Side, b: Side, *, by_seed: bool) -> MeasureLine:
    one, other = score_tables(pairs, measure, by_seed=by_seed)
    paired = paired_difference(one, other, a.name, b.name)
    if paired is None:
        raise ValueError("pairs without a common seed")
    means = [float(table.to_numpy().mean()) for table in (one, other)]
    by_queries = outcome(pd.Series(paired.mean(axis=0)))
    return MeasureLine(label, means[0], means[1], difference_block(paired, LEVEL), by_queries)


def _relevant(collection: Collection, split: str) -> dict[str, list[str]]:
    """Return the relevant documents of each judged query."""
    qrels = collection.queries[split].qrels
    return {
        query: [document for document, grade in judged.items() if grade >= RELEVANT]
        for query, judged in qrels.items()
    }


def _query(
    pairs: Sequence[Pair], lines: pd.DataFrame, query: str, text: str, relevant: Sequence[str]
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
        before_a=standing_before([pair.a.ranking for pair in pairs], query, relevant),
        before_b=standing_before([pair.b.ranking for pair in pairs], query, relevant),
    )
