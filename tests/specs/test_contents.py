"""What a library holds, as it is written: titles and summaries, whatever else is wrong in its files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.specs.contents import contents_of
from harness.specs.library import Library

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    return shutil.copytree(EXPERIMENTS, tmp_path / "experiments")


def test_every_target_has_the_title_that_it_is_loaded_with() -> None:
    library = Library(EXPERIMENTS)
    contents = contents_of(library)
    assert list(contents.titles) == library.targets() and all(contents.titles.values())
    for name in ("trisampler/table-5", "trisampler/table-5-ar2", "simans/figure-3-test"):
        assert contents.titles[name] == library.target(name).target.title
    assert set(contents.papers) == {"ar2", "calibration", "simans", "trisampler"}
    assert contents.scales["quick"].startswith("Real text") and set(contents.scales) == set(
        library.names("scales")
    )


def test_names_of_a_paper_are_its_targets_and_drawings() -> None:
    contents = contents_of(Library(EXPERIMENTS))
    assert {"table-1", "figure-4"} <= set(contents.names("simans")) and contents.names("nobody") == []
    assert [drawing.name for drawing in contents.drawings("trisampler")] == ["figure-2"]


@pytest.mark.parametrize("text", ["", "title: [", "kind: comparison\n", "extends: nobody/table-1\n"])
def test_a_target_that_cannot_be_read_has_no_title(specs: Path, text: str) -> None:
    (specs / "papers/simans/table-6.yaml").write_text(text)
    titles = contents_of(Library(specs)).titles
    assert titles["simans/table-6"] == "" and titles["simans/table-7"]


def test_a_paper_that_cannot_be_read_leaves_its_targets(specs: Path) -> None:
    (specs / "papers/simans/paper.yaml").write_text("title: 3")
    contents = contents_of(Library(specs))
    assert "simans" not in contents.papers and contents.titles["simans/table-7"]
    assert contents.drawings("simans") == []
