"""The target that confirms a search: its best settings and the papers', measured with fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.models import Comparison, Row
from harness.tuning.report.result import Found, Setting, Study, Trial
from harness.tuning.report.text import PAPERS, setting_text

SPEC = "target.yaml"

SEEDS = 3
SEED_SHIFT = 500
"""Added to a scale's first seeds: none of trials, of tables, or of pairs (`models.Side`)."""


@dataclass(frozen=True)
class Pair:
    """The rows of one study.

    Attributes:
        study: as it was found.
        best: its best trial.
        papers: name of the row of the papers' setting; none where there is no such setting.
        chosen: name of the row of the best one, the same where that is the papers'.
    """

    study: Study
    best: Trial
    papers: str | None
    chosen: str


def pairs_of(found: Found) -> list[Pair]:
    """Return the rows of each study.

    Raises:
        UserError: a study is not at its end, or has no finished trial.
    """
    return [_pair(found, study) for study in found.studies]


def _pair(found: Found, study: Study) -> Pair:
    best = found.best(study)
    count = sum(not study.tried_again(trial) for trial in study.trials)
    if best is None or count < found.budget:
        ended = f"{count} of {found.budget} trials, {len(study.complete)} finished"
        what = f"study '{study.row}' has {ended}"
        again = f"`harness search {found.name} --scale {found.scale}` goes on"
        raise UserError(f"{what}; a search is confirmed once, at its end", where=found.name, fix=again)
    papers = f"{study.row}: {PAPERS}" if study.papers else None
    same = study.papers and dict(best.setting) == dict(study.papers[0])
    chosen = papers if papers and same else f"{study.row}: best of {found.budget}"
    return Pair(study, best, papers, chosen)


def target_text(found: Found, library: Library, command: str) -> str:
    """Return the file, ready for `harness reproduce`; the same trials give the same text.

    Args:
        found: the search, at its end.
        library: has the target that was searched.
        command: that makes it, for its first line.

    Raises:
        UserError: the search is not at its end, or searched no comparison.
    """
    loaded, pairs = library.target(str(found.data["target"])), pairs_of(found)
    searched = loaded.target
    if not isinstance(searched, Comparison):
        what = f"target '{loaded.name}' is of kind '{searched.kind}', which has no rows against a baseline"
        raise UserError(what, where=found.name, fix="search the rows of a comparison")
    kept = searched.model_dump(
        by_alias=True,
        exclude_defaults=True,
        include={"unit", "columns", "primary", "level", "shared", "notes"},
    )
    rows = [row for pair in pairs for row in _rows(found, loaded, pair)]
    of_baseline = next((pair.chosen for pair in pairs if pair.study.row == searched.baseline), None)
    if of_baseline is None:
        rows = [_data(_row(loaded, searched.baseline)), *rows]
    content = {
        "title": f"{found.data['title']}: best and papers' settings on the {found.measured} split",
        "kind": "confirmation",
        "source": f"Search {found.name}, {found.budget} trials a study",
        **kept,
        "search": found.name,
        "target": loaded.name,
        "baseline": of_baseline or searched.baseline,
        "scales": [found.scale],
        "seeds": SEEDS,
        "seed_shift": SEED_SHIFT,
        "rows": rows,
        "remarks": [_remark(found)],
    }
    written = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return (
        f"# {command}\n# Written by a search; its trials.json says how the settings were chosen.\n{written}"
    )


def _remark(found: Found) -> str:
    queries = next((one.queries for one in found.objectives if one.queries), None)
    return (
        f"Settings of rows named best were chosen on {queries or 'the'} queries held out of the training "
        "queries, which are part of the training queries here. No trial used one of these seeds, or saw a "
        f"{found.measured} query."
    )


def _rows(found: Found, loaded: LoadedTarget, pair: Pair) -> list[dict[str, Any]]:
    """Return the rows of a study: the papers' setting, and the best where that is another."""
    base = _row(loaded, pair.study.row)
    papers = [(pair.papers, pair.study.papers[0])] if pair.papers else []
    best = [(pair.chosen, pair.best.setting)] if pair.chosen != pair.papers else []
    return [
        {**_data(base, setting), "name": name, "note": f"Setting: {setting_text(setting)}."}
        for name, setting in (*papers, *best)
    ]


def _row(loaded: LoadedTarget, name: str) -> Row:
    row = loaded.row(name)
    if not isinstance(row, Row) or row.sampler is None:
        raise UserError(f"row '{name}' of {loaded.name} has no sampler to tune", fix="search another row")
    return row


def _data(base: Row, setting: Setting | None = None) -> dict[str, Any]:
    """Return a row as the file has it, with a setting in place of its own; published figures are not its."""
    plain = base.model_dump(by_alias=True, exclude_defaults=True, exclude={"published"})
    return {**plain, "overrides": dict(setting)} if setting else plain
