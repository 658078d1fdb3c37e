"""How the settings of the quick scale were chosen: on dev alone, with the Uniform row alone.

Prints a dev figure for each encoder of a small grid after base run, and for each rate of continued training
with uniform sampling. Ten minutes on two cores: `python experiments/scripts/quick_scale.py`.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from harness.progress import Progress
from harness.records.run_folder import RunFolder
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.run_settings import RunSettings, TrainedRun
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at

ENCODERS = (
    {"layers": 1, "hidden": 128, "heads": 2},
    {"layers": 0, "hidden": 256, "heads": 4},
    {"layers": 0, "hidden": 384, "heads": 4},
)
RATES = (3e-5, 1e-4, 3e-4)
SPLIT, MEASURE = "dev", "RR(rel=2)@10"


def dev(folder: RunFolder) -> str:
    """Return the dev figures of a finished run."""
    scores = pd.read_parquet(folder.folder / "per_query.parquet")
    mean = scores[scores["split"] == SPLIT].groupby("measure")["value"].mean()
    return f"dev {MEASURE} {mean[MEASURE]:.4f}  R@50 {mean['R(rel=2)@50']:.4f}"


def timed(stages: Stages, settings: RunSettings, title: str) -> None:
    """Make a run and print its dev figures and seconds."""
    begin = time.monotonic()
    folder = stages.run(settings, title).folder
    print(f"{title:60s} {dev(folder)}  {time.monotonic() - begin:.0f} s", flush=True)  # noqa: T201


def main() -> None:
    """Print the grid."""
    store = Store(Path(tempfile.gettempdir()) / "harness-tuning")
    stages = Stages(store, Progress(quiet=True))
    resolved = resolve_at(Library.default(), "trisampler/table-5", "quick", stages)
    torch.set_num_threads(resolved.scale.spec.threads)
    rows = {row.name: row for row in resolved.target.rows}
    timed(stages, resolved.run(rows["BM25"], 0), "BM25")
    for choice in ENCODERS:
        scale = resolved.scale.spec
        encoder = scale.encoder.model_copy(update=choice)
        changed = replace(resolved.scale, spec=scale.model_copy(update={"encoder": encoder}))
        timed(stages, replace(resolved, scale=changed).run(rows["Base"], 0), f"base run {choice}")
    for rate in RATES:
        settings = resolved.run(rows["Uniform Sampling"], 0)
        if not isinstance(settings, TrainedRun):
            raise SystemExit("the Uniform row is not trained")
        phase = settings.phase.model_copy(update={"learning_rate": rate})
        timed(stages, settings.model_copy(update={"phase": phase}), f"Uniform, learning rate {rate:g}")


if __name__ == "__main__":
    main()
