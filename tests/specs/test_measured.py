"""The split that is measured: each dataset says it, at each of its scales."""

from __future__ import annotations

from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve

from .conftest import TABLE, Broken

DATASET = "datasets/ms-pas.yaml"
WATCHED = "Measured on dev: the same queries that are watched while runs train."


def measured_on_dev(library: Library, target: str, dataset: str = "ms-pas") -> Resolved:
    path = library.root / f"datasets/{dataset}.yaml"
    path.write_text(path.read_text().replace("kind: planted\n", "kind: planted\n    measured: dev\n"))
    return resolve(library, target, "simulation")


def test_ms_marco_passage_is_measured_on_dev_as_in_both_papers(library: Library) -> None:
    resolved = resolve(library, "trisampler/table-5-ar2", "paper")
    assert {(column.label, column.split) for column in resolved.columns} == {
        ("MRR@10", "dev"), ("R@50", "dev"), ("R@1k", "dev"), ("MRR@10 reranked", "dev-reranked"),
        ("nDCG@10", "dev"), ("Success@20", "dev"),
    }  # fmt: skip
    assert resolved.measured() == "dev" and resolved.scale_notes().count(WATCHED) == 1


def test_a_scale_that_says_nothing_is_measured_on_test(library: Library) -> None:
    resolved = resolve(library, TABLE, "quick")
    assert {column.split for column in resolved.columns} == {"test"}
    assert WATCHED not in resolved.scale_notes()


def test_a_curve_is_watched_on_dev_whatever_is_measured(library: Library) -> None:
    resolved = measured_on_dev(library, "trisampler/figure-4", "nq")
    assert {column.split for column in resolved.columns} == {"dev"}
    assert WATCHED not in resolved.scale_notes()


def test_settings_of_runs_do_not_depend_on_it(library: Library) -> None:
    before = resolve(library, TABLE, "simulation")
    after = measured_on_dev(library, TABLE)
    rows = [(one.loaded.rows("TriSampler")[0], one) for one in (before, after)]
    assert len({one.run(row, 0).model_dump_json() for row, one in rows}) == 1
    assert before.settings_hash() != after.settings_hash()


def test_wrong_splits(broken: Broken, library: Library) -> None:
    (line,) = broken(DATASET, ("measured: dev ", "measured: train "))
    where = f"experiments/{DATASET}:22: key 'collections.paper.measured': "
    assert line == f"{where}'train' is not valid; (one of: dev, test)"


def test_a_split_without_queries(broken: Broken) -> None:
    (line,) = broken(DATASET, ("    measured: dev ", "    # "))
    assert line == (
        f"experiments/{DATASET}:20: key 'collections.paper': no test queries are published; "
        "add `measured: dev`, or their number"
    )


def test_it_belongs_to_the_dataset(broken: Broken) -> None:
    (line,) = broken("papers/trisampler/table-5.yaml", ("unit: percent", "unit: percent\nmeasured: dev"))
    assert "'measured' belongs to the dataset (experiments/datasets/<dataset>.yaml)" in line
