"""Whether distillation does what it is for: does a teacher who knows the truth improve the retriever?

On the simulation, where the truth is known. The row `Frozen ranker` of `calibration/distillation` is trained
with the truth in the ranker's place: the same high score for each relevant document of a list, 0 for the
others. Prints its difference to `Labels alone`, which has the same start, batches and negatives.

    python experiments/scripts/oracle_teacher.py    # a quarter of an hour on one core; it may be stopped

Runs lie in a store of their own, below the usual one, since their fingerprints know of no oracle.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import torch
from torch import Tensor

from harness.evaluation.score_tables import clusters_in, score_table
from harness.evaluation.significance import checkpoint_interval, method_interval
from harness.progress import Progress
from harness.reports.cells import FinishedRun, read_per_query, with_clusters
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at
from harness.training.forward import Numbers, Passing
from harness.training.objectives import Lists

TARGET, BASELINE, TAUGHT = "calibration/distillation", "Labels alone", "Frozen ranker"
SCORE = 10.0
"""Of a relevant document: the others keep e^-10 of its weight."""


def knows_the_truth(lists: Lists, rows: Numbers, passage: Numbers, passing: Passing) -> Tensor:
    """Score passages [B, C] of training pairs [B] by the truth; stands in for `Lists.teach`."""
    truth = [np.isin(some, lists.pairs.known_relevant[row]) for row, some in zip(rows, passage, strict=True)]
    device = next(lists.ranker.parameters()).device
    return torch.from_numpy(np.stack(truth)).to(device, torch.float32) * SCORE


def finished(stages: Stages, resolved: Resolved) -> list[FinishedRun]:
    """Return the runs of both rows and all seeds."""
    runs = []
    for seed in range(resolved.seeds):
        for name in (BASELINE, TAUGHT):
            settings = resolved.run(resolved.loaded.row(name), seed)
            folder = stages.run(settings, f"{name}, seed {seed}").folder
            runs.append(FinishedRun(name, resolved.dataset, seed, settings, folder))
    return runs


def main() -> None:
    """Make what is missing, and print the difference in each measure with its intervals."""
    stages = Stages(Store(Store.default().root / "oracle"), Progress())
    resolved = resolve_at(Library.default(), TARGET, "simulation", stages)
    torch.set_num_threads(resolved.scale.spec.threads)
    level = resolved.target.level
    with mock.patch.object(Lists, "teach", knows_the_truth):
        runs = finished(stages, resolved)
    collections = {resolved.dataset: stages.collections.get(resolved.collection())}
    scores = with_clusters(read_per_query(runs), resolved, collections)
    for column in (column for column in resolved.columns if column.split == "test"):
        labels, oracle = (score_table(scores, row, column.model_dump()) for row in (BASELINE, TAUGHT))
        differences, clusters = (oracle - labels).to_numpy(), clusters_in(scores, labels, column.model_dump())
        print(f"{column.label}: {labels.to_numpy().mean():.4f} -> {oracle.to_numpy().mean():.4f}")  # noqa: T201
        for what, interval in (
            ("these checkpoints", checkpoint_interval(differences, level, clusters)),
            ("the method", method_interval(differences, level, clusters)),
        ):
            found = f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]" if interval else "-"
            print(f"  {100 * level:g} %, {what}: {found}")  # noqa: T201


if __name__ == "__main__":
    main()
