"""The files of an analysis, below `results/<scale>/analysis/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.analyse import Analysed
from harness.records.environment import describe_environment
from harness.reports.cells import describe_collection
from harness.reports.document import Document, Figure, NoteItem, Notes, Table, TableColumn, fields, filled
from harness.reports.renderers.markdown import render_markdown
from harness.reports.text import NOTHING
from harness.storage.files import write_json, write_text

TABLE, PROVENANCE = "table.md", "provenance.json"


def write_analysis(found: Analysed, results: Path) -> list[Path]:
    """Write frames, figures, table and provenance; returns the files.

    Args:
        found: what was seen.
        results: root of the results.
    """
    folder = results / found.resolved.scale.name / "analysis" / found.resolved.name / found.analysis.name
    provenance = _provenance(found)  # before there are files that git does not know
    written = []
    for name, frame in found.frames.items():
        written.append(folder / f"{name}.csv")
        write_text(written[-1], frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    for name, draw in found.analysis.draw.items():
        if name in found.frames:
            svg, png = folder / f"{name}.svg", folder / f"{name}.png"
            draw(found.frames[name], svg, png, title=_title(found))
            written += [svg, png]
    write_text(folder / TABLE, render_markdown(analysis_document(found)))
    write_json(folder / PROVENANCE, provenance)
    return [*written, folder / TABLE, folder / PROVENANCE]


def analysis_document(found: Analysed) -> Document:
    """Return what the analysis says."""
    analysis, asked = found.analysis, found.asked
    figures = [
        Figure(name, f"{analysis.title}; the values are in {name}.csv")
        for name in analysis.draw
        if name in found.frames
    ]
    frames = [
        NoteItem(f"{len(frame):,} lines: {', '.join(map(str, frame.columns))}.", f"{name}.csv")
        for name, frame in found.frames.items()
    ]
    runs = [NoteItem(f"run {run.run.fingerprint}.", run.name) for run in found.runs]
    return Document(
        title=f"{analysis.title}: {found.resolved.name}",
        introduction=(_made_on(found), f"Made by `{asked.command}`."),
        blocks=filled(
            _table(analysis.sum_up(found.frames)),
            *(_table(table, title) for title, table in analysis.told(found.frames).items()),
            *figures,
            Notes("Frames", tuple(frames)),
            Notes("Runs", tuple(runs)),
        ),
        made_on=_made_on(found),
        last=_made_on(found),
    )


def _title(found: Analysed) -> str:
    return f"{found.analysis.title}: {found.resolved.name}\n{_made_on(found)}"


def _made_on(found: Analysed) -> str:
    """Return in words what was looked at."""
    collection = found.runs[0].collection
    simulation = "Simulation. " if collection.simulation else ""
    return f"{simulation}Runs on {collection.name} at {found.asked.scale} scale, seed {found.asked.seed}."


def _table(frame: pd.DataFrame, title: str = "") -> Table:
    first, *others = map(str, frame.columns)
    columns = (
        TableColumn(first, names=True, brief=first),
        *(TableColumn(name.replace("_", " "), brief=name.replace("_", " ")) for name in others),
    )
    rows = tuple(
        fields([str(line[0]), *(_text(value) for value in line[1:])]) for line in frame.to_numpy().tolist()
    )
    return Table(title, columns, rows)


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return NOTHING
    return f"{int(value):,}" if float(value).is_integer() and abs(value) >= 1000 else f"{value:.4g}"


def _provenance(found: Analysed) -> dict[str, Any]:
    """Return where the figures come from."""
    return {
        "analysis": found.analysis.name,
        "command": found.asked.command,
        "target": found.resolved.name,
        "scale": found.asked.scale,
        "seed": found.asked.seed,
        "options": dict(found.options),
        "collection": describe_collection(found.runs[0].collection),
        "runs": _runs(found),
        "environment": describe_environment(),
    }


def _runs(found: Analysed) -> Sequence[dict[str, Any]]:
    return [
        {"row": run.name, "fingerprint": run.run.fingerprint, "weights": run.run.result().get("weights")}
        for run in found.runs
    ]
