"""Formatting of the numbers of `cells.json`: fractions become the paper's unit and decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.reports.document import Field

Cells = dict[str, Any]
"""Content of `cells.json`, or a part of it."""

NOTHING = "–"
"""Placeholder for a figure that is not expected."""

NOT_RUN = "not run"
"""Placeholder for a figure that is missing."""

INTERVALS = {"checkpoints": "over queries", "method": "over queries and seeds"}
"""Kind of interval -> what it generalises over, as printed."""

VERDICTS = {"not": "not reproduced", "partly": "partly reproduced"}
"""Verdict in `cells.json` -> the printed one, where it differs."""


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
        """Return the number as text; a signed one keeps its sign when it rounds to 0."""
        if value is None:
            return NOTHING
        size = f"{abs(value) * self.factor:.{self.decimals}f}"
        sign = "-" if value < 0 else "+" if value > 0 and signed else ""
        return sign + size

    def interval(self, block: Mapping[str, Any] | None, *, signed: bool = True) -> str:
        """Return the text ``[low, high]``, with signs for a difference."""
        if block is None:
            return NOTHING
        return f"[{self.number(block['low'], signed=signed)}, {self.number(block['high'], signed=signed)}]"


def column_style(cells: Cells, position: int) -> Style:
    """Return a column's style, with the decimals of its published figures, else of the table's."""
    printed = [figure["printed"] for row in cells["rows"] if (figure := row["cells"][position]["published"])]
    if not printed:
        everywhere = [cell["published"] for row in cells["rows"] for cell in row["cells"]]
        printed = [figure["printed"] for figure in everywhere if figure]
    decimals = max((len(str(text).partition(".")[2]) for text in printed), default=None)
    return unit_style(cells, decimals)


def unit_style(cells: Cells, decimals: int | None = None) -> Style:
    """Return the style for a unit; by default with one decimal for percent, else three."""
    percent = cells["unit"] == "percent"
    return Style(100.0 if percent else 1.0, (1 if percent else 3) if decimals is None else decimals)


def published_text(cell: Mapping[str, Any]) -> str:
    """Return the figure as the paper prints it."""
    return str(cell["published"]["printed"]) if cell["published"] else NOTHING


def reproduced_field(cell: Mapping[str, Any], style: Style, mark: str = "") -> Field:
    """Return the mean, with the standard deviation over several seeds, or the state of a missing figure.

    Args:
        cell: a cell of `cells.json`.
        style: number format of the cell's column.
        mark: significance mark to append to a figure.
    """
    block = cell["reproduced"]
    if cell["state"] in ("published-only", "not-due"):
        return Field(NOTHING)
    if cell["state"] in ("failed", "unavailable"):
        return Field(cell["state"], state=cell["state"])
    if cell["state"] != "ok" or block is None:
        return Field(NOT_RUN, state="missing")
    spread = "" if block["sd"] is None else f" ± {style.number(block['sd'])}"
    return Field(style.number(block["mean"]) + spread, mark)


def p_text(p_value: float | None) -> str:
    """Return a p-value with three decimals, or "< 0.001"."""
    if p_value is None:
        return NOTHING
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def row_text(cells: Cells, row: Mapping[str, Any]) -> str:
    """Return a row's name, with its kind unless it is a trained or published row."""
    marks = [] if row["kind"] in ("trained", "published") else [row["kind"]]
    if row["name"] == cells.get("baseline"):
        marks.append("baseline")
    return f"{row['name']} ({', '.join(marks)})" if marks else str(row["name"])


def trained_rows(cells: Cells) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each row's name and what its training recorded; on each dataset, where there are several."""
    titles = {column["dataset"]: dataset_text(column) for column in cells["columns"]}
    for row in cells["rows"]:
        if "by_dataset" not in row:
            yield row_text(cells, row), row
            continue
        for dataset, title in titles.items():
            yield f"{row_text(cells, row)}, {title}", row["by_dataset"][dataset]


def dataset_text(column: Mapping[str, Any]) -> str:
    """Return the dataset's title, or its name if it has none."""
    return str(column.get("dataset_title") or column["dataset"])


def dataset_titles(cells: Cells) -> list[str]:
    """Return the titles of the datasets of the printed columns and of the rows."""
    printed = [column for column in cells["columns"] if column.get("published", True)]
    titled = [*(printed or cells["columns"]), *cells.get("rows", [])]
    return list(dict.fromkeys(dataset_text(item) for item in titled if item.get("dataset")))


def collections_of(cells: Cells) -> list[Mapping[str, Any]]:
    """Return the descriptions of the collections behind some cells."""
    return [cells["collection"]] if "collection" in cells else list(cells["collections"].values())


def collection_of(cells: Cells, dataset: str) -> Mapping[str, Any]:
    """Return the description of the collection that serves a dataset."""
    collection: Mapping[str, Any] = (
        cells["collection"] if "collection" in cells else cells["collections"][dataset]
    )
    return collection


def row_data(cells: Cells, row: Mapping[str, Any], dataset: str = "") -> dict[str, Any]:
    """Return the first fields of a row's lines where tables are data: where it stands, and what it is."""
    return {
        "target": cells["target"],
        "scale": cells["scale"],
        "collection": collection_of(cells, dataset)["name"],
        "simulation": cells["simulation"],
        "row": row["name"],
        "kind": row["kind"],
        "recipe": row["recipe"],
        "sampler": row["sampler"],
    }


def collection_text(cells: Cells, dataset: str | None = None) -> str:
    """Return the names of the collections, or of a dataset's own, labelled where one is a simulation."""
    collections = [collection_of(cells, dataset)] if dataset else collections_of(cells)
    names = ", ".join(dict.fromkeys(collection["name"] for collection in collections))
    return f"{names}{' (simulation)' if cells['simulation'] else ''}"


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


def unit_text(cells: Cells) -> str:
    """Return the unit of figures, for captions and axes."""
    return {"percent": "%", "fraction": "fraction"}.get(cells["unit"], str(cells["unit"]))


def points_text(cells: Cells) -> str:
    """Return the unit of differences."""
    return "points" if cells["unit"] == "percent" else unit_text(cells)


def verdict_text(word: str) -> str:
    """Return a verdict as printed."""
    return VERDICTS.get(word, word)


def title_text(cells: Cells) -> str:
    """Return the title of a figure, with scale and verdict; it names a simulation first."""
    simulation = "Simulation. " if cells["simulation"] else ""
    worth = f"{cells['scale']} scale, {verdict_text(cells['verdict'])}"
    return f"{simulation}{cells['target']}: {cells['title']}\n{worth}"


def share_text(share: float | None, decimals: int) -> str:
    """Return a share in percent."""
    return NOTHING if share is None else f"{100 * share:.{decimals}f} %"


def positions(cells: Cells, *, published: bool) -> list[int]:
    """Return the positions of the columns that the paper prints, or of the further ones."""
    return [place for place, column in enumerate(cells["columns"]) if column["published"] == published]


def primary_position(cells: Cells) -> int:
    """Return the position of the primary column."""
    return [column["label"] for column in cells["columns"]].index(cells["primary"])


def compared_rows(cells: Cells, position: int) -> list[Mapping[str, Any]]:
    """Return the rows that have a difference from the baseline in a column."""
    return [row for row in cells["rows"] if row["cells"][position]["difference"] is not None]
