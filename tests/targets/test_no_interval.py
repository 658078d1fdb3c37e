"""A column that can have no interval is refused before anything is trained."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at
from tests.place import CHECKOUT, TARGET

Judged = Mapping[str, Mapping[str, int]]
"""Query -> document -> grade in the file."""

DATASET = "datasets/ms-pas.yaml"
TRAIN, DEV = {"t": {"a": 1}}, {"v": {"b": 1}, "w": {"c": 1}}
DOCUMENTS = "abcd"


def resolved(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    test: Judged,
    more: str = "",
    target: str = TARGET,
    dev: Judged = DEV,
) -> Resolved:
    """Resolve a shipped table over a folder with these test queries."""
    splits = {"train": TRAIN, "dev": dev, "test": test}
    (root / "mine/qrels").mkdir(parents=True)
    texts = {"corpus": DOCUMENTS, "queries": [query for judged in splits.values() for query in judged]}
    for name, ids in texts.items():
        lines = (json.dumps({"_id": key, "text": f"text of {name} {key}"}) for key in ids)
        (root / f"mine/{name}.jsonl").write_text("\n".join(lines))
    for split, judged in splits.items():
        lines = (f"{q}\t{d}\t{grade}" for q, of in judged.items() for d, grade in of.items())
        (root / f"mine/qrels/{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    shutil.copytree(CHECKOUT / "experiments", root / "experiments")
    path = root / "experiments" / DATASET
    mine = f"  simulation:\n    kind: beir\n{more}    parameters: {{folder: mine}}\n"
    path.write_text(re.sub(r"  simulation:\n.*?(?=  scratch:)", mine, path.read_text(), flags=re.DOTALL))
    monkeypatch.chdir(root)
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    stages = Stages(Store(root / "store"), Progress(quiet=True))
    return resolve_at(Library(root / "experiments"), target, "simulation", stages)


CLUSTERS = "    clusters: positive\n"


@pytest.mark.parametrize(
    "test",
    [
        {"x": {"a": 1}, "y": {"a": 1}},
        {"x": {"a": 1, "b": 1}, "y": {"b": 2, "a": 1}, "z": {"a": 1, "b": 1}},
        {"x": {"d": 1}, "y": {"d": 1, "a": 0}},  # what is judged and not relevant makes no other cluster
    ],
)
def test_queries_of_one_cluster_are_refused_by_the_line_of_the_key(tmp_path, monkeypatch, test):
    with pytest.raises(UserError) as refused:
        resolved(tmp_path, monkeypatch, test, CLUSTERS)
    lines = (tmp_path / "experiments" / DATASET).read_text().splitlines()
    line = lines.index(CLUSTERS.rstrip()) + 1
    assert str(refused.value) == (
        f"experiments/{DATASET}:{line}: key 'collections.simulation.clusters': all {len(test)} test "
        "queries are of one cluster, which has no interval; "
        "remove the key, or add queries with other labelled positives"
    )
    assert not list(tmp_path.glob("store/runs/*"))


@pytest.mark.parametrize(
    ("test", "more"),
    [
        ({"x": {"a": 1}, "y": {"a": 1}}, ""),  # the key is removed
        ({"x": {"a": 1}, "y": {"a": 1}, "z": {"a": 1, "b": 1}}, CLUSTERS),  # a query is added
        ({"x": {"a": 1}, "y": {"a": 1}}, CLUSTERS + "    measured: dev\n"),  # another split is measured
    ],
)
def test_two_clusters_or_queries_suffice(tmp_path, monkeypatch, test, more):
    assert resolved(tmp_path, monkeypatch, test, more).name == TARGET


def test_a_single_query_is_refused_too(tmp_path, monkeypatch):
    with pytest.raises(
        UserError, match=r"ms-pas.yaml:\d+: .*: test has one query, and an interval needs two"
    ):
        resolved(tmp_path, monkeypatch, {"x": {"a": 1}})


def test_a_curve_has_no_interval_over_queries(tmp_path, monkeypatch):
    one = {"x": {"a": 1}, "y": {"a": 1}}
    dev = {"v": {"a": 1}, "w": {"a": 1}}
    curve = resolved(tmp_path, monkeypatch, one, CLUSTERS, "trisampler/figure-4", dev)
    assert curve.target.kind == "curve"
