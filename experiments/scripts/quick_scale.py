"""How the learning rate of the quick scale was chosen: on dev alone, with the Uniform row alone.

The rule, set before any two samplers were compared at this scale: of the rates that `calibration/rates`
shows, the one at which uniform sampling has the greatest MRR@10 on dev, the mean of seeds that no table uses.
Prints a line for each rate, and for the checkpoint as it is. `python experiments/scripts/quick_scale.py`, or
with the name of another dataset, whose collection then stands in the place of MS MARCO's.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from harness.progress import Progress
from harness.records.run_folder import RunFolder
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.specs.run_settings import RunSettings
from harness.specs.varied import varied
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at

RATES = (1e-4, 3e-4, 1e-3, 3e-3)
SEEDS = (90, 91, 92)
"""Added to the first seed of the scale; tables and confirmations stay below."""
SPLIT, MEASURE = "dev", "RR(rel=2)@10"


def on_dev(folder: RunFolder) -> float:
    """Return the mean of the measure over the dev queries of a finished run."""
    scores = folder.per_query()
    chosen = scores[(scores["split"] == SPLIT) & (scores["measure"] == MEASURE)]
    return float(chosen["value"].mean())


def settings_at(resolved: Resolved, rate: float, seed: int) -> RunSettings:
    """Return the settings of the Uniform row at a rate."""
    return varied(resolved.run(resolved.loaded.row("Uniform Sampling"), seed), {"learning_rate": rate})


def on(resolved: Resolved, library: Library, dataset: str) -> Resolved:
    """Return a target of one dataset on another."""
    target = resolved.trained
    columns = [column.model_copy(update={"dataset": dataset}) for column in getattr(target, "columns", ())]
    moved = target.model_copy(update={"columns": columns})
    datasets = {dataset: library.dataset(dataset)}
    return replace(resolved, loaded=replace(resolved.loaded, target=moved, datasets=datasets))


def main(dataset: str = "ms-pas") -> None:
    """Print the grid, and the rate that the rule chooses."""
    stages, library = Stages(Store.default(), Progress()), Library.default()
    resolved = on(resolve_at(library, "trisampler/table-5", "quick", stages), library, dataset)
    torch.set_num_threads(resolved.scale.spec.threads)
    base = stages.run(resolved.run(resolved.loaded.row("Base"), 0), "the checkpoint as it is")
    print(f"{'the checkpoint as it is':30s} dev MRR@10 {on_dev(base.folder):.4f}")  # noqa: T201
    means = pd.Series(dtype=float)
    for rate in RATES:
        begin = time.monotonic()
        runs = [stages.run(settings_at(resolved, rate, seed), f"rate {rate:g}, {seed}") for seed in SEEDS]
        values = [on_dev(run.folder) for run in runs]
        means[rate] = np.mean(values)
        seeds = " ".join(f"{value:.4f}" for value in values)
        seconds = (time.monotonic() - begin) / len(SEEDS)
        print(f"rate {rate:<25g} dev MRR@10 {means[rate]:.4f} ({seeds})  {seconds:.0f} s a run")  # noqa: T201
    print(f"chosen: {means.idxmax():g}")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
