"""What `harness list` and `harness show` say, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from harness.errors import UserError
from harness.specs.kinds.registry import KINDS
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.reading import AT
from harness.specs.resolve import figures
from harness.specs.target import Line, Row, Target, Trained, with_runs

CELLS = "cells.json"


def list_targets(library: Library, results: Path) -> list[dict[str, Any]]:
    """Return all targets, then what cannot be reproduced.

    Their status tells at which scales results exist, that the spec is broken, or why it cannot be reproduced.
    """
    targets = []
    for name in library.targets():
        try:
            target = library.target(name).target
        except UserError as error:
            broken = {"target": name, "title": str(error), "kind": "broken", "scales": [], "status": "broken"}
            targets.append(broken)
            continue
        made = [scale for scale in target.scales if (results / scale / name / CELLS).exists()]
        read = _made_readings(results, name, target.scales)
        targets.append(
            {
                "target": name,
                "title": target.title,
                "kind": target.kind,
                "scales": target.scales,
                "status": "; ".join([f"made at {', '.join(made)}" if made else "not made yet", *read]),
            }
        )
    drawings = [
        {
            "target": name,
            "title": drawing.title,
            "kind": "drawing",
            "scales": [],
            "status": f"not reproducible: {drawing.reason}",
        }
        for name, drawing in library.drawings().items()
    ]
    return [*targets, *drawings]


def _made_readings(results: Path, name: str, scales: Sequence[str]) -> list[str]:
    """Return at which scales a target is made in its readings, in words, a text for each."""
    made: dict[str, list[str]] = {}
    for scale in scales:
        for file in sorted((results / scale).glob(f"{name}{AT}*/{CELLS}")):
            made.setdefault(file.parent.name.partition(AT)[2], []).append(scale)
    return [f"{reading} at {', '.join(at)}" for reading, at in made.items()]


def show_target(loaded: LoadedTarget) -> dict[str, Any]:
    """Return a target as `harness show --json` prints it."""
    target = loaded.target
    notes = {note.id: note for note in loaded.paper.notes}
    return {
        "target": loaded.name,
        "paper": loaded.name.split("/", maxsplit=1)[0],
        "title": target.title,
        "kind": target.kind,
        "columns": [heading.model_dump() for heading in target.headings],
        "rows": [
            {
                "name": row.name,
                "kind": row.kind,
                **_made_by(target, row),
                "published": list(figures(loaded, row).values()),
            }
            for row in (loaded.written if KINDS[target.kind].counted else target.rows)
        ],
        "notes": [notes[name].model_dump() for name in target.notes],
    }


def _as_published(loaded: LoadedTarget) -> list[str]:
    """Return what is another than in the rows at a scale that trains as published, in words."""
    if not isinstance(loaded.target, Trained):
        return []
    recipe = loaded.target.shared.published_recipe
    samplers = {
        f"{row.written} on {loaded.datasets[name].title}: {choice.text}": None
        for row in with_runs(loaded.target.rows)
        for name, choice in row.published_sampler.items()
    }
    return [*([f"recipe {recipe}"] if recipe else []), *samplers]


def _made_by(target: Target, row: Line) -> dict[str, str | None]:
    """Return recipe and sampler of a row, none where nothing is trained."""
    sampler = row.sampler if isinstance(row, Row) else None
    if sampler is None or not isinstance(row, Row) or not isinstance(target, Trained):
        return {"recipe": None, "sampler": None}
    return {"recipe": row.recipe or target.shared.recipe, "sampler": sampler.preset}


def render_list(targets: list[dict[str, Any]]) -> Table:
    """Return the list as a table for a terminal."""
    table = Table("target", "title", "status", "further scales", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for line in targets:
        made = line["status"].partition("; ")[0].removeprefix("made at ").split(", ")
        further = [scale for scale in line["scales"] if scale not in made]
        table.add_row(line["target"], line["title"], line["status"], ", ".join(further))
    return table


def render_show(loaded: LoadedTarget) -> Table:
    """Return a target as a table for a terminal: its rows and published figures, its notes below."""
    shown, several = show_target(loaded), KINDS[loaded.target.kind].counted
    columns = [loaded.label(heading) for heading in loaded.target.headings]
    headers = ["row", "kind", "sampler", *([several] if several else []), *columns]
    table = Table(*headers, title=f"{shown['target']}: {shown['title']}", box=None, pad_edge=False)
    for row in shown["rows"]:
        count = [str(len(loaded.rows(row["name"])))] if several else []
        printed = [cell["printed"] if cell else "" for cell in row["published"]]
        table.add_row(row["name"], row["kind"], row["sampler"] or "", *count, *printed)
    published = _as_published(loaded)
    lines = [f"As published: {'; '.join(published)}."] if published else []
    lines += [f"{note['id']} ({note['severity']}): {note['text']}" for note in shown["notes"]]
    table.caption = "\n".join(lines)
    table.caption_justify = "left"
    return table
