"""Which run of MLflow mirrors a training run; its database is asked, since MLflow takes seconds to import."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

SQLITE = "sqlite:///"


def mlflow_run(tracking_uri: str, fingerprint: str) -> str | None:
    """Return the id of a run in a local database; none where it has none, or MLflow is a server.

    Args:
        tracking_uri: MLflow's address.
        fingerprint: of the training run.
    """
    path = Path(tracking_uri.removeprefix(SQLITE))
    if not tracking_uri.startswith(SQLITE) or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            query = "SELECT run_uuid FROM tags WHERE key = 'fingerprint' AND value = ?"
            found = database.execute(query, (fingerprint,)).fetchone()
    except sqlite3.Error:
        return None  # busy, or another layout: MLflow itself is the place to look then
    return str(found[0]) if found else None
