"""Analyses in MLflow: one run for each, with files and a few metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.records.mlflow_client import Experiment, ask_server, without_password
from harness.records.mlflow_entries import MetricPoint, metric_name
from harness.records.mlflow_mirror import LONGEST_TAG, reason_of

LOG = logging.getLogger(__name__)


def record_analysis(
    tracking_uri: str,
    experiment: str,
    *,
    fingerprint: str,
    tags: Mapping[str, str],
    numbers: Mapping[str, float],
    files: Sequence[Path],
) -> bool:
    """Write an analysis to MLflow, replacing an earlier one of the same fingerprint.

    Args:
        tracking_uri: for example ``sqlite:///store/mlflow.db`` or ``http://host:5000``.
        experiment: name of the MLflow experiment.
        fingerprint: hash of the analysed runs and the settings of the analysis.
        tags: tags of the MLflow run.
        numbers: name of a metric -> its value.
        files: paths of the artifacts to upload.

    Returns:
        Whether it was written; if not, a warning gives the reason.
    """

    def write(answered: Callable[[], None]) -> None:
        opened = Experiment(tracking_uri, experiment, answered)
        previous = opened.only_run(fingerprint)
        if previous is not None:
            opened.delete_run(previous.info.run_id)
        now_ms = int(1000 * time.time())
        all_tags = {"fingerprint": fingerprint, **tags}
        opened.create_run({key: value[:LONGEST_TAG] for key, value in all_tags.items()}, now_ms)
        run_id = opened.only_run(fingerprint).info.run_id
        opened.log(
            run_id, [MetricPoint(metric_name(name), value, now_ms, 0) for name, value in numbers.items()]
        )
        for path in files:
            opened.log_file(run_id, path)
        opened.finish(run_id, int(1000 * time.time()))

    try:
        ask_server(tracking_uri, write)
    except Exception as error:  # MLflow raises whatever its store raises; the files are written
        where = without_password(tracking_uri)
        LOG.warning("not in MLflow at %s (%s); run the command again to write it", where, reason_of(error))
        return False
    return True
