"""What was found for each row: its best setting beside the papers', and how its trials ended."""

from __future__ import annotations

from harness.reports.document import Field, Table, TableColumn, fields
from harness.reports.text import NOTHING, count_text
from harness.tuning.report.result import Found, Study, Trial
from harness.tuning.report.text import axis_text, setting_text, value_of

STATES = {"complete": "finished", "pruned": "pruned", "failed": "failed"}


def studies_table(found: Found) -> Table:
    """Return a line for each study."""
    columns = [
        TableColumn("Study", names=True, brief=""),
        *_columns(found, "Best", "best"),
        *_columns(found, "Papers'", "papers'"),
        *(TableColumn(word, "Trials", brief=word) for word in STATES.values()),
    ]
    rows = tuple(_line(found, study) for study in found.studies)
    first = found.objectives[0].name
    return Table("", tuple(columns), rows, notes=(f"Best: by {first}.",) * (len(found.objectives) > 1))


def _columns(found: Found, group: str, brief: str) -> list[TableColumn]:
    values = [
        TableColumn(axis_text(one), group, brief=None if place else brief)
        for place, one in enumerate(found.objectives)
    ]
    return [TableColumn("setting", group, names=True), *values]


def _line(found: Found, study: Study) -> tuple[Field, ...]:
    best, paper = found.best(study), study.paper()
    return fields(
        [
            study.row,
            setting_text(best.setting) if best else NOTHING,
            *_values(found, best),
            setting_text(study.papers[0]) if study.papers else NOTHING,
            *_values(found, paper),
            *(count_text(sum(trial.state == state for trial in study.trials)) for state in STATES),
        ]
    )


def _values(found: Found, trial: Trial | None) -> list[str]:
    values = trial.values if trial and trial.values else [None] * len(found.objectives)
    return list(map(value_of, found.objectives, values))
