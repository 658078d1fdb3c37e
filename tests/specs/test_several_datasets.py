"""Columns over several datasets: what they are called, and what a row's runs are on each."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.provenance.cell import find_cell
from harness.specs.describe import render_show, show_target
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RunSettings, TrainedRun
from harness.specs.scale_notes import scale_notes
from harness.specs.tuning_library import load_tuning

from .conftest import TABLE, Broken

SPEC = f"papers/{TABLE}.yaml"
COLUMNS = """\
columns:
  - {label: MRR@10, dataset: ms-pas, measure: RR(rel=2)@10}
  - {label: R@50, dataset: ms-pas, measure: R(rel=2)@50}
  - {label: R@50, dataset: nq, measure: R(rel=2)@50}
primary: MS MARCO passage MRR@10
"""
PRINTED = ["MS MARCO passage MRR@10", "MS MARCO passage R@50", "Natural Questions R@50"]


@pytest.fixture
def both(library: Library) -> Library:
    """The table with its last column on another dataset, whose collection differs, too."""
    path = library.root / SPEC
    text = path.read_text()
    before, _, rest = text.partition("columns:\n")
    path.write_text(before + COLUMNS + rest.partition("primary: MRR@10\n")[2])
    nq = library.root / "datasets/nq.yaml"
    nq.write_text(nq.read_text().replace("seed: 0", "seed: 1"))
    return library


@pytest.fixture
def table(both: Library) -> Resolved:
    return resolve(both, TABLE, "simulation")


def run(table: Resolved, dataset: str | None = None) -> RunSettings:
    return table.run(table.loaded.rows("TriSampler")[0], 0, dataset)


def with_k(library: Library, k: str) -> None:
    path = library.root / SPEC
    path.write_text(path.read_text().replace("candidates: 400", f"candidates: {k}"))


def test_k_may_differ_by_dataset(both: Library) -> None:
    with_k(both, "{ms-pas: 40, nq: 30}")
    table = resolve(both, TABLE, "simulation")
    drawn = {name: run(table, name) for name in ("ms-pas", "nq")}
    assert {name: of.sampler.candidates for name, of in drawn.items() if isinstance(of, TrainedRun)} == {
        "ms-pas": 40, "nq": 30,
    }  # fmt: skip
    assert not any("capped" in note for note in scale_notes(table))


def test_a_cap_is_told_of_the_datasets_that_it_meets(both: Library) -> None:
    with_k(both, "{ms-pas: 400, nq: 30}")
    notes = scale_notes(resolve(both, TABLE, "simulation"))
    assert "Candidates: K = 400 on MS MARCO passage is capped to 50 at this scale." in notes


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        ("{ms-pas: 40}", "key 'shared.candidates': no K on dataset 'nq'; add it"),
        (
            "{ms-pas: 40, nq: 30, nk: 20}",
            "key 'shared.candidates.nk': the target has no dataset 'nk'; did you mean",
        ),
        ("{ms-pas: 40, nq: 14}", "draws 15 negatives of 14 candidates"),
        ("{ms-pas: 40, nq: 0}", "key 'shared.candidates.nq'"),
    ],
)
def test_wrong_k_by_dataset(both: Library, k: str, expected: str) -> None:
    with_k(both, k)
    with pytest.raises(UserError) as caught:
        both.target(TABLE)
    assert expected in str(caught.value)


def test_columns_are_called_by_the_titles_of_their_datasets(table: Resolved) -> None:
    assert [(column.label, column.dataset, column.published) for column in table.columns] == [
        ("MS MARCO passage MRR@10", "ms-pas", True),
        ("MS MARCO passage R@50", "ms-pas", True),
        ("Natural Questions R@50", "nq", True),
        ("MS MARCO passage nDCG@10", "ms-pas", False),
        ("MS MARCO passage Success@20", "ms-pas", False),
        ("Natural Questions nDCG@10", "nq", False),
    ]
    assert [column.label for column in table.printed] == PRINTED
    assert table.primary.label == PRINTED[0]
    assert [table.primary_on(name).label for name in ("ms-pas", "nq")] == [PRINTED[0], PRINTED[2]]


def test_figures_stand_in_the_columns_that_they_were_printed_in(table: Resolved) -> None:
    row = table.loaded.rows("TriSampler")[0]
    figures = [figure and figure["printed"] for figure in table.published(row)]
    assert figures == ["41.4", "89.1", "98.9", None, None, None]
    shown = next(line for line in show_target(table.loaded)["rows"] if line["name"] == "TriSampler")
    assert [figure["printed"] for figure in shown["published"]] == ["41.4", "89.1", "98.9"]
    assert [column.header for column in render_show(table.loaded).columns][3:] == PRINTED


def test_a_row_has_a_run_on_each_dataset_by_the_measures_of_its_columns(table: Resolved) -> None:
    first, second = run(table), run(table, "nq")
    assert first == run(table, "ms-pas")
    assert (first.collection.parameters["seed"], second.collection.parameters["seed"]) == (0, 1)
    assert first.start is not None and first.start.collection == first.collection
    assert second.start is not None and second.start.collection == second.collection
    assert first.measures == ("RR(rel=2)@10", "R(rel=2)@50", "nDCG@10", "Success(rel=2)@20")
    assert second.measures == ("R(rel=2)@50", "nDCG@10")
    same = {"collection": None, "measures": (), "start": None}
    assert first.model_copy(update=same) == second.model_copy(update=same)


def test_further_test_sets_are_those_of_each_collection(table: Resolved) -> None:
    further = Resolved(table.loaded, table.scale, {"ms-pas": ("see-also",), "nq": ("other", "hard")})
    assert [(column.label, column.split) for column in further.columns[6:]] == [
        ("MS MARCO passage MRR@10 see-also", "see-also"),
        ("Natural Questions R@50 other", "other"),
        ("Natural Questions R@50 hard", "hard"),
    ]


def test_notes_say_of_which_dataset_they_are(both: Library) -> None:
    nq = both.root / "datasets/nq.yaml"
    nq.write_text(nq.read_text().replace("kind: planted", "kind: planted\n    measured: dev"))
    table = resolve(both, TABLE, "simulation")
    assert {column.split for column in table.columns if column.dataset == "nq"} == {"dev"}
    assert {column.split for column in table.columns if column.dataset == "ms-pas"} == {"test"}
    notes = scale_notes(table)
    assert (
        "Measured on dev of Natural Questions: the same queries that are watched while runs train." in notes
    )
    assert "Titles: off; no title stands before a passage." in notes


def test_frozen_settings_are_of_all_datasets(both: Library, table: Resolved) -> None:
    nq = both.root / "datasets/nq.yaml"
    before = table.settings_hash()
    nq.write_text(nq.read_text().replace("seed: 1", "seed: 2"))
    assert resolve(both, TABLE, "simulation").settings_hash() != before


def test_labels_differ_within_a_dataset(both: Library, broken: Broken) -> None:
    (line,) = broken(SPEC, ("{label: R@50, dataset: ms-pas", "{label: MRR@10, dataset: ms-pas"))
    assert (
        line
        == f"experiments/{SPEC}:9: key 'columns[1].label': 'MRR@10' is given twice; give each its own name"
    )


def test_the_primary_column_is_named_with_its_dataset(both: Library, broken: Broken) -> None:
    (line,) = broken(SPEC, ("primary: MS MARCO passage MRR@10", "primary: MRR@10"))
    where = f"experiments/{SPEC}:11: key 'primary': "
    assert line == f"{where}unknown column 'MRR@10'; (one of: {', '.join(PRINTED)})"


def test_titles_tell_datasets_apart(both: Library, broken: Broken) -> None:
    lines = broken("datasets/nq.yaml", ("title: Natural Questions", "title: MS MARCO passage"))
    assert lines[0] == (
        f"experiments/{SPEC}:7: key 'columns': datasets of one title: ms-pas, nq; "
        "give each a `title` of its own, in experiments/datasets/"
    )


def test_a_scale_needs_a_collection_of_each(both: Library, broken: Broken) -> None:
    nq = both.root / "datasets/nq.yaml"
    nq.write_text(nq.read_text().replace("  paper:\n", "  elsewhere:\n"))
    (line,) = broken(SPEC, ("scales: [simulation, scratch, quick]", "scales: [simulation, paper]"))
    assert "dataset 'nq' has no collection at scale 'paper'" in line


def test_a_sweep_measures_one(broken: Broken) -> None:
    change = ("{label: R@20, dataset: nq", "{label: R@20, dataset: ms-pas")
    (line,) = broken("papers/simans/figure-2a.yaml", change, target="simans/figure-2a")
    assert "'ms-pas' is a second dataset, beside 'nq'; a target of kind 'sweep' measures one" in line


def test_a_tuning_is_of_one_dataset(both: Library) -> None:
    with pytest.raises(UserError) as caught:
        load_tuning(both, "samplers")
    (line,) = str(caught.value).splitlines()
    assert f"key 'target': '{TABLE}' has columns over several datasets; tune a target of one" in line


def test_a_measure_of_two_datasets_names_no_column(table: Resolved, tmp_path) -> None:
    assert find_cell(table, tmp_path, "TriSampler", "RR(rel=2)@10").dataset == "ms-pas"
    assert find_cell(table, tmp_path, "TriSampler", PRINTED[2]).dataset == "nq"
    with pytest.raises(UserError, match=r"several columns of 'R\(rel=2\)@50'; name '.*' or 'Natural Q"):
        find_cell(table, tmp_path, "TriSampler", "R(rel=2)@50")
