"""Published figures: each digit is that of the transcription; papers agree, or the register says where."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from harness.specs.describe import list_targets, show_target
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.target import Column, Heading

from .conftest import SHIPPED
from .transcription import Figures, transcription

LIBRARY = Library(SHIPPED)
PRINTED = transcription()
COPIES = {"trisampler/table-5-ar2": "trisampler/table-5"}
"""Target that extends another one -> whose figures it shows."""

Cell = tuple[str, str, str]
"""System, dataset and measure."""


def column_name(loaded: LoadedTarget, heading: Heading) -> str:
    several = isinstance(heading, Column) and len(loaded.target.datasets) > 1
    return f"{heading.dataset} {heading.label}" if several and isinstance(heading, Column) else heading.label


def shown(name: str) -> Figures:
    """Return what `harness show` gives, of the rows and columns that have a figure."""
    loaded = LIBRARY.target(name)
    columns = [column_name(loaded, heading) for heading in loaded.target.headings]
    rows = {
        row["name"]: {
            column: figure["printed"] if figure else None
            for column, figure in zip(columns, row["published"], strict=True)
        }
        for row in show_target(loaded)["rows"]
    }
    used = {column for row in rows.values() for column, figure in row.items() if figure is not None}
    return {
        name: {column: figure for column, figure in row.items() if column in used}
        for name, row in rows.items()
        if any(figure is not None for figure in row.values())
    }


def test_the_transcription_is_whole() -> None:
    counts: dict[str, int] = defaultdict(int)
    for target, rows in PRINTED.items():
        counts[target.partition("/")[0]] += sum(f is not None for row in rows.values() for f in row.values())
    assert dict(counts) == {"simans": 201, "trisampler": 167, "ar2": 179}


@pytest.mark.parametrize("name", PRINTED)
def test_a_spec_has_each_figure_as_printed(name: str) -> None:
    assert shown(name) == PRINTED[name]


@pytest.mark.parametrize("name", [name for name in LIBRARY.targets() if name not in PRINTED])
def test_no_other_spec_has_figures(name: str) -> None:
    assert shown(name) == (PRINTED[COPIES[name]] if name in COPIES else {})


def test_each_table_and_figure_of_the_papers_is_listed() -> None:
    listed = {line["target"]: line["status"] for line in list_targets(LIBRARY, SHIPPED)}
    tables = {
        **{f"simans/table-{number}": "" for number in range(1, 8)},
        **{f"trisampler/table-{number}": "" for number in range(1, 7)},
        **{f"ar2/table-{number}": "" for number in (1, 2, 3, 4, 5, 10)},
        **{f"simans/figure-{number}": "" for number in ("1", "2a", "2b", "3", "5")},
        **{f"trisampler/figure-{number}": "" for number in (1, 3, 4)},
    }
    assert [name for name in tables if name not in listed] == []
    assert {name for name, status in listed.items() if status.startswith("not reproducible: ")} == {
        "simans/figure-4",
        "trisampler/figure-2",
    }


SYSTEMS = {
    "AR2-G": "AR2",
    "AR2-G alone": "AR2",
    "ERNIE-Base w/ ICT": "AR2",
    "AR2-G0 (warm-up)": "AR2-G0",
    "AR2-G0 alone": "AR2-G0",
    "Joint Top-k": "Joint top-k",
    "Individual Top-k": "Individual top-k",
    "DPR-PAQ RoBERTa-base": "DPR-PAQ",
    "AR2 + TriSampler": "AR2+TriSampler",
    "AR2+SimANS: negatives 15": "AR2+SimANS",
}
"""Name of a row -> name of the system, where papers and tables differ in it."""

CONTINUED = {"trisampler/table-4": "ms-pas", "trisampler/table-5": "ms-pas"}
"""Tables whose row TriSampler is AR2 continued with it."""

REGISTERED = {
    ("DPR", "nq", "R@100"): "D10",
    ("ANCE", "nq", "R@5"): "D8",
    ("ANCE", "tqa", "R@5"): "D8",
    ("ANCE", "ms-pas", "R@50"): "D8",
    ("RocketQA", "tqa", "R@5"): "D11",
    ("RocketQA", "tqa", "R@20"): "D11",
    ("ERNIE-Search", "ms-pas", "R@50"): "D18",
    ("AR2+SimANS", "nq", "R@5"): "D2",
    ("AR2: negatives 15", "nq", "R@5"): "D1",
}
"""Cells in which tables differ, or which one of them leaves blank -> the note about them."""


def cells() -> dict[Cell, dict[str, Decimal | None]]:
    """Return what each table prints in a cell, in percent; None where it is blank."""
    found: dict[Cell, dict[str, Decimal | None]] = defaultdict(dict)
    for name, rows in PRINTED.items():
        loaded = LIBRARY.target(name)
        headings = {column_name(loaded, of): of for of in loaded.target.headings if isinstance(of, Column)}
        factor = 100 if loaded.target.unit == "fraction" else 1
        for row, figures in rows.items():
            continued = name in CONTINUED and row == "TriSampler"
            system = "AR2+TriSampler" if continued else SYSTEMS.get(row, row)
            for label, heading in headings.items():
                text, measure = figures[label], heading.label
                at = "MRR@100" if heading.dataset == "ms-doc" and measure.startswith("MRR") else measure
                found[system, heading.dataset, at][name] = Decimal(text) * factor if text else None
    return {cell: of for cell, of in found.items() if any(figure is not None for figure in of.values())}


def test_the_same_system_has_the_same_figures_in_all_tables_or_stands_in_the_register() -> None:
    several = {cell: of for cell, of in cells().items() if len(of) > 1}
    assert len(several) > 100
    differ = {cell: of for cell, of in several.items() if len(set(of.values())) > 1}
    assert set(differ) == set(REGISTERED)
    for cell, of in differ.items():
        noted = {target for target in of if REGISTERED[cell] in LIBRARY.target(target).target.notes}
        assert noted, (cell, of)


def test_documents_are_printed_as_fractions_and_as_percentages() -> None:
    assert PRINTED["simans/table-3"]["DPR"] == {"MRR@10": "0.320", "R@100": "0.864"}
    assert PRINTED["trisampler/table-3"]["DPR"] == {"MRR@100": "32.0", "R@100": "86.4"}
    assert cells()["DPR", "ms-doc", "MRR@100"] == {
        "simans/table-3": Decimal("32.000"),
        "trisampler/table-3": Decimal("32.0"),
    }
