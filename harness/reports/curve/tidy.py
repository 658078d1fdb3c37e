"""Curves as data: one line for each row, step and seed, fractions and seconds, nothing rounded."""

from __future__ import annotations

import pandas as pd

from harness.reports.text import Cells, row_data


def render_curve_csv(cells: Cells) -> str:
    """Return CSV, one line for each row, step and seed."""
    column = cells["columns"][0]
    lines = [
        {
            **row_data(cells, row),
            "column": column["label"],
            "dataset": column["dataset"],
            "measure": column["measure"],
            "split": column["split"],
            "step": point["step"],
            "seed": seed,
            "value": value,
            "seconds": point["seconds_per_seed"][place] if point["seconds_per_seed"] else None,
            "mean": point["mean"],
            "low": point["low"],
            "high": point["high"],
            "level": cells["level"],
        }
        for row in cells["rows"]
        for point in row["points"]
        for place, (seed, value) in enumerate(zip(cells["seeds"], point["per_seed"], strict=True))
    ]
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))
