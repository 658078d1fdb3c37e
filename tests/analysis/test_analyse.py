"""`harness analyse` over the finished runs of a small table."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from harness.analysis.analyse import AnalysisRequest, analyse, record
from harness.analysis.registry import ANALYSES
from harness.analysis.report import write_analysis
from harness.cli.application import main
from harness.errors import UserError
from harness.gradients.findings import CRITERIA
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.storage.store import Store
from tests.place import TARGET

pytestmark = pytest.mark.usefixtures("undrawn")

DRAWING = ["Uniform Sampling", "TriSampler"]


@pytest.fixture(scope="module")
def library(made) -> Library:
    return Library(made.root / "experiments")


@pytest.fixture
def stages(made) -> Stages:
    return Stages(Store(made.root / "store"), Progress(quiet=True))


def request(name="rounds", **more) -> AnalysisRequest:
    return AnalysisRequest(name, TARGET, scale="simulation", **more)


def refused(library, stages, call) -> str:
    with pytest.raises(UserError) as caught:
        analyse(library, stages, call)
    assert "\n" not in str(caught.value)
    return str(caught.value)


QUICKLY = {
    "inclusion": ("pairs=20", "visits=2", "over_parameters=4"),
    "gradients": ("ranks=10", "queries=100"),  # more than there are
}


@pytest.mark.parametrize("name", sorted(ANALYSES))
def test_each_analysis_writes_its_frames_figures_and_provenance(library, stages, tmp_path, name):
    call = request(name, options=QUICKLY.get(name, ()))
    result = analyse(library, stages, call)
    assert [run.name for run in result.runs] == (["Base"] if name == "gradients" else []) + DRAWING
    files = write_analysis(result, tmp_path)
    folder = tmp_path / "simulation/analysis" / TARGET / name
    assert set(folder.iterdir()) == set(files)
    for frame in result.frames:
        assert len(pd.read_csv(folder / f"{frame}.csv")) == len(result.frames[frame]) > 0
    assert set(result.analysis.draw) <= {path.stem for path in folder.glob("*.png")}
    table = (folder / "table.md").read_text()
    assert call.command in table and "Simulation." in table
    assert all(row in table for row in DRAWING)
    provenance = json.loads((folder / "provenance.json").read_text())
    assert [run["fingerprint"] for run in provenance["runs"]] == [run.run.fingerprint for run in result.runs]
    assert provenance["collection"]["fingerprint"] == result.runs[0].collection.fingerprint


def test_the_table_of_gradients_says_which_findings_hold(library, stages, tmp_path):
    result = analyse(library, stages, request("gradients", options=("ranks=20", "queries=100")))
    table = next(file for file in write_analysis(result, tmp_path) if file.name == "table.md").read_text()
    answers = result.frames["findings"]
    assert len(answers) == len(CRITERIA) * 2 * len(result.runs)
    for (finding, reading), lines in answers.groupby(["finding", "reading"]):
        cells = [finding, reading, *lines["answer"]]
        assert cells in [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]


def test_the_same_request_writes_the_same_files(library, stages, tmp_path):
    for place in ("one", "other"):
        files = write_analysis(analyse(library, stages, request("overlap")), tmp_path / place)
    for path in files:
        before = tmp_path / "one" / path.relative_to(tmp_path / "other")
        assert before.read_bytes() == path.read_bytes(), path.name


def test_the_table_of_rounds_is_that_of_the_last_refresh(library, stages):
    result = analyse(library, stages, request())
    summary = result.analysis.sum_up(result.frames).set_index("row")
    for run in result.runs:
        diagnostics = run.run.result()["diagnostics"]
        assert summary.loc[run.name, "gap_sd"] == pytest.approx(diagnostics["gap_sd"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (request("round"), "unknown analysis 'round'; did you mean 'rounds'"),
        (request(rows=("Base",)), "Base was trained without a refresh"),
        (request("overlap", rows=("BM25",)), "BM25 is BM25, which has no"),
        (request(rows=("Trisampler",)), "did you mean 'TriSampler'"),
        (request(seed=3), "no finished run of seed 3"),
        (request("overlap", options=("visit=2",)), "no such option of overlap; did you mean 'visits'"),
        (request("overlap", options=("visits=many",)), "--with visits=many: expected a valid integer"),
        (request("overlap", options=("visits",)), "no such option"),
        (request("gradients", options=("queries=2", "ranks=400")), "rank 400 is asked for, and only"),
        (request("gradients", options=("queries=1", "ranks=5")), "1 query of 'dev' has no variance over"),
        (request("gradients", options=("split=tset",)), "has no queries 'tset'; did you mean 'test'?"),
        (request(options=("visits=2",)), "rounds has none"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(library, stages, call, message):
    assert message in refused(library, stages, call)


def test_a_run_that_is_not_finished(made, library, tmp_path):
    place = made.copy(tmp_path / "place")
    for folder in place.runs("continued"):
        (folder / "done.json").unlink()
    stages = Stages(Store(place.root / "store"), Progress(quiet=True))
    assert "is not finished" in refused(library, stages, request())


def test_rows_that_draw_from_different_candidates(library, stages, monkeypatch):
    monkeypatch.setattr("harness.api.run.OpenedRun.mined", property(lambda run: run.name))
    message = refused(library, stages, request("overlap"))
    assert "Uniform Sampling and TriSampler draw from different candidates" in message


def test_the_command_repeats_the_request():
    call = request("overlap", rows=("A b",), seed=2, options=("visits=2",), publish=True)
    expected = f"analyse overlap {TARGET} --scale simulation --row 'A b' --seed 2 --with visits=2 --publish"
    assert call.command == f"harness {expected}"


def test_mlflow_holds_it_once_in_the_experiment_of_the_paper(library, stages, tmp_path, monkeypatch):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    result = analyse(library, stages, request())
    files = write_analysis(result, tmp_path / "results")
    assert record(result, stages, files) and record(result, stages, files)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("trisampler")
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["analysis"] == "rounds" and run.data.tags["rows"] == "; ".join(DRAWING)
    summary = result.analysis.sum_up(result.frames).set_index("row")
    assert run.data.metrics["TriSampler/gap_sd"] == pytest.approx(summary.loc["TriSampler", "gap_sd"])
    assert {path.path for path in client.list_artifacts(run.info.run_id)} == {path.name for path in files}


def test_a_server_that_is_away_is_one_line_and_the_files_are_there(
    made, tmp_path, monkeypatch, capsys, caplog
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made.root / "experiments", "experiments")
    monkeypatch.setenv("HARNESS_STORE", str(made.root / "store"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr("sys.argv", ["harness", "analyse", "rounds", TARGET, "--scale", "simulation"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    [warning] = [one for one in caplog.messages if "MLflow" in one]
    assert "run the command again to write it" in warning and "\n" not in warning
    folder = tmp_path / "results/local/simulation/analysis" / TARGET / "rounds"
    assert str((folder / "rounds.csv").relative_to(tmp_path)) in capsys.readouterr().out
    assert (folder / "rounds.png").exists()
