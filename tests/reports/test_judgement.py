"""What the tables say of rows that were judged, failed or are not to be had; in every rendering."""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sample import typed, with_verdicts

from harness.errors import RunError
from harness.reports.cells import refuse_failed_rows
from harness.reports.comparison.figure import draw_comparison
from harness.reports.comparison.judgement import reproducibility_lines, row_lines, verdict_line
from harness.reports.comparison.table import render_csv
from harness.reports.kinds import document_of
from harness.reports.renderers.markdown import render_markdown
from harness.reports.renderers.terminal import render_terminal

REASON = "seed 1: continued: the loss is nan at step 3; lower the learning rate"
STATES = {"failed": "failed", "unavailable": "unavailable", "missing": "not run", "published-only": "–"}


def without(cells: dict[str, Any], name: str, state: str) -> dict[str, Any]:
    """The cells where a row has no reproduced figures."""
    changed = copy.deepcopy(cells)
    row = next(row for row in changed["rows"] if row["name"] == name)
    row["reason"] = REASON if state == "failed" else None
    row["kind"] = {"published-only": "published"}.get(state, row["kind"])
    for cell in row["cells"]:
        cell |= {"state": state, "reproduced": None}
        if cell["difference"]:
            nothing = dict.fromkeys(("value", "checkpoints", "method", "holm_p", "detectable"))
            cell["difference"] = cell["difference"] | nothing
    return with_verdicts(changed)


def at_full_scale(cells: dict[str, Any]) -> dict[str, Any]:
    """The cells as if they had been made on the paper's own collection."""
    collection = cells["collection"] | {"name": "ms-marco"}
    return with_verdicts(copy.deepcopy(cells) | {"scale": "full", "collection": collection})


def markdown(cells: dict[str, Any]) -> str:
    return render_markdown(document_of(typed(cells)))


def console(cells: dict[str, Any]) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200).print(render_terminal(document_of(typed(cells))))
    return stream.getvalue()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("render", "separator"), [(markdown, "|"), (console, None)], ids=["markdown", "terminal"]
)
def test_a_figure_that_is_not_there_is_a_word_and_never_a_number(
    cells: dict[str, Any], state: str, render: Callable[..., str], separator: str | None
) -> None:
    text = render(without(cells, "TriSampler", state))
    [line, *_] = [line for line in text.splitlines() if line.strip("| ").startswith("TriSampler ")]
    fields = [field.strip() for field in line.strip("| ").split(separator)]
    word = STATES[state].split()[0]
    assert [field.split()[0] for field in fields].count(word) == 3
    assert [field for field in fields if field[0].isdigit()] == ["41.4", "89.1", "98.9"]
    assert "nan" not in line


@pytest.mark.parametrize("state", STATES)
def test_the_csv_names_the_state_and_leaves_the_figures_empty(cells: dict[str, Any], state: str) -> None:
    lines = csv.DictReader(io.StringIO(render_csv(typed(without(cells, "TriSampler", state)))))
    own = [line for line in lines if line["row"] == "TriSampler"]
    assert {line["state"] for line in own} == {state}
    for key in ("reproduced", "reproduced_sd", "difference", "method_low", "holm_p"):
        assert {line[key] for line in own} == {""}


@pytest.mark.parametrize("state", STATES)
def test_the_figure_writes_the_state_where_the_point_would_be(
    cells: dict[str, Any], state: str, tmp_path: Path
) -> None:
    draw_comparison(typed(without(cells, "TriSampler", state)), tmp_path / "f.svg", tmp_path / "f.png")
    text = (tmp_path / "f.svg").read_text(encoding="utf-8")
    for word in ("failed", "unavailable", "not run"):
        assert (f">{word}<" in text) == (STATES[state] == word)


@pytest.mark.parametrize("render", [markdown, console], ids=["markdown", "terminal"])
def test_a_row_that_failed_says_why(cells: dict[str, Any], render: Callable[..., str]) -> None:
    text = render(without(cells, "TriSampler", "failed"))
    assert f"TriSampler: failed ({REASON})." in text
    assert "TriSampler: unavailable." in render(without(cells, "TriSampler", "unavailable"))


def test_at_a_small_scale_only_the_table_has_a_verdict(cells: dict[str, Any]) -> None:
    assert {row["verdict"]["word"] for row in cells["rows"] if row["verdict"]} == {"pipeline check"}
    assert row_lines(typed(cells)) == []
    assert verdict_line(typed(cells)).startswith("Verdict: pipeline check (the pipeline works")
    effects, ranks = reproducibility_lines(typed(cells))
    assert effects.endswith("omitted; pydocs stands in for MS MARCO passages.")
    assert "no evidence about the paper" in ranks and "MRR@10 +" in ranks and "(4 rows)" in ranks


def test_at_full_scale_each_compared_row_has_a_verdict_with_its_reason(cells: dict[str, Any]) -> None:
    full = at_full_scale(cells)
    judged = {row["name"]: row["verdict"]["word"] for row in full["rows"] if row["verdict"]}
    assert judged.keys() == {"TopK Score Sampling", "Debiased Sampling", "TriSampler", "SimANS"}
    assert judged["SimANS"] == "not judged"
    text = markdown(full)
    for row in full["rows"]:
        assert not row["verdict"] or f"{row['verdict']['reason']}." in text
    assert f"Verdict: {full['verdict'].replace('partly', 'partly reproduced')}: " in text
    assert full["verdict_reason"].partition(" (")[0] in verdict_line(typed(full))
    assert "Effect ratio and delta relative improvement in MRR@10, against Uniform Sampling: TopK" in text


def test_a_failed_row_is_not_judged_and_keeps_the_table_from_being_reproduced(cells: dict[str, Any]) -> None:
    full = at_full_scale(without(cells, "TriSampler", "failed"))
    verdict = next(row["verdict"] for row in full["rows"] if row["name"] == "TriSampler")
    assert verdict["word"] == "not judged" and "failed" in verdict["reason"]
    assert full["verdict"] != "reproduced" and "1 not judged" in full["verdict_reason"]
    assert "TriSampler" not in {effect["row"] for effect in full["reproducibility"]["effects"]}


def test_an_order_that_cannot_be_had_says_why(cells: dict[str, Any]) -> None:
    changed = copy.deepcopy(cells)
    changed["reproducibility"]["ranks"] = [
        {"column": "MRR@10", "rows": 1, "tau": None},
        {"column": "R@50", "rows": 3, "tau": None},
    ]
    [_, ranks] = reproducibility_lines(typed(changed))
    assert "MRR@10 undefined, too few rows" in ranks
    assert "R@50 undefined, one side is all ties (3)" in ranks


def test_a_report_that_needs_all_rows_refuses_failed_ones() -> None:
    refuse_failed_rows({})
    with pytest.raises(RunError, match=r"A: seed 0: the loss is nan \(2 rows failed\)") as caught:
        refuse_failed_rows({"A": "seed 0: the loss is nan", "B": "seed 1: the loss is nan"})
    assert caught.value.exit_code == 1
