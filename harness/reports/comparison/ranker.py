"""The ranker beside the retriever: on held-out lists, and in the last round of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from harness.reports.cells import FinishedRun
from harness.reports.comparison.content import ComparisonCells, RankerFacts
from harness.reports.document import Table, TableColumn, fields
from harness.reports.text import NOTHING, decimal_text, recorded_field, share_text
from harness.specs.run_settings import TaughtRun

TERM = "loss/"
"""Prefix of a loss term's name in the metrics of a step."""


def describe_ranker(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """Return the ``ranker`` block of a row, as means over its seeds; empty if the row has no ranker.

    Returns:
        ``lists``: the results on held-out lists from done.json. ``training``: means over the last round of
        the retriever's loss terms (nats, unweighted), the share of lists in which the ranker ranks the
        positive first, the share in which both rank the same passage first, and the loss of a ranker that
        is trained.
    """
    if not runs or "lists" not in runs[0].folder.result():
        return {}
    lists = [_flat(run.folder.result()["lists"]) for run in runs]
    return {"ranker": {"lists": _mean(lists), "training": _mean([_last_round(run) for run in runs])}}


def ranker_table(cells: ComparisonCells) -> Table:
    """Return a line for each row in which a ranker takes part."""
    rows = [
        (recorded_field(cells, row, title), of.ranker)
        for row, title, of in cells.recorded()
        if of.ranker is not None
    ]
    terms = list(dict.fromkeys(key for _, block in rows for key in block.training if TERM in key))
    lists, training = "held-out lists", "last round"
    columns = (
        TableColumn("Row", names=True),
        *(TableColumn(name, lists) for name in ("retriever accuracy", "ranker accuracy", "agreement")),
        *(TableColumn(name, lists) for name in ("KL to ranker", "KL to base ranker")),
        *(TableColumn(name, training) for name in ("ranker accuracy", "agreement")),
        *(TableColumn(f"{key.removeprefix(TERM)} loss", training) for key in terms),
    )
    lines = [fields([name, *_values(block, terms)]) for name, block in rows]
    count = next((block.lists["lists"] for _, block in rows), 0)
    caption = (
        f"Held-out lists: {count:.0f} dev queries, each with a positive and negatives drawn uniformly from "
        "the base run's top K. Accuracy: the positive is ranked first. Agreement: both rank the same passage "
        "first. KL and losses in nats."
    )
    return Table("The ranker", columns, tuple(lines), caption if rows else "")


def _values(block: RankerFacts, terms: Sequence[str]) -> Iterator[str]:
    lists, training = block.lists, block.training
    for key in ("right retriever", "right ranker", "agreement"):
        yield share_text(lists[key], 1)
    for key in ("divergence ranker", "divergence base ranker"):
        yield decimal_text(lists[key], 3)
    for key in ("teacher_first", "agreement"):
        yield share_text(training.get(key), 1)
    for key in terms:
        yield decimal_text(training[key], 3) if key in training else NOTHING


def _last_round(run: FinishedRun) -> dict[str, float]:
    """Return means over the steps of a run's last round; empty for a run without a teacher."""
    if not isinstance(run.settings, TaughtRun):
        return {}
    phase = run.settings.phase
    begin = phase.steps - (phase.refresh or phase.steps)
    lines = [line for line in run.folder.metrics() if line["step"] > begin]
    retriever_lines = [line for line in lines if line["phase"] == "continued"]
    retriever = [_terms(line, phase.loss.name) for line in retriever_lines]
    ranker = [{f"{TERM}ranker": line["loss"]} for line in lines if line["phase"] == "continued ranker"]
    return _mean(retriever) | _mean(ranker)


def _terms(line: Mapping[str, float], loss: str) -> dict[str, float]:
    """Return the loss terms and teacher metrics of a retriever's step; a single term has the loss's name."""
    shown = {key: line[key] for key in line if key.startswith(TERM) or key in {"teacher_first", "agreement"}}
    several = any(key.startswith(TERM) for key in shown)
    return shown if several else shown | {f"{TERM}{loss}": line["loss"]}


def _flat(lists: Mapping[str, Any]) -> dict[str, float]:
    """Return nested figures as a flat mapping, with keys of two words."""
    flat: dict[str, float] = {}
    for key, value in lists.items():
        flat |= (
            {f"{key} {inner}": value[inner] for inner in value} if isinstance(value, dict) else {key: value}
        )
    return flat


def _mean(blocks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean for each key, sorted by key."""
    return {key: fmean(block[key] for block in blocks) for key in sorted(blocks[0])} if blocks else {}
