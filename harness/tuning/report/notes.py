"""Notes below the tables of a tuning: how trials count, and what the results cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reports.footnotes import earlier
from harness.reports.text import list_text
from harness.tuning.report.result import StudyResult, TuningResult
from harness.tuning.report.text import condition_text, names_of, number_text, setting_text

MOST = 10
"""Failed trials that are listed one by one."""


def notes_of(result: TuningResult) -> list[str]:
    """Return the sentences, the most important first."""
    optuna = result.data["optuna"]
    return [
        *earlier(result.data.get("stages", {})),
        *([f"A tuning of your own, made with{result.options}."] if result.options else []),
        "Tuning uses documents and training queries only, a part of which is held out to choose by. The "
        f"{result.measured} split is used by the confirmation alone.",
        f"Held-out queries use the sparse training labels. Where {result.measured} queries have more "
        "complete judgements, as in the simulation, compare differences between settings, not values, with "
        f"the {result.measured} split.",
        f"Every study has the same budget of {result.budget} trials. A trial is one training run with one "
        "seed; another seed would change its value.",
        "A pruned trial was stopped at a refresh because its held-out value was behind that of others at the "
        "same step. It counts with that value, at most that of the best finished trial, since it cannot be "
        "chosen; leaving it out would be optimistic. A failed trial counts as the worst value, unless it was "
        "tried again. The papers' settings are run first and were not drawn: they are in the history, not "
        "in the expected best.",
        f"Optuna {optuna['version']}, sampler {optuna['sampler']}, pruner {optuna['pruner']}, seed "
        f"{result.data['seed']}.",
        *map(_space, result.studies),
        *_failed(result),
    ]


def _space(study: StudyResult) -> str:
    names = names_of(study.space)
    parts = [f"{names[key]} {_range(of)}" for key, of in study.space.items()]
    papers = "; ".join(map(setting_text, study.papers))
    several = f" Papers' settings: {papers}; the tables show the first." if len(study.papers) > 1 else ""
    return f"Space of {study.row}: {'; '.join(parts) if parts else 'nothing'}.{several}"


def _range(of: Mapping[str, Any]) -> str:
    if of["type"] == "categorical":
        text = f"one of {list_text([number_text(choice) for choice in of['choices']])}"
    else:
        kind = ", whole" if of["type"] == "int" else ""
        logged = ", by its logarithm" if of.get("log") else ""
        step = f", in steps of {number_text(of['step'])}" if of.get("step") else ""
        text = f"{number_text(of['low'])} to {number_text(of['high'])}{kind}{logged}{step}"
    return ", ".join(filter(None, (text, condition_text(of.get("when")))))


def _failed(result: TuningResult) -> list[str]:
    failures = [
        f"{study.row}, trial {trial.number} failed: {trial.why or 'no reason was recorded'}."
        for study in result.studies
        for trial in study.of("failed")
    ]
    more = (
        [f"{len(failures) - MOST} more failed; trials.json has the reasons."] if len(failures) > MOST else []
    )
    return [*failures[:MOST], *more]
