"""Making committed results again and comparing them query by query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Group
from rich.table import Table
from rich.text import Text

from harness.errors import UserError
from harness.records.environment import describe_environment
from harness.reports.cells import FinishedRun, describe_collection, reached, read_per_query
from harness.reports.content import RunCells
from harness.reports.kinds import REPORTS, read_cells
from harness.reports.statistics.cells import StatisticsCells, count
from harness.runs.stages import Stages
from harness.specs.resolve import Resolved
from harness.storage.files import read_json
from harness.targets.reproduce import PlannedRun, plan, runs_below
from harness.targets.verify_stages import (
    NEAR,
    CheckedStage,
    Verdict,
    check_collection,
    check_stage,
    stage_lines,
    stage_text,
)

KEYS = ["row", "seed", "dataset", "split", "measure", "query"]


@dataclass(frozen=True)
class Checked:
    """A cell made again.

    Attributes:
        row: name of the row.
        column: label of the column.
        committed: mean over seeds and queries; none where that was not committed.
        made: the same of what was made now.
        agreement: share of queries, over seeds, whose value is the same.
        verdict: OK where all are, near where the means are within `NEAR`.
    """

    row: str
    column: str
    committed: float | None
    made: float | None
    agreement: float
    verdict: Verdict


@dataclass(frozen=True)
class Verification:
    """What came out of making results again.

    Attributes:
        cells: row by row, column by column.
        stages: what they stand on, in the order in which it is made.
        changes: what differs from how the committed results were made; listed where not all is OK.
    """

    cells: list[Checked]
    stages: list[CheckedStage]
    changes: list[str]

    @property
    def failed(self) -> bool:
        """Return whether a cell failed."""
        verdicts = [*(cell.verdict for cell in self.cells), *(stage.verdict for stage in self.stages)]
        return "FAIL" in verdicts


def verify(
    resolved: Resolved, stages: Stages, results: Path, *, seeds: int | None = None, rows: Sequence[str] = ()
) -> Verification:
    """Make results again and compare them with the committed ones; a stage that fails is reported at once.

    Args:
        resolved: the target at a scale.
        stages: over a store that does not hold the runs, else those in it are compared.
        results: root of the committed results.
        seeds: how many seeds; all committed ones by default.
        rows: only these rows; all by default.

    Raises:
        UserError: there are no such results, or none of these rows.
    """
    folder = results / resolved.scale.name / resolved.name
    if not (folder / "cells.json").exists():
        call = f"harness reproduce {resolved.call}{'' if resolved.instead else ' --publish'}"
        raise UserError("no results to verify", where=str(folder), fix=call)
    cells, provenance = read_cells(folder / "cells.json"), read_json(folder / "provenance.json")
    if isinstance(cells, StatisticsCells):
        return Verification(list(_counted_again(resolved, stages, cells)), [], [])
    if not isinstance(cells, RunCells):
        raise ValueError(f"cells of kind {cells.kind} are neither counted nor made by runs")
    committed = pd.read_parquet(folder / "per_query.parquet")
    most = min(seeds or len(cells.seeds), len(cells.seeds))
    torch.set_num_threads(resolved.scale.spec.threads)
    there = {run["row"] for run in provenance["runs"]}  # a row that failed, or was left out, has no scores
    planned = [run for run in plan(resolved, stages, most, rows) if run.row in there]
    if not planned:
        fix = f"name one of {', '.join(sorted(there))}"
        raise UserError("these rows have no committed scores", where=str(folder), fix=fix)
    finished, seen = _make(planned, stages, resolved, cells, provenance)
    chosen = committed[committed["row"].isin({run.row for run in planned}) & (committed["seed"] < most)]
    made = REPORTS[resolved.target.kind].scores(resolved, read_per_query(finished))
    checked = compare_scores(chosen, made, [column.model_dump() for column in cells.columns])
    if all(cell.verdict == "OK" for cell in checked):
        return Verification(checked, seen, [])
    changes = [
        *_other_runs(resolved, provenance, finished),
        *environment_changes(_environment(provenance, finished), describe_environment()),
    ]
    return Verification(checked, seen, changes)


def _counted_again(resolved: Resolved, stages: Stages, cells: StatisticsCells) -> Iterator[Checked]:
    """Yield each count of statistics, counted again."""
    datasets = {row.dataset for row in cells.rows if row.dataset}
    described = {
        name: describe_collection(stages.collections.get(resolved.collection(name))) for name in datasets
    }
    for row in cells.rows:
        for column, cell in zip(cells.columns, row.cells, strict=True):
            if cell.counted is not None and row.dataset is not None:
                made = count(described[row.dataset], column.count)
                same = made == cell.counted
                verdict: Verdict = "OK" if same else "FAIL"
                yield Checked(row.name, column.label, cell.counted, made, float(same), verdict)


def render_verification(verification: Verification) -> Group:
    """Return cells and changes for a terminal."""
    table = Table("row", "column", box=None, pad_edge=False)
    for header in ("committed", "reproduced", "same queries", "verdict"):
        table.add_column(header, justify="right")
    for cell in verification.cells:
        means = ["–" if mean is None else f"{mean:.4f}" for mean in (cell.committed, cell.made)]
        line = [cell.row, cell.column, *means, f"{100 * cell.agreement:.1f} %", cell.verdict]
        table.add_row(*map(Text, line))
    lines = [Text("\n" + "\n".join(stage_lines(verification.stages)))]
    lines.append(
        Text(f"OK: every query the same. near: means within {NEAR}. FAIL: otherwise, or other queries.")
    )
    if verification.changes:
        lines.append(Text("Differences from the committed environment (committed | now):"))
        lines += [Text(f"  {change}") for change in verification.changes]
    return Group(table, *lines)


def compare_scores(
    committed: pd.DataFrame, made: pd.DataFrame, columns: Sequence[Mapping[str, Any]]
) -> list[Checked]:
    """Return each cell with its verdict; one that has scores on neither side is none, as in the table.

    Args:
        committed: columns row, seed, dataset, split, measure, query, value.
        made: the same.
        columns: of cells.json.
    """
    both = committed[[*KEYS, "value"]].merge(
        made[[*KEYS, "value"]], on=KEYS, how="outer", suffixes=("_committed", "_made")
    )
    rows = dict.fromkeys([*committed["row"], *made["row"]])
    cells = (_checked(both, row, column) for row in rows for column in columns)
    return [cell for cell in cells if cell is not None]


def environment_changes(committed: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[str]:
    """Yield in what two environments differ, as far as figures may depend on it.

    Args:
        committed: of provenance.json.
        present: of this process.
    """
    for key in ("commit", "dirty", "python", "platform", "threads"):
        yield from _changed(key, committed[key], present[key])
    for key in ("cpu", "cores", "gpus"):
        yield from _changed(f"hardware.{key}", committed["hardware"][key], present["hardware"][key])
    for name, version in committed["packages"].items():
        yield from _changed(f"package {name}", version, present["packages"].get(name))


def _checked(both: pd.DataFrame, row: str, column: Mapping[str, Any]) -> Checked | None:
    keys = ["dataset", "measure", "split"]
    of_column = (both[keys] == [column[key] for key in keys]).all(axis="columns")
    cell = both[(both["row"] == row) & of_column]
    one, other = cell["value_committed"], cell["value_made"]
    if cell.empty:
        return None
    agreement, whole = float((one == other).mean()), bool(one.notna().all() and other.notna().all())
    verdict: Verdict = "FAIL"
    if whole and agreement == 1.0:
        verdict = "OK"
    elif whole and abs(one.mean() - other.mean()) <= NEAR:
        verdict = "near"
    means = [None if of.isna().all() else float(of.mean()) for of in (one, other)]
    return Checked(row, column["label"], means[0], means[1], agreement, verdict)


def _make(
    planned: Sequence[PlannedRun],
    stages: Stages,
    resolved: Resolved,
    cells: RunCells,
    provenance: Mapping[str, Any],
) -> tuple[list[FinishedRun], list[CheckedStage]]:
    """Make the runs; each stage is compared as soon as it is there."""
    datasets, finished = resolved.target.datasets, list[FinishedRun]()
    seen = {
        dataset: check_collection(
            "collection" if len(datasets) == 1 else f"collection, {dataset}",
            cells.collection_of(dataset).fingerprint,
            stages.collections.get(resolved.collection(dataset)).fingerprint,
        )
        for dataset in datasets
    }
    known = {
        key: entry
        for entry in (*provenance.get("runs_below", []), *provenance["runs"])
        for key in (entry["fingerprint"], run_key(entry, resolved))
        if "dev" in entry  # older results lack it
    }
    for run in planned:
        which = resolved.seed_text(run.dataset, run.seed)
        folder = stages.run(run.settings, f"{run.row}, {which}").folder
        finished.append(FinishedRun(*run.key, run.settings, folder))
        for stage in (*runs_below(stages, finished[-1:]), finished[-1]):
            name, measure = stage.folder.folder.name, resolved.primary_on(run.dataset).measure
            committed = known.get(name) or known.get((stage.row, stage.dataset, stage.seed))
            if name not in seen and committed:
                what = f"{stage.row}, {which}"
                seen[name] = check_stage(what, committed, reached(stage.folder, measure))
                if seen[name].verdict == "FAIL":
                    stages.progress.say(stage_text(seen[name]))
    return finished, list(seen.values())


def _environment(provenance: Mapping[str, Any], finished: Sequence[FinishedRun]) -> Mapping[str, Any]:
    """Return the environment of the first of the committed runs that were made again."""
    rows = {run.row for run in finished}
    numbers = [run["environment"] for run in provenance["runs"] if run["row"] in rows]
    environment: Mapping[str, Any] = provenance["environments"][numbers[0] if numbers else 0]
    return environment


def _other_runs(
    resolved: Resolved, provenance: Mapping[str, Any], finished: Sequence[FinishedRun]
) -> Iterator[str]:
    """Yield the runs whose settings, or versions of stages, are not the committed ones."""
    before = {run_key(run, resolved): run["fingerprint"] for run in provenance["runs"]}
    for run in finished:
        name = f"fingerprint of {run.row}, {resolved.seed_text(run.dataset, run.seed)}"
        fingerprint = before.get((run.row, run.dataset, run.seed))
        yield from _changed(name, fingerprint, run.folder.folder.name)


def run_key(run: Mapping[str, Any], resolved: Resolved) -> tuple[str, str, int]:
    """Return row, dataset and seed of a run of provenance.json, where older runs name no dataset."""
    return run["row"], run.get("dataset", resolved.dataset), run["seed"]


def _changed(name: str, committed: Any, present: Any) -> Iterator[str]:
    if committed != present:
        yield f"{name}: {committed} | {present}"
