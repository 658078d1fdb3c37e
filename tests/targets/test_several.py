"""Several targets in one call: shared runs are made once, one that fails leaves the others alone."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from harness.encoders.dual_encoder import DualEncoder
from harness.targets import several
from tests.place import edit
from tests.smallest import SmallestPlace

pytestmark = pytest.mark.usefixtures("undrawn")

SCALE = ("--scale", "simulation")
TABLE, FIGURE, SIZES = "trisampler/table-5", "trisampler/figure-1", "simans/table-1"


def two_rows(spec: dict) -> None:
    spec["rows"] = [row for row in spec["rows"] if row["name"] in {"Base", "Uniform Sampling"}]
    spec.pop("compare", None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    """A place with a table, a copy of it as a figure, and the sizes of collections."""
    place = SmallestPlace(tmp_path_factory.mktemp("several"))
    papers = place.root / "experiments/papers"
    edit(papers / f"{TABLE}.yaml", two_rows)
    (papers / f"{FIGURE}.yaml").write_text((papers / f"{TABLE}.yaml").read_text())
    return place


def made(said: str) -> dict[str, dict]:
    return {of["target"]: of for of in json.loads(said)["targets"]}


def trained(place: SmallestPlace) -> dict[str, float]:
    return {
        path.parent.name: path.stat().st_mtime for path in (place.root / "store/runs").glob("*/done.json")
    }


def encoders() -> int:
    """How many encoders this process holds."""
    return sum(type(of) is DualEncoder for of in gc.get_objects())


def test_an_interrupted_call_goes_on_and_shared_runs_are_made_once(
    place: SmallestPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        reproduce = several.reproduce

        def stop(resolved, *more, **options):
            if resolved.name == FIGURE:
                raise KeyboardInterrupt
            return reproduce(resolved, *more, **options)

        patch.setattr(several, "reproduce", stop)
        held = encoders()
        assert place.say("reproduce", SIZES, TABLE, FIGURE, *SCALE).code == 130
    assert encoders() <= held  # those of the table were forgotten before the figure
    before = trained(place)
    assert len(before) == 2  # the base run and the row
    said = place.say("reproduce", SIZES, TABLE, FIGURE, *SCALE, "--json")
    assert said.code == 0, said.err
    counts = {name: (of["made"], of["reused"], of["failed"]) for name, of in made(said.out).items()}
    assert counts == {SIZES: (0, 0, None), TABLE: (0, 2, None), FIGURE: (0, 2, None)}
    assert all((place.root / of["table"]).exists() for of in made(said.out).values())
    assert trained(place) == before


def test_a_target_that_fails_is_named_and_the_rest_is_made(
    place: SmallestPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero\nsomewhere")

    with monkeypatch.context() as patch:
        patch.setattr(several, "reproduce", failing_on(TABLE, fail))
        said = place.say("reproduce", TABLE, SIZES, *SCALE)
    assert said.code == 1
    assert said.lines[-1].startswith(f"error: 1 target(s) failed: {TABLE}; ")
    assert f"1 of 2: {TABLE}: 0 runs made, 2 reused" in said.err
    assert "failed: ZeroDivisionError: division by zero" in said.out and "Traceback" not in said.err
    assert str(Path(SIZES) / "table.md") in said.out


def failing_on(target: str, fail):
    reproduce = several.reproduce
    return lambda resolved, *more, **options: (fail if resolved.name == target else reproduce)(
        resolved, *more, **options
    )


def test_the_summary_counts_a_shared_run_once(place: SmallestPlace) -> None:
    said = place.say("reproduce", "trisampler/table-5", FIGURE, *SCALE)
    assert said.code == 0, said.err
    heading, *rows = (line.split() for line in said.out.splitlines())
    assert heading == ["target", "made", "reused", "seconds", "table"]
    assert [row[:3] for row in rows[:2]] == [[TABLE, "0", "2"], [FIGURE, "0", "2"]]
    assert rows[2][:6] == ["all,", "a", "run", "once", "0", "2"]


def test_a_row_that_fails_fails_its_target_and_leaves_its_table(
    place: SmallestPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("harness.targets.reproduce._finish", failing_rows)
        said = place.say("reproduce", SIZES, TABLE, *SCALE, "--json")
    assert said.code == 1
    table = made(said.out)[TABLE]
    assert table["failed"] == "Uniform Sampling, seed 0: the loss is nan" and table["table"]


def failing_rows(resolved, planned, stages, without):
    from harness.records.run_folder import RunFolder
    from harness.reports.cells import FinishedRun

    base = next(run for run in planned if run.row == "Base")
    finished = FinishedRun(*base.key, base.settings, RunFolder(stages.store.run(base.chain.last)))
    return [finished], {"Uniform Sampling": "seed 0: the loss is nan"}


def test_a_full_disk_stops_the_command(place: SmallestPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(several, "reproduce", failing_on(TABLE, full))
    said = place.say("reproduce", TABLE, SIZES, *SCALE)
    assert said.code == 1 and "the disk is full" in said.lines[-1] and SIZES not in said.out


@pytest.mark.parametrize("option", [("--row", "Base"), ("--force",)])
def test_options_of_one_target_are_refused_for_several(place: SmallestPlace, option) -> None:
    said = place.say("reproduce", TABLE, SIZES, *SCALE, *option)
    said.check()
    assert said.code == 2 and f"{option[0]} is of one target" in said.err
