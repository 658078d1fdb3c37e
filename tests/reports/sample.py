"""Made-up cells of seven rows, for the renderers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from harness.evaluation.comparison import compare_rows, reproduced
from harness.reports.comparison.cells import judged
from harness.reports.content import VERSION, Cells
from harness.reports.kinds import parse_cells

PUBLISHED = {
    "Uniform Sampling": ("39.7", "87.6", "98.6"),
    "TopK Score Sampling": ("40.6", "88.3", "98.6"),
    "Debiased Sampling": ("41.1", "88.8", "98.8"),
    "TriSampler": ("41.4", "89.1", "98.9"),
}
LIFTS = {
    "BM25": (0.44, "reference"),
    "Base": (0.385, "reference"),
    "Uniform Sampling": (0.40, "trained"),
    "TopK Score Sampling": (0.402, "trained"),
    "Debiased Sampling": (0.407, "trained"),
    "TriSampler": (0.411, "trained"),
    "SimANS": (0.412, "control"),
}
COLUMNS: list[dict[str, Any]] = [
    {
        "label": label, "dataset": "ms-pas", "dataset_title": "MS MARCO passages",
        "measure": measure, "split": split, "published": published,
    }
    for label, measure, split, published in [
        ("MRR@10", "RR(rel=2)@10", "test", True),
        ("R@50", "R(rel=2)@50", "test", True),
        ("R@1000", "R(rel=2)@1000", "test", True),
        ("nDCG@10", "nDCG@10", "test", False),
        ("Success@20", "Success(rel=2)@20", "test", False),
        ("MRR@10 see-also", "RR(rel=2)@10", "see-also", False),
    ]
]  # fmt: skip
OFFSETS = (0.0, 0.4, 0.52, 0.06, 0.33, -0.15)
LEVEL = 0.95


def sample_scores(seeds: int, queries: int = 150) -> pd.DataFrame:
    """Per-query scores of each row and seed (one seed for BM25)."""
    rng = np.random.default_rng(5)
    parts = []
    for column, offset in zip(COLUMNS, OFFSETS, strict=True):
        hardness = rng.normal(0, 0.03, queries)
        for name, (lift, _) in LIFTS.items():
            for seed in range(1 if name == "BM25" else seeds):
                value = lift + offset + hardness + rng.normal(0, 0.004) + rng.normal(0, 0.03, queries)
                part = {"row": name, "seed": seed, "dataset": "ms-pas", "split": column["split"]}
                part |= {"measure": column["measure"], "query": [f"q{q:03}" for q in range(queries)]}
                parts.append(pd.DataFrame({**part, "value": value.clip(0, 1)}))
    return pd.concat(parts, ignore_index=True)


def sample_cells(seeds: int = 3, *, simulation: bool = False, missing: str | None = None) -> dict[str, Any]:
    """Cells as `harness reproduce` writes them; `missing` names a row that was not run."""
    scores = sample_scores(seeds)
    scores = scores[scores["row"] != missing]
    figures: dict[str, list[dict[str, Any] | None]] = {
        name: [
            {"printed": text, "value": round(float(text) / 100, 6), "unit": "percent"}
            for text in PUBLISHED[name]
        ]
        + [None] * 3
        if name in PUBLISHED
        else [None] * len(COLUMNS)
        for name in LIFTS
    }
    compared = {name: figures[name] for name in LIFTS if LIFTS[name][1] != "reference"}
    comparison = compare_rows(
        scores, COLUMNS, compared, baseline="Uniform Sampling", primary="MRR@10", level=LEVEL
    )
    rows = []
    for name, (_, kind) in LIFTS.items():
        row_cells = []
        for position, column in enumerate(COLUMNS):
            block = reproduced(scores, name, column, LEVEL)
            difference = comparison.differences[name][position] if name in comparison.differences else None
            row_cells.append(
                {"state": "ok" if block else "missing", "published": figures[name][position],
                 "reproduced": block, "difference": difference}
            )  # fmt: skip
        trained = kind != "reference" and name != missing
        rows.append(
            {
                "name": name,
                "kind": kind,
                "recipe": "continue-contrastive" if kind != "reference" else name.lower(),
                "sampler": name.lower() if kind != "reference" else None,
                "summary": f"What {name} does.",
                "fingerprints": [],
                "reason": None,
                "cells": row_cells,
                "false_negatives": {"known_relevant_drawn": 321, "drawn": 1_200_000, "share": 321 / 1_200_000}
                if trained
                else None,
                "diagnostics": {"effective_candidates": 87.25, "gap_sd": 1.234, "fallback_rows_share": 0.0125}
                if trained
                else None,
            }
        )  # fmt: skip
    cells = {
        "version": VERSION,
        "target": "trisampler/table-5",
        "paper": "trisampler",
        "title": "Four ways to draw negatives, continued from one retriever",
        "source": "TriSampler, Table 5",
        "scale": "simulation" if simulation else "scratch",
        "simulation": simulation,
        "kind": "comparison",
        "unit": "percent",
        "collection": {
            "name": "planted" if simulation else "pydocs",
            "fingerprint": "0123456789abcdef",
            "documents": 13712,
            "queries": {"train": 8123, "dev": 712, "test": 1650, "see-also": 402},
        },
        "provider": {
            "RR(rel=2)@10": "msmarco (ir-measures 0.4.3)",
            "nDCG@10": "pytrec_eval (ir-measures 0.4.3)",
        },
        "settings_commit": "abc1234",
        "reading_notes": ["K 400 capped to 200."],
        "baseline": "Uniform Sampling",
        "primary": "MRR@10",
        "level": LEVEL,
        "seeds": list(range(seeds)),
        "columns": COLUMNS,
        "rows": rows,
        "smallest_difference": comparison.smallest_difference,
        "notes": [{"id": "no-ranker", "severity": "major", "text": "The papers distil from a ranker."}],
    }
    return with_verdicts(cells)


def with_verdicts(content: dict[str, Any]) -> dict[str, Any]:
    """The content of cells.json with its verdicts."""
    return judged(content).as_json()


def typed(content: dict[str, Any]) -> Cells:
    """The cells of a content that is kept as a dictionary, so that tests can change it."""
    return parse_cells(content, "sample")
