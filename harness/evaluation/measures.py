"""Measures from ir-measures, with a pinned provider, over all judged queries."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import ir_measures

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation import answers
from harness.evaluation.rankings import Ranking

if TYPE_CHECKING:
    import pandas as pd

PROVIDERS = {"RR": "msmarco", answers.NAME: answers.PROVIDER}
"""Family of a measure -> its provider: msmarco for reciprocal rank, ours for answers, else pytrec_eval."""

DEV_MEASURE = "RR(rel=2)@10"
"""The measure of the dev queries during training."""

FIRST_MEASURES = ("Success(rel=2)@1", f"{answers.NAME}@1")
"""What is watched of other splits in training: whether the first document is relevant, or holds an answer."""

LARGEST_CUTOFF = 1_000_000
"""Documents of a ranking that a measure may read; the providers hold such numbers as C does."""

COUNTS = ("NumQ", "NumRel", "NumRet")
"""Families that count; a table shows shares of 1."""

_PACKAGE = {"pytrec_eval": "pytrec_eval-terrier", "msmarco": "ir-measures", answers.PROVIDER: "regex"}


@lru_cache(maxsize=1024)
def parse_measure(name: str) -> Any:
    """Return the measure of an ir-measures name such as ``RR(rel=2)@10``.

    Raises:
        UserError: there is no such measure.
    """
    try:
        return ir_measures.parse_measure(name)
    except Exception as error:  # it reads the name as Python, and lets through what that raises
        raise UserError(
            f"unknown measure '{name}'", fix="write it as ir-measures does, for example RR(rel=2)@10"
        ) from error


def check_measure(name: str) -> None:
    """Refuse a measure that no table can show.

    Raises:
        UserError: there is no such measure, it counts documents of grade 0, its pinned provider cannot
            compute it, it is no share of 1, or ir-measures writes it otherwise.
    """
    measure, fix = parse_measure(name), "choose one such as RR(rel=2)@10, R(rel=2)@50 or nDCG@10"
    if measure.params.get("rel", 1) == 0:
        raise UserError(f"'{name}' counts documents that are not relevant", fix="write rel=1 or more")
    if not _computed(name):
        raise UserError(f"{provider_of(name)} cannot compute '{name}'", fix=fix)
    if measure.NAME in COUNTS:
        raise UserError(f"'{name}' is a number of things, and no share of 1", fix=fix)
    if str(measure) != name:
        raise UserError(f"ir-measures writes '{name}' as '{measure}'", fix="write that")


def grade_of(name: str) -> int:
    """Return the least grade that a measure counts as relevant."""
    return int(parse_measure(name).params.get("rel", 1))


def reads_answers(name: str) -> bool:
    """Whether a measure reads answer strings in the place of judgements."""
    return name.startswith(f"{answers.NAME}@")


def cutoff_of(name: str) -> int | None:
    """Return how many documents of a ranking a measure reads; none where it reads all."""
    cutoff: int | None = parse_measure(name).params.get("cutoff")
    return cutoff


@lru_cache(maxsize=1024)
def _computed(name: str) -> bool:
    """Whether the pinned provider of a measure says that it computes it, and does so for one query."""
    cutoff, provider = cutoff_of(name), ir_measures.providers.registry[provider_of(name)]
    try:
        if cutoff is not None and not 0 < cutoff <= LARGEST_CUTOFF:
            return False
        if not provider.supports(parse_measure(name)) or parse_measure(str(parse_measure(name))) is None:
            return False
        return len(_values({"q": {"d": 1.0}}, {"q": {"d": 1}}, [name], {})) == 1
    except Exception:  # assertions on parameters among them
        return False


def provider_of(name: str) -> str:
    """Return the pinned provider of a measure."""
    return PROVIDERS.get(parse_measure(name).NAME, "pytrec_eval")


def describe_provider(name: str) -> str:
    """Return a measure's provider with its version, as tables print it."""
    provider = provider_of(name)
    package = _PACKAGE[provider]
    return f"{provider} ({package} {version(package)})"


def _read_by(measures: Sequence[str], ranking: Ranking, judged: Mapping[str, Mapping[str, int]]) -> Ranking:
    """Return what decides the values of measures that have cutoffs: documents up to the last judged one.

    What lies below it changes no value, whatever the cutoff; nor does what lies below the deepest cutoff,
    unless a measure passes over documents that are not judged. Measures without a cutoff read all.
    """
    cutoffs = [cutoff for cutoff in map(cutoff_of, measures) if cutoff is not None]
    if len(cutoffs) < len(measures):
        return ranking
    passes_over = any(parse_measure(name).params.get("judged_only") for name in measures)
    deepest = LARGEST_CUTOFF if passes_over else max(cutoffs)
    return {
        query: _to_last(documents, judged.get(query, {}), deepest) for query, documents in ranking.items()
    }


def _to_last(documents: dict[str, float], judged: Mapping[str, int], deepest: int) -> dict[str, float]:
    """Return the first documents of a ranking, up to the last judged one of these, and at least one."""
    are_judged = map(judged.__contains__, itertools.islice(documents, deepest))
    last = max(itertools.compress(itertools.count(1), are_judged), default=1)
    return dict(itertools.islice(documents.items(), last))


def evaluate_split(
    ranking: Ranking, collection: Collection, split: str, measures: Iterable[str]
) -> pd.DataFrame:
    """Return all measures of the queries of a split, those that read answers among them; see `evaluate`."""
    measures = list(measures)
    cutoffs = [cutoff_of(name) or 0 for name in measures if reads_answers(name)]
    held = answers.holding(collection, split, ranking, max(cutoffs)) if cutoffs else {}
    return evaluate(ranking, collection.queries[split].qrels, measures, held)


def evaluate(
    ranking: Ranking,
    qrels: dict[str, dict[str, int]],
    measures: Iterable[str],
    held: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return all measures of all judged queries: columns measure, query, value.

    A judged query without a ranking has the value 0. Grades below 0 count as 0: pytrec_eval counts in C, and
    fails on them.

    Args:
        ranking: documents of queries, best first.
        qrels: query id -> document id -> grade.
        measures: as ir-measures writes them.
        held: query id -> documents of its ranking that hold an answer, for measures that read answers.

    Raises:
        UserError: the ranking holds a query that is not judged.
    """
    stray = next((query for query in ranking if query not in qrels), None)
    if stray is not None:
        raise UserError(
            f"query '{stray}' is ranked but not judged", fix="evaluate a split against its own qrels"
        )
    import pandas as pd

    rows = _values(ranking, qrels, measures, held)
    return pd.DataFrame(rows, columns=["measure", "query", "value"])


def _values(
    ranking: Ranking,
    qrels: dict[str, dict[str, int]],
    measures: Iterable[str],
    held: Mapping[str, Mapping[str, int]],
) -> list[tuple[str, str, float]]:
    """Return measure, query and value of all measures of all judged queries."""
    names = {parse_measure(name): name for name in measures}
    name_of = {id(measure): name for measure, name in names.items()}  # each hash of one spells it out
    values: dict[tuple[str, str], float] = {}
    qrels = {query: {d: max(grade, 0) for d, grade in judged.items()} for query, judged in qrels.items()}
    for provider in sorted({provider_of(name) for name in names.values()}):
        measured = [measure for measure, name in names.items() if provider_of(name) == provider]
        truth = held if provider == answers.PROVIDER else qrels
        read = _read_by([names[measure] for measure in measured], ranking, truth)
        for metric in ir_measures.providers.registry[provider].iter_calc(measured, truth, read):
            values[name_of[id(metric.measure)], metric.query_id] = float(metric.value)
    return [(name, query, values.get((name, query), 0.0)) for name in names.values() for query in qrels]
