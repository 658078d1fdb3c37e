"""Formatting of the numbers of `cells.json`: fractions become the paper's unit and decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from harness.reports.content import (
    Cell,
    Cells,
    Content,
    Interval,
    MadeRow,
    MeasuredCell,
    NamedRow,
    printed_figures,
)
from harness.reports.document import Field, State

NOTHING = "–"
"""Placeholder for a figure that is not expected."""

NOT_RUN = "not run"
"""Placeholder for a figure that is missing."""

NO_QUERY = "no query differs"
"""In the place of an interval of a difference where all scores of two rows are the same."""

INTERVALS = {"checkpoints": "over queries", "method": "over queries and seeds"}
"""Kind of interval -> what it generalises over, as printed."""

VERDICTS = {"not": "not reproduced", "partly": "partly reproduced"}
"""Verdict in `cells.json` -> the printed one, where it differs."""


class Bounded(Protocol):
    """Has two ends."""

    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True)
class Style:
    """Number format of a column.

    Attributes:
        factor: factor from the stored to the printed unit: 100 for percent, else 1.
        decimals: number of decimals, as in the paper.
    """

    factor: float
    decimals: int

    def number(self, value: float | None, *, signed: bool = False) -> str:
        """Return the number as text; one that rounds to 0 has no sign."""
        return NOTHING if value is None else decimal_text(value * self.factor, self.decimals, signed=signed)

    def interval(self, block: Bounded | None, *, signed: bool = True) -> str:
        """Return the text ``[low, high]`` of a share, or with signs of a difference of two shares.

        What lies beyond the values that it can take is cut off.
        """
        if isinstance(block, Interval) and block.same:
            return NO_QUERY
        return NOTHING if block is None else self._ends(block.low, block.high, signed=signed)

    def interval_of(self, block: Mapping[str, Any] | None, *, signed: bool = True) -> str:
        """Return the text of an interval that is no part of cells, ``{"low", "high"}``; see `interval`."""
        if block is not None and block.get("same"):
            return NO_QUERY
        return NOTHING if block is None else self._ends(block["low"], block["high"], signed=signed)

    def _ends(self, low: float | None, high: float | None, *, signed: bool) -> str:
        low, high = (cut(end, signed=signed) for end in (low, high))
        return f"[{self.number(low, signed=signed)}, {self.number(high, signed=signed)}]"


def cut(end: float | None, *, signed: bool) -> float | None:
    """Return an end of an interval of a share, from 0 to 1; or of a difference of two, from -1 to 1.

    All measures are shares of 1, and what lies beyond is no value of theirs.
    """
    return None if end is None else max(-1.0 if signed else 0.0, min(end, 1.0))


def decimal_text(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return a number with its decimals, a signed one with its plus; what rounds to 0 has no sign.

    Every printed number that may be negative goes through it.
    """
    text = f"{value:z.{decimals}f}"
    return f"+{text}" if signed and float(text) > 0 else text


def column_style(unit: str, rows: Sequence[Any], position: int) -> Style:
    """Return a column's style, with the decimals of its published figures, else of the table's.

    Args:
        unit: of the table.
        rows: that have cells.
        position: of the column.
    """
    printed = printed_figures(rows, position) or printed_figures(rows)
    decimals = max((len(figure.printed.partition(".")[2]) for figure in printed), default=None)
    return unit_style(unit, decimals)


def unit_style(unit: str, decimals: int | None = None) -> Style:
    """Return the style for a unit; by default with one decimal for percent, else three."""
    percent = unit == "percent"
    return Style(100.0 if percent else 1.0, (1 if percent else 3) if decimals is None else decimals)


def published_text(cell: Cell) -> str:
    """Return the figure as the paper prints it."""
    return cell.published.printed if cell.published else NOTHING


def reproduced_field(cell: MeasuredCell, style: Style, mark: str = "") -> Field:
    """Return the mean, with the standard deviation over several seeds, or the state of a missing figure.

    Args:
        cell: a cell of `cells.json`.
        style: number format of the cell's column.
        mark: significance mark to append to a figure.
    """
    block = cell.reproduced
    if cell.state != "ok" or block is None:
        return missing_field(cell.state)
    spread = "" if block.sd is None else f" ± {style.number(block.sd)}"
    return Field(style.number(block.mean) + spread, mark)


def missing_field(state: str) -> Field:
    """Return the state of a figure that is missing."""
    if state in ("published-only", "not-due"):
        return Field(NOTHING)
    states: dict[str, State] = {"failed": "failed", "unavailable": "unavailable"}
    if state in states:
        return Field(state, state=states[state])
    return Field(NOT_RUN, state="missing")


def p_text(p_value: float | None) -> str:
    """Return a p-value with three decimals, or "< 0.001"."""
    if p_value is None:
        return NOTHING
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


MANY_FILLED = 0.2
"""Share of negatives above which a row is named with it: its sampler is hardly the one that it is called."""


def row_text(cells: Cells, row: NamedRow) -> str:
    """Return a row's name, with its kind unless it is trained or published, and with many fillings."""
    marks = [] if row.kind in ("trained", "published") else [row.kind]
    if isinstance(row, MadeRow) and row.filled is not None and row.filled > MANY_FILLED:
        marks.append(f"{share_text(row.filled, 0)} filled")
    if cells.is_baseline(row.name):
        marks.append("baseline")
    return f"{row.name} ({', '.join(marks)})" if marks else row.name


def row_field(cells: Cells, row: NamedRow, mark: str = "") -> Field:
    """Return a row's name as `row_text` does, which leads to its runs."""
    return Field(row_text(cells, row), mark, runs=row.name)


def recorded_field(cells: Cells, row: NamedRow, title: str) -> Field:
    """Return a row's name, with the title of a dataset where there are several."""
    name = row_field(cells, row)
    return replace(name, text=f"{name.text}, {title}") if title else name


def row_data(cells: Cells, row: MadeRow, dataset: str = "") -> dict[str, Any]:
    """Return the first fields of a row's lines where tables are data: where it stands, and what it is."""
    return {
        "target": cells.target,
        "scale": cells.scale,
        "collection": cells.collection_of(dataset).name,
        "simulation": cells.simulation,
        "row": row.name,
        "kind": row.kind,
        "recipe": row.recipe,
        "sampler": row.sampler,
    }


def collection_text(cells: Cells, dataset: str | None = None) -> str:
    """Return the names of the collections, or of a dataset's own, labelled where one is a simulation."""
    collections = [cells.collection_of(dataset)] if dataset else cells.named_collections
    names = ", ".join(dict.fromkeys(collection.name for collection in collections))
    return f"{names}{' (simulation)' if cells.simulation else ''}"


def count_text(number: int) -> str:
    """Return a count with thousands separators."""
    return f"{number:,}"


def part_text(part: int, whole: int) -> str:
    """Return a count with its denominator and share: ``41 of 72 (57 %)``."""
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else f"{part} of {whole}"


def list_text(values: Sequence[Any]) -> str:
    """Return ``a, b and c``."""
    texts = [str(value) for value in values]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def unit_text(unit: str) -> str:
    """Return the unit of figures, for captions and axes."""
    return {"percent": "%"}.get(unit, unit)


def points_text(unit: str) -> str:
    """Return the unit of differences."""
    return "points" if unit == "percent" else unit_text(unit)


def verdict_text(word: str) -> str:
    """Return a verdict as printed."""
    return VERDICTS.get(word, word)


def title_text(cells: Cells) -> str:
    """Return the title of a figure, with scale and verdict; it names a simulation first."""
    simulation = "Simulation. " if cells.simulation else ""
    worth = f"{cells.scale} scale, {verdict_text(cells.verdict)}"
    return f"{simulation}{cells.target}: {cells.title}\n{worth}"


def share_text(share: float | None, decimals: int) -> str:
    """Return a share in percent."""
    return NOTHING if share is None else f"{100 * share:.{decimals}f} %"


def value_of(part: Content | None, name: str) -> Any:
    """Return a value of a part for a line of data; none where there is no such part."""
    return getattr(part, name, None)
