"""The report of a tuning: the same from the same trials, and plain about what its figures are worth."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from harness.errors import UserError
from harness.reports.rendering import render_site
from harness.reports.site import PAGE
from harness.specs.fingerprints import TRAINED_BY
from harness.tuning.report.render import FILES, render, render_tunings

from .sample import A_B, RATE, number, peak, study, tuning_data, write

PAPER = {"law.a": 0.5, "law.b": 0.0}


def a_b(**more: Any) -> dict[str, Any]:
    return study("SimANS", A_B, lambda s: [peak(s)], PAPER, trials=20, seed=1, **more)


def images(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.svg")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in which trials were finished, pruned and failed."""
    data = tuning_data(a_b(fails=lambda setting: setting["law.a"] > 1.9))
    states = {trial["state"] for trial in data["studies"][0]["trials"]}
    assert states == {"complete", "pruned", "failed"}
    written = write(tmp_path_factory.mktemp("results") / "simulation/tuning/simans-a-b", data)
    render(written)
    return written


@pytest.mark.slow
def test_the_same_trials_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = write(tmp_path, json.loads((folder / "trials.json").read_text()))
    render(again)
    contents, contents_again = (
        {path.name: path.read_bytes() for path in of.iterdir()} for of in (folder, again)
    )
    assert contents == contents_again
    assert set(contents) >= {*FILES} and images(folder) == {"history", "expected_best", "slices", "contour"}
    assert imread(folder / "history.png").shape[1] == 1440


def test_the_table_names_best_and_papers_setting_and_how_trials_ended(folder: Path) -> None:
    trials = json.loads((folder / "trials.json").read_text())["studies"][0]["trials"]
    best = max((t for t in trials if t["values"]), key=lambda trial: trial["values"][0])
    (line,) = [line for line in table(folder) if line[0] == "SimANS"][:1]
    counts = [str(sum(t["state"] == state for t in trials)) for state in ("complete", "pruned", "failed")]
    assert line[1] == f"a {best['params']['law.a']:.3g}, b {best['params']['law.b']:.3g}"
    assert line[2:5] == [f"{100 * best['values'][0]:.1f}", "a 0.5, b 0", f"{100 * peak(PAPER):.1f}"]
    assert line[5:] == counts


def test_it_says_what_the_figures_are_worth(folder: Path) -> None:
    text = (folder / "table.md").read_text()
    assert text.count("Simulation. ") == 1 and "200 held-out training queries" in text
    assert "its value there optimistic" in text and "Not run yet: `harness tune simans-a-b" in text
    assert "too few trials" in text or "fANOVA" in text
    assert "failed: the loss is no number at step 50." in text
    assert "the expected result of n trials of this random search" in text


def test_the_data_has_a_line_a_trial(folder: Path) -> None:
    lines = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    trials = json.loads((folder / "trials.json").read_text())["studies"][0]["trials"]
    assert [int(line["trial"]) for line in lines] == [trial["number"] for trial in trials]
    assert [line["state"] for line in lines] == [trial["state"] for trial in trials]
    assert [float(line["MRR@10"]) for line in lines if line["MRR@10"]] == [
        trial["values"][0] for trial in trials if trial["values"]
    ]
    assert float(lines[0]["set:law.a"]) == 0.5 and lines[0]["papers"] == "True"


@pytest.mark.slow
def test_an_expectation_is_not_claimed_for_a_sampler_that_learns(tmp_path: Path) -> None:
    render(write(tmp_path, tuning_data(a_b(sampler="tpe"), sampler="tpe")))
    text, drawn = (tmp_path / "table.md").read_text(), (tmp_path / "expected_best.svg").read_text()
    assert "not the expected result of a tuning" in text and "It is the expected result" not in text
    assert "as if in any order (tpe is not random)" in drawn
    assert "history: best finished so far" in drawn


@pytest.mark.slow
def test_two_objectives_have_a_front(tmp_path: Path) -> None:
    space = {"negatives": number(1, 15, kind="int"), "law.a": number(0.0, 2.0)}
    first = {"negatives": 15, "law.a": 0.5}
    study_data = study(
        "SimANS", space, lambda s: [peak(s), 3.0 + s["negatives"] + s["law.a"]], first, sampler="nsga-ii"
    )
    render(write(tmp_path, tuning_data(study_data, sampler="nsga-ii", two=True)))
    assert {"pareto", "importance"} <= images(tmp_path) and "contour" not in images(tmp_path)
    lines = [line for line in table(tmp_path) if len(line) == 4 and ", negatives " in line[1]]
    values = [(float(line[2]), float(line[3])) for line in lines]
    assert len(values) > 1 and values == sorted(values, reverse=True)
    assert [second for _, second in values] == sorted((second for _, second in values), reverse=True)


@pytest.mark.slow
def test_a_figure_that_has_nothing_to_show_goes(tmp_path: Path) -> None:
    render(write(tmp_path, tuning_data(a_b())))
    assert "contour" in images(tmp_path)
    study_data = study("SimANS", RATE | A_B, lambda s: [peak(s)], {**PAPER, "learning_rate": 1e-3})
    render(write(tmp_path, tuning_data(study_data)))
    assert "contour" not in images(tmp_path) and not (tmp_path / "contour.png").exists()


@pytest.mark.usefixtures("undrawn_once")
@pytest.mark.parametrize("trials", [0, 1, 2])
def test_a_tuning_that_has_just_begun_has_a_report(tmp_path: Path, trials: int) -> None:
    data = tuning_data(a_b())
    data["studies"][0]["trials"] = data["studies"][0]["trials"][:trials]
    render(write(tmp_path, data))
    assert "too few trials" in (tmp_path / "table.md").read_text()


def test_the_front_page_leads_to_it_and_it_leads_back(folder: Path) -> None:
    page = render_site(folder.parents[2]).read_text()
    assert f'<a href="{folder.parents[1].name}/tuning/simans-a-b/table.html"' in page
    assert 'id="tuning"' in page
    assert f'<a href="../../../{PAGE}#tuning">' in (folder / "table.html").read_text()
    assert render_tunings(folder.parents[2]) == [folder]


def test_trials_of_another_state_are_one_line(tmp_path: Path) -> None:
    data = tuning_data(a_b())
    del data["studies"][0]["trials"][3]["params"]
    with pytest.raises(
        UserError, match=r"trials.json: trials of another version.*'params'.*tune again"
    ) as caught:
        render(write(tmp_path, data))
    assert "\n" not in str(caught.value)


def table(folder: Path) -> list[list[str]]:
    lines = [line for line in (folder / "table.md").read_text().splitlines() if line.startswith("|")]
    return [[field.strip() for field in line.strip("|").split("|")] for line in lines]


@pytest.mark.usefixtures("undrawn_once")
@pytest.mark.parametrize(("stages", "warned"), [({}, True), (TRAINED_BY, False), ({"run": 1}, True)])
def test_trials_of_an_earlier_trainer_are_told(
    folder: Path, tmp_path: Path, stages: dict[str, int], warned: bool
) -> None:
    data = json.loads((folder / "trials.json").read_text()) | {"stages": stages}
    written = write(tmp_path, data)
    render(written)
    assert ("Made by an earlier version of the trainer" in (written / "table.md").read_text()) == warned
