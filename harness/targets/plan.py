"""What `harness plan` says of a target: its runs, and the memory that they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harness.estimate.moments import CorpusSize, Machine
from harness.estimate.render import render_memory
from harness.records.environment import gpus, memory_bytes
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.targets.reproduce import WantedRun, plan, resolve_at, wanted
from harness.training.batches import labelled_pairs


@dataclass(frozen=True)
class Plan:
    """The runs of a target at a scale.

    Attributes:
        resolved: the target.
        runs: that it needs; looked up in the store where there is a collection.
        corpus: sizes of the collection, the published ones where it is not available.
    """

    resolved: Resolved
    runs: Sequence[WantedRun]
    corpus: CorpusSize


def plan_at(
    library: Library, target: str, scale: str, stages: Stages, seeds: int | None, rows: Sequence[str]
) -> Plan:
    """Return what a target at a scale needs; without fingerprints where its collection is not available.

    Raises:
        UserError: no such row.
    """
    resolved = resolve(library, target, scale)
    settings = resolved.collection()
    if not settings.available:
        sizes = settings.parameters
        corpus = CorpusSize(int(sizes["documents"]), int(sizes["train"]))  # one positive a query, at least
        return Plan(resolved, wanted(resolved, seeds, rows), corpus)
    resolved = resolve_at(library, target, scale, stages)
    runs, collection = plan(resolved, stages, seeds, rows), stages.collection(settings)
    pairs = labelled_pairs(collection).pairs if runs else ()
    return Plan(resolved, runs, CorpusSize(len(collection.documents), len(pairs)))


def render_plan(planned: Plan) -> Group:
    """Return runs and memory for a terminal."""
    table = Table("row", "seed", "state", "seconds", "fingerprint", "stands on", box=None, pad_edge=False)
    for run in planned.runs:
        told = run.as_json()
        estimate = "?" if told["estimate_s"] is None else f"{told['estimate_s']:g}"
        needs = " ".join(told["needs"])
        table.add_row(run.row, str(run.seed), told["state"], estimate, told["fingerprint"] or "?", needs)
    seen = gpus()
    memory = render_memory(
        [run.settings for run in planned.runs],
        planned.corpus,
        planned.resolved.scale.spec.hardware,
        Machine("cuda" if seen else "cpu"),
        seen[0]["memory_bytes"] if seen else memory_bytes(),
    )
    return Group(table, Text(), memory)
