"""The table as data: one line for each row and column, fractions, nothing rounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.reports.text import Cells, row_data


def render_csv(cells: Cells) -> str:
    """Return CSV, one line for each row and column.

    Figures are fractions where `cells.json` has fractions, whatever unit the paper prints in; an empty
    field is a figure that does not exist.
    """
    lines = [
        {**_about(cells, row, column), **_figures(cell), **_difference(cell["difference"] or {})}
        for row in cells["rows"]
        for column, cell in zip(cells["columns"], row["cells"], strict=True)
    ]
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))


def _about(cells: Cells, row: Mapping[str, Any], column: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row_data(cells, row, column["dataset"]),
        "column": column["label"],
        "dataset": column["dataset"],
        "measure": column["measure"],
        "split": column["split"],
    }


def _figures(cell: Mapping[str, Any]) -> dict[str, Any]:
    published, reproduced = cell["published"] or {}, cell["reproduced"] or {}
    return {
        "state": cell["state"],
        "published_printed": published.get("printed"),
        "published": published.get("value"),
        "reproduced": reproduced.get("mean"),
        "reproduced_sd": reproduced.get("sd"),
        "seeds": len(reproduced.get("per_seed", ())),
    }


def _difference(block: Mapping[str, Any]) -> dict[str, Any]:
    published = block.get("published") or {}
    line = {"difference": block.get("value"), "difference_published": published.get("value")}
    prefixes = {"published": "difference_published", "checkpoints": "checkpoints", "method": "method"}
    for name, prefix in prefixes.items():
        part = block.get(name) or {}
        line |= {f"{prefix}_low": part.get("low"), f"{prefix}_high": part.get("high")}
    level = (block.get("checkpoints") or {}).get("level")
    return {**line, "level": level, "holm_p": block.get("holm_p")}
