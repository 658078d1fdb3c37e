"""The trials of a search as data: one line for each, nothing rounded."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.tuning.report.result import Found, Study, Trial


def render_trials_csv(found: Found) -> str:
    """Return CSV, one line for each trial; an empty field is a parameter or value that it does not have.

    Measures are fractions, costs seconds; `watched` is the last held-out value while it trained.
    """
    lines = [_line(found, study, trial) for study in found.studies for trial in study.trials]
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))


def _line(found: Found, study: Study, trial: Trial) -> dict[str, Any]:
    data, values = found.data, trial.values or (None,) * len(found.objectives)
    return {
        "search": found.name,
        "scale": found.scale,
        "collection": data["collection"]["name"],
        "simulation": data["collection"]["simulation"],
        "study": study.row,
        "sampler": study.sampler,
        "trial": trial.number,
        "state": trial.state,
        "papers": trial.first,
        **{of.name: value for of, value in zip(found.objectives, values, strict=True)},
        "watched": trial.watched,
        "seconds_taken": trial.seconds,
        **{f"set:{key}": value for key, value in trial.setting.items()},
        "why": trial.why,
    }
