"""The costs that finished runs recorded, and the machines of these runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import UserError
from harness.evaluation.comparison import CellBlock
from harness.evaluation.costs import over_runs, run_costs, similarity_apart
from harness.reports.cells import FinishedRun
from harness.specs.kinds.cost import CostColumn
from harness.specs.run_settings import TrainedRun


def told_apart(runs: Sequence[FinishedRun]) -> bool:
    """Return whether all runs of a target tell the similarities of documents apart from the rest of mining.

    Where some do not, being older, those of no run are: rows would not be compared on the same ground.
    """
    return all(similarity_apart(run.folder.metrics(), "continued") for run in runs)


def costs_of(runs: Sequence[FinishedRun], *, apart: bool) -> list[dict[str, float]]:
    """Return the costs of each run in seconds, by name.

    Args:
        runs: of a row.
        apart: whether similarities of documents are told apart, and charged to the laws that read them.

    Raises:
        UserError: a run has no recorded times.
    """
    recorded = []
    for run in runs:
        refresh, charged = None, None
        if isinstance(run.settings, TrainedRun):
            refresh = run.settings.phase.refresh
            charged = "documents" in run.settings.sampler.law.needs if apart else None
        lines = list(run.folder.metrics())
        costs = run_costs(lines, "continued", refresh, charged=charged)
        if "step" not in costs and any(line["phase"] == "continued" for line in lines):
            what = f"seed {run.seed} of '{run.row}' has no recorded times: an older version made it"
            fix = f"harness reproduce TARGET --row '{run.row}' --force"
            raise UserError(what, where=str(run.folder.folder), fix=fix)
        recorded.append(costs)
    return recorded


def cost_cells(
    columns: Sequence[CostColumn],
    recorded: Sequence[Mapping[str, float]],
    printed: Mapping[str, Any],
    *,
    failed: bool = False,
) -> list[CellBlock]:
    """Return a row's cell for each column of seconds.

    Args:
        columns: the target's columns, each with its label and cost.
        recorded: costs of the row's runs, as `costs_of` returns them.
        printed: label of a column -> its published figure, or None.
        failed: whether the row's training failed.
    """
    cells = []
    for column in columns:
        values = [costs[column.cost] for costs in recorded if column.cost in costs]
        reproduced = over_runs(values) if values else None
        state = "ok" if reproduced else "failed" if failed else "missing"
        cells.append({"state": state, "published": printed[column.label], "reproduced": reproduced})
    return cells


def hardware_of(runs: Sequence[FinishedRun]) -> list[CellBlock]:
    """Return the distinct machines of the runs: cpu, cores, threads, gpus."""
    machines: list[CellBlock] = []
    for run in runs:
        environment = run.folder.environment()
        hardware = environment["hardware"]
        gpus = [gpu["name"] for gpu in hardware["gpus"]]
        machine = {
            "cpu": hardware["cpu"],
            "cores": hardware["cores"],
            "threads": environment["threads"],
            "gpus": gpus,
        }
        if machine not in machines:
            machines.append(machine)
    return machines
