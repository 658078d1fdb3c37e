"""A tuning confirmed: made with fresh seeds on test, quoted in its report, and no second time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.errors import UserError
from harness.evaluation.significance import method_interval
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.store import Store
from harness.tuning import target
from harness.tuning.confirm import confirm
from harness.tuning.report.render import render
from tests.place import Place, edit

from .sample import RATE, number, tuning_data, write
from .test_target import trial

pytestmark = pytest.mark.slow  # six runs

SPACE = {**RATE, "law.a": number(0.0, 1.0)}
PAPER, BEST = ({"learning_rate": rate, "law.a": a} for rate, a in ((1e-3, 0.25), (3e-3, 0.6)))
ROWS = ["Uniform Sampling", "TriSampler: papers' setting", "TriSampler: best of 2"]


def trials() -> dict[str, Any]:
    tried = [trial(0, PAPER, 0.2, first=True), trial(1, BEST, 0.4)]
    study = {"row": "TriSampler", "sampler": "trisampler", "space": SPACE, "first": [PAPER], "trials": tried}
    return tuning_data(study)


def fewer_steps(spec: dict[str, Any]) -> None:
    spec["substitutes"]["base/retriever"]["steps"] = 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A tiny world in which the tuning is confirmed, over two seeds."""
    place = Place(tmp_path_factory.mktemp("confirmed"))
    edit(place.root / "experiments/scales/simulation.yaml", fewer_steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "nowhere://")
        patch.setattr(target, "SEEDS", 2)
        folder = write(tuning_folder(place), trials())
        render(folder)
        confirmation = confirm(folder, *library_and_stages(place))
    assert confirmation.trained == 6 and not confirmation.failed
    return place


def tuning_folder(place: Place) -> Path:
    return place.root / "results/local/simulation/tuning/simans-a-b"


def library_and_stages(place: Place) -> tuple[Library, Stages]:
    return Library(place.root / "experiments"), Stages(Store(place.root / "store"), Progress())


def test_its_results_lie_below_the_tuning_and_commands_name_it_by_path(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = json.loads((tuning_folder(place) / "confirmation/cells.json").read_text())
    assert [row["name"] for row in cells["rows"]] == ROWS and cells["baseline"] == ROWS[0]
    assert [row.get("minus") for row in cells["rows"]] == [None, ROWS[0], None]  # the baseline was not tuned
    assert [row["cells"][0]["difference"] is None for row in cells["rows"]] == [True, False, True]
    assert (cells["kind"], cells["settings_commit"]) == ("confirmation", None)
    path = (tuning_folder(place) / "target.yaml").relative_to(place.root).as_posix()
    assert place.call(monkeypatch, "plan", path, "--scale", "simulation", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert {run["state"] for run in planned} == {"done"} and len(planned) == 6
    assert place.call(monkeypatch, "reproduce", path, "--scale", "simulation") == 0
    printed = capsys.readouterr().out
    assert "Trained 0 run" in printed and "results/local/index.html" in printed
    assert not list(tuning_folder(place).parents[1].rglob("index.html"))
    assert place.call(monkeypatch, "show", path) == 0
    assert "tuning/simans-a-b/confirmation" in capsys.readouterr().out
    assert place.call(monkeypatch, "explain", path, ROWS[2], "--scale", "simulation", "--local") == 0
    assert "target.yaml:" in capsys.readouterr().out


def test_the_report_quotes_the_difference_paired_by_seed_and_query(place: Place) -> None:
    quoted = json.loads((tuning_folder(place) / "trials.json").read_text())["confirmation"]
    scores = pd.read_parquet(tuning_folder(place) / "confirmation/per_query.parquet")
    chosen = scores[(scores["split"] == "test") & (scores["measure"] == "RR(rel=2)@10")]
    table = chosen.pivot(index=["row", "seed"], columns="query", values="value")
    paired = (table.loc[ROWS[2]] - table.loc[ROWS[1]]).to_numpy()
    (study,) = quoted["studies"]
    assert study["difference"]["value"] == pytest.approx(paired.mean())
    interval = method_interval(paired, 0.95)
    assert interval is not None
    assert study["difference"]["method"]["low"] == pytest.approx(interval.low)
    assert study["difference"]["holm_p"] == pytest.approx(interval.p_value)
    assert quoted["seeds"] == [700, 701]
    assert [(line["name"], line["minus"]) for line in quoted["to_baseline"]] == [(ROWS[1], ROWS[0])]
    text = (tuning_folder(place) / "table.md").read_text()
    assert f"{100 * study['best']['mean']:.1f} ± {100 * study['best']['sd']:.1f}" in text
    assert "seeds 700, 701, which no trial used" in text and "Not run yet" not in text


def test_again_makes_nothing_and_writes_the_same(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://")
    monkeypatch.setattr(target, "SEEDS", 2)
    before = {path: path.read_bytes() for path in tuning_folder(place).iterdir() if path.is_file()}
    assert confirm(tuning_folder(place), *library_and_stages(place)).trained == 0
    assert before == {path: path.read_bytes() for path in tuning_folder(place).iterdir() if path.is_file()}


def test_what_is_compared_may_be_written_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A confirmation of before its rows said what they are compared with measured the same settings."""
    monkeypatch.setattr(target, "SEEDS", 2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://")
    path = tuning_folder(place) / "target.yaml"
    text = path.read_text()
    path.write_text("".join(line for line in text.splitlines(keepends=True) if "minus:" not in line))
    assert path.read_text() != text
    assert confirm(tuning_folder(place), *library_and_stages(place)).trained == 0
    assert path.read_text() == text


def test_test_is_looked_at_once(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "SEEDS", 2)
    path = tuning_folder(place) / "trials.json"
    before = path.read_text()
    data = json.loads(before)
    data["studies"][0]["trials"].append(trial(2, {**BEST, "law.a": 0.1}, 0.9))
    path.write_text(json.dumps(data))
    try:
        with pytest.raises(UserError, match=r"target.yaml: the test split was used with other settings"):
            confirm(tuning_folder(place), *library_and_stages(place))
        elsewhere = write(tmp_path, data)
        render(elsewhere)
        assert "The best setting of TriSampler has changed" in (elsewhere / "table.md").read_text()
    finally:
        path.write_text(before)
