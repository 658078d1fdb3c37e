"""The mirror holds what the folder holds, however often and whenever it is synced."""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

from harness.errors import UserError
from harness.records.mirror_thread import ServerError
from harness.records.mlflow_artifacts import heal_artifact_places
from harness.records.mlflow_client import Experiment, without_password
from harness.records.mlflow_entries import environment_tags, flatten, lines_from, metric_name, skip_lines
from harness.records.mlflow_mirror import MlflowMirror, reason_of
from harness.storage.places import sqlite_address

TARGET = "trisampler/table-5"
TAGS = {"target": TARGET, "row": "Uniform Sampling", f"used_by.{TARGET}": "Uniform Sampling"}


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One fresh database for the module: making its tables takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / tmp_path.name  # a folder's name is its fingerprint, so one a test
    path.mkdir()
    (path / "spec.json").write_text(
        json.dumps({"encoder": {"hidden": 128}, "long": "x" * 9000, "seeds": [1, 2]})
    )
    (path / "environment.json").write_text(json.dumps({"commit": "c0ffee", "dirty": False, "threads": 2}))
    return path


def append(folder: Path, steps: range, begin: float = 1e9) -> None:
    with (folder / "metrics.jsonl").open("a") as stream:
        for step in steps:
            line = {
                "phase": "base",
                "step": step,
                "time": begin + step,
                "loss": 1 / (step + 1),
                "RR(rel=2)@10": 0.1,
            }
            stream.write(json.dumps(line) + "\n")


def finish(folder: Path) -> None:
    (folder / "checkpoints/final").mkdir(parents=True)
    (folder / "rankings").mkdir()
    (folder / "rankings" / "test.trec.gz").write_bytes(b"ranking")
    measure, values = "RR(rel=2)@10", [0.0, 0.5]
    scores = pd.DataFrame({"split": "test", "measure": measure, "query": ["a", "b"], "value": values})
    scores.to_parquet(folder / "per_query.parquet")
    result = {"measures": [measure], "seconds": 1.5, "weights": "abc", "finished": 1e9 + 60}
    (folder / "done.json").write_text(json.dumps(result))


def runs(mirror: MlflowMirror, folder: Path) -> list[Any]:
    """The MLflow runs of the folder, in all experiments."""
    client = mirror._opened.client
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client.search_runs(experiments, f"tags.fingerprint = '{folder.name}'")


def mlflow_run(mirror: MlflowMirror, folder: Path) -> Any:
    """The one MLflow run of the folder."""
    matches = runs(mirror, folder)
    assert len(matches) == 1
    return matches[0]


def history(mirror: MlflowMirror, folder: Path, metric: str) -> list[tuple[int, float, int]]:
    run_id = mlflow_run(mirror, folder).info.run_id
    points = mirror._opened.client.get_metric_history(run_id, metric)
    return sorted((point.step, point.value, point.timestamp) for point in points)


def test_a_run_is_mirrored_while_it_trains_and_closed_when_done(uri: str, folder: Path) -> None:
    mirror = MlflowMirror(uri, "harness")
    append(folder, range(3))
    mirror.write(folder, TAGS)
    run = mlflow_run(mirror, folder)
    assert run.info.status == "RUNNING"
    assert run.info.start_time == 1000 * 10**9
    assert run.data.params["encoder.hidden"] == "128"
    assert len(run.data.params["long"]) == 6000
    tags = {"row": "Uniform Sampling", "commit": "c0ffee", "dirty": "false", "threads": "2"}
    assert tags.items() <= run.data.tags.items()
    append(folder, range(3, 5))
    finish(folder)
    mirror.write(folder, TAGS)
    run = mlflow_run(mirror, folder)
    assert (run.info.status, run.info.end_time) == ("FINISHED", 1000 * (10**9 + 60))
    assert history(mirror, folder, "base/loss") == [(s, 1 / (s + 1), 1000 * (10**9 + s)) for s in range(5)]
    assert run.data.metrics["result/seconds"] == 1.5
    assert run.data.metrics["test/RR_rel_2_at_10"] == 0.25
    places = {
        "checkpoint": f"runs/{folder.name}/checkpoints/final",
        "rankings": f"runs/{folder.name}/rankings",
    }
    assert (places | {"weights": "abc"}).items() <= run.data.tags.items()
    names = {item.path for item in mirror._opened.client.list_artifacts(run.info.run_id)}
    assert names == {"spec.json", "environment.json", "done.json", "per_query.parquet"}
    assert (Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts").is_dir()


def test_a_server_is_sent_the_rankings_that_a_database_file_names_by_path(uri: str, folder: Path) -> None:
    mirror = MlflowMirror(uri, "harness")
    append(folder, range(2))
    mirror.write(folder, TAGS)
    mirror._opened.in_file = False
    finish(folder)
    mirror.write(folder, TAGS)
    run = mlflow_run(mirror, folder)
    [ranking] = mirror._opened.client.list_artifacts(run.info.run_id, "rankings")
    assert ranking.path == "rankings/test.trec.gz" and "rankings" not in run.data.tags


def test_a_second_process_goes_on_where_the_first_stopped(uri: str, folder: Path) -> None:
    append(folder, range(2))
    MlflowMirror(uri, "harness").write(folder, TAGS)
    append(folder, range(2, 4))
    finish(folder)
    for _ in range(2):
        mirror = MlflowMirror(uri, "harness")
        mirror.write(folder, {**TAGS, "seed": "3"})
    assert [step for step, *_ in history(mirror, folder, "base/loss")] == [0, 1, 2, 3]
    assert mlflow_run(mirror, folder).data.tags["seed"] == "3"


def test_a_run_of_two_papers_is_one_that_names_both(uri: str, folder: Path) -> None:
    append(folder, range(2))
    MlflowMirror(uri, "harness").write(folder, TAGS)
    other = {"target": "simans/table-1", "row": "Random", "used_by.simans/table-1": "Random; Static"}
    mirror = MlflowMirror(uri, "simans")
    mirror.write(folder, other)
    tags = mlflow_run(mirror, folder).data.tags
    assert (tags["target"], tags["row"]) == (TARGET, "Uniform Sampling")
    client, experiment = mirror._opened.client, mlflow_run(mirror, folder).info.experiment_id
    assert client.get_experiment(experiment).name == "harness"
    by_user = "tags.`used_by.simans/table-1` LIKE '%Static%'"
    matches = client.search_runs([experiment], f"{by_user} AND tags.fingerprint = '{folder.name}'")
    assert len(matches) == 1


def test_of_two_runs_that_were_made_at_once_the_first_is_kept_and_completed(uri: str, folder: Path) -> None:
    append(folder, range(3))
    one, other = MlflowMirror(uri, "harness"), MlflowMirror(uri, "simans")
    other.write(folder, TAGS)
    later = mlflow_run(other, folder).info.run_id
    experiment = Experiment(uri, "harness", lambda: None)
    first = experiment.client.create_run(experiment.id, 1, {"fingerprint": folder.name})
    one.write(folder, TAGS)
    assert mlflow_run(one, folder).info.run_id == first.info.run_id != later
    finish(folder)
    other.write(folder, TAGS)  # it still knows the one that was deleted
    run = mlflow_run(other, folder)
    assert (run.info.run_id, run.info.status) == (first.info.run_id, "FINISHED")
    assert len(history(one, folder, "base/loss")) == 3 and run.data.params["encoder.hidden"] == "128"


def test_of_two_that_write_the_same_at_once_neither_fails(uri: str, folder: Path) -> None:
    append(folder, range(500))
    finish(folder)
    folders = [folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(4))]
    for copy in folders[1:]:
        shutil.copytree(folder, copy)
    both, mirrors = (
        threading.Barrier(2, timeout=30),
        [MlflowMirror(uri, name) for name in ("harness", "simans")],
    )
    for mirror in mirrors:
        mirror._opened = Experiment(uri, mirror.experiment, lambda: None)

    def write(mirror: MlflowMirror) -> None:
        for one in folders:
            both.wait()
            mirror.write(one, TAGS)

    with ThreadPoolExecutor() as threads:
        list(threads.map(write, mirrors))
    for one in folders:
        assert mlflow_run(mirrors[0], one).info.status == "FINISHED"
        assert len(history(mirrors[0], one, "base/loss")) == 500


def test_a_run_that_is_evaluated_again_is_written_again(uri: str, folder: Path) -> None:
    append(folder, range(2))
    finish(folder)
    mirror = MlflowMirror(uri, "harness")
    mirror.write(folder, TAGS)
    (folder / "done.json").write_text(json.dumps({"seconds": 2.5, "finished": 1e9 + 90}))
    mirror.write(folder, TAGS)
    assert mlflow_run(mirror, folder).data.metrics["result/seconds"] == 2.5


def test_a_run_that_is_made_again_replaces_the_record_of_the_one_before(uri: str, folder: Path) -> None:
    append(folder, range(3))
    finish(folder)
    earlier = folder.parent / "earlier" / folder.name
    shutil.copytree(folder, earlier)
    mirror = MlflowMirror(uri, "harness")
    mirror.write(folder, TAGS)
    (folder / "metrics.jsonl").unlink()
    result = (folder / "done.json").read_text()
    (folder / "done.json").unlink()
    append(folder, range(2), begin=2e9)
    again = MlflowMirror(uri, "harness")
    again.write(folder, TAGS)  # while it trains, the finished record stays
    assert len(history(mirror, folder, "base/loss")) == 3
    (folder / "done.json").write_text(result)
    again.write(folder, TAGS)
    MlflowMirror(uri, "harness").write(earlier, TAGS)  # another store has the earlier one
    assert [time for *_, time in history(mirror, folder, "base/loss")] == [2 * 10**12, 2 * 10**12 + 1000]


def test_lines_that_were_sent_without_their_mark_are_not_doubled(uri: str, folder: Path) -> None:
    append(folder, range(4))
    mirror = MlflowMirror(uri, "harness")
    mirror.write(folder, TAGS)
    for mark in ("1", "9"):  # as if cut off in a call; as if a power failure had taken lines from the folder
        mirror._opened.client.set_tag(mlflow_run(mirror, folder).info.run_id, "mirrored_lines", mark)
        append(folder, range(int(mark) + 3, int(mark) + 4))
        again = MlflowMirror(uri, "harness")
        again.write(folder, TAGS)
    assert [step for step, *_ in history(again, folder, "base/loss")] == [0, 1, 2, 3, 4]
    append(folder, range(5, 6))
    again.write(folder, TAGS)
    assert len(history(again, folder, "base/loss")) == 6


def test_many_lines_go_in_few_calls(uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(folder, range(1))
    mirror = MlflowMirror(uri, "harness")
    mirror.write(folder, TAGS)
    append(folder, range(1, 1000))
    client = mirror._opened.client
    calls, log_batch = [], client.log_batch
    monkeypatch.setattr(client, "log_batch", lambda *a, **k: (calls.append(k), log_batch(*a, **k)))
    mirror.write(folder, TAGS)
    assert len(calls) == 3
    assert max(len(call["metrics"]) for call in calls) <= 900
    assert len(history(mirror, folder, "base/loss")) == 1000


def test_a_folder_without_anything_to_show_is_not_written(folder: Path) -> None:
    MlflowMirror("http://127.0.0.1:9", "harness").write(folder, TAGS)


def test_a_server_that_is_away_is_one_line_without_its_password(folder: Path) -> None:
    append(folder, range(2))
    with pytest.raises(ServerError, match=r"MLflow at http://\*\*\*@127\.0\.0\.1:9 is not updated") as error:
        MlflowMirror("http://user:secret@127.0.0.1:9", "harness").write(folder, TAGS)
    assert "secret" not in str(error.value) and "\n" not in str(error.value)


def test_a_deleted_experiment_is_told_and_restoring_it_as_told_helps(uri: str, folder: Path) -> None:
    finish(folder)
    mirror = MlflowMirror(uri, "deleted")
    mirror.write(folder, TAGS)
    client, again = mirror._opened.client, folder.with_name("again")
    client.delete_experiment(mirror._opened.id)
    shutil.copytree(folder, again)
    with pytest.raises(ServerError, match=r"the experiment 'deleted' was deleted.*; restore it with") as told:
        MlflowMirror(uri, "deleted").write(again, TAGS)
    variable, *call = shlex.split(str(told.value.fix).split("`")[1])
    assert variable == f"MLFLOW_TRACKING_URI={uri}" and call[:3] == ["mlflow", "experiments", "restore"]
    client.restore_experiment(call[-1])
    mirror = MlflowMirror(uri, "deleted")
    mirror.write(again, TAGS)
    assert mlflow_run(mirror, again).info.status == "FINISHED"


@pytest.fixture
def moved(uri: str, folder: Path, tmp_path: Path) -> Path:
    """A store with an artifact, copied to where letters mean something in an address."""
    finish(folder)
    MlflowMirror(uri, "harness").write(folder, TAGS)
    there = tmp_path / "50% what?"
    shutil.copytree(Path(uri.removeprefix("sqlite:///")).parent, there)
    return there / "mlflow.db"


@pytest.mark.parametrize("old_place_is_there", [True, False])
def test_artifacts_follow_a_store_that_was_moved_or_copied(
    old_place_is_there: bool, moved: Path, folder: Path, uri: str
) -> None:
    old, away = Path(uri.removeprefix("sqlite:///")).parent, folder.with_name("away")
    if not old_place_is_there:
        old.rename(away)
    try:
        another = folder.with_name("another")
        shutil.copytree(folder, another)
        for _ in range(2):
            mirror = MlflowMirror(sqlite_address(moved), "harness")
            mirror.write(another, TAGS)
        for one in (folder, another):
            [run] = runs(mirror, one)
            place = Path(unquote(urlsplit(run.info.artifact_uri).path))
            assert place.is_relative_to(moved.parent / "mlartifacts") and (place / "done.json").is_file()
        assert old.exists() == old_place_is_there
        assert [path for path in moved.parents[1].iterdir() if path.name.startswith("50")] == [moved.parent]
    finally:
        if not old_place_is_there:
            away.rename(old)


def test_artifacts_that_lie_elsewhere_alone_stay_there(moved: Path, folder: Path, uri: str) -> None:
    shutil.rmtree(moved.parent / "mlartifacts")
    heal_artifact_places(moved)
    old = (Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts").as_uri()
    with closing(sqlite3.connect(moved)) as database:
        of = "SELECT artifact_uri FROM runs JOIN tags USING (run_uuid) WHERE value = ?"
        [[place]] = database.execute(of, (folder.name,))
        [[experiment]] = database.execute("SELECT artifact_location FROM experiments WHERE name = 'harness'")
    assert place.startswith(old)
    assert experiment == (moved.parent / "mlartifacts").as_uri()


def test_a_database_of_another_version_is_told_whole_and_filled_again(moved: Path, folder: Path) -> None:
    with closing(sqlite3.connect(moved)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    address = sqlite_address(moved)
    with pytest.raises(ServerError) as told:
        MlflowMirror(address, "harness").write(folder, TAGS)
    assert str(told.value).count("(") == str(told.value).count(")") and "migrate your database" in str(
        told.value
    )
    assert "training and tables do not need it" in str(told.value)


@pytest.mark.parametrize("what", ["a folder", "a link to itself"])
def test_what_is_no_database_is_told_at_once_and_moving_it_away_helps(
    what: str, uri: str, folder: Path, tmp_path: Path
) -> None:
    database = tmp_path / "mlflow.db"
    database.mkdir() if what == "a folder" else database.symlink_to(database)
    append(folder, range(3))
    mirror = MlflowMirror(sqlite_address(database), "trisampler")
    began = time.process_time()
    with pytest.raises(ServerError, match=r"mlflow\.db is no database; move it away"):
        mirror.write(folder, TAGS)
    assert time.process_time() - began < 1
    database.rename(tmp_path / "away")
    shutil.copy(uri.removeprefix("sqlite:///"), database)  # in place of making its tables
    mirror.write(folder, TAGS)


def test_a_long_reason_ends_between_words() -> None:
    assert reason_of(ValueError("many words " * 100)).endswith("words many ...")
    assert len(reason_of(ValueError("x" * 10_000))) < 600


def test_an_address_without_scheme_is_refused() -> None:
    with pytest.raises(UserError, match=r"sqlite:///store/mlflow\.db"):
        MlflowMirror("mlflow.db", "harness")


def test_a_torn_last_line_waits_for_its_end_and_a_corrupt_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert list(lines_from(path)) == [] and skip_lines(path, 3) == (0, 0)
    path.write_text('{"step": 1}\n{"step": 2')
    assert list(lines_from(path)) == [({"step": 1}, 12)] and skip_lines(path, 3) == (1, 12)
    path.write_text('{"step": 1}\n{"step": 2}\n{"ste\n')
    assert next(lines_from(path, 12)) == ({"step": 2}, 24)
    with pytest.raises(UserError, match="corrupt line at byte 24"):
        list(lines_from(path))


def test_names_and_params_are_what_mlflow_takes() -> None:
    assert metric_name("RR(rel=2)@10") == "RR_rel_2_at_10"
    assert metric_name("base run dev/nDCG@10") == "base run dev/nDCG_at_10"
    nested = {"a": {"b": 1, "c": None}, "d": [1, 2], "e": "text", "f": True, "g": 0.5}
    assert flatten(nested) == {"a.b": "1", "a.c": "null", "d": "[1, 2]", "e": "text", "f": "true", "g": "0.5"}
    assert flatten(nested, numbers=True) == {"a.b": "1", "g": "0.5"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:word@host/db", "postgresql://***@host/db"),
        ("https://me:w/or@d@host/path", "https://***@host/path"),
        ("http://host:5000/?token=word", "http://host:5000/?token=***"),
        ("call of http://h/a?x=1&api_key=word (again)", "call of http://h/a?x=***&api_key=*** (again)"),
    ],
)
def test_passwords_are_not_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_tags_of_the_environment_are_those_that_are_known() -> None:
    gpus = [{"name": "H200"}, {"name": "H200"}]
    known = {"commit": None, "dirty": True, "threads": 4, "packages": {"torch": "2.9"}}
    tags = environment_tags({**known, "hardware": {"cpu": "Xeon", "gpus": gpus}})
    assert tags == {"dirty": "true", "hardware": "2 x H200", "threads": "4", "torch": "2.9"}
    assert environment_tags({"hardware": {"cpu": "Xeon", "gpus": []}}) == {"hardware": "Xeon"}


def test_a_parent_is_made_once_and_is_not_left_running(uri: str) -> None:
    one, other = (MlflowMirror(uri, "tuning") for _ in range(2))
    made = one.parent("study", {"mlflow.runName": "SimANS"})
    assert other.parent("study", {"mlflow.runName": "another"}) == made
    run = one._opened.client.get_run(made)
    assert (run.info.run_name, run.info.status) == ("SimANS", "FINISHED")


@pytest.mark.parametrize("when", ["initialize", "upgrade"])
def test_a_signal_while_tables_are_made_leaves_no_half_made_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    database = tmp_path / "store/mlflow.db"
    uri = sqlite_address(database)

    def stop(engine: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"mlflow.store.db.utils._{when}_{'tables' if when == 'initialize' else 'db'}", stop)
        with pytest.raises(KeyboardInterrupt):
            Experiment(uri, "paper", lambda: None)
    assert not database.exists()
    assert Experiment(uri, "paper", lambda: None).id
    assert not list(database.parent.glob("*.tmp*"))
