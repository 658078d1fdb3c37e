"""What of a run is there already, so that it is not made again."""

from __future__ import annotations

from harness.records.run_folder import RunFolder
from harness.runs.run import Run
from harness.runs.training import ranker_learns
from harness.specs.run_settings import RankerRun, TaughtRun, TrainedRun
from harness.training.checkpoints import final_of, ranker_of

CONTINUED = ("base", "ranker")
"""Kinds of runs from which others go on."""


def trained(settings: TrainedRun, folder: RunFolder) -> bool:
    """Whether what a run trains is there: its retriever, and its ranker where that learns."""
    ranker = not ranker_learns(settings) or ranker_of(folder.checkpoints).exists()
    return ranker and final_of(folder.checkpoints).exists()


def complete(run: Run) -> bool:
    """Whether a run is done, by the measures and to the depths that are asked for; others go on from some."""
    settings, folder = run.settings, run.folder
    if not folder.done or (settings.kind in CONTINUED and not final_of(folder.checkpoints).exists()):
        return False
    result = folder.result()
    reranked = settings.reranked if isinstance(settings, RankerRun | TaughtRun) else None
    asked = (settings.depth, reranked)
    reached = (result.get("depth"), result.get("reranked"))
    return set(settings.measures) <= set(result.get("measures", ())) and reached == asked
