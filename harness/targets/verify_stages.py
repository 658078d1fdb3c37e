"""What collection, base runs and runs came to when results were committed, and what they come to now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

NEAR = 0.002
"""Difference of means up to which figures are near: other hardware or packages round sums differently, and
training carries that on to a few queries whose documents change places."""

Verdict = Literal["OK", "near", "FAIL"]


@dataclass(frozen=True)
class CheckedStage:
    """A stage made again.

    Attributes:
        name: for example ``base run, seed 0``.
        committed: mean of the primary measure over ``dev``, or a fingerprint; none where it is not recorded.
        made: the same of what was made now.
        verdict: OK where weights, or without any the means, are the same; near where the means are within
            `NEAR`.
    """

    name: str
    committed: float | str | None
    made: float | str | None
    verdict: Verdict


def check_collection(name: str, committed: str, made: str) -> CheckedStage:
    """Return whether a collection has the same content."""
    return CheckedStage(name, committed, made, "OK" if committed == made else "FAIL")


def check_stage(name: str, committed: Mapping[str, Any], made: Mapping[str, Any]) -> CheckedStage:
    """Return whether a base run or a run reached what it had reached.

    Args:
        name: what it is called.
        committed: its entry in provenance.json, with ``weights`` and ``dev``.
        made: what `harness.reports.cells.reached` tells now.
    """
    before, now = committed.get("dev"), made["dev"]
    key = "weights" if made["weights"] is not None else "dev"
    if key in committed and committed[key] == made[key]:
        return CheckedStage(name, before, now, "OK")
    near = before is not None and now is not None and abs(before - now) <= NEAR
    return CheckedStage(name, before, now, "near" if near else "FAIL")


def stage_lines(stages: Sequence[CheckedStage]) -> Iterator[str]:
    """Yield how many stages came out how, then each that is not OK."""
    count = Counter(stage.verdict for stage in stages)
    summary = ", ".join(f"{count[verdict]} {verdict}" for verdict in ("OK", "near", "FAIL") if count[verdict])
    yield f"{len(stages)} stages (collection, base runs, runs): {summary}"
    yield from (stage_text(stage) for stage in stages if stage.verdict != "OK")


def stage_text(stage: CheckedStage) -> str:
    """Return one line: the name, what was committed | what came now, the verdict."""
    values = [f"{v:.4f}" if isinstance(v, float) else str(v or "–") for v in (stage.committed, stage.made)]
    return f"{stage.name}: {values[0]} | {values[1]}, {stage.verdict}"
