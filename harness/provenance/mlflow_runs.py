"""Where MLflow shows a training run; the database is queried, since MLflow takes seconds to import."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from harness.records.mlflow_client import without_password
from harness.storage.places import sqlite_file

QUERY = """
SELECT run_uuid FROM tags JOIN runs USING (run_uuid)
WHERE key = 'fingerprint' AND value = ? AND lifecycle_stage = 'active' ORDER BY start_time, run_uuid
"""


def mlflow_place(tracking_uri: str, fingerprint: str) -> str | None:
    """Return where to find a run in MLflow, or none if a local database does not hold it.

    Args:
        tracking_uri: MLflow's tracking URI.
        fingerprint: fingerprint of the training run.

    Returns:
        ``run <id>`` for a local database; for a server its address and a search query, without asking it.
    """
    path = sqlite_file(tracking_uri)
    if path is None:
        return f"at {without_password(tracking_uri)}, search: tags.fingerprint = '{fingerprint}'"
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute(QUERY, (fingerprint,)).fetchone()
    except sqlite3.Error:
        return None  # busy, or another layout: MLflow itself is the place to look then
    return f"run {row[0]}" if row else None
