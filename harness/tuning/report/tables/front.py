"""The Pareto front of each study of two objectives."""

from __future__ import annotations

from harness.reports.document import Table, TableColumn, fields
from harness.tuning.report.pareto import front_of
from harness.tuning.report.result import Found
from harness.tuning.report.text import axis_text, setting_text, value_of


def front_table(found: Found) -> Table:
    """Return a line for each setting than which no other of its study was better in both objectives."""
    rows = tuple(
        fields([study.row, setting_text(trial.setting), *map(value_of, found.objectives, values)])
        for study in found.studies
        for trial, values in front_of(found, study)
    )
    columns = (
        TableColumn("Study", names=True),
        TableColumn("Setting", names=True),
        *(TableColumn(axis_text(one)) for one in found.objectives),
    )
    caption = "Settings than which no other of the same study was better in both objectives."
    return Table("Pareto front", columns, rows, caption)
