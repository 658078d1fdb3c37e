"""The files of an analysis, below `results/<scale>/analysis/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.analyse import AnalysisResult
from harness.analysis.options import usual_options
from harness.records.environment import describe_environment
from harness.reports.cells import describe_collection
from harness.reports.document import Document, Figure, NoteItem, Notes, Table, TableColumn, fields, filled
from harness.reports.formats import write_formats
from harness.reports.renderers.csv import render_frame
from harness.reports.text import NOTHING
from harness.storage.files import write_json, write_text

PROVENANCE = "provenance.json"


def write_analysis(result: AnalysisResult, results: Path) -> list[Path]:
    """Write frames, figures, table and provenance below a root of results; return the files."""
    of_target = results / result.resolved.scale.name / "analysis" / result.resolved.name
    folder = of_target / (result.request.dataset or "") / result.analysis.name
    provenance = _provenance(result)  # before there are files that git reports as untracked
    written = []
    for name, frame in result.frames.items():
        written.append(folder / f"{name}.csv")
        write_text(written[-1], render_frame(frame, float_format="%.6g"))
    for name, draw in result.analysis.draw.items():
        if name in result.frames:
            svg, png = folder / f"{name}.svg", folder / f"{name}.png"
            draw(result.frames[name], svg, png, title=_title(result))
            written += [svg, png]
    written += write_formats(analysis_document(result), folder)
    write_json(folder / PROVENANCE, provenance)
    return [*written, folder / PROVENANCE]


def analysis_document(result: AnalysisResult) -> Document:
    """Return the report of an analysis."""
    analysis, request = result.analysis, result.request
    figures = [
        Figure(name, f"{analysis.title}; the values are in {name}.csv")
        for name in analysis.draw
        if name in result.frames
    ]
    frames = [
        NoteItem(f"{len(frame):,} lines: {', '.join(map(str, frame.columns))}.", f"{name}.csv")
        for name, frame in result.frames.items()
    ]
    runs = [NoteItem(f"run {run.run.fingerprint}.", run.name) for run in result.runs]
    return Document(
        title=f"{analysis.title}: {result.resolved.name}",
        introduction=(_data_text(result), f"Made by `{request.command}`."),
        blocks=filled(
            _table(analysis.sum_up(result.frames)),
            *(_table(table, title) for title, table in analysis.extra_tables(result.frames).items()),
            *figures,
            Notes("Frames", tuple(frames)),
            Notes("Runs", tuple(runs)),
        ),
        made_on=_data_text(result),
        last=_data_text(result),
    )


def _title(result: AnalysisResult) -> str:
    return f"{result.analysis.title}: {result.resolved.name}\n{_data_text(result)}"


def _data_text(result: AnalysisResult) -> str:
    """Return collection, scale and seed as text."""
    collection = result.runs[0].collection
    simulation = "Simulation. " if collection.simulation else ""
    return (
        f"{simulation}Runs on {collection.name} at {result.request.scale} scale, seed {result.request.seed}."
    )


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
    return f"{int(value):,}" if float(value).is_integer() and abs(value) >= 1000 else f"{value:z.4g}"


def _provenance(result: AnalysisResult) -> dict[str, Any]:
    """Return the content of provenance.json."""
    return {
        "analysis": result.analysis.name,
        "command": result.request.command,
        "target": result.resolved.name,
        "scale": result.request.scale,
        "seed": result.request.seed,
        "options": {**usual_options(result.analysis.make), **result.options},
        "collection": describe_collection(result.runs[0].collection),
        "runs": _runs(result),
        "environment": describe_environment(),
    }


def _runs(result: AnalysisResult) -> Sequence[dict[str, Any]]:
    return [
        {"row": run.name, "fingerprint": run.run.fingerprint, "weights": run.run.result().get("weights")}
        for run in result.runs
    ]
