"""Pairs of rows in every rendering of a comparison; without pairs nothing is told of them."""

from __future__ import annotations

import copy
import csv
import io
from typing import Any

import pytest
from sample import COLUMNS, LEVEL, LIFTS, sample_scores, typed

from harness.evaluation.comparison import compare_rows
from harness.reports.comparison.table import render_csv
from harness.reports.kinds import document_of
from harness.reports.renderers.latex import render_latex
from harness.reports.renderers.markdown import render_markdown

PAIRS = [("TriSampler", "TopK Score Sampling"), ("Base", "BM25")]
TITLES = ("## Differences of pairs in MRR@10", "## Differences of pairs in the other measures")


@pytest.fixture
def paired(cells: dict[str, Any]) -> dict[str, Any]:
    """The sample with two pairs, one of rows that are not compared with the baseline."""
    figures = {row["name"]: [cell["published"] for cell in row["cells"]] for row in cells["rows"]}
    made = compare_rows(
        sample_scores(3),
        COLUMNS,
        {name: figures[name] for name, (_, kind) in LIFTS.items() if kind != "reference"},
        baseline="Uniform Sampling",
        primary="MRR@10",
        level=LEVEL,
        pairs={pair: (figures[pair[0]], figures[pair[1]]) for pair in PAIRS},
    )
    changed = copy.deepcopy(cells)
    for row in changed["rows"]:
        for cell, block in zip(row["cells"], made.differences.get(row["name"], ()), strict=False):
            cell["difference"] = block
    changed["pairs"] = [{"rows": list(pair), "cells": blocks} for pair, blocks in made.pairs.items()]
    return changed


def table_of(text: str, title: str) -> list[list[str]]:
    """Fields of the lines of a table below a heading."""
    below = text.partition(f"{title}\n")[2].partition("\n##")[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [[field.strip() for field in line.strip("|").split("|")] for line in lines]


def test_markdown_has_a_line_for_each_pair(paired: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(paired)))
    header, _, first, second = table_of(text, TITLES[0])
    assert header[:2] == ["Row", "minus"] and header[-1] == "p (Holm)"
    block = paired["pairs"][0]["cells"][0]
    assert first[:4] == ["TriSampler", "TopK Score Sampling", "+0.8", "[+0.7, +0.9]"]
    assert first[4] == f"{100 * block['value']:+.1f}"
    assert second[:4] == ["Base (reference)", "BM25 (reference)", "–", "–"] and second[-1] != "–"
    _, _, *others = table_of(text, TITLES[1])
    assert len(others) == 2 * (len(COLUMNS) - 1) and {len(line) for line in others} == {8}
    assert (
        "Holm's correction is over the rows, and over the pairs as a family of their own, in MRR@10" in text
    )


def test_latex_and_html_say_the_same(paired: dict[str, Any]) -> None:
    latex = render_latex(document_of(typed(paired)))
    assert "Differences of pairs in MRR@10" in latex
    (line,) = [line for line in latex.splitlines() if line.startswith("TriSampler & TopK Score Sampling &")]
    assert f"{100 * paired['pairs'][0]['cells'][0]['value']:+.1f}".lstrip("+-") in line


def test_csv_tells_of_what_a_difference_is(paired: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(render_csv(typed(paired)))))
    plain = list(
        csv.DictReader(io.StringIO(render_csv(typed({k: v for k, v in paired.items() if k != "pairs"}))))
    )
    assert "compared_with" not in plain[0]
    own = [line for line in lines if line["compared_with"] in {"", "Uniform Sampling"}]
    assert [{k: v for k, v in line.items() if k != "compared_with"} for line in own] == plain
    assert {line["row"] for line in own if not line["compared_with"]} == {
        "BM25",
        "Base",
        "Uniform Sampling",
    }
    (first, *_) = pairs = [line for line in lines if line not in own]
    assert len(pairs) == 2 * len(COLUMNS)
    block = paired["pairs"][0]["cells"][0]
    assert (first["row"], first["compared_with"]) == PAIRS[0]
    assert float(first["difference"]) == pytest.approx(block["value"])
    assert float(first["holm_p"]) == pytest.approx(block["holm_p"]) and first["reproduced"] == ""


def test_a_pair_that_was_not_made_has_dashes(paired: dict[str, Any]) -> None:
    paired["pairs"][1]["cells"] = [None] * len(COLUMNS)
    line = table_of(render_markdown(document_of(typed(paired))), TITLES[0])[-1]
    assert line[:2] == ["Base (reference)", "BM25 (reference)"] and set(line[2:]) == {"–"}
    states = {
        line["state"]
        for line in csv.DictReader(io.StringIO(render_csv(typed(paired))))
        if line["compared_with"] == "BM25"
    }
    assert states == {"missing"}


def test_without_pairs_nothing_is_told_of_them(cells: dict[str, Any]) -> None:
    text = render_markdown(document_of(typed(cells)))
    assert "pairs" not in text and "minus" not in text
