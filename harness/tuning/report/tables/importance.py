"""The importance of each parameter, or the words why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from harness.reports.document import Table, TableColumn, fields
from harness.tuning.report.importance import FOREST_SEEDS, LEVEL, RESAMPLES, Importance
from harness.tuning.report.result import Found
from harness.tuning.report.text import names_of

Importances = Mapping[tuple[str, int], Importance]
"""(row, place of the objective) -> what was computed."""


def importance_table(found: Found, importances: Importances) -> Table:
    """Return a line for each study and parameter; the caption says which studies have none."""
    rows = [
        fields([_study(found, *key), names[share.key], f"{share.share:.2f} ± {share.forests:.2f}", around])
        for key, of in importances.items()
        for names in (_names(of),)
        for share in of.shares
        for around in (f"[{share.low:.2f}, {share.high:.2f}]",)
    ]
    columns = (
        TableColumn("Study", names=True),
        TableColumn("Parameter", names=True),
        TableColumn("share"),
        TableColumn(f"{100 * LEVEL:g} %, over trials"),
    )
    said = [line for key, of in importances.items() for line in _said(_study(found, *key), of)]
    return Table("Importance", columns, tuple(rows), " ".join([*([_caption()] if rows else []), *said]))


def _study(found: Found, row: str, place: int) -> str:
    return f"{row}, {found.objectives[place].name}" if len(found.objectives) > 1 else row


def _names(of: Importance) -> dict[str, str]:
    return names_of([*(share.key for share in of.shares), *of.left_out])


def _said(study: str, of: Importance) -> list[str]:
    """Return why there is no importance, or what it leaves out."""
    if of.why_not:
        return [f"{study}: none, {of.why_not}."]
    names = _names(of)
    left = ", ".join(names[key] for key in of.left_out)
    return [f"{study}: without {left}, which only some trials have."] if left else []


def _caption() -> str:
    return (
        "Share of the variance that each parameter explains alone (fANOVA on finished trials); ± is the "
        f"standard deviation over {FOREST_SEEDS} seeds of the forest, the range is over {RESAMPLES} "
        "bootstraps of the trials. What the shares leave of 1 is of several parameters together. Pruned "
        "trials are left out, so it is the importance among settings that were worth finishing."
    )
