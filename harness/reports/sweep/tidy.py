"""The points of a sweep as data: one line for each point and column, fractions, nothing rounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from harness.reports.text import Cells

ABOUT = ("target", "scale", "collection", "simulation", "row", "kind", "recipe", "sampler", "parameter", "at")
"""What is the same in all lines of a point."""


def render_sweep_csv(cells: Cells) -> str:
    """Return CSV, one line for each point and column; an empty field is a figure that does not exist.

    Measures are fractions with the standard deviation over seeds, costs are seconds, the median.
    """
    kinds = {row["name"]: row["kind"] for row in cells["rows"]}
    lines: list[dict[str, Any]] = [
        {
            "target": cells["target"],
            "scale": cells["scale"],
            "collection": cells["collection"]["name"],
            "simulation": cells["simulation"],
            "row": point["row"],
            "kind": kinds[point["row"]],
            "recipe": point["recipe"],
            "sampler": point["sampler"],
            "parameter": cells["parameter"],
            "at": point["at"],
            "column": column["label"],
            "dataset": column["dataset"],
            "measure": column["measure"],
            "split": column["split"],
            **_figures(cell),
            "level": cells["level"],
        }
        for point in cells["points"]
        for column, cell in zip(cells["columns"], point["cells"], strict=True)
    ]
    lines += [
        {
            **{key: line[key] for key in ABOUT},
            "column": of["label"],
            "measure": f"seconds, {of['cost']}",
            "state": cell["state"],
            "published_printed": (cell["published"] or {}).get("printed"),
            "published": (cell["published"] or {}).get("value"),
            "reproduced": (cell["reproduced"] or {}).get("median"),
            "seeds": len((cell["reproduced"] or {}).get("per_run", ())),
        }
        for line, point in zip(lines[:: len(cells["columns"])], cells["points"], strict=True)
        for of, cell in zip(cells["costs"], point["costs"], strict=True)
    ]
    return str(pd.DataFrame(lines).to_csv(index=False, lineterminator="\n"))


def _figures(cell: Mapping[str, Any]) -> dict[str, Any]:
    published, made = cell["published"] or {}, cell["reproduced"] or {}
    ends = {
        f"{kind}_{end}": (made.get(kind) or {}).get(end)
        for kind in ("checkpoints", "method")
        for end in ("low", "high")
    }
    return {
        "state": cell["state"],
        "published_printed": published.get("printed"),
        "published": published.get("value"),
        "reproduced": made.get("mean"),
        "reproduced_sd": made.get("sd"),
        **ends,
        "seeds": len(made.get("per_seed", ())),
    }
