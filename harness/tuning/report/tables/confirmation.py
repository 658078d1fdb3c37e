"""What the report of a search quotes of its confirmation: the best settings on the test split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reports.document import Field, Table, TableColumn, fields
from harness.reports.text import NOTHING, p_text
from harness.tuning.report.result import Found
from harness.tuning.report.text import PAPERS, PERCENT

Quoted = Mapping[str, Any]

TITLE = "Confirmation"


def confirmation_tables(found: Found) -> list[Table]:
    """Return the tables of the confirmation, or the words that there is none."""
    quoted = found.data.get("confirmation")
    if quoted is None:
        caption = (
            f"Not made yet: `harness search {found.name} --scale {found.scale} --confirm` makes the best and "
            "the papers' settings with fresh seeds and judges them on the test split, once."
        )
        return [Table(TITLE, (), (), caption)]
    return [_against_papers(found, quoted), _against_baseline(quoted)]


def _against_papers(found: Found, quoted: Quoted) -> Table:
    """A line a study: papers' setting, best setting, their difference with both intervals."""
    rows = []
    for study in quoted["studies"]:
        block = study["difference"]
        papers = _mean(study["papers"]) if study["given"] else Field(NOTHING)
        middle = [papers, _mean(study["best"])]
        rows.append(
            (Field(study["row"]), *middle, *_difference(block), Field(p_text(block and block["holm_p"])))
        )
    level = f"{100 * quoted['level']:g} % interval"
    columns = (
        TableColumn("Study", names=True, brief="on test"),
        TableColumn(PAPERS, brief="papers'"),
        TableColumn("best", brief="best"),
        TableColumn("difference", brief="difference"),
        TableColumn("of these checkpoints", level),
        TableColumn("of the method", level, brief="the method"),
        TableColumn("p (Holm)"),
    )
    seeds = ", ".join(map(str, quoted["seeds"]))
    caption = (
        f"{quoted['primary']} in % on the {quoted['split']} split of {quoted['collection']}, seeds {seeds}, "
        "which no trial used; ± is the standard deviation over seeds. Best minus papers' setting, paired by "
        "seed and query."
    )
    same = [study["row"] for study in quoted["studies"] if study["same"]]
    notes = [f"The papers' setting was the best of {', '.join(same)}."] if same else []
    now = {study.row: best.setting for study in found.studies if (best := found.best(study))}
    went_on = [study["row"] for study in quoted["studies"] if study["setting"] != now.get(study["row"])]
    notes += [f"Since then the search has found another best of {', '.join(went_on)}."] if went_on else []
    failed = [f"{name} failed: {reason}." for name, reason in quoted["failed"].items()]
    return Table(TITLE, columns, tuple(rows), caption, notes=(*notes, *failed))


def _against_baseline(quoted: Quoted) -> Table:
    """A line a row of the confirmation: its difference to the baseline, with both intervals."""
    rows = [
        (Field(row["name"]), *_difference(row["difference"]), Field(p_text(row["difference"]["holm_p"])))
        for row in quoted["to_baseline"]
        if row["difference"] is not None
    ]
    level = f"{100 * quoted['level']:g} % interval"
    columns = (
        TableColumn("Row", names=True),
        TableColumn("difference"),
        TableColumn("of these checkpoints", level),
        TableColumn("of the method", level),
        TableColumn("p (Holm)"),
    )
    caption = "As `confirmation/table.md` has it, with all measures." if rows else ""
    return Table(f"Difference to {quoted['baseline']} in {quoted['primary']}", columns, tuple(rows), caption)


def _mean(block: Quoted | None) -> Field:
    if block is None:
        return Field("failed", state="failed")
    spread = "" if block["sd"] is None else f" ± {PERCENT.number(block['sd'])}"
    return Field(PERCENT.number(block["mean"]) + spread)


def _difference(block: Quoted | None) -> tuple[Field, ...]:
    if block is None:
        return fields([NOTHING] * 3)
    return fields(
        [
            PERCENT.number(block["value"], signed=True),
            PERCENT.interval(block["checkpoints"]),
            PERCENT.interval(block["method"]),
        ]
    )
