"""Which targets a command means."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.errors import UserError
from harness.specs.library import Library
from harness.targets.choice import ASKED_FOR, choose
from tests.stores import EXPERIMENTS

SHIPPED = Library(EXPERIMENTS)
READING = "trisampler/table-5-readings"


def papers(library: Library, *but: str) -> set[str]:
    return {name for name in library.targets() if name not in but and not name.startswith("calibration/")}


def test_all_means_the_targets_of_papers_that_have_the_scale() -> None:
    choice = choose(SHIPPED, "simulation", [], every=True)
    lacking = {name for name in papers(SHIPPED) if "simulation" not in SHIPPED.target(name).target.scales}
    assert set(choice.targets) == papers(SHIPPED, READING) - lacking
    assert choice.left_out == dict.fromkeys(lacking, "no scale 'simulation'") | {READING: ASKED_FOR}


def test_those_that_lack_the_scale_are_named_with_the_reason() -> None:
    choice = choose(SHIPPED, "paper", [], every=True)
    assert set(choice.targets) | set(choice.left_out) == papers(SHIPPED)
    assert choice.left_out == {READING: "no scale 'paper', since it asks for hundreds of runs"}


def test_calibrations_and_readings_come_when_they_are_asked_for() -> None:
    choice = choose(SHIPPED, "simulation", [], every=True, calibrations=True)
    assert READING in choice.targets and "calibration/a-a" in choice.targets
    assert choice.left_out["calibration/rates"] == "no scale 'simulation'"
    untimed = [name for name in choice.targets if name not in choice.timed]
    ours = [name.startswith("calibration/") for name in untimed]
    assert ours == sorted(ours)  # after those of papers
    assert "calibration/a-a" in choose(SHIPPED, "simulation", ["calibration"]).targets


def test_what_prints_seconds_is_made_last() -> None:
    choice = choose(SHIPPED, "simulation", [], every=True)
    timed = ["simans/table-7", "trisampler/figure-4", "trisampler/table-6"]
    assert set(timed) <= set(choice.timed)
    assert list(choice.targets)[-len(choice.timed) :] == list(choice.timed)
    assert choose(SHIPPED, "simulation", ["trisampler/table-6", "simans/table-6"]).targets == [
        "simans/table-6", "trisampler/table-6",
    ]  # fmt: skip


def test_a_paper_stands_for_its_targets_and_each_is_made_once() -> None:
    choice = choose(SHIPPED, "simulation", ["trisampler/table-5", "trisampler", READING])
    assert set(choice.targets) == {name for name in papers(SHIPPED) if name.startswith("trisampler/")}
    assert len(choice.targets) == len(set(choice.targets)) and READING in choice.targets


@pytest.mark.parametrize(
    ("names", "scale", "every", "line"),
    [
        ([], "quick", False, "no target is named; name targets or papers, or say --all"),
        (["simans"], "quick", True, "--all means all targets, and some are named"),
        (["simns"], "quick", False, "unknown paper 'simns'; did you mean 'simans'?"),
        (["simans/tabel-6"], "quick", False, "unknown target 'simans/tabel-6'; did you mean"),
        (["simans"], "quickly", False, "unknown scale 'quickly'; did you mean 'quick'?"),
        (
            ["simans", "trisampler/table-5-readings"],
            "quick",
            False,
            "trisampler/table-5-readings has no scale 'quick'",
        ),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_made(names, scale, every, line) -> None:
    with pytest.raises(UserError) as caught:
        choose(SHIPPED, scale, names, every=every)
    assert str(caught.value).startswith(line)


@pytest.fixture
def small(tmp_path: Path) -> Library:
    """A library whose second paper is broken, and whose third lacks all scales but one."""
    for folder in ("recipes", "datasets", "scales", "papers/simans"):
        (tmp_path / folder).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / folder).symlink_to(EXPERIMENTS / folder)
    for paper, change in (("broken", {"kind": "tabel"}), ("third", {"scales": ["scratch"]})):
        (tmp_path / "papers" / paper).mkdir()
        text = (EXPERIMENTS / "papers/simans/paper.yaml").read_text()
        (tmp_path / "papers" / paper / "paper.yaml").write_text(text)
        content = yaml.safe_load((EXPERIMENTS / "papers/simans/table-1.yaml").read_text())
        (tmp_path / "papers" / paper / "table-1.yaml").write_text(yaml.safe_dump(content | change))
    return Library(tmp_path)


def test_a_broken_spec_is_chosen_so_that_it_fails_alone(small: Library) -> None:
    assert "broken/table-1" in choose(small, "simulation", [], every=True).targets
    assert choose(small, "simulation", ["broken"]).targets == ["broken/table-1"]
    with pytest.raises(UserError, match="'tabel' is not valid"):
        choose(small, "simulation", ["broken/table-1"])


def test_a_paper_without_the_scale_is_refused(small: Library) -> None:
    with pytest.raises(UserError, match="third: none of these targets is made at scale 'simulation'"):
        choose(small, "simulation", ["third"])
    assert choose(small, "scratch", ["third"]).targets == ["third/table-1"]
