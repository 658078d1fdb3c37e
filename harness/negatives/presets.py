"""Presets: named samplers of papers, each with a source, a law, a draw and a topology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A named sampler.

    Attributes:
        name: name in specs.
        summary: description in one line.
        citation: paper and section, or line of the released code.
        law: name of the law, and those of its parameters that differ from its defaults.
        source: name and parameters of the source; None if nothing is drawn.
        draw: name and parameters of the draw.
        topology: name and parameters of the topology.
        mask: name of the mask, a key of `harness.negatives.registry.MASKS`.
        reading_of: name of the preset of which this is another reading, if the paper is ambiguous or the
            released code or a third party differ from it.
    """

    name: str
    summary: str
    citation: str
    law: Mapping[str, Any] = field(default_factory=lambda: {"name": "uniform"})
    source: Mapping[str, Any] | None = field(default_factory=lambda: {"name": "top-k"})
    draw: Mapping[str, Any] = field(default_factory=lambda: {"name": "without-replacement"})
    topology: Mapping[str, Any] = field(default_factory=lambda: {"name": "own"})
    mask: str = "labelled"
    reading_of: str | None = None


def presets() -> dict[str, Preset]:
    """Return all presets by name, readings last."""
    return {preset.name: preset for preset in (*_PRESETS, *_READINGS)}


def _law(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, **parameters}


_SUBSETS = [{"name": "subset", "of": {"name": of}, "keep": 30} for of in ("top-k", "top-k-by-positive")]

_PRESETS = (
    Preset(
        "in-batch",
        "the other queries' positives, nothing drawn",
        "DPR (Karpukhin et al. 2020), section 3.2",
        source=None,
        topology={"name": "in-batch"},
    ),
    Preset(
        "in-batch-hardest",
        "the two hardest of the other queries' positives",
        "Huang et al. 2020 (EBR), section 6.1",
        source=None,
        topology={"name": "in-batch", "hardest": 2},
    ),
    Preset(
        "queue",
        "the positives of past batches, by a momentum encoder",
        "MoCo (He et al. 2020); Contriever (Izacard et al. 2022)",
        source=None,
        topology={"name": "queue"},
    ),
    Preset(
        "random",
        "any documents of the corpus",
        "DPR (Karpukhin et al. 2020), section 3.2, Random",
        source={"name": "corpus"},
    ),
    Preset(
        "gold",
        "positives of other training queries",
        "DPR (Karpukhin et al. 2020), section 3.2, Gold",
        source={"name": "gold"},
    ),
    Preset(
        "bm25",
        "the best documents by BM25, equally likely",
        "DPR (Karpukhin et al. 2020), section 3.2, BM25",
        source={"name": "bm25"},
    ),
    Preset(
        "uniform",
        "the top K, equally likely",
        "TriSampler, Table 5, Uniform; AR2 utils/util.py:577-587",
    ),
    Preset(
        "top-k",
        "the top K by the softmax of their scores",
        "TriSampler, Table 5, TopK; softmax is a reading",
        law=_law("score"),
    ),
    Preset(
        "topk-q",
        "the n of greatest s(q, d-)",
        "TriSampler, Table 4, TopK by s(q, D-)",
        law=_law("score"),
        draw={"name": "best"},
    ),
    Preset(
        "topk-pos",
        "the n of greatest s(d+, d-), from the K nearest to the positive",
        "TriSampler, Table 4, TopK by s(d+, D-)",
        law=_law("doc-sim"),
        source={"name": "top-k-by-positive"},
        draw={"name": "best"},
    ),
    Preset(
        "rank-window",
        "the top K without its first fifth, equally likely",
        "Huang et al. 2020 (EBR), section 6.2: ranks 101 to 500",
        law=_law("rank-window"),
    ),
    Preset(
        "blend",
        "one hard negative of the top K to a hundred random ones",
        "Huang et al. 2020 (EBR), section 6.2",
        law=_law("blend"),
        source={"name": "union", "parts": [{"name": "top-k"}, {"name": "corpus"}]},
    ),
    Preset(
        "debiased",
        "softmax weights less a share of the positive's",
        "TriSampler, Table 5, Debiased; reading A",
        law=_law("debiased"),
    ),
    Preset(
        "simans",
        "a bell over the score gap to the positive",
        "SimANS, equation 4, a = 0.5, b = 0",
        law=_law("simans"),
    ),
    Preset(
        "nearest-k",
        "the n whose scores are nearest to the positive's",
        "SimANS, Table 6, Nearest-K",
        law=_law("simans"),
        draw={"name": "best"},
    ),
    Preset(
        "doc-sim",
        "the top K by their similarity to the positive",
        "SimANS, Table 6, Doc-Sim",
        law=_law("doc-sim"),
    ),
    Preset(
        "trisampler",
        "near the positive's score, and nearer to the positive than the query is",
        "TriSampler, equations 5 and 6, Algorithm 1",
        law=_law("trisampler"),
    ),
    Preset(
        "region",
        "inside a shell around the query",
        "TriSampler, Figure 1, spherical region",
        law=_law("region"),
    ),
    Preset(
        "ance-tele-pool",
        "30 near the query, 30 near the positive, and all of the round before",
        "ANCE-Tele (Sun et al. 2022), code preprocess/build_train_hn.py:11-35",
        source={"name": "union", "parts": [*_SUBSETS, {"name": "previous"}]},
    ),
    Preset(
        "denoised",
        "the top K of a chance below 0.1 against the positive, by the retriever itself",
        "RocketQA (Qu et al. 2021), section 3.3.2; the retriever as ranker is a stand-in",
        source={"name": "denoised", "of": {"name": "top-k"}, "ranker": "retriever"},
    ),
)


def _reading(name: str, of: str, summary: str, citation: str, **changes: Any) -> Preset:
    """Return a reading of a preset: `law_changes` change its law's parameters, others replace its pieces."""
    base = _BY_NAME[of]
    law = {**base.law, **changes.pop("law_changes", {})}
    return replace(base, name=name, summary=summary, citation=citation, law=law, reading_of=of, **changes)


_BY_NAME = {preset.name: preset for preset in _PRESETS}

_RETRIEVED = {"name": "top-k", "count": "retrieved"}

_READINGS = (
    _reading(
        "uniform-retrieved",
        "uniform",
        "the top K, equally likely, K counted before positives are removed",
        "AR2 and SimANS code, co_training_generate.py:124-176",
        source=_RETRIEVED,
    ),
    _reading(
        "simans-released",
        "simans",
        "SimANS as released for NQ and TQ: b is added, missed positives leave the law",
        "SimANS code, utils/util_wiki.py:614-631; train_NQ_AR2.sh sets b = 1",
        law_changes={"b_enters": "added", "missed": "uniform"},
        source=_RETRIEVED,
        draw={"name": "released-union", "truncation": "shuffled"},
    ),
    _reading(
        "simans-released-ms-doc",
        "simans",
        "SimANS as released for MS-Doc: b is added, cut in the order of a set",
        "SimANS code, utils/MARCO_until_Doc.py:127-148",
        law_changes={"b_enters": "added", "missed": "last"},
        source=_RETRIEVED,
        draw={"name": "released-union"},
    ),
    _reading(
        "simans-released-ms-pas",
        "simans",
        "SimANS as released for MS-Pas: exp(-3 |gap|), cut in the order of a set",
        "SimANS code, utils/MARCO_until_new.py:127-202",
        law_changes={"shape": "laplace", "a": 3.0, "missed": "last"},
        source=_RETRIEVED,
        draw={"name": "released-union"},
    ),
    _reading(
        "simans-standardised",
        "simans",
        "SimANS over gaps in standard deviations of the row's scores",
        "Ours: a retriever's inner products have no unit",
        law_changes={"gap": "standardised"},
    ),
    *(
        _reading(
            f"debiased-{letter.lower()}",
            "debiased",
            f"debiased sampling, reading {letter}",
            citation,
            law_changes={"reading": letter},
        )
        for letter, citation in (
            ("B", "TriSampler, Table 5: the share is taken from the raw score"),
            ("C", "Robinson et al. 2021: hardness weights, without its loss"),
            ("D", "TriSampler, equation 5 around a share of the positive's score"),
            ("E", "Ours: softmax weights less the chance of a false negative"),
            ("F", "TriSampler, Table 5: the score against the positive passage"),
        )
    ),
    _reading(
        "doc-sim-bell",
        "doc-sim",
        "equation 4 of SimANS with s(d+, d-) in the place of s(q, d-)",
        "SimANS, Table 6, Doc-Sim, as its text may be read",
        law_changes={"reading": "bell"},
    ),
    _reading(
        "region-concentric",
        "region",
        "inside the ball around the positive on which the query lies",
        "TriSampler, Figure 1, concentric region",
        law_changes={"shape": "concentric"},
    ),
    _reading(
        "region-triangular",
        "region",
        "inside the shell around the query, and nearer to the positive than the query is",
        "TriSampler, Figure 1, triangular region",
        law_changes={"shape": "triangular"},
    ),
    _reading(
        "trisampler-all",
        "trisampler",
        "equation 6 over all K candidates; equation 5 only fills",
        "TriSampler: the number of transitional negatives is open",
        law_changes={"transitional": 1.0},
    ),
    _reading(
        "trisampler-replacement",
        "trisampler",
        "transitional negatives drawn with replacement, so that they are fewer",
        "TriSampler, Algorithm 1: replacement is open",
        law_changes={"first_draw": "with-replacement"},
    ),
    _reading(
        "trisampler-uniform-fill",
        "trisampler",
        "rows of too few positive weights are filled by equal weights",
        "ReSa2 (third party), secondRetrieve.py: uniform",
        law_changes={"fill": "uniform"},
    ),
    _reading(
        "trisampler-standardised",
        "trisampler",
        "equation 5 over gaps in standard deviations of the row's scores",
        "Ours: a retriever's inner products have no unit",
        law_changes={"gap": "standardised"},
    ),
    _reading(
        "trisampler-cosine-sides",
        "trisampler",
        "equation 6 compares cosines, equation 5 inner products",
        "Ours: a long document is nearer to every other by inner products",
        law_changes={"sides": "cosine"},
    ),
    _reading(
        "trisampler-final-replacement",
        "trisampler",
        "the final draw with replacement, so that a negative may come more than once",
        "TriSampler, Algorithm 1: whether the last line draws with replacement is open",
        draw={"name": "with-replacement"},
    ),
    _reading(
        "trisampler-eq4",
        "trisampler",
        "with the angle of equation 4, at most 60 degrees, before the first stage",
        "TriSampler, equation 4, which Algorithm 1 does not use",
        law_changes={"angle": "eq4"},
    ),
    _reading(
        "trisampler-apex",
        "trisampler",
        "with the angle at the query, at most 60 degrees, before the first stage",
        "TriSampler, Figure 2; ReSa2 (third party), reading T1",
        law_changes={"angle": "apex"},
    ),
    _reading(
        "trisampler-two-pools",
        "trisampler",
        "over the K nearest to the query and the K nearest to the positive",
        "TriSampler, Table 4: candidates of both kinds",
        source={"name": "union", "parts": [{"name": "top-k"}, {"name": "top-k-by-positive"}]},
    ),
)
