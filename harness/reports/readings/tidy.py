"""The pairs of a specification curve as data: one line a pair, fractions, nothing rounded."""

from __future__ import annotations

import pandas as pd

from harness.reports.readings.pairs import chosen
from harness.reports.text import Cells


def render_readings_csv(cells: Cells) -> str:
    """Return CSV, one line for each pair of readings; paths that a pair does not have are empty."""
    means = {of["name"]: of["mean"] for of in cells["readings"]}
    column = cells["columns"][0]
    lines = [
        {
            "target": cells["target"],
            "scale": cells["scale"],
            "collection": cells["collection"]["name"],
            "simulation": cells["simulation"],
            "column": column["label"],
            "dataset": column["dataset"],
            "measure": column["measure"],
            "split": column["split"],
            "focus": cells["focus"],
            "row": pair["row"],
            "reading": pair["reading"],
            "other": pair["other"],
            **{path: chosen(cells, pair).get(path) for path in cells["paths"]},
            "reproduced": means[pair["reading"]],
            "reproduced_other": means[pair["other"]],
            "difference": pair["value"],
            **{
                f"{kind}_{end}": (pair[kind] or {}).get(end)
                for kind in ("checkpoints", "method")
                for end in ("low", "high")
            },
            "level": cells["level"],
            "seeds": len(cells["seeds"]),
        }
        for pair in cells["pairs"]
    ]
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))
