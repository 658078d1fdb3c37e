"""The specs that the project ships: sound, headed by their command, and valid by the editors' schemas."""

from __future__ import annotations

import inspect
import json
import typing
from pathlib import Path

import jsonschema
import pytest

from harness.collections.planted import build_planted
from harness.negatives.laws.debiased import Debiased
from harness.specs.collection_choice import PlantedParameters
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import TrainedRun
from harness.specs.scale_notes import scale_notes
from harness.specs.schema import schemas
from harness.specs.target import Measured, with_runs
from harness.specs.tuning_library import resolve_tuning
from harness.specs.yaml_file import read_yaml

from .conftest import SHIPPED

FILES = sorted(path for path in SHIPPED.rglob("*.yaml"))
FOLDERS = {
    "recipes": "recipe",
    "datasets": "dataset",
    "scales": "scale",
    "tuning": "tuning",
    "readings": "reading",
}


def kind_of(file: Path) -> str:
    return FOLDERS.get(file.parent.name, "paper" if file.name == "paper.yaml" else "target")


VALIDATORS = {kind: jsonschema.validators.validator_for(of)(of) for kind, of in schemas().items()}


@pytest.mark.parametrize("kind", ["dataset", "paper", "reading", "recipe", "scale", "target", "tuning"])
def test_schema_is_up_to_date(kind: str) -> None:
    written = json.loads((SHIPPED / "schema" / f"{kind}.json").read_text())
    assert written == schemas()[kind], "run python -m harness.specs.schema"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_file_validates_and_is_headed_by_its_command(file: Path) -> None:
    kind = kind_of(file)
    VALIDATORS[kind].validate(read_yaml(file, SHIPPED).data)
    command, schema = file.read_text().splitlines()[:2]
    up = "../" * len(file.relative_to(SHIPPED).parent.parts)
    assert schema == f"# yaml-language-server: $schema={up}schema/{kind}.json"
    assert command.startswith("# harness ")
    if kind == "target":
        name = f"{file.parent.name}/{file.stem}"
        scale = command.removeprefix(f"# harness reproduce {name} --scale ")
        assert scale in Library(SHIPPED).target(name).target.scales
    if kind == "tuning":
        scale = command.removeprefix(f"# harness tune {file.stem} --scale ")
        assert resolve_tuning(Library(SHIPPED), file.stem, scale).spec.trials


@pytest.mark.parametrize("name", Library(SHIPPED).targets())
def test_every_row_resolves_at_every_scale(name: str) -> None:
    library = Library(SHIPPED)
    for scale in library.target(name).target.scales:
        resolved = resolve(library, name, scale)
        for row in with_runs(resolved.target.rows):
            for dataset in resolved.target.datasets:
                first = resolved.run(row, 0, dataset)
                untrained = isinstance(first, TrainedRun) and not first.phase.steps
                assert (first == resolved.run(row, 1, dataset)) == untrained


@pytest.mark.parametrize("scale", ["simulation", "quick"])
def test_four_datasets_have_four_collections(scale: str) -> None:
    library = Library(SHIPPED)
    chosen = {name: library.dataset(name).collections[scale] for name in ("nq", "tqa", "ms-pas", "ms-doc")}
    assert len({choice.model_dump_json(exclude={"clusters"}) for choice in chosen.values()}) == 4
    answered = [name for name, choice in chosen.items() if choice.has_answers]
    assert answered == ["nq", "tqa"]


def test_what_papers_count_in_their_datasets_is_what_plans_are_made_for() -> None:
    library = Library(SHIPPED)
    table = library.target("simans/table-1").target
    printed = {row.name: row.published for row in table.rows}
    titles = {"NQ": "nq", "TQ": "tqa", "MS Pas": "ms-pas", "MS Doc": "ms-doc"}
    for row, name in titles.items():
        sizes = library.dataset(name).collections["paper"].settings
        assert printed[row] == [
            str(sizes[key]) if key in sizes else None for key in ("train", "dev", "test", "documents")
        ]


def test_planted_parameters_are_those_of_the_collection() -> None:
    assert set(PlantedParameters.model_fields) == set(inspect.signature(build_planted).parameters)


def test_table_5_holds_the_published_figures() -> None:
    resolved = resolve(Library(SHIPPED), "trisampler/table-5", "scratch")
    printed = {
        row.name: [figure["printed"] for figure in resolved.published(row) if figure]
        for row in resolved.target.rows
    }
    assert printed == {
        "BM25": [],
        "Base": [],
        "Uniform Sampling": ["39.7", "87.9", "98.6"],
        "TopK Sampling": ["40.6", "88.6", "98.7"],
        "Debiased Sampling": ["41.1", "88.9", "98.8"],
        "TriSampler": ["41.4", "89.1", "98.9"],
        "SimANS": [],
    }
    assert "distil from a ranker" in " ".join(scale_notes(resolved))


def test_a_published_column_is_one_measure_in_all_tables() -> None:
    library = Library(SHIPPED)
    measures: dict[tuple[str, str], set[str]] = {}
    for name in library.targets():
        target = library.target(name).target
        if isinstance(target, Measured) and not name.startswith("calibration/"):
            for column in target.columns:
                measures.setdefault((column.dataset, column.label), set()).add(column.measure)
    assert measures["ms-pas", "R@50"] == {"Success(rel=2)@50"}
    assert {column: several for column, several in measures.items() if len(several) > 1} == {}


def test_the_register_counts_the_readings_of_debiased_as_the_law_does() -> None:
    readings = typing.get_args(Debiased.model_fields["reading"].annotation)
    (note,) = (of for of in Library(SHIPPED).target("trisampler/table-5").paper.notes if of.id == "D26")
    words = {5: "five", 6: "six", 7: "seven"}
    assert f"reading {Debiased().reading} of {words[len(readings)]}" in note.text
