"""cells.json: read back as it was written; other versions refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from sample import typed

from harness.errors import UserError
from harness.reports.content import VERSION
from harness.reports.kinds import REPORTS, parse_cells, read_cells
from harness.storage.files import read_json, write_json

RESULTS = Path(__file__).parents[2] / "results"
FILES = sorted(RESULTS.rglob("cells.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-4:-1]))
def test_committed_cells_are_read_and_written_without_a_loss(path: Path, tmp_path: Path) -> None:
    write_json(tmp_path / "cells.json", read_cells(path).as_json())
    assert (tmp_path / "cells.json").read_bytes() == path.read_bytes()


def test_every_kind_is_among_the_committed_cells_or_has_the_cells_of_one() -> None:
    committed = {read_json(path)["kind"] for path in FILES}
    assert {REPORTS[kind].cells for kind in committed} == {report.cells for report in REPORTS.values()}


@pytest.mark.parametrize("version", [None, 0, VERSION + 1])
def test_another_version_says_how_the_cells_are_made_again(cells: dict[str, Any], version: int) -> None:
    changed = {key: value for key, value in cells.items() if key != "version"}
    if version is not None:
        changed["version"] = version
    with pytest.raises(UserError, match=r"`harness reproduce trisampler/table-5 --scale scratch`"):
        typed(changed)


def test_a_content_that_does_not_fit_is_named_by_its_key(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    del changed["rows"][0]["kind"]
    with pytest.raises(UserError, match=r"rows\.0\.kind: Field required"):
        typed(changed)


def test_what_a_tuning_confirmed_is_made_again_by_its_path(cells: dict[str, Any]) -> None:
    changed = {**cells, "version": 0, "kind": "confirmation", "target": "tuning/samplers/confirmation"}
    with pytest.raises(UserError, match=r"harness reproduce results/scratch/tuning/samplers/target\.yaml"):
        typed(changed)


@pytest.mark.parametrize(
    ("kind", "own", "told"),
    [
        ("comparison", None, "`harness reproduce a/b --scale quick`, with --publish if they are committed"),
        (
            "comparison",
            {"options": " --collection beir:mine", "place": "own/mine-1"},
            "`harness reproduce a/b --scale quick --collection beir:mine`",
        ),
        (
            "confirmation",
            {"options": " --encoder e", "place": "own/e-1"},
            "`harness reproduce results/local/own/e-1/quick/a/b/target.yaml --scale quick --encoder e`",
        ),
        ("comparison", {"options": 1}, "`harness reproduce a/b --scale quick`, with --publish"),
        ("comparison", "damaged", "`harness reproduce a/b --scale quick`, with --publish"),
    ],
)
def test_the_command_that_makes_cells_again_has_their_options(kind: str, own: Any, told: str) -> None:
    content = {"version": 0, "kind": kind, "target": "a/b", "scale": "quick"}
    with pytest.raises(UserError) as refused:
        parse_cells(content | ({} if own is None else {"own": own}), "cells.json")
    assert f"make them again: {told}" in str(refused.value)
