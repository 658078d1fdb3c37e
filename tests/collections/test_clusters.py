"""Clusters of queries: which there are, and what they change."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.collections.clusters import clusters_of
from harness.collections.collection import Queries
from harness.evaluation.comparison import compare_rows, reproduced
from harness.specs.library import Library
from harness.specs.resolve import resolve
from tests.place import Place, edit

COLUMN = {"label": "MRR", "dataset": "d", "measure": "RR", "split": "test"}


def asked(qrels: dict[str, dict[str, int]]) -> Queries:
    ids = tuple(qrels)
    return Queries(ids, ("?",) * len(ids), qrels, {})


@pytest.mark.parametrize(
    ("qrels", "clusters"),
    [
        ({"a": {"d": 2}, "b": {"d": 2}, "c": {"e": 2}}, {"a": "a", "b": "a", "c": "c"}),
        ({"a": {"d": 2}, "b": {"d": 2, "e": 2}, "c": {"e": 2}}, {"a": "a", "b": "b", "c": "c"}),  # overlap
        ({"a": {"d": 2}, "b": {"d": 4, "e": 1}}, {"a": "a", "b": "a"}),  # grade 1 is no positive
        ({"a": {"d": 0}, "b": {}, "c": {"d": 2}}, {"a": "a", "b": "b", "c": "c"}),  # without a positive
        ({"a": {"e": 2, "d": 2}, "b": {"d": 2, "e": 2}}, {"a": "a", "b": "a"}),  # order does not count
    ],
)
def test_queries_with_the_same_labelled_positives_are_one_cluster(
    qrels: dict[str, dict[str, int]], clusters: dict[str, str]
) -> None:
    assert clusters_of(asked(qrels)) == clusters


def scores(cluster: list[str] | None) -> pd.DataFrame:
    lines = [
        {**COLUMN, "row": row, "seed": seed, "query": f"q{query}", "value": value(row, seed, query)}
        for row in ("base", "ours")
        for seed in range(3)
        for query in range(8)
    ]
    frame = pd.DataFrame(lines).drop(columns="label")
    return (
        frame if cluster is None else frame.assign(cluster=frame["query"].map(lambda q: cluster[int(q[1])]))
    )


def value(row: str, seed: int, query: int) -> float:
    return 0.1 * (query // 2) + (0.05 * (query // 2 - 1) + 0.01 * seed if row == "ours" else 0.0)


def block(cluster: list[str] | None) -> dict:
    found = compare_rows(
        scores(cluster),
        [COLUMN],
        {"base": [None], "ours": [None]},
        baseline="base",
        primary="MRR",
        level=0.95,
    )
    [ours] = found.differences["ours"]
    assert ours is not None
    return ours


def test_differences_and_levels_are_over_clusters_where_scores_name_them() -> None:
    by_query, by_cluster = block(None), block(list("aabbccdd"))
    assert by_cluster["value"] == by_query["value"]
    assert (by_query["checkpoints"]["df"], by_cluster["checkpoints"]["df"]) == (7, pytest.approx(3))
    assert by_cluster["holm_p"] > by_query["holm_p"]
    assert by_cluster["detectable"] > by_query["detectable"]
    levels = [reproduced(scores(of), "ours", COLUMN, 0.95) for of in (None, list("aabbccdd"))]
    assert all(level is not None for level in levels)
    widths = [level["checkpoints"]["high"] - level["checkpoints"]["low"] for level in levels if level]
    assert widths[1] > widths[0]


def test_a_cluster_a_query_changes_no_figure() -> None:
    assert block(list("hgfedcba")) == block(None)


def test_clusters_are_in_no_setting_of_a_run(tmp_path: Path) -> None:
    """So they are in no fingerprint, nor in the name of the prepared collection."""
    place, target = Place(tmp_path / "place"), "trisampler/table-5"

    def settings() -> list[dict]:
        resolved = resolve(Library(place.root / "experiments"), target, "simulation")
        rows = [row for row in resolved.target.rows if row.kind == "trained"]
        return [resolved.run(row, 0).model_dump() for row in rows]

    before = settings()
    edit(
        place.root / "experiments/datasets/ms-pas.yaml",
        lambda spec: spec["collections"]["simulation"].update(clusters="positive"),
    )
    assert resolve(Library(place.root / "experiments"), target, "simulation").clusters() == "positive"
    assert settings() == before
