"""MLflow as a record for people and teams; the run folder stays the truth, from which MLflow can be refilled.

Writes may be repeated, interrupted or lost: the MLflow run is found by its fingerprint, and its tags record
which part of which folder it has: `made`, the time of the folder's first line of metrics, `mirrored_lines`,
and `mirrored`, the hash of its done.json.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import HarnessError, UserError
from harness.records.mirror_thread import ServerError
from harness.records.mlflow_client import Experiment, without_password
from harness.records.mlflow_entries import (
    MetricPoint,
    environment_tags,
    flatten,
    line_points,
    lines_from,
    metric_name,
    skip_lines,
)
from harness.records.run_folder import DONE, PER_QUERY, RunFolder
from harness.records.written import check_written
from harness.storage.files import content_hash, read_object
from harness.storage.places import sqlite_file

Answer = TypeVar("Answer")

BATCH = 900
"""Metrics in one call; MLflow accepts 1000 entries in a call, including tags."""

PARAMS_A_CALL = 100
LONGEST_PARAM = 6000
LONGEST_TAG = 8000
LONGEST_REASON = 500

CONTESTED = ("BAD_REQUEST", "INVALID_PARAMETER_VALUE", "RESOURCE_ALREADY_EXISTS", "TEMPORARILY_UNAVAILABLE")
"""Error codes of MLflow when another process writes the same run: the row exists, the run was deleted in
favour of an earlier one, the database is locked. A second attempt finds what the other process wrote."""

ATTEMPTS = 6

ARTIFACTS = ("spec.json", "links.json", "environment.json", DONE, PER_QUERY)

USED_BY = "used_by."
"""Prefix of the tags that name the targets that use a run, one tag for each target."""


@dataclass
class _Mirrored:
    """The state of a run folder in MLflow; `done` is the hash of the done.json there, or empty."""

    run_id: str
    lines: int
    offset: int
    done: str


class MlflowMirror:
    """Writes run folders to an MLflow server or database.

    Args:
        tracking_uri: for example ``sqlite:///store/mlflow.db`` or ``http://host:5000``.
        experiment: name of the MLflow experiment for new runs.
        on_answer: called after each answer of the server.

    Raises:
        UserError: the address has no ``scheme://``.
    """

    def __init__(
        self, tracking_uri: str, experiment: str, on_answer: Callable[[], None] = lambda: None
    ) -> None:
        if "://" not in tracking_uri:
            raise UserError(
                f"'{tracking_uri}' is not a tracking address",
                fix="write for example sqlite:///store/mlflow.db",
            )
        self.tracking_uri, self.experiment, self._on_answer = tracking_uri, experiment, on_answer
        self._opened: Experiment | None = None
        self._known: dict[str, _Mirrored] = {}

    def write(self, folder: Path, tags: dict[str, str]) -> None:
        """Write the part of a run folder that MLflow is missing.

        Params are those of spec.json, flattened; metrics are named ``phase/metric``. Once done.json exists,
        its numbers, the means of the measures (``test/nDCG_at_10``), the per-query scores and the environment
        follow, and the run is FINISHED. A server is sent the rankings too, most of a run's bytes; in a
        database file a tag holds their path in the store. A folder without metrics and without done.json is
        skipped.

        Args:
            folder: folder of the run, `runs/<fingerprint>/`.
            tags: tags of the MLflow run. Existing tags keep their values, except those of `USED_BY`.

        Raises:
            ServerError: MLflow does not answer or refuses.
            UserError: a file of the folder is corrupt.
        """

        def find_and_write() -> None:
            try:
                self._write(folder, tags)
            except Exception:
                self._known.pop(folder.name, None)  # a second look finds what another process wrote
                raise

        self._patiently(find_and_write)

    def parent(self, fingerprint: str, tags: dict[str, str]) -> str:
        """Return the id of the parent MLflow run of nested runs, creating it if necessary.

        Args:
            fingerprint: fingerprint of the parent run.
            tags: tags of the parent run if it is created.

        Raises:
            ServerError: MLflow does not answer or refuses.
        """

        def find_or_create() -> str:
            opened = self._open()
            if opened.only_run(fingerprint) is None:
                opened.create_run({**tags, "fingerprint": fingerprint}, int(1000 * time.time()))
                # It groups others and does no work: a process that dies does not leave it running.
                opened.finish(opened.only_run(fingerprint).info.run_id, int(1000 * time.time()))
            return str(opened.only_run(fingerprint).info.run_id)

        return self._patiently(find_or_create)

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        """Return the result of a call, which is repeated if another process writes the same run."""
        for attempt in range(ATTEMPTS):
            try:
                return call()
            except HarnessError:
                raise
            except Exception as error:  # MLflow raises whatever its store raises
                if getattr(error, "error_code", "") not in CONTESTED or attempt == ATTEMPTS - 1:
                    where = without_password(self.tracking_uri)
                    raise ServerError(
                        f"MLflow at {where} is not updated ({reason_of(error)})", self._fix()
                    ) from error
                time.sleep(0.05 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _fix(self) -> str:
        """Return what to do about a database in a file; about a server, that is up to the command."""
        if sqlite_file(self.tracking_uri) is None:
            return ""
        return "training and tables do not need it; if the file is moved away, `harness sync` fills a new one"

    def _open(self) -> Experiment:
        if self._opened is None:
            self._opened = Experiment(self.tracking_uri, self.experiment, self._on_answer)
        return self._opened

    def _write(self, folder: Path, tags: dict[str, str]) -> None:
        # Whether the run is done is read before its metrics: a line written in between is then not lost.
        result = RunFolder(folder).result() if (folder / DONE).exists() else None
        done, started = content_hash(result) if result is not None else "", _first_line_time(folder)
        if not (started or done):
            return
        state = self._known.get(folder.name)
        if state is not None and done and state.done == done:
            return
        opened = self._open()
        state = state or self._find_or_create(opened, folder, tags, started, done)
        if state is None:
            return
        self._known[folder.name] = state
        self._write_lines(opened, state, folder / "metrics.jsonl")
        if result is not None and state.done != done:
            self._finish(opened, state, folder, result)
            state.done = done

    def _find_or_create(
        self, opened: Experiment, folder: Path, tags: dict[str, str], started: float, done: str
    ) -> _Mirrored | None:
        """Return the state of a folder's MLflow run, creating it with params and tags if necessary.

        None if MLflow has another making of the run that takes precedence: a finished one over an unfinished
        one, then the later one.
        """
        run = opened.only_run(folder.name)
        if run is not None:
            held_tags = run.data.tags
            if float(held_tags.get("made", started)) != started:
                if (bool(held_tags.get("mirrored")), float(held_tags["made"])) > (bool(done), started):
                    return None
                opened.delete_run(run.info.run_id)
                run = None
        run_tags = {key: value[:LONGEST_TAG] for key, value in _tags(folder, tags, started).items()}
        if run is None:
            opened.create_run(run_tags, int(1000 * (started or _finished(folder))))
            run = opened.only_run(folder.name)
        held_tags, run_id = run.data.tags, run.info.run_id
        news = {
            k: v
            for k, v in run_tags.items()
            if k not in held_tags or (k.startswith(USED_BY) and held_tags[k] != v)
        }
        opened.log(run_id, tags=news)
        if "mirrored_lines" not in held_tags:
            params = list(flatten(read_object(check_written(folder, "spec.json"))).items())
            for start in range(0, len(params), PARAMS_A_CALL):
                part = params[start : start + PARAMS_A_CALL]
                opened.log(run_id, params={key: value[:LONGEST_PARAM] for key, value in part})
            opened.log(run_id, tags={"mirrored_lines": "0"})
        lines, offset = skip_lines(folder / "metrics.jsonl", int(held_tags.get("mirrored_lines", "0")))
        return _Mirrored(run_id, lines, offset, held_tags.get("mirrored", ""))

    def _write_lines(self, opened: Experiment, state: _Mirrored, path: Path) -> None:
        """Write the lines that MLflow is missing, in batches; each call also updates the count of lines."""
        batch: list[MetricPoint] = []
        lines, offset = state.lines, state.offset

        def send() -> None:
            opened.log(state.run_id, batch, {"mirrored_lines": str(lines)})
            state.lines, state.offset = lines, offset

        for line, end in lines_from(path, state.offset):
            points = line_points(line)
            if batch and len(batch) + len(points) > BATCH:
                send()
                batch = []
            batch += points
            lines, offset = lines + 1, end
        if lines > state.lines:
            send()

    def _finish(self, opened: Experiment, state: _Mirrored, folder: Path, result: dict[str, Any]) -> None:
        """Write results and artifacts of a finished run, and finally the tag that marks them as complete."""
        when_ms = int(1000 * _finished(folder))
        numbers = {f"result/{key}": float(value) for key, value in flatten(result, numbers=True).items()}
        numbers |= _means(folder)
        points = [MetricPoint(metric_name(key), value, when_ms, 0) for key, value in numbers.items()]
        for start in range(0, len(points), BATCH):
            opened.log(state.run_id, points[start : start + BATCH])
        for name in ARTIFACTS:
            if (folder / name).exists():
                opened.log_file(state.run_id, folder / name)
        rankings = sorted((folder / "rankings").glob("*"))
        for path in rankings if not opened.in_file else []:
            opened.log_file(state.run_id, path, "rankings")
        if rankings and opened.in_file:
            opened.log(state.run_id, tags={"rankings": f"runs/{folder.name}/rankings"})
        opened.log(state.run_id, tags=_checkpoint(folder, result))
        opened.finish(state.run_id, when_ms)
        opened.log(state.run_id, tags={"mirrored": content_hash(result)})


def reason_of(error: Exception) -> str:
    """Return the first line of an error, cut between words; for a failed request, its cause."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    request = re.search(r"""Caused by \w+\(['"](?:\w+\(.*?\): )?(.*?)['"]\)+$""", first)
    reason = without_password(request[1] if request else first)
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON].rpartition(' ')[0]} ..."


def _first_line_time(folder: Path) -> float:
    """Return the time of the first line of metrics, in seconds since the epoch; 0 if there is none."""
    return next((float(line["time"]) for line, _ in lines_from(folder / "metrics.jsonl")), 0.0)


def _finished(folder: Path) -> float:
    """Return the time at which a run finished, in seconds since the epoch."""
    path = folder / DONE
    return float(read_object(path).get("finished") or path.stat().st_mtime)


def _means(folder: Path) -> dict[str, float]:
    """Return the mean over queries of each measure, named ``split/measure``."""
    if not (folder / PER_QUERY).exists():
        return {}
    values = RunFolder(folder).per_query().groupby(["split", "measure"])["value"]
    return {
        f"{split}/{measure}": float(values_of_measure.mean())
        for (split, measure), values_of_measure in values
    }


def _tags(folder: Path, tags: dict[str, str], started: float) -> dict[str, str]:
    path = check_written(folder, "environment.json")
    environment = environment_tags(read_object(path)) if path.exists() else {}
    folder_tags = {"fingerprint": folder.name} | ({"made": repr(started)} if started else {})
    return environment | tags | folder_tags


def _checkpoint(folder: Path, result: dict[str, Any]) -> dict[str, str]:
    """Return tags with the final encoder's path in the store, and the hash of its weights."""
    final = folder / "checkpoints" / "final"
    place = {"checkpoint": f"runs/{folder.name}/checkpoints/final"} if final.is_dir() else {}
    return place | ({"weights": str(result["weights"])} if result.get("weights") else {})
