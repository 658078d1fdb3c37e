"""MLflow as a record for people and teams; the run folder stays the truth, and can fill MLflow again.

A sync may be repeated, cut short or lost: the MLflow run is found by its fingerprint, and its tag
`mirrored_lines` says how much of the folder it holds.
"""

from __future__ import annotations

import logging
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.files import read_json
from harness.records.mlflow_entries import Point, flatten, line_points, metric_name, whole_lines

BATCH = 900
"""Metrics a call; MLflow takes 1000 entries a call, tags included."""

PARAMS_A_CALL = 100
LONGEST_PARAM = 6000
LONGEST_TAG = 8000

RETRY_AFTER_S = 60.0
"""Pause after a failure, so that a server that is away does not slow training at every sync."""

ARTIFACTS = ("spec.json", "environment.json", "done.json", "per_query.parquet")

LOG = logging.getLogger(__name__)


def without_password(text: str) -> str:
    """Return the text with ``user:password@`` in addresses made ``***@``."""
    return re.sub(r"://[^/\s]*@", "://***@", text)


@dataclass
class _Mirrored:
    """What MLflow holds of a run folder."""

    run_id: str
    lines: int
    complete: bool


class MlflowMirror:
    """Writes run folders to an MLflow server or database.

    Args:
        tracking_uri: for example ``sqlite:///store/mlflow.db`` (artifacts then lie beside it, in
            ``mlartifacts``) or ``http://host:5000``.
        experiment: name of the MLflow experiment, made if it is not there.

    Raises:
        UserError: the address has no ``scheme://``.
    """

    def __init__(self, tracking_uri: str, experiment: str) -> None:
        if "://" not in tracking_uri:
            raise UserError(
                f"'{tracking_uri}' is no tracking address", fix="write for example sqlite:///store/mlflow.db"
            )
        self.tracking_uri, self.experiment = tracking_uri, experiment
        self._client: Any = None
        self._experiment_id = ""
        self._known: dict[str, _Mirrored] = {}
        self._warned = False
        self._pause_until = 0.0

    def sync(self, run_folder: Path, tags: dict[str, str]) -> bool:
        """Write what MLflow does not hold yet; never raises for a server that is away.

        Params are those of spec.json, flattened; metrics are named ``phase/metric``. Once done.json is there,
        its numbers, the rankings, the per-query scores and the environment follow, and the run is FINISHED.

        Args:
            run_folder: `runs/<fingerprint>/`.
            tags: shown with the run, for example target, row and seed.

        Returns:
            Whether MLflow now holds all that the folder does. The first failure of this mirror is one
            warning; after any failure calls return at once for `RETRY_AFTER_S`.
        """
        if time.monotonic() < self._pause_until:
            return False
        try:
            self._sync(run_folder, tags)
        except Exception as error:  # MLflow raises whatever its store raises, and training must go on
            self._known.pop(run_folder.name, None)
            self._pause_until = time.monotonic() + RETRY_AFTER_S
            if not self._warned:
                self._warned = True
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
                LOG.warning(
                    "MLflow at %s is not updated (%s); the run goes on, `harness sync` fills it later",
                    without_password(self.tracking_uri),
                    without_password(reason),
                )
            return False
        return True

    def _sync(self, folder: Path, tags: dict[str, str]) -> None:
        if self._client is None:
            self._connect()
        state = self._known.get(folder.name) or self._find_or_create(folder, tags)
        self._known[folder.name] = state
        if state.complete:
            return
        # Whether the run is done is read before its metrics: a line written in between is then not lost.
        done = (folder / "done.json").exists()
        self._log_lines(state, whole_lines(folder / "metrics.jsonl"))
        if done:
            self._finish(state, folder)

    def _connect(self) -> None:
        """Open the client and the experiment."""
        client, location = _client(self.tracking_uri), _artifact_location(self.tracking_uri)
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            try:
                self._experiment_id = client.create_experiment(self.experiment, artifact_location=location)
            except Exception:
                # Another process may have made it in between; if not, the first error is the one to show.
                found = client.get_experiment_by_name(self.experiment)
                if found is None:
                    raise
        if found is not None:
            self._experiment_id = found.experiment_id
        self._client = client

    def _find_or_create(self, folder: Path, tags: dict[str, str]) -> _Mirrored:
        """Return the MLflow run of a folder; its params and tags are written if they are not there."""
        query = f"tags.fingerprint = '{folder.name}'"
        found = self._client.search_runs([self._experiment_id], query, max_results=1, order_by=["start_time"])
        all_tags = {key: value[:LONGEST_TAG] for key, value in {**tags, "fingerprint": folder.name}.items()}
        if found:
            held = found[0].data.tags
            run_id = found[0].info.run_id
            self._log(run_id, tags={key: value for key, value in all_tags.items() if held.get(key) != value})
        else:
            held = {}
            name = tags.get("mlflow.runName", folder.name)
            run_id = self._client.create_run(self._experiment_id, tags=all_tags, run_name=name).info.run_id
        if "mirrored_lines" not in held:
            params = list(flatten(read_json(folder / "spec.json")).items())
            for start in range(0, len(params), PARAMS_A_CALL):
                part = params[start : start + PARAMS_A_CALL]
                self._log(run_id, params={key: value[:LONGEST_PARAM] for key, value in part})
            self._log(run_id, tags={"mirrored_lines": "0"})
        return _Mirrored(run_id, int(held.get("mirrored_lines", "0")), held.get("mirrored") == "complete")

    def _log_lines(self, state: _Mirrored, lines: list[dict[str, Any]]) -> None:
        """Write the lines that MLflow does not hold, a batch a call; each call also says how far it came."""
        batch: list[Point] = []
        for number, line in enumerate(lines[state.lines :], start=state.lines + 1):
            points = line_points(line)
            if batch and len(batch) + len(points) > BATCH:
                self._log(state.run_id, batch, {"mirrored_lines": str(number - 1)})
                state.lines, batch = number - 1, []
            batch += points
        if len(lines) > state.lines:
            self._log(state.run_id, batch, {"mirrored_lines": str(len(lines))})
            state.lines = len(lines)

    def _finish(self, state: _Mirrored, folder: Path) -> None:
        """Write results and artifacts of a finished run, and say so last."""
        when_ms = int((folder / "done.json").stat().st_mtime * 1000)
        results = {k: float(v) for k, v in flatten(read_json(folder / "done.json"), numbers=True).items()}
        points = [Point(metric_name(f"result/{key}"), value, when_ms, 0) for key, value in results.items()]
        for start in range(0, len(points), BATCH):
            self._log(state.run_id, points[start : start + BATCH])
        for name in ARTIFACTS:
            if (folder / name).exists():
                self._client.log_artifact(state.run_id, str(folder / name))
        if (folder / "rankings").is_dir():
            self._client.log_artifacts(state.run_id, str(folder / "rankings"), "rankings")
        self._client.set_terminated(state.run_id, "FINISHED", end_time=when_ms)
        self._log(state.run_id, tags={"mirrored": "complete"})
        state.complete = True

    def _log(
        self,
        run_id: str,
        points: list[Point] | None = None,
        tags: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> None:
        """One call to MLflow, if there is anything to say."""
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415  (MLflow takes seconds to import)

        entries = {
            "metrics": [Metric(p.name, p.value, p.time_ms, p.step) for p in points or ()],
            "params": [Param(*item) for item in (params or {}).items()],
            "tags": [RunTag(*item) for item in (tags or {}).items()],
        }
        if any(entries.values()):
            self._client.log_batch(run_id, **entries)


def _client(tracking_uri: str) -> Any:
    """Import MLflow, quietly, and open a client that gives up soon when nobody answers."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    from mlflow.tracking import MlflowClient  # noqa: PLC0415  (seconds to import)

    for name in ("mlflow", "mlflow.store.db.utils", "alembic", "alembic.runtime.migration"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each retry of a server that is away
    if tracking_uri.startswith("sqlite:///"):
        Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    elif "://" not in tracking_uri:
        raise UserError(
            f"'{tracking_uri}' is no tracking address", fix="for example sqlite:///store/mlflow.db"
        )
    return MlflowClient(tracking_uri)


def _artifact_location(tracking_uri: str) -> str | None:
    """Beside the database for SQLite; a server knows its own place."""
    if not tracking_uri.startswith("sqlite:///"):
        return None
    return (Path(tracking_uri.removeprefix("sqlite:///")).resolve().parent / "mlartifacts").as_uri()
