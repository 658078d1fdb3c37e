"""The pairs of a calibration as data: one line for each pair and kind of interval, nothing rounded."""

from __future__ import annotations

import pandas as pd

from harness.evaluation.calibration import covers
from harness.reports.calibration.intervals import interval_of, kinds
from harness.reports.text import Cells


def render_calibration_csv(cells: Cells) -> str:
    """Return CSV, one line for each pair and kind of interval."""
    column = cells["columns"][0]
    lines = []
    for pair in cells["pairs"]:
        for kind in kinds(cells):
            interval = interval_of(pair, kind)
            lines.append(
                {
                    "target": cells["target"],
                    "scale": cells["scale"],
                    "collection": cells["collection"]["name"],
                    "simulation": cells["simulation"],
                    "row": cells["row"]["name"],
                    "column": column["label"],
                    "dataset": column["dataset"],
                    "measure": column["measure"],
                    "split": column["split"],
                    "pair": pair["pair"],
                    "interval": "checkpoints" if kind == "first_seed" else kind,
                    "seeds": 1 if kind == "first_seed" else len(cells["seeds"]),
                    "difference": interval["value"],
                    "low": interval["low"],
                    "high": interval["high"],
                    "level": interval["level"],
                    "covers_0": covers(interval),
                }
            )
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))
