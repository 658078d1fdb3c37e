"""What a reader finds in the Markdown, CSV and console tables."""

from __future__ import annotations

import copy
import csv
import io
import json
from typing import Any

import pytest
from rich.console import Console
from sample import typed, with_verdicts

from harness.reports.comparison.table import render_csv
from harness.reports.kinds import document_of
from harness.reports.renderers.markdown import render_markdown
from harness.reports.renderers.terminal import render_terminal
from harness.reports.text import Style


def line_of(text: str, *starts: str) -> list[str]:
    """Fields of the first pipe line that starts with these fields."""
    for line in text.splitlines():
        fields = [field.strip() for field in line.strip("|").split("|")]
        if fields[: len(starts)] == list(starts):
            return fields
    raise AssertionError(f"no line starts with {starts}")


def markdown(cells: dict[str, Any]) -> str:
    return render_markdown(document_of(typed(cells)))


def console(cells: dict[str, Any], width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(render_terminal(document_of(typed(cells))))
    return stream.getvalue()


def test_published_stands_beside_reproduced_in_percent_with_the_papers_decimals(
    cells: dict[str, Any],
) -> None:
    fields = line_of(markdown(cells), "TriSampler")
    block = next(row for row in cells["rows"] if row["name"] == "TriSampler")["cells"][0]["reproduced"]
    assert fields[1] == "41.4"
    assert fields[2].strip("*") == f"{100 * block['mean']:.1f} ± {100 * block['sd']:.1f}"


def test_differences_name_both_intervals_and_the_rounding_of_published_ones(cells: dict[str, Any]) -> None:
    text = markdown(cells)
    intervals = ["95 % CI over queries", "95 % CI over queries and seeds"]
    columns = ["published", "range implied by rounding", "reproduced", *intervals]
    primary = text.partition("## Difference from Uniform Sampling in MRR@10")[2]
    assert line_of(primary, "Row")[1:] == [*columns, "p (Holm)"]
    assert line_of(primary, "TopK Score Sampling")[1:3] == ["+0.9", "[+0.8, +1.0]"]
    assert line_of(text, "Measure", "Row")[2:] == columns
    others = text.partition("## Difference from Uniform Sampling in the other measures")[2]
    assert others.strip().startswith("Intervals are not adjusted")
    assert "| MRR@10 " not in others.partition("##")[0] and "| R@50 " in others


INTERVAL = {"level": 0.95, "df": 9.0}


def test_marks_are_those_of_the_differences_and_are_explained(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    for row in changed["rows"]:
        for cell in row["cells"]:
            if cell["difference"]:
                cell["difference"] |= {"method": INTERVAL | {"low": -0.1, "high": 0.1}, "holm_p": 0.9}
    assert "against Uniform Sampling (" not in markdown(changed)
    marked = next(row for row in changed["rows"] if row["name"] == "TriSampler")["cells"]
    marked[0]["difference"]["holm_p"] = 0.049
    marked[1]["difference"]["method"] = INTERVAL | {"low": -0.2, "high": -0.1}
    text = markdown(changed)
    fields = line_of(text, "TriSampler")
    assert [field[-1] for field in fields if "±" in field] == ["*", "†", fields[-1][-1]]
    assert text.count("†") == 2 and "± " in fields[-1] and fields[-1][-1].isdigit()
    assert "*: p < 0.05 against Uniform Sampling (seeds and queries as random effects, Holm" in text
    assert "†: p < 0.05 against Uniform Sampling (seeds and queries as random effects, unadj" in text


def test_one_seed_shows_one_interval_and_says_what_it_is_worth(simulated: dict[str, Any]) -> None:
    for text in (markdown(simulated), console(simulated, width=200)):
        assert "the method" not in text.replace("allows no conclusion about the method", "")
        assert "over queries" in text and "over queries and seeds" not in text
        assert "allows no conclusion about the method" in text
        assert "±" not in text


def test_a_missing_cell_never_shows_as_a_number(simulated: dict[str, Any]) -> None:
    text = markdown(simulated)
    assert line_of(text, "TriSampler") == [
        "TriSampler",
        "41.4",
        "not run",
        "89.1",
        "not run",
        "98.9",
        "not run",
    ]
    compared = text.partition("## Difference from Uniform Sampling in MRR@10")[2]
    assert line_of(compared, "TriSampler") == ["TriSampler", "+1.7", "[+1.6, +1.8]", "–", "–", "–"]
    shown = console(simulated)
    assert "not run" in shown
    assert "nan" not in (text + shown).lower().replace("tri", "")


@pytest.mark.parametrize("state", ["failed", "unavailable"])
def test_a_cell_without_a_figure_says_why(cells: dict[str, Any], state: str) -> None:
    changed = copy.deepcopy(cells)
    changed["rows"][-1]["cells"][0] |= {"state": state, "difference": None}
    assert line_of(markdown(changed), "SimANS (control)")[2] == state
    assert state in console(changed)


def test_a_simulation_says_so_first(simulated: dict[str, Any], cells: dict[str, Any]) -> None:
    assert markdown(simulated).split("\n\n")[1].startswith("Simulation. ")
    assert "planted (simulation)" in console(simulated)
    assert "imulation" not in markdown(cells)


@pytest.mark.parametrize(
    "words",
    [
        "Verdict: pipeline check",
        "Recipe: continue-contrastive, the same for all rows with a sampler.",
        "13,712 documents; queries: 8,123 train, 712 dev, 1,650 test, 402 see-also; fingerprint 01234",
        "RR(rel=2)@10 by msmarco (ir-measures 0.4.3)",
        "commit abc1234",
        "scratch scale, 3 seeds",
        "power 80 %",
        "K 400 capped to 200.",
        "Note no-ranker (major): The papers distil from a ranker.",
        "BM25 (reference)",
        "Uniform Sampling (baseline)",
        "SimANS (control)",
    ],
)
def test_markdown_says_where_its_figures_come_from(cells: dict[str, Any], words: str) -> None:
    assert words in markdown(cells)


def test_negatives_carry_their_denominator(cells: dict[str, Any]) -> None:
    text = markdown(cells).partition("## Negatives drawn")[2]
    assert line_of(text, "TriSampler") == [
        "TriSampler",
        "321",
        "1,200,000",
        "0.03 %",
        "–",
        "–",
        "1.2 %",
        "87.2",
        "1.23",
        "–",
    ]


def test_settings_that_are_not_committed_are_named(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    changed["settings_commit"] = None
    assert "Settings: no commit is recorded" in markdown(changed)


def test_a_table_without_published_figures_still_shows_its_rows(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    for column in changed["columns"]:
        column["published"] = False
    for row in changed["rows"]:
        for cell in row["cells"]:
            cell["published"] = None
            if cell["difference"]:
                cell["difference"]["published"] = None
    text = markdown(with_verdicts(changed))
    assert "Further measures" not in text
    assert "published" not in text.lower()
    assert "±" in line_of(text, "TriSampler")[1]
    assert "TriSampler" in console(changed)


def test_a_pipe_in_a_name_does_not_end_its_cell(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    changed["rows"][0]["name"] = "a|b"
    assert "a\\|b (reference)" in markdown(changed)


def test_csv_has_one_line_a_cell_in_unrounded_fractions(cells: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(typed(cells)))))
    assert len(lines) == len(cells["rows"]) * len(cells["columns"])
    line = next(
        candidate
        for candidate in lines
        if candidate["row"] == "TriSampler" and candidate["column"] == "MRR@10"
    )
    cell = next(row for row in cells["rows"] if row["name"] == "TriSampler")["cells"][0]
    assert float(line["reproduced"]) == cell["reproduced"]["mean"]
    assert float(line["method_low"]) == cell["difference"]["method"]["low"]
    assert (line["published_printed"], line["published"], line["seeds"]) == ("41.4", "0.414", "3")


def test_csv_leaves_a_missing_figure_empty(simulated: dict[str, Any]) -> None:
    lines = csv.DictReader(io.StringIO(render_csv(typed(simulated))))
    line = next(candidate for candidate in lines if candidate["row"] == "TriSampler")
    assert (line["state"], line["reproduced"], line["difference"], line["seeds"]) == ("missing", "", "", "0")


def test_console_table_fits_80_columns(cells: dict[str, Any]) -> None:
    lines = console(cells).splitlines()
    assert any("TriSampler" in line and "41.4" in line and "±" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_rendering_reads_nothing_but_json(cells: dict[str, Any]) -> None:
    again = json.loads(json.dumps(cells))
    assert markdown(again) == markdown(cells)
    assert render_csv(typed(again)) == render_csv(typed(cells))


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.0123, True, "+1.2"),
        (-0.0004, True, "0.0"),
        (0.0004, True, "0.0"),
        (0.0, True, "0.0"),
        (0.414, False, "41.4"),
        (None, True, "–"),
    ],
)
def test_numbers(value: float | None, signed: bool, text: str) -> None:
    assert Style(100.0, 1).number(value, signed=signed) == text


def test_rows_with_the_same_scores_are_marked_and_no_interval_of_0_is_printed(cells: dict[str, Any]) -> None:
    twins = copy.deepcopy(cells)
    block = next(row for row in twins["rows"] if row["name"] == "SimANS")["cells"][0]["difference"]
    for kind in ("checkpoints", "method"):
        block[kind] |= {"low": 0.0, "high": 0.0, "same": True}
    twins["same_scores"] = [["Uniform Sampling", "SimANS"]]
    text = markdown(twins)
    assert "‡: the same scores on every query: Uniform Sampling and SimANS." in text
    assert text.count("no query differs") == 2 and "[0.0, 0.0]" not in text
    assert "‡" not in markdown(cells)
    assert max(map(len, console(twins).splitlines())) <= 80


def test_power_for_the_published_difference_and_range_of_the_detectable_one(
    cells: dict[str, Any],
) -> None:
    text = markdown(cells)
    row = next(row for row in cells["rows"] if row["name"] == "TriSampler")
    power, smallest = row["cells"][0]["difference"]["power"], cells["smallest_difference"]
    assert (
        f"TriSampler {100 * power:.0f} % of +1.7" in text
        and "SimANS" not in text.partition("Power to")[2][:300]
    )
    low, high = smallest["method_range"]
    ends = f"[{100 * low:.1f}, {100 * high:.1f}] over queries and seeds"
    assert f"{100 * smallest['method']:.1f} points {ends}" in text
    assert low < smallest["method"] < high


def test_older_cells_say_nothing_of_power_and_range(cells: dict[str, Any]) -> None:
    older = copy.deepcopy(cells)
    for row in older["rows"]:
        if row["cells"][0]["difference"]:
            row["cells"][0]["difference"].pop("power", None)
    for kind in ("checkpoints_range", "method_range"):
        del older["smallest_difference"][kind]
    text = markdown(older)
    assert "Smallest detectable difference in MRR@10 (power 80 %, before Holm): " in text
    assert "Power to" not in text and "in brackets" not in text
