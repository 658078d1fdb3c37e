"""What a reader finds in the Markdown, CSV and console tables."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

import pytest
from rich.console import Console

from harness.reports.comparison.cells import with_verdicts
from harness.reports.comparison.table import render_markdown
from harness.reports.comparison.terminal import render_terminal
from harness.reports.comparison.tidy import render_csv
from harness.reports.text import Style


def line_of(text: str, *starts: str) -> list[str]:
    """Fields of the first pipe line that starts with these fields."""
    for line in text.splitlines():
        fields = [field.strip() for field in line.strip("|").split("|")]
        if fields[: len(starts)] == list(starts):
            return fields
    raise AssertionError(f"no line starts with {starts}")


def console(cells: dict[str, Any], width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(render_terminal(cells))
    return stream.getvalue()


def test_published_stands_beside_reproduced_in_percent_with_the_papers_decimals(
    cells: dict[str, Any],
) -> None:
    fields = line_of(render_markdown(cells), "TriSampler")
    block = next(row for row in cells["rows"] if row["name"] == "TriSampler")["cells"][0]["reproduced"]
    assert fields[1] == "41.4"
    assert fields[2] == f"{100 * block['mean']:.1f} ± {100 * block['sd']:.1f}"


def test_differences_name_both_intervals_and_the_rounding_of_published_ones(cells: dict[str, Any]) -> None:
    text = render_markdown(cells)
    header = line_of(text, "Measure", "Row")
    assert header[2:] == [
        "published [from rounding]", "reproduced", "95 %, these checkpoints", "95 %, the method", "p (Holm)",
    ]  # fmt: skip
    assert line_of(text, "MRR@10", "TopK Score Sampling")[2] == "+0.9 [+0.8, +1.0]"
    assert line_of(text, "R@50", "TriSampler")[-1] == "unadjusted"


def test_one_seed_shows_one_interval_and_says_what_it_is_worth(simulated: dict[str, Any]) -> None:
    for text in (render_markdown(simulated), console(simulated, width=200)):
        assert "the method" not in text.replace("tells nothing about the method", "")
        assert "these checkpoints" in text
        assert "tells nothing about the method" in text
        assert "±" not in text


def test_a_missing_cell_never_shows_as_a_number(simulated: dict[str, Any]) -> None:
    text = render_markdown(simulated)
    assert line_of(text, "TriSampler") == [
        "TriSampler",
        "41.4",
        "not run",
        "89.1",
        "not run",
        "98.9",
        "not run",
    ]
    assert line_of(text, "MRR@10", "TriSampler")[3:] == ["–", "–", "–"]
    shown = console(simulated)
    assert "not run" in shown
    assert "nan" not in (text + shown).lower().replace("tri", "")


def test_a_simulation_says_so_first(simulated: dict[str, Any], cells: dict[str, Any]) -> None:
    assert render_markdown(simulated).split("\n\n")[1].startswith("Simulation. ")
    assert "planted (simulation)" in console(simulated)
    assert "imulation" not in render_markdown(cells)


@pytest.mark.parametrize(
    "words",
    [
        "Verdict: pipeline check",
        "Recipe: continue-contrastive, the same for all rows with a sampler.",
        "13,712 documents; queries: 8,123 train, 712 dev, 1,650 test, 402 see-also; fingerprint 01234",
        "RR(rel=2)@10 by msmarco (ir-measures 0.4.3)",
        "commit abc1234",
        "quick scale, 3 seeds",
        "power of 80 %",
        "K 400 capped to 200.",
        "Note no-ranker (major): The papers distil from a ranker.",
        "BM25 (reference)",
        "Uniform Sampling (baseline)",
        "SimANS (control)",
    ],
)
def test_markdown_says_where_its_figures_come_from(cells: dict[str, Any], words: str) -> None:
    assert words in render_markdown(cells)


def test_negatives_carry_their_denominator(cells: dict[str, Any]) -> None:
    text = render_markdown(cells).partition("## Negatives drawn")[2]
    assert line_of(text, "TriSampler") == [
        "TriSampler",
        "321",
        "1,200,000",
        "0.03 %",
        "87.2",
        "1.23",
        "–",
        "1.2 %",
    ]


def test_settings_that_are_not_committed_are_named(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    changed["settings_commit"] = None
    assert "Settings: no commit is named" in render_markdown(changed)


def test_a_table_without_published_figures_still_shows_its_rows(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    for column in changed["columns"]:
        column["published"] = False
    for row in changed["rows"]:
        for cell in row["cells"]:
            cell["published"] = None
            if cell["difference"]:
                cell["difference"]["published"] = None
    changed = with_verdicts(changed)
    text = render_markdown(changed)
    assert "Further measures" not in text
    assert "published" not in text.lower()
    assert "±" in line_of(text, "TriSampler")[1]
    assert "TriSampler" in console(changed)


def test_a_pipe_in_a_name_does_not_end_its_cell(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    changed["rows"][0]["name"] = "a|b"
    assert "a\\|b (reference)" in render_markdown(changed)


def test_csv_has_one_line_a_cell_in_unrounded_fractions(cells: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(cells))))
    assert len(lines) == len(cells["rows"]) * len(cells["columns"])
    line = next(found for found in lines if found["row"] == "TriSampler" and found["column"] == "MRR@10")
    cell = next(row for row in cells["rows"] if row["name"] == "TriSampler")["cells"][0]
    assert float(line["reproduced"]) == cell["reproduced"]["mean"]
    assert float(line["method_low"]) == cell["difference"]["method"]["low"]
    assert (line["published_printed"], line["published"], line["seeds"]) == ("41.4", "0.414", "3")


def test_csv_leaves_a_missing_figure_empty(simulated: dict[str, Any]) -> None:
    lines = csv.DictReader(io.StringIO(render_csv(simulated)))
    line = next(found for found in lines if found["row"] == "TriSampler")
    assert (line["state"], line["reproduced"], line["difference"], line["seeds"]) == ("missing", "", "", "0")


def test_console_table_fits_80_columns(cells: dict[str, Any]) -> None:
    lines = console(cells).splitlines()
    assert any("TriSampler" in line and "41.4" in line and "±" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_rendering_reads_nothing_but_json(cells: dict[str, Any]) -> None:
    again = json.loads(json.dumps(cells))
    assert render_markdown(again) == render_markdown(cells)
    assert render_csv(again) == render_csv(cells)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.0123, True, "+1.2"),
        (-0.0004, True, "-0.0"),
        (0.0004, True, "+0.0"),
        (0.0, True, "0.0"),
        (0.414, False, "41.4"),
        (None, True, "–"),
    ],
)
def test_numbers(value: float | None, signed: bool, text: str) -> None:
    assert Style(100.0, 1).number(value, signed=signed) == text
