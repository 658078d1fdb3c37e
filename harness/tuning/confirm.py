"""Confirmation: the best settings of a search against the papers', with fresh seeds, on test, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import UserError
from harness.evaluation.comparison import difference_block, paired_difference, score_table
from harness.evaluation.significance import FloatArray, checkpoint_interval, holm, method_interval
from harness.reports.text import Cells
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.storage.files import read_json, read_parquet, write_json, write_text
from harness.targets.reproduce import Reproduction, reproduce, resolve_at
from harness.tuning.report.render import render
from harness.tuning.report.result import TRIALS, read_found
from harness.tuning.target import SEED_SHIFT, SPEC, Pair, pairs_of, target_text


def confirm(folder: Path, library: Library, stages: Stages) -> Reproduction:
    """Write the target of a search, make it, and quote it in the search's report.

    Its results lie in `confirmation/` below the search's, so that one folder holds all that a search came to.

    Args:
        folder: `<results>/<scale>/searches/<name>/`, with trials.json.
        library: has the target that was searched.
        stages: make the runs.

    Raises:
        UserError: the search is not at its end, or was confirmed with other settings before: to look at test
            again after more trials would be to choose by it.
    """
    found = read_found(folder / TRIALS)
    path = folder / SPEC
    text = target_text(found, library, f"harness reproduce {path.as_posix()} --scale {found.scale}")
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before is not None and _content(before) != _content(text):
        fix = f"give a further search another name, or delete {SPEC} and say that test was looked at twice"
        raise UserError("the test split was looked at with other settings before", where=str(path), fix=fix)
    if before is None:
        write_text(path, text)
    resolved = resolve_at(library, str(path), found.scale, stages)
    made = reproduce(resolved, stages, folder.parents[2])
    scores = read_parquet(made.folder / "per_query.parquet", "make the confirmation again")
    data = dict(read_json(folder / TRIALS))
    quoted = quote(made.cells, scores, pairs_of(found), seeds_of(resolved, made.cells))
    write_json(folder / TRIALS, {**data, "confirmation": quoted})
    render(folder)
    return made


def _content(text: str) -> list[str]:
    """Return what a target says, without the lines on how it came about."""
    return [line for line in text.splitlines() if not line.startswith("#")]


def seeds_of(resolved: Resolved, cells: Cells) -> list[int]:
    """Return the seeds of continued training that the runs had."""
    first = resolved.scale.spec.seeds.continued + SEED_SHIFT
    return [first + seed for seed in cells["seeds"]]


def quote(cells: Cells, scores: pd.DataFrame, pairs: Sequence[Pair], seeds: Sequence[int]) -> dict[str, Any]:
    """Return what the report of a search says of its confirmation, on the primary measure.

    Args:
        cells: of the confirmation.
        scores: per-query scores of its runs.
        pairs: the rows of each study.
        seeds: of its runs.
    """
    place = [column["label"] for column in cells["columns"]].index(cells["primary"])
    column, level = cells["columns"][place], float(cells["level"])
    rows = {row["name"]: row["cells"][place] for row in cells["rows"]}
    paired = {pair.study.row: _paired(scores, column, pair) for pair in pairs}
    adjusted = _holm({row: of for row, of in paired.items() if of is not None}, level)
    return {
        "primary": cells["primary"],
        "split": column["split"],
        "collection": cells["collection"]["name"],
        "level": level,
        "seeds": list(seeds),
        "baseline": cells["baseline"],
        "failed": {row["name"]: row["reason"] for row in cells["rows"] if row["reason"]},
        "studies": [
            {
                "row": pair.study.row,
                "same": pair.papers == pair.chosen,
                "setting": dict(pair.best.setting),
                "given": pair.papers is not None,
                "papers": _mean(rows[pair.papers]) if pair.papers else None,
                "best": _mean(rows[pair.chosen]),
                "difference": _difference(paired[pair.study.row], adjusted.get(pair.study.row), level),
            }
            for pair in pairs
        ],
        "to_baseline": [
            {"name": name, "difference": cell["difference"]}
            for name, cell in rows.items()
            if cell["difference"]
        ],
    }


def _paired(scores: pd.DataFrame, column: Mapping[str, Any], pair: Pair) -> FloatArray | None:
    """Return best minus papers' [S, Q]; none where they are one row, or one of them failed."""
    if pair.papers is None or pair.papers == pair.chosen:
        return None
    best, papers = (score_table(scores, name, column) for name in (pair.chosen, pair.papers))
    return paired_difference(best, papers, pair.chosen, pair.papers)


def _holm(paired: Mapping[str, FloatArray], level: float) -> dict[str, float]:
    """Return the p-values of the studies, corrected over them."""
    intervals = [method_interval(of, level) or checkpoint_interval(of, level) for of in paired.values()]
    return dict(zip(paired, holm([interval.p_value for interval in intervals]), strict=True))


def _difference(paired: FloatArray | None, p_value: float | None, level: float) -> dict[str, Any] | None:
    return None if paired is None else {**difference_block(paired, level), "holm_p": p_value}


def _mean(cell: Mapping[str, Any]) -> dict[str, float | None] | None:
    block = cell["reproduced"]
    return {key: block[key] for key in ("mean", "sd")} if block else None
