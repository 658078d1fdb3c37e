"""The table as data: one line for each row and column, fractions, nothing rounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from harness.reports.text import Cells, row_data


def render_csv(cells: Cells) -> str:
    """Return CSV, one line for each row and column, then one for each pair and column.

    Figures are fractions where `cells.json` has fractions, whatever unit the paper prints in; an empty
    field is a figure that does not exist. Where there are pairs, `compared_with` says of what a difference
    is, the baseline or the other row of a pair.
    """
    lines = [
        {**_about(cells, row, column), **_figures(cell), **_difference(cell["difference"] or {})}
        for row in cells["rows"]
        for column, cell in zip(cells["columns"], row["cells"], strict=True)
    ]
    if "pairs" in cells:
        lines = [{**line, "compared_with": _baseline_of(cells, line)} for line in lines]
        lines += _pairs(cells)
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))


def _baseline_of(cells: Cells, line: Mapping[str, Any]) -> str | None:
    return None if line["difference"] is None else str(cells["baseline"])


def _pairs(cells: Cells) -> Iterator[dict[str, Any]]:
    """Yield the differences of pairs; their rows' own figures stand in the lines of the rows."""
    rows = {row["name"]: row for row in cells["rows"]}
    for pair in cells["pairs"]:
        one, other = pair["rows"]
        for column, block in zip(cells["columns"], pair["cells"], strict=True):
            made = block is not None and block["value"] is not None
            none = {"state": "ok" if made else "missing", "published": None, "reproduced": None}
            about = {**_about(cells, rows[one], column), **_figures(none)}
            yield {**about, **_difference(block or {}), "compared_with": other}


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
