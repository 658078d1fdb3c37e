"""Statistics as data: one line for each row and count."""

from __future__ import annotations

import pandas as pd

from harness.reports.text import Cells


def render_statistics_csv(cells: Cells) -> str:
    """Return CSV, one line for each row and count; an empty field is a count that does not exist."""
    lines = [
        {
            "target": cells["target"],
            "scale": cells["scale"],
            "row": row["name"],
            "kind": row["kind"],
            "dataset": row["dataset"],
            "collection": cells["collections"].get(row["dataset"], {}).get("name"),
            "column": column["label"],
            "count": column["count"],
            "state": cell["state"],
            "published": int(cell["published"]["printed"]) if cell["published"] else None,
            "counted": cell["counted"],
        }
        for row in cells["rows"]
        for column, cell in zip(cells["columns"], row["cells"], strict=True)
    ]
    frame = pd.DataFrame(lines).astype({"published": "Int64", "counted": "Int64"})
    return str(frame.to_csv(index=False, lineterminator="\n"))
