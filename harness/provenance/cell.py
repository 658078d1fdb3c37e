"""Where a figure of a table comes from: paper, spec, settings, runs, measure, intervals, notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from harness.errors import UserError, nearest
from harness.provenance.mlflow_runs import mlflow_place
from harness.provenance.other_kinds import counted_text, seconds_text_of
from harness.provenance.settings_text import sampler_lines, scale_text
from harness.reports.comparison.content import ComparedRow, ComparisonCells
from harness.reports.content import Cells, Difference, Intervals, RunCells
from harness.reports.cost.cells import CostCells
from harness.reports.kinds import read_cells
from harness.reports.sweep.cells import SweepCells, SweptPoint
from harness.reports.text import Style, column_style, p_text, unit_text, verdict_text
from harness.specs.fingerprints import chain
from harness.specs.kinds.statistics import Counted
from harness.specs.library import Library
from harness.specs.resolve import Resolved, figures
from harness.specs.run_settings import EvaluatedRun, TrainedRun
from harness.specs.target import Column, Measured, Quoted, Row, with_runs
from harness.specs.target import Line as PrintedRow
from harness.storage.files import read_json
from harness.storage.store import Store

Fact = tuple[str, str]
"""Name and text; further texts under the same name have an empty name."""


@dataclass(frozen=True)
class Cell:
    """A cell of a target.

    Attributes:
        resolved: its target at a scale.
        row: its row in the resolved target.
        column: its column, as in cells.json.
        place: index of the column.
        cells: content of cells.json; none if the target was not reproduced.
        provenance: content of provenance.json; none if the target was not reproduced.
    """

    resolved: Resolved
    row: PrintedRow
    column: Mapping[str, Any]
    place: int
    cells: Cells | None
    provenance: Mapping[str, Any] | None

    @property
    def dataset(self) -> str:
        """Return the dataset that it is measured on; of seconds, that of the runs."""
        return str(self.column.get("dataset") or self.resolved.dataset)

    @property
    def trains(self) -> bool:
        """Return whether its row has runs of ours."""
        return bool(with_runs([self.row]))


def find_cell(resolved: Resolved, results: Path, row: str, column: str | None = None) -> Cell:
    """Return a cell of a target.

    Args:
        resolved: the target at a scale.
        results: root of the results, for example ``results`` or ``results/local``.
        row: name of the row, or of one reading of a row with readings.
        column: label or measure of the column; by default the primary one.

    Raises:
        UserError: no such row or column, several rows, or a target without cells.
    """
    printed_row = resolved.loaded.row(row)
    folder = results / resolved.scale.name / resolved.name
    there, runs = folder / "cells.json", folder / "provenance.json"
    cells = read_cells(there) if there.exists() else None
    provenance = read_json(runs) if runs.exists() else None
    made = cells.columns if isinstance(cells, RunCells) else resolved.columns
    columns = [column.model_dump() for column in made]
    others = [of.model_dump() for of in resolved.target.headings if not isinstance(of, Column | Quoted)]
    measured = isinstance(resolved.target, Measured)
    if not measured and not others:
        what, fix = (
            f"{resolved.name} prints no cells",
            f"read {folder / 'table.md'}, or its curves in table.csv",
        )
        raise UserError(what, fix=fix)
    columns = [*columns, *others] if measured else others
    first = resolved.primary.label if measured else columns[0]["label"]
    place = _position(resolved.name, columns, column or first)
    return Cell(resolved, printed_row, columns[place], place, cells, provenance)


def explain_cell(library: Library, store: Store, cell: Cell) -> list[Fact]:
    """Return all facts about a cell; run folders are looked up in the store, which may be empty."""
    resolved, label = cell.resolved, cell.column["label"]
    return [
        ("cell", f"{resolved.name}, row '{cell.row.name}', column '{label}', scale {resolved.scale.name}"),
        *_published(cell),
        ("spec", _spec_line(library, cell)),
        *_settings(cell),
        *_measure(cell),
        *_reproduced(cell),
        *_runs(store, cell),
        *(("note", f"{n['id']} ({n['severity']}): {n['text']}") for n in resolved.notes()),
    ]


def render_cell(lines: Sequence[Fact]) -> Table:
    """Return the lines for a terminal."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, text in lines:
        table.add_row(Text(name, style="bold"), Text(text))
    return table


def _position(target: str, columns: Sequence[Mapping[str, Any]], name: str) -> int:
    for key in ("label", "measure"):
        places = [place for place, column in enumerate(columns) if column.get(key) == name]
        if len({columns[place].get("dataset") for place in places}) > 1:
            labels = " or ".join(f"'{columns[place]['label']}'" for place in places)
            raise UserError(f"{target} has several columns of '{name}'", fix=f"name {labels}")
        if places:
            return places[0]
    known = [column["label"] for column in columns]
    raise UserError(f"{target} has no column '{name}'", fix=nearest(name, known))


def _published(cell: Cell) -> Iterator[Fact]:
    source = cell.resolved.target.citation
    figure = figures(cell.resolved.loaded, cell.row).get(cell.column["label"])
    unit = f" {unit_text(figure['unit'])}" if figure and figure["unit"] != "count" else ""
    title = cell.resolved.loaded.datasets[cell.dataset].title
    dataset = cell.row.name if isinstance(cell.row, Counted) else title
    text = f"{figure['printed']}{unit} on {dataset}: {source}" if figure else f"no figure in {source}"
    yield "published", text
    if cell.row.note:
        yield "", cell.row.note


def _spec_line(library: Library, cell: Cell) -> str:
    loaded = cell.resolved.loaded
    place = [row.name for row in loaded.written].index(cell.row.written)
    return library.target_yaml(loaded.path or loaded.name).where(("rows", place))


def _settings(cell: Cell) -> Iterator[Fact]:
    if isinstance(cell.row, Counted):
        yield "counted", counted_text(cell.cells, cell.place, cell.row) or _missing_text(cell)
        return
    if not isinstance(cell.row, Row) or not cell.trains:
        yield "settings", f"not trained here: the row is {cell.row.kind}"
        return
    settings = cell.resolved.run(cell.row, 0, cell.dataset)
    if isinstance(settings, EvaluatedRun):
        yield "checkpoint", f"{settings.checkpoint.start}, evaluated; nothing is trained"
        return
    if not isinstance(settings, TrainedRun):
        yield "settings", "BM25; nothing is trained"
        return
    phases, name = cell.resolved.loaded.chain(cell.row), cell.resolved.loaded.last_phase(cell.row)
    start = phases[name].start
    yield "recipe", settings.recipe + (f", from {start}" if start else "")
    yield from sampler_lines(settings.sampler)
    yield "scale", scale_text(cell.resolved.scale.name, settings)


def _missing_text(cell: Cell) -> str:
    return f"not reproduced at this scale; run `harness reproduce {cell.resolved.call}`"


def _measure(cell: Cell) -> Iterator[Fact]:
    if "measure" not in cell.column:
        return
    measure, split = cell.column["measure"], cell.column["split"]
    text = f"{measure} on the {split} queries"
    if isinstance(cell.cells, RunCells):
        collection, provider = cell.cells.collection_of(cell.dataset), cell.cells.provider[measure]
        text += f" of {collection.name} ({collection.queries[split]:,}), by {provider}"
    yield "measure", text


def _reproduced(cell: Cell) -> Iterator[Fact]:
    if isinstance(cell.row, Counted):
        return
    if cell.cells is None:
        yield "reproduced", _missing_text(cell)
        return
    if isinstance(cell.cells, CostCells | SweepCells) and "cost" in cell.column:
        yield "reproduced", seconds_text_of(cell.row.name, cell.column["label"], cell.cells)
        return
    if not isinstance(cell.cells, ComparisonCells | SweepCells):
        yield "reproduced", f"a {cell.cells.kind} target prints no cells; see its table.md"
        return
    rows: Sequence[ComparedRow | SweptPoint] = (
        cell.cells.points if isinstance(cell.cells, SweepCells) else cell.cells.rows
    )
    row = next((row for row in rows if row.name == cell.row.name), None)
    reproduced = row.cells[cell.place].reproduced if row else None
    if row is None or reproduced is None:
        reason = row.reason if isinstance(row, ComparedRow) else None
        yield "reproduced", f"failed: {reason}" if reason else "not reproduced"
        return
    style = column_style(cell.cells.unit, rows, cell.place)
    spread = "" if reproduced.sd is None else f" ± {style.number(reproduced.sd)} (sd over seeds)"
    unit, worth = unit_text(cell.cells.unit), verdict_text(cell.cells.verdict)
    seeds = ", ".join(style.number(value) for value in reproduced.per_seed)
    yield "reproduced", f"{style.number(reproduced.mean)}{spread} {unit}; by seed {seeds}; {worth}"
    yield from _intervals(style, reproduced, signed=False)
    if isinstance(cell.cells, ComparisonCells) and isinstance(row, ComparedRow):
        yield from _differences(cell.cells, row, cell.place, style)


def _differences(cells: ComparisonCells, row: ComparedRow, place: int, style: Style) -> Iterator[Fact]:
    """Yield the difference of a row from the baseline, and those of the pairs that it stands in."""
    block = cells.difference(row, place)
    if block is not None:
        yield from _difference(f"to {cells.minus(row)}", style, block)
    for pair in cells.pairs:
        of_pair, (one, other) = pair.cells[place], pair.rows
        if row.name in pair.rows and of_pair is not None:
            yield from _difference(f"{one} minus {other}", style, of_pair)


def _difference(name: str, style: Style, block: Difference) -> Iterator[Fact]:
    paper = f"; published {style.number(block.published.value, signed=True)}" if block.published else ""
    p_value = f"; p {p_text(block.holm_p)} (Holm)" if block.holm_p is not None else ""
    yield name, f"{style.number(block.value, signed=True)}{paper}{p_value}"
    yield from _intervals(style, block, signed=True)


def _intervals(style: Style, block: Intervals, *, signed: bool) -> Iterator[Fact]:
    for interval, name in ((block.checkpoints, "over queries"), (block.method, "over queries and seeds")):
        if interval is None:
            yield "", f"{name}: needs several seeds"
            continue
        yield "", f"{100 * interval.level:g} % CI {name}: {style.interval(interval, signed=signed)}"


def _runs(store: Store, cell: Cell) -> Iterator[Fact]:
    if cell.cells is None or cell.provenance is None:
        return
    runs = [
        run
        for run in cell.provenance["runs"]
        if run["row"] == cell.row.name and run.get("dataset", cell.dataset) == cell.dataset
    ]
    for run in runs:
        fingerprint, folder = run["fingerprint"], store.run(run["fingerprint"])
        yield f"seed {run['seed']}", str(folder) if folder.is_dir() else f"{fingerprint} (not in this store)"
        content = cell.cells.collection_of(cell.dataset).fingerprint
        changed = _changed(cell, run["seed"], fingerprint, content)
        if changed:
            yield "", changed
        ranking = folder / "rankings" / f"{cell.column.get('split')}.trec.gz"
        if ranking.exists():
            yield "", f"ranking {ranking}"
        mirrored = mlflow_place(store.tracking_uri, fingerprint)
        if mirrored:
            yield "", f"MLflow {mirrored}"
    for number in sorted({run["environment"] for run in runs}):
        yield "trained with", _environment(cell.provenance["environments"][number])


def _changed(cell: Cell, seed: int, fingerprint: str, collection: str) -> str:
    """Return a note if a run of the results is not what the spec asks for now; empty otherwise."""
    if not isinstance(cell.row, Row):
        return ""
    now = chain(cell.resolved.run(cell.row, seed, cell.dataset), collection).last
    if now == fingerprint:
        return ""
    return f"the spec now asks for {now}: settings or versions of stages have changed"


def _environment(environment: Mapping[str, Any]) -> str:
    hardware, versions = environment["hardware"], environment["packages"]
    gpus = ", ".join(gpu["name"] for gpu in hardware["gpus"]) or "no GPU"
    dirty = " with changes" if environment["dirty"] else ""
    commit = f"commit {environment['commit'][:10]}{dirty}" if environment["commit"] else "no commit known"
    return (
        f"{commit}; torch {versions.get('torch', '?')}; {hardware['cpu']}, {hardware['cores']} cores, {gpus}"
    )
