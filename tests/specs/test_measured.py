"""The split that is measured: each dataset says it, at each of its scales."""

from __future__ import annotations

import pytest

from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.scale_notes import scale_notes

from .conftest import TABLE, Broken

DATASET = "datasets/ms-pas.yaml"
WATCHED = "Measured on dev: the same queries that are watched while runs train."


def measured_on_dev(library: Library, target: str, dataset: str = "ms-pas") -> Resolved:
    path = library.root / f"datasets/{dataset}.yaml"
    path.write_text(path.read_text().replace("kind: planted\n", "kind: planted\n    measured: dev\n"))
    return resolve(library, target, "simulation")


def test_ms_marco_passage_is_measured_on_dev_as_in_both_papers(shipped: Library) -> None:
    resolved = resolve(shipped, "trisampler/table-5-ar2", "paper")
    assert {(column.label, column.split) for column in resolved.columns} == {
        ("MRR@10", "dev"), ("R@50", "dev"), ("R@1k", "dev"), ("MRR@10 reranked", "dev-reranked"),
        ("nDCG@10", "dev"), ("Success@20", "dev"),
    }  # fmt: skip
    assert resolved.measured() == "dev" and scale_notes(resolved).count(WATCHED) == 1


def test_a_scale_that_says_nothing_is_measured_on_test(library: Library) -> None:
    resolved = resolve(library, TABLE, "scratch")
    assert {column.split for column in resolved.columns} == {"test"}
    assert WATCHED not in scale_notes(resolved)


def test_a_curve_is_watched_on_dev_whatever_is_measured(library: Library) -> None:
    resolved = measured_on_dev(library, "trisampler/figure-4", "nq")
    assert {column.split for column in resolved.columns} == {"dev"}
    assert WATCHED not in scale_notes(resolved)


@pytest.mark.parametrize(
    ("target", "scale", "titles"),
    [
        (TABLE, "scratch", "off; no title stands before a passage."),
        ("simans/table-7", "simulation", "off; no title stands before a passage."),
        ("trisampler/table-5-ar2", "paper", "on; a title stands before each passage."),
    ],
)
def test_notes_say_whether_titles_are_joined(shipped: Library, target: str, scale: str, titles: str) -> None:
    (note,) = (note for note in scale_notes(resolve(shipped, target, scale)) if note.startswith("Titles"))
    assert note == f"Titles: {titles}"


def test_titles_of_a_folder_are_its_own(library: Library) -> None:
    path = library.root / DATASET
    mine = "kind: beir\n    parameters: {folder: mine, titles: true}"
    path.write_text(path.read_text().replace("kind: pydocs", mine))
    assert "Titles: on; a title stands before each passage." in scale_notes(
        resolve(library, TABLE, "scratch")
    )


def test_remarks_of_a_dataset_stand_below_each_table_of_its_runs(library: Library) -> None:
    for target, printed in (("simans/table-7", 1), ("trisampler/figure-4", 1), (TABLE, 0)):
        notes = scale_notes(resolve(library, target, "simulation"))
        assert sum("holds an answer string" in note for note in notes) == printed
    assert not any("answer" in note for note in scale_notes(resolve(library, "simans/table-1", "scratch")))


def test_settings_of_runs_do_not_depend_on_it(library: Library) -> None:
    before = resolve(library, TABLE, "simulation")
    after = measured_on_dev(library, TABLE)
    rows = [(one.loaded.rows("TriSampler")[0], one) for one in (before, after)]
    assert len({one.run(row, 0).model_dump_json() for row, one in rows}) == 1
    assert before.settings_hash() != after.settings_hash()


def test_wrong_splits(broken: Broken, library: Library) -> None:
    (line,) = broken(DATASET, ("measured: dev ", "measured: train "))
    where = f"experiments/{DATASET}:28: key 'collections.paper.measured': "
    assert line == f"{where}'train' is not valid; (one of: dev, test)"


def test_a_split_without_queries(broken: Broken) -> None:
    (line,) = broken(DATASET, ("    measured: dev ", "    # "))
    assert line == (
        f"experiments/{DATASET}:25: key 'collections.paper': no test queries are published; "
        "add `measured: dev`, or their number"
    )


def test_it_belongs_to_the_dataset(broken: Broken) -> None:
    (line,) = broken("papers/trisampler/table-5.yaml", ("unit: percent", "unit: percent\nmeasured: dev"))
    assert "'measured' belongs to the dataset (experiments/datasets/<dataset>.yaml)" in line
