"""Confirmation: best and papers' settings of a tuning, with fresh seeds, on the measured split, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from harness.errors import UserError
from harness.evaluation.comparison import difference_block
from harness.evaluation.score_tables import clusters_in, paired_difference, score_table
from harness.evaluation.significance import (
    Clusters,
    FloatArray,
    checkpoint_interval,
    holm,
    method_interval,
)
from harness.reports.comparison.content import ComparedCell, ComparisonCells
from harness.reports.content import Cells
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.storage.files import read_json, read_parquet, write_json, write_text
from harness.targets.reproduce import Reproduction, reproduce, resolve_at
from harness.tuning.report.render import render
from harness.tuning.report.result import TRIALS, read_result
from harness.tuning.target import SEED_SHIFT, SPEC, SettingPair, setting_pairs, target_text


def confirm(folder: Path, library: Library, stages: Stages) -> Reproduction:
    """Write the confirmation target of a tuning, reproduce it, and quote it in the tuning's report.

    Its results go to `confirmation/` below the tuning's, so that one folder holds everything.

    Args:
        folder: `<results>/<scale>/tuning/<name>/`, which holds trials.json.
        library: specs, among them the target whose rows were tuned.
        stages: trains what is missing.

    Raises:
        UserError: the tuning is unfinished, or was confirmed with other settings before: measuring
            again after more trials would choose by the measured split.
    """
    result = read_result(folder / TRIALS)
    path = folder / SPEC
    command = f"harness reproduce {path.as_posix()} --scale {result.scale}{result.options}"
    text = target_text(result, library, command)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before is not None and _measured(before) != _measured(text):
        split = result.measured
        fix = f"tune under another name, or delete {SPEC} and report that the {split} split was used twice"
        what = f"the {split} split was used with other settings before"
        raise UserError(what, where=str(path), fix=fix)
    if before is None or _content(before) != _content(text):
        write_text(path, text)
    resolved = resolve_at(library, str(path), result.scale, stages)
    reproduction = reproduce(resolved, stages, folder.parents[2])
    scores = read_parquet(reproduction.folder / "per_query.parquet", "reproduce the confirmation again")
    data = dict(read_json(folder / TRIALS))
    if not isinstance(reproduction.cells, ComparisonCells):
        raise ValueError(f"a confirmation is reported as a comparison, not as a {reproduction.cells.kind}")
    quoted = quote(reproduction.cells, scores, setting_pairs(result), seeds_of(resolved, reproduction.cells))
    write_json(folder / TRIALS, {**data, "confirmation": quoted})
    render(folder)
    return reproduction


def _measured(text: str) -> Any:
    """Return a target without what says which rows are compared: that changes nothing that is measured."""
    content = yaml.safe_load(text)
    rows = [{key: value for key, value in row.items() if key != "minus"} for row in content["rows"]]
    return {**content, "rows": rows}


def _content(text: str) -> list[str]:
    """Return the lines of a target without its comments."""
    return [line for line in text.splitlines() if not line.startswith("#")]


def seeds_of(resolved: Resolved, cells: Cells) -> list[int]:
    """Return the runs' seeds of continued training."""
    first = resolved.scale.spec.seeds.continued + SEED_SHIFT
    return [first + seed for seed in cells.seeds]


def quote(
    cells: ComparisonCells, scores: pd.DataFrame, pairs: Sequence[SettingPair], seeds: Sequence[int]
) -> dict[str, Any]:
    """Return the summary of a confirmation for the tuning's report, on the primary measure.

    Args:
        cells: content of the confirmation's cells.json.
        scores: per-query scores of the confirmation's runs.
        pairs: the two rows of each study.
        seeds: training seeds of those runs.
    """
    place, level = cells.primary_place, cells.level
    column = cells.columns[place].model_dump()
    rows = {row.name: row.cells[place] for row in cells.rows}
    paired = {pair.study.row: _paired(scores, column, pair) for pair in pairs}
    clusters = clusters_in(scores, score_table(scores, pairs[0].chosen, column), column)
    adjusted = _holm({row: of for row, of in paired.items() if of is not None}, level, clusters)
    return {
        "primary": cells.primary,
        "split": column["split"],
        "collection": cells.collection_of("").name,
        "level": level,
        "seeds": list(seeds),
        "baseline": cells.baseline,
        "failed": {row.name: row.reason for row in cells.rows if row.reason},
        "studies": [
            {
                "row": pair.study.row,
                "same": pair.papers == pair.chosen,
                "setting": dict(pair.best.setting),
                "given": pair.papers is not None,
                "papers": _mean(rows[pair.papers]) if pair.papers else None,
                "best": _mean(rows[pair.chosen]),
                "difference": _difference(
                    paired[pair.study.row], adjusted.get(pair.study.row), level, clusters
                ),
            }
            for pair in pairs
        ],
        "to_baseline": [
            {"name": row.name, "minus": cells.minus(row), "difference": block.as_json()}
            for row in cells.rows
            if (block := cells.difference(row, place))
        ],
    }


def _paired(scores: pd.DataFrame, column: Mapping[str, Any], pair: SettingPair) -> FloatArray | None:
    """Return best minus papers' setting, [S, Q]; none where they are one row, or one of them failed."""
    if pair.papers is None or pair.papers == pair.chosen:
        return None
    best, papers = (score_table(scores, name, column) for name in (pair.chosen, pair.papers))
    return paired_difference(best, papers, pair.chosen, pair.papers)


def _holm(paired: Mapping[str, FloatArray], level: float, clusters: Clusters | None) -> dict[str, float]:
    """Return the p-values of the studies, corrected over them."""
    intervals = [
        method_interval(of, level, clusters) or checkpoint_interval(of, level, clusters)
        for of in paired.values()
    ]
    return dict(zip(paired, holm([interval.p_value for interval in intervals]), strict=True))


def _difference(
    paired: FloatArray | None, p_value: float | None, level: float, clusters: Clusters | None
) -> dict[str, Any] | None:
    return None if paired is None else {**difference_block(paired, level, clusters), "holm_p": p_value}


def _mean(cell: ComparedCell) -> dict[str, float | None] | None:
    return {"mean": cell.reproduced.mean, "sd": cell.reproduced.sd} if cell.reproduced else None
