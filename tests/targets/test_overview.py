"""What targets need together, before anything is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.specs.library import Library
from tests.place import edit
from tests.smallest import SmallestPlace
from tests.targets.test_several import FIGURE, SCALE, SIZES, TABLE, two_rows

pytestmark = pytest.mark.usefixtures("undrawn")

SHIPPED = Library(Path(__file__).parents[2] / "experiments")
AR2 = "trisampler/table-5-ar2"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    """A place with a table that is made, and a figure of three more rows."""
    place = SmallestPlace(tmp_path_factory.mktemp("overview"))
    edit(place.root / f"experiments/papers/{TABLE}.yaml", two_rows)
    return place


def needs(place: SmallestPlace, *call: str) -> dict[str, dict]:
    said = place.say(*call, "--json")
    assert said.code == 0, said.err
    return {one["target"]: one for one in json.loads(said.out)["targets"]}


def test_a_dry_run_counts_shared_runs_once_and_makes_none(place: SmallestPlace) -> None:
    told = needs(place, "reproduce", TABLE, SIZES, TABLE, FIGURE, *SCALE, "--dry-run")
    assert [told[TABLE][key] for key in ("runs", "reused", "shared", "to_make")] == [2, 0, 0, 2]
    assert [told[SIZES][key] for key in ("runs", "reused", "shared", "to_make")] == [0, 0, 0, 0]
    figure = told[FIGURE]
    assert figure["shared"] == 1 and figure["to_make"] == figure["runs"] - 1 > 0  # the base run
    assert not list((place.root / "store").glob("runs/*"))
    assert told == needs(place, "plan", TABLE, SIZES, FIGURE, *SCALE)


def test_what_is_made_is_reused_and_tells_how_long_it_takes(place: SmallestPlace) -> None:
    assert needs(place, "plan", TABLE, FIGURE, *SCALE)[TABLE]["runs_of_unknown_hours"] == 2
    assert place.say("reproduce", TABLE, *SCALE, "--publish").code == 0
    told = needs(place, "plan", TABLE, FIGURE, *SCALE)
    assert [told[TABLE][key] for key in ("runs", "reused", "to_make", "hours")] == [2, 2, 0, 0]
    assert told[FIGURE]["hours"] > 0 and told[FIGURE]["runs_of_unknown_hours"] < told[FIGURE]["to_make"]
    (place.root / "store").rename(place.root / "elsewhere")
    try:
        fresh = needs(place, "plan", TABLE, *SCALE, SIZES)  # of the committed ones
    finally:
        if (place.root / "store").exists():
            (place.root / "store").rename(place.root / "planned")
        (place.root / "elsewhere").rename(place.root / "store")
    assert fresh[TABLE]["to_make"] == 2 and fresh[TABLE]["runs_of_unknown_hours"] == 0


def test_every_target_of_the_paper_scale_has_its_cost(place: SmallestPlace) -> None:
    said = place.say("reproduce", "--all", "--scale", "paper", "--dry-run")
    assert said.code == 0, said.err
    heading, *lines = said.out.splitlines()
    assert heading.split("  ")[0] == "target"
    for word in ("GPU hours", "card GB", "host GB", "disk GB"):
        assert word in heading
    [line] = [line for line in lines if line.startswith(AR2)]
    hours, card, host, disk = (float(cell.replace(",", "")) for cell in line.split()[5:9])
    assert min(hours, card, host, disk) > 0
    missing = "missing: MS MARCO passage (msmarco-passage), 8,841,823 documents, which nothing here loads yet"
    assert missing in lines
    assert any(line.startswith("missing: MS MARCO document: STAR normalises its vectors") for line in lines)
    assert any(", with --recompute; host" in line for line in lines)
    assert any("33 x 10^12 operations a second" in line for line in lines)
    told = {line.split()[0] for line in lines if "/" in line.split()[0]}
    papers = {name for name in SHIPPED.targets() if not name.startswith("calibration/")}
    assert told == papers - {"trisampler/table-5-readings"}
    assert (
        "left out (no scale 'paper', since it asks for hundreds of runs): trisampler/table-5-readings"
        in lines
    )
    assert any("simans/table-4, Baseline+Random Neg, " in line and "not public" in line for line in lines)


def test_a_plan_of_one_target_tells_its_cost(place: SmallestPlace) -> None:
    said = place.say("plan", AR2, "--scale", "paper")
    assert said.code == 0 and "GPU hours, " in said.out and "GB on disk at most" in said.out
    assert "missing: MS MARCO passage (msmarco-passage), 8,841,823 documents" in said.out
    assert "To make: 0 runs" in place.say("plan", SIZES, *SCALE).out


def test_commands_stand_one_a_line_and_name_a_run_once(place: SmallestPlace) -> None:
    lines = place.say("plan", AR2, "--scale", "paper", "--commands").out.splitlines()
    assert lines[0].startswith("# missing: MS MARCO passage")
    assert all(line.startswith(("# missing: ", f"harness reproduce {AR2} --scale paper")) for line in lines)
    assert f"harness reproduce {AR2} --scale paper --row 'Uniform Sampling'" in lines
    assert lines[-1] == f"harness reproduce {AR2} --scale paper"
    of_row = place.say("plan", AR2, "--scale", "paper", "--commands", "--seeds", "2", "--row", "BM25").out
    assert of_row.splitlines()[2:] == [f"harness reproduce {AR2} --scale paper --seeds 2 --row BM25"]
    shared = place.say("plan", TABLE, FIGURE, *SCALE, "--commands").out.splitlines()
    rows = [line.partition(" --row ")[2] for line in shared if " --row " in line]
    assert len(rows) == len(set(rows)) > 0  # the base run is of the table, if it is not made yet
    assert f"harness reproduce {TABLE} --scale simulation" in shared


def test_a_target_that_cannot_be_planned_is_named(place: SmallestPlace) -> None:
    path = place.root / "experiments/papers/trisampler/figure-3.yaml"
    path.rename(path.with_suffix(".kept"))
    path.write_text("kind: tabel\n")
    try:
        said = place.say("reproduce", "trisampler", *SCALE, "--dry-run")
    finally:
        path.unlink()
        path.with_suffix(".kept").rename(path)
    assert said.code == 1 and "1 target(s) cannot be planned: trisampler/figure-3" in said.lines[-1]
    assert TABLE in said.out
