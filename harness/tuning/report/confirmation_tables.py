"""Tables of a tuning's confirmation: the best settings on the measured split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.reports.document import Field, Table, TableColumn, fields
from harness.reports.text import NOTHING, p_text
from harness.tuning.report.chance import keeps
from harness.tuning.report.result import TuningResult
from harness.tuning.report.text import PAPERS, PERCENT

Quoted = Mapping[str, Any]

TITLE = "Confirmation"


def confirmation_tables(result: TuningResult) -> list[Table]:
    """Return the tables of the confirmation, or one that says how to run it."""
    quoted = result.data.get("confirmation")
    if quoted is None:
        caption = (
            f"Not run yet: `harness tune {result.call} --confirm` trains the best and "
            f"the papers' settings with fresh seeds and evaluates them on the {result.measured} split, once."
        )
        kept = [study.row for study in result.studies if keeps(result, study)]
        if kept:
            caption += f" There is nothing to confirm of {', '.join(kept)}: the papers' setting is kept."
        return [Table(TITLE, (), (), caption)]
    baselines = dict.fromkeys(row["minus"] for row in quoted["to_baseline"] if row.get("minus"))
    return [_against_papers(result, quoted), *(_against_baseline(quoted, name) for name in baselines)]


def _against_papers(result: TuningResult, quoted: Quoted) -> Table:
    """One line per study: papers' setting, best setting, their difference with both intervals."""
    rows = []
    for study in quoted["studies"]:
        block = study["difference"]
        papers = _mean(study["papers"]) if study["given"] else Field(NOTHING)
        middle = [papers, _mean(study["best"])]
        rows.append(
            (Field(study["row"]), *middle, *_difference(block), Field(p_text(block and block["holm_p"])))
        )
    level = f"{100 * quoted['level']:g} % CI"
    columns = (
        TableColumn("Study", names=True, brief=f"on {result.measured}"),
        TableColumn(PAPERS, brief="papers'"),
        TableColumn("best", brief="best"),
        TableColumn("difference", brief="difference"),
        TableColumn("over queries", level),
        TableColumn("over queries and seeds", level, brief="over queries\nand seeds"),
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
    now = {study.row: best.setting for study in result.studies if (best := result.best(study))}
    went_on = [study["row"] for study in quoted["studies"] if study["setting"] != now.get(study["row"])]
    notes += (
        [f"The best setting of {', '.join(went_on)} has changed since the confirmation."] if went_on else []
    )
    notes += _choices(result)
    failed = [f"{name} failed: {reason}." for name, reason in quoted["failed"].items()]
    return Table(TITLE, columns, tuple(rows), caption, notes=(*notes, *failed))


def is_better_on_test(result: TuningResult, row: str) -> bool | None:
    """Return whether the confirmation shows the best setting of a row to be better than the papers'.

    It does where p < 1 - level after Holm, on queries and seeds that chose nothing. None where it does not
    compare the two.
    """
    quoted = result.data.get("confirmation") or {"studies": []}
    for study in quoted["studies"]:
        if study["row"] == row and (block := study["difference"]) is not None:
            p = block["holm_p"]
            return bool(block["value"] > 0 and p is not None and p < 1 - quoted["level"])
    return None


def _choices(result: TuningResult) -> list[str]:
    """Return what to take where held-out queries show no gain beyond chance: a confirmation decides."""
    kept = [study.row for study in result.studies if keeps(result, study)]
    confirmed = [row for row in kept if is_better_on_test(result, row)]
    others = [row for row in kept if row not in confirmed]
    notes = []
    if confirmed:
        notes.append(
            f"The best setting of {', '.join(confirmed)} is better than the papers' here, on queries and "
            "seeds that chose nothing, although its gain on held-out queries was within what chance reaches: "
            "take it."
        )
    if others:
        notes.append(
            f"No setting of {', '.join(others)} was better than the papers' by more than chance: "
            "theirs is kept."
        )
    return notes


def _against_baseline(quoted: Quoted, baseline: str) -> Table:
    """One line per row that is compared with a baseline of the same kind of settings, papers' or tuned.

    Differences quoted without the row that they are from crossed the two kinds, and are not shown.
    """
    rows = [
        (Field(row["name"]), *_difference(row["difference"]), Field(p_text(row["difference"]["holm_p"])))
        for row in quoted["to_baseline"]
        if row.get("minus") == baseline
    ]
    level = f"{100 * quoted['level']:g} % CI"
    columns = (
        TableColumn("Row", names=True),
        TableColumn("difference"),
        TableColumn("over queries", level),
        TableColumn("over queries and seeds", level),
        TableColumn("p (Holm)"),
    )
    caption = "Of the same kind of settings; `confirmation/table.md` has all measures."
    return Table(f"Difference to {baseline} in {quoted['primary']}", columns, tuple(rows), caption)


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
            PERCENT.interval_of(block["checkpoints"]),
            PERCENT.interval_of(block["method"]),
        ]
    )
