"""All sources, laws and draws by kind and name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from harness.negatives.draws.best import Best
from harness.negatives.draws.draw import Draw
from harness.negatives.draws.released_union import ReleasedUnion
from harness.negatives.draws.with_replacement import WithReplacement
from harness.negatives.draws.without_replacement import WithoutReplacement
from harness.negatives.laws.blend import Blend
from harness.negatives.laws.debiased import Debiased
from harness.negatives.laws.doc_sim import DocSim
from harness.negatives.laws.law import Law
from harness.negatives.laws.rank_window import RankWindow
from harness.negatives.laws.region import Region
from harness.negatives.laws.score import Score
from harness.negatives.laws.simans import SimANS
from harness.negatives.laws.trisampler import TriSampler
from harness.negatives.laws.uniform import Uniform
from harness.negatives.sources.bm25 import BM25
from harness.negatives.sources.corpus import Corpus
from harness.negatives.sources.denoised import Denoised
from harness.negatives.sources.file import File
from harness.negatives.sources.gold import Gold
from harness.negatives.sources.previous import Previous
from harness.negatives.sources.source import Source
from harness.negatives.sources.subset import Subset
from harness.negatives.sources.top_k import TopK
from harness.negatives.sources.top_k_by_positive import TopKByPositive
from harness.negatives.sources.union import Union
from harness.pieces import AnyOf, classes_by_name, make_piece

SOURCES: dict[str, type[Source]] = classes_by_name(
    TopK, TopKByPositive, BM25, Corpus, Gold, Union, Subset, Denoised, File, Previous
)
LAWS: dict[str, type[Law]] = classes_by_name(
    Uniform, Score, Debiased, SimANS, TriSampler, DocSim, RankWindow, Blend, Region
)
DRAWS: dict[str, type[Draw]] = classes_by_name(WithoutReplacement, Best, WithReplacement, ReleasedUnion)

AnySource = Annotated[Source, AnyOf("source", SOURCES)]
AnyLaw = Annotated[Law, AnyOf("law", LAWS)]
AnyDraw = Annotated[Draw, AnyOf("draw", DRAWS)]

MASKS = {
    "labelled": "the query's labelled positives",
    "known-relevant": "every document known to be relevant, labelled or not",
    "positive-only": "only the pair's own positive",
}
"""Name of a mask -> the documents that are never negatives of a query, drawn or shared."""


def make_source(choice: Any) -> Source:
    """Return a source from its name, or from its name with parameters.

    Raises:
        PieceError: the name or a parameter is invalid.
    """
    return make_piece("source", SOURCES, choice)


def make_draw(choice: Any) -> Draw:
    """Return a draw, as `make_source` does."""
    return make_piece("draw", DRAWS, choice)


def make_law(choice: Any, parameters: Mapping[str, Any] | None = None) -> Law:
    """Return a law; see `make_source`. Parameters may come second: ``make_law("simans", {"a": 1.0})``."""
    named = {"name": choice} if isinstance(choice, str) else choice
    return make_piece("law", LAWS, {**named, **(parameters or {})})
