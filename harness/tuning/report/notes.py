"""What stands under the table of a search: how trials count, what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reports.text import list_text
from harness.tuning.report.result import Found, Study
from harness.tuning.report.text import condition_text, names_of, number_text, setting_text

MOST = 10
"""Failed trials that are told of one by one."""


def notes_of(found: Found) -> list[str]:
    """Return the sentences, the most important first."""
    optuna = found.data["optuna"]
    return [
        f"The collection of the search has no {found.measured} split: documents and training queries alone, "
        f"a part of these held out to choose by. Nothing here was measured on {found.measured} queries but "
        "the confirmation.",
        f"Held-out queries are judged by the labels that training has. Where {found.measured} queries are "
        "judged more fully, as in the simulation, values on the two are not to be compared; differences "
        "between settings are.",
        f"Every study has the same budget of {found.budget} trials; a trial is a training run of one seed, "
        "so values of equal settings would differ by what a seed does.",
        "A pruned trial was stopped at a refresh, since its held-out value was behind that of others at the "
        "same step. It counts with that value, at most the best finished one, as it cannot be chosen; to "
        "leave it out would flatter. A failed trial that was tried again is left out, any other counts as "
        "the worst value. The papers' settings begin a search and were not drawn: they are in the history "
        "and not among the n of the expected best.",
        f"Optuna {optuna['version']}, sampler {optuna['sampler']}, pruner {optuna['pruner']}, seed "
        f"{found.data['seed']}.",
        *map(_space, found.studies),
        *_failed(found),
    ]


def _space(study: Study) -> str:
    names = names_of(study.space)
    parts = [f"{names[key]} {_range(of)}" for key, of in study.space.items()]
    papers = "; ".join(map(setting_text, study.papers))
    several = f" Papers' settings: {papers}; the first stands in the tables." if len(study.papers) > 1 else ""
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


def _failed(found: Found) -> list[str]:
    told = [
        f"{study.row}, trial {trial.number} failed: {trial.why or 'no reason was recorded'}."
        for study in found.studies
        for trial in study.of("failed")
    ]
    more = [f"{len(told) - MOST} more failed; trials.json has the reasons."] if len(told) > MOST else []
    return [*told[:MOST], *more]
