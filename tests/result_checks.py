"""Whether a folder of results is whole: its tables are those of its cells, its cells those of its scores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.evaluation.calibration import compare_sides
from harness.evaluation.comparison import compare_rows, reproduced
from harness.evaluation.costs import over_runs
from harness.evaluation.readings import (
    by_value,
    compare_readings,
    distinct_pairs,
    same_runs,
    summarise_readings,
)
from harness.evaluation.score_tables import same_scores, score_table
from harness.reports.calibration.cells import coverages
from harness.reports.comparison.cells import NOT_COMPARED, judged
from harness.reports.curve.cells import final_values
from harness.reports.kinds import REPORTS, read_cells
from harness.reports.renderers.latex import render_latex
from harness.reports.renderers.markdown import render_markdown
from harness.reports.rendering import FILES, page_text
from harness.reports.statistics.cells import count
from harness.tuning.report.render import importances_of, render_trials_csv
from harness.tuning.report.result import read_result
from harness.tuning.report.table import tuning_document


def cells_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "cells.json").read_text())


def check_tables(folder: Path) -> None:
    """The tables are rendered from the cells alone."""
    cells = read_cells(folder / "cells.json")
    report = REPORTS[cells.kind]
    assert (folder / "table.md").read_text() == render_markdown(report.document(cells))
    assert (folder / "table.tex").read_text() == render_latex(report.document(cells))
    assert (folder / "table.csv").read_text() == report.csv(cells)
    page = (folder / "table.html").read_text()
    assert re.sub('<nav class="site".*?</nav>\n', "", page, flags=re.DOTALL) == page_text(folder)
    assert all((folder / name).exists() for name in FILES)


def check_tuning(folder: Path) -> None:
    """The report of a tuning is rendered from its trials alone; its confirmation holds what it quotes."""
    result = read_result(folder / "trials.json")
    document = tuning_document(result, importances_of(result))
    assert (folder / "table.md").read_text() == render_markdown(document)
    assert (folder / "table.tex").read_text() == render_latex(document)
    assert (folder / "table.csv").read_text() == render_trials_csv(result)
    quoted = result.data.get("confirmation")
    if quoted is not None:
        written = {row["name"]: row for row in cells_of(folder / "confirmation")["rows"]}
        assert {line["name"] for line in quoted["to_baseline"]} <= set(written)


def check_cells(folder: Path) -> None:
    """The cells are computed from the per-query scores beside them."""
    cells = cells_of(folder)
    scores = pd.read_parquet(folder / "per_query.parquet")
    CHECKS[cells["kind"]](cells, scores.astype(dict.fromkeys(NAMES & {*scores.columns}, "category")))


NAMES = {"row", "dataset", "split", "measure"}
"""Columns of scores that hold few names many times, which are compared faster by number."""

LATER = {"same", "power", "checkpoints_range", "method_range"}
"""Keys that older results lack."""


def near(made: Any, written: Any) -> bool:
    """Whether two JSON-like values are the same but for the last digits of their numbers."""
    if isinstance(written, dict):
        same_keys = made.keys() - LATER == written.keys() - LATER
        return same_keys and all(near(made[key], written[key]) for key in written)
    if isinstance(written, list):
        return len(made) == len(written) and all(map(near, made, written))
    return made == (pytest.approx(written, abs=1e-12) if isinstance(written, float) else written)


def _comparison(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    compared = {
        row["name"]: [cell["published"] for cell in row["cells"]]
        for row in cells["rows"]
        if row["kind"] not in NOT_COMPARED
    }
    figures = {row["name"]: [cell["published"] for cell in row["cells"]] for row in cells["rows"]}
    minus = {row["name"]: row["minus"] for row in cells["rows"] if "minus" in row}
    pairs = {tuple(pair["rows"]): pair["cells"] for pair in cells.get("pairs", [])}
    made = compare_rows(
        scores,
        cells["columns"],
        compared,
        baseline=cells["baseline"],
        primary=cells["primary"],
        level=cells["level"],
        pairs={pair: (figures[pair[0]], figures[pair[1]]) for pair in pairs},
        minus=minus or None,
    )
    assert near(list(made.pairs.values()), list(pairs.values()))
    for row in cells["rows"]:
        for place, cell in enumerate(row["cells"]):
            table = score_table(scores, row["name"], cells["columns"][place])
            assert table.empty == (cell["reproduced"] is None)
            if cell["reproduced"] is not None:
                assert table.to_numpy().mean() == pytest.approx(cell["reproduced"]["mean"], abs=1e-12)
            block = made.differences.get(row["name"], [None] * len(row["cells"]))[place]
            assert near(block, cell["difference"])
    assert near(made.smallest_difference, cells["smallest_difference"])
    assert cells.get("same_scores", []) in ([], same_scores(scores))
    assert near(judged(cells).as_json(), cells)


def _readings(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    column, readings = cells["columns"][0], cells["readings"]
    assert set(scores["measure"]) == {column["measure"]} and set(scores["split"]) == {"test"}
    for of in readings:
        assert near(list(score_table(scores, of["name"], column).mean(axis=1)), of["per_seed"])
    made = compare_readings(scores, column, readings, focus=cells["focus"], level=cells["level"])
    if all("written" in of for of in cells["summary"]):
        made = distinct_pairs(made, same_runs(scores, column, readings))
    assert near(made, cells["pairs"])
    assert near(summarise_readings(made), cells["summary"])
    assert near(by_value(made, readings, cells["paths"]), cells["by_value"])


def _calibration(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    column, level = cells["columns"][0], cells["level"]
    assert set(scores["measure"]) == {column["measure"]} and set(scores["split"]) == {"test"}
    for pair in cells["pairs"]:
        made = compare_sides(scores, column, tuple(pair["sides"]), level)
        assert near(made, {key: pair[key] for key in made})
    assert near(coverages(cells["pairs"], level), cells["coverage"])


def _statistics(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    assert scores.empty
    for row in cells["rows"]:
        for column, cell in zip(cells["columns"], row["cells"], strict=True):
            about = cells["collections"].get(row["dataset"])
            assert cell["counted"] == (count(about, column["count"]) if about else None)


def _sweep(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    assert set(scores["measure"]) == {column["measure"] for column in cells["columns"]}
    for point in cells["points"]:
        for column, cell in zip(cells["columns"], point["cells"], strict=True):
            assert near(reproduced(scores, point["name"], column, cells["level"]), cell["reproduced"])


def _cost(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    """Seconds stand in no scores: each row's median is that of its runs, each ratio that of its medians."""
    baseline = next(row for row in cells["rows"] if row["name"] == cells["baseline"])
    for row in cells["rows"]:
        assert set(scores[scores["row"] == row["name"]]["seed"]) == set(cells["seeds"])
        for cell, other in zip(row["cells"], baseline["cells"], strict=True):
            assert near(over_runs(cell["reproduced"]["per_run"]), cell["reproduced"])
            of = other["reproduced"]["median"]
            assert near(cell["reproduced"]["median"] / of, cell["ratio"]) if of else cell["ratio"] is None


def _curve(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    """What was watched stands in no scores: both ends of each curve do, but of training queries."""
    column = cells["columns"][0]
    if column["split"] == "train":
        return
    begin = final_values(scores, cells["begin"]["name"], column)
    for row in cells["rows"]:
        first, *_, last = row["points"]
        assert near(list(begin.values()), first["per_seed"])
        assert near(list(final_values(scores, row["name"], column).values()), last["per_seed"])


def _ranks(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    """Gradients stand in no scores: relative curves are those of the values, answers those of the ratios."""
    for row in cells["rows"]:
        assert set(scores[scores["row"] == row["name"]]["seed"]) == set(cells["seeds"])
        for checkpoint in row["checkpoints"]:
            for curve in checkpoint["curves"]:
                assert len(curve["value"]) == cells["ranks"]
                assert near([value / max(curve["value"]) for value in curve["value"]], curve["relative"])
            for of in checkpoint["findings"]:
                if of["value"] is None:  # a mean that cannot be told from none
                    assert of["answer"] == "cannot be told"
                    continue
                answer = "does not hold" if of["low"] > of["bound"] else "cannot be told"
                beyond = of["finding"].startswith("4b") and checkpoint["positives"]["value"] > cells["ranks"]
                expected = "holds" if of["high"] < of["bound"] else answer
                assert of["answer"] == ("cannot be told" if beyond else expected)


def _distributions(cells: dict[str, Any], scores: pd.DataFrame) -> None:
    """Chances stand in no scores; those of a draw without replacement sum to n at most."""
    for row in cells["rows"]:
        assert set(scores[scores["row"] == row["name"]]["seed"]) == set(cells["seeds"])
        for of in row["examples"]:
            assert len(of["gap"]) == len(of["first"]) == len(of["inclusion"]) <= cells["ranks"]
            assert of["gap"] == sorted(of["gap"], reverse=True)
            pairs = zip(of["first"], of["inclusion"], strict=True)
            assert all(0 <= first <= among + 1e-9 <= 1 + 2e-9 for first, among in pairs)
            assert sum(of["first"]) <= 1 + 1e-9 and sum(of["inclusion"]) <= row["negatives"] + 1e-9


CHECKS = {
    "comparison": _comparison,
    "confirmation": _comparison,
    "readings": _readings,
    "calibration": _calibration,
    "statistics": _statistics,
    "sweep": _sweep,
    "cost": _cost,
    "curve": _curve,
    "ranks": _ranks,
    "distributions": _distributions,
}
