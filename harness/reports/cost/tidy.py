"""Costs as data: one line for each row and column, in seconds, nothing rounded."""

from __future__ import annotations

import pandas as pd

from harness.reports.text import Cells, row_data


def render_cost_csv(cells: Cells) -> str:
    """Return CSV, one line for each row and column; all figures in seconds, an empty field is none."""
    lines = []
    for row in cells["rows"]:
        for of, cell in zip(cells["costs"], row["cells"], strict=True):
            published, made = cell["published"] or {}, cell["reproduced"] or {}
            lines.append(
                {
                    **row_data(cells, row),
                    "column": of["label"],
                    "cost": of["cost"],
                    "state": cell["state"],
                    "published_printed": published.get("printed"),
                    "published": published.get("value"),
                    "reproduced": made.get("median"),
                    "low": made.get("low"),
                    "high": made.get("high"),
                    "runs": len(made.get("per_run", ())),
                    "ratio": cell["ratio"],
                    "published_ratio": cell["published_ratio"],
                }
            )
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))
