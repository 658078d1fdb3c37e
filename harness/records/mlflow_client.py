"""A connection to an MLflow server or database: one experiment, and its runs by fingerprint."""

from __future__ import annotations

import logging
import os
import re
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from harness.records.bounded_answers import bound_answers
from harness.records.mirror_thread import Answer, NoAnswerError, ServerError, with_patience
from harness.records.mlflow_artifacts import artifact_folder, heal_artifact_places
from harness.records.mlflow_entries import MetricPoint
from harness.storage.places import SQLITE, sqlite_address, sqlite_file

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


OPENING_S = 120.0
"""Seconds that another process may take to open the database."""


def without_password(text: str) -> str:
    """Return the text with ``user:password@`` in addresses, and values after a ``?``, replaced by ``***``."""
    return re.sub(r"([?&][\w.-]+=)[^&\s'\")]+", r"\1***", re.sub(r"://\S*@", "://***@", text))


class DeletedExperimentError(ServerError):
    """The experiment was deleted in MLflow, which keeps its name until it is restored or erased."""

    def __init__(self, name: str, number: str, tracking_uri: str) -> None:
        where = without_password(tracking_uri)
        call = f"mlflow experiments restore --experiment-id {number}"
        super().__init__(
            f"the experiment '{name}' was deleted in MLflow at {where}",
            f"restore it with `MLFLOW_TRACKING_URI={shlex.quote(where)} {call}`",
        )


def ask_server(tracking_uri: str, call: Callable[[Callable[[], None]], Answer]) -> Answer:
    """Return what a call returns that takes what it is to call after each answer; a server may hang.

    Raises:
        ServerError: a server did not answer for `harness.records.mirror_thread.PATIENCE_S`.
    """
    if sqlite_file(tracking_uri) is not None:
        return call(lambda: None)
    try:
        return with_patience(call)
    except NoAnswerError as error:
        raise ServerError(f"MLflow at {without_password(tracking_uri)}: {error}") from error


class Experiment:
    """An MLflow experiment, created if it does not exist.

    Args:
        tracking_uri: for example ``sqlite:///store/mlflow.db`` (with artifacts in ``mlartifacts`` beside it)
            or ``http://host:5000``.
        name: name of the experiment.
        on_answer: called after each answer of the server.

    Attributes:
        in_file: whether it is kept in a database file, on a machine that has the run folders too.
    """

    def __init__(self, tracking_uri: str, name: str, on_answer: Callable[[], None]) -> None:
        self._on_answer = on_answer
        self.in_file = sqlite_file(tracking_uri) is not None
        with _database_lock(tracking_uri):
            self._open(tracking_uri, name)
        on_answer()

    def _open(self, tracking_uri: str, name: str) -> None:
        database = sqlite_file(tracking_uri)
        if database is not None and not database.exists():
            _make_database(database)
        self.client = _client(tracking_uri)
        if database is not None:
            _remove_stray_folder(tracking_uri, database)
            heal_artifact_places(database)
        existing = self.client.get_experiment_by_name(name)
        if existing is None:
            try:
                location = artifact_folder(database).as_uri() if database is not None else None
                self.id = self.client.create_experiment(name, artifact_location=location)
            except Exception:
                # Another process may have made it in between; if not, the first error is the one to show.
                existing = self.client.get_experiment_by_name(name)
                if existing is None:
                    raise
        if existing is not None and existing.lifecycle_stage == "deleted":
            raise DeletedExperimentError(name, existing.experiment_id, tracking_uri)
        if existing is not None:
            self.id = existing.experiment_id

    def only_run(self, fingerprint: str) -> Any:
        """Return the first run of a fingerprint in any experiment, or None, and delete later ones.

        There are later ones if two processes created a run at the same time; both keep the first.
        """
        runs = sorted(self._runs(fingerprint), key=lambda run: (run.info.start_time, run.info.run_id))
        for later in runs[1:]:
            self.client.delete_run(later.info.run_id)
        self._on_answer()
        return runs[0] if runs else None

    def _runs(self, fingerprint: str) -> list[Any]:
        experiments, token = [], None
        while True:
            page = self.client.search_experiments(page_token=token)
            experiments += [experiment.experiment_id for experiment in page]
            token = page.token
            if not token:
                return list(self.client.search_runs(experiments, f"tags.fingerprint = '{fingerprint}'"))

    def create_run(self, tags: dict[str, str], start_ms: int) -> None:
        """Create a run."""
        self.client.create_run(self.id, start_ms, tags, tags.get("mlflow.runName"))
        self._on_answer()

    def delete_run(self, run_id: str) -> None:
        """Delete a run; MLflow can restore it."""
        self.client.delete_run(run_id)

    def log(
        self,
        run_id: str,
        points: list[MetricPoint] | None = None,
        tags: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> None:
        """Log metrics, tags and params in one call, if there are any; MLflow writes the tags last."""
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415  (MLflow takes seconds to import)

        entries = {
            "metrics": [Metric(p.name, p.value, p.time_ms, p.step) for p in points or ()],
            "params": [Param(*item) for item in (params or {}).items()],
            "tags": [RunTag(*item) for item in (tags or {}).items()],
        }
        if any(entries.values()):
            self.client.log_batch(run_id, **entries)
            self._on_answer()

    def log_file(self, run_id: str, path: Path, folder: str | None = None) -> None:
        """Upload a file as an artifact, into a folder of the artifacts if one is named."""
        self.client.log_artifact(run_id, str(path), folder)
        self._on_answer()

    def finish(self, run_id: str, end_ms: int) -> None:
        """Mark a run as finished."""
        self.client.set_terminated(run_id, "FINISHED", end_time=end_ms)
        self._on_answer()


def _make_database(database: Path) -> None:
    """Make the tables of a new database aside, so that a signal leaves none that is half-made."""
    _import_quietly()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415  (as below)

    for left in database.parent.glob(f"{database.name}.*.tmp*"):  # of a process that was killed
        left.unlink()
    aside = database.with_name(f"{database.name}.{uuid4().hex}.tmp")  # MLflow keeps a connection by address
    store = SqlAlchemyStore(sqlite_address(aside), artifact_folder(database).as_uri())
    store.engine.dispose()
    aside.rename(database)


def _client(tracking_uri: str) -> Any:
    """Return a client with short timeouts."""
    _import_quietly()
    from mlflow.tracking import MlflowClient  # noqa: PLC0415  (as above)

    bound_answers(tracking_uri)
    return MlflowClient(tracking_uri)


def _import_quietly() -> None:
    """Import MLflow, which takes seconds, with short timeouts; it logs warnings alone."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    import mlflow.tracking  # noqa: PLC0415, F401

    for name in ("mlflow", "mlflow.store.db.utils", "alembic", "alembic.runtime.migration"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each retry of a server that is away


def _database_lock(tracking_uri: str) -> AbstractContextManager[object]:
    """Lock a database while it is opened: two processes that create its tables at once break it.

    Raises:
        ServerError: something else stands in its place, which MLflow would try to open again and again.
    """
    path = sqlite_file(tracking_uri)
    if path is None:
        return nullcontext()
    if os.path.lexists(path) and not path.is_file():
        raise ServerError(f"{path} is no database", "move it away, and `harness sync` fills a new one")
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(f"{path.name}.lock"), timeout=OPENING_S)


def _remove_stray_folder(tracking_uri: str, database: Path) -> None:
    """Remove the empty folder that MLflow makes: it takes a quoted path of an address for an unquoted one."""
    read = Path(tracking_uri.removeprefix(SQLITE)).parent
    if read != database.parent:
        with suppress(OSError):
            os.removedirs(read)
