"""The confirmation target of a tuning: its best and the papers' settings, measured with fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from harness.errors import UserError
from harness.specs.kinds.comparison import Comparison
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.target import Row
from harness.tuning.report.result import Setting, StudyResult, TrialResult, TuningResult
from harness.tuning.report.text import PAPERS, setting_text

SPEC = "target.yaml"

SEEDS = 3
SEED_SHIFT = 500
"""Added to a scale's first seeds, so that no trial, table or pair (`models.Side`) has used them."""


@dataclass(frozen=True)
class SettingPair:
    """The two rows of one study.

    Attributes:
        study: the study in trials.json.
        best: the finished trial with the best value.
        papers: name of the row with the papers' setting; none if there is no such setting.
        chosen: name of the row with the best setting; equal to `papers` if that is the best.
    """

    study: StudyResult
    best: TrialResult
    papers: str | None
    chosen: str


def setting_pairs(result: TuningResult) -> list[SettingPair]:
    """Return the rows of each study.

    Raises:
        UserError: a study is incomplete, or has no finished trial.
    """
    return [_pair(result, study) for study in result.studies]


def _pair(result: TuningResult, study: StudyResult) -> SettingPair:
    best = result.best(study)
    count = sum(not study.tried_again(trial) for trial in study.trials)
    if best is None or count < result.budget:
        ended = f"{count} of {result.budget} trials, {len(study.complete)} finished"
        what = f"study '{study.row}' has {ended}"
        again = f"resume it by `harness tune {result.call}`"
        raise UserError(
            f"{what}; a tuning is confirmed once, when all trials are done", where=result.name, fix=again
        )
    papers = f"{study.row}: {PAPERS}" if study.papers else None
    same = study.papers and dict(best.setting) == dict(study.papers[0])
    chosen = papers if papers and same else f"{study.row}: best of {result.budget}"
    return SettingPair(study, best, papers, chosen)


def target_text(result: TuningResult, library: Library, command: str) -> str:
    """Return the target's YAML, ready for `harness reproduce`; it depends on the trials alone.

    Args:
        result: a complete tuning.
        library: specs, among them the target whose rows were tuned.
        command: the command that reproduces it, for the first line.

    Raises:
        UserError: the tuning is incomplete, or its target is not a comparison.
    """
    loaded, pairs = library.target(str(result.data["target"])), setting_pairs(result)
    tuned = loaded.target
    if not isinstance(tuned, Comparison):
        what = f"target '{loaded.name}' is of kind '{tuned.kind}', which has no rows against a baseline"
        raise UserError(what, where=result.name, fix="tune the rows of a comparison")
    shared = tuned.model_dump(
        by_alias=True,
        exclude_defaults=True,
        include={"unit", "columns", "primary", "level", "shared", "notes"},
        exclude={"shared": {"published_recipe"}},
    )
    baseline = next((pair for pair in pairs if pair.study.row == tuned.baseline), None)
    of_baseline, of_papers = (baseline.chosen, baseline.papers) if baseline else (None, tuned.baseline)
    rows = [row for pair in pairs for row in _rows(loaded, pair, of_papers, of_baseline)]
    if of_baseline is None:
        rows = [_data(_row(loaded, tuned.baseline)), *rows]
    content = {
        "title": f"{result.data['title']}: best and papers' settings on the {result.measured} split",
        "kind": "confirmation",
        "citation": f"Tuning {result.name}, {result.budget} trials a study",
        **shared,
        "tuning": result.name,
        "target": loaded.name,
        "baseline": of_baseline or tuned.baseline,
        "scales": [result.scale],
        "seeds": SEEDS,
        "seed_shift": SEED_SHIFT,
        "rows": rows,
        "remarks": [_remark(result)],
    }
    written = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return (
        f"# {command}\n# Written by a tuning; its trials.json says how the settings were chosen.\n{written}"
    )


def _remark(result: TuningResult) -> str:
    queries = next((one.queries for one in result.objectives if one.queries), None)
    return (
        f"Settings of rows named best were chosen on {queries or 'the'} queries held out of the training "
        "queries, which are part of the training queries here. No trial used one of these seeds, or saw a "
        f"{result.measured} query."
    )


def _rows(
    loaded: LoadedTarget, pair: SettingPair, of_papers: str | None, of_tuned: str | None
) -> list[dict[str, Any]]:
    """Return the rows of a study: the papers' setting, and the best one if it differs.

    Args:
        loaded: the target whose rows were tuned.
        pair: the rows of the study.
        of_papers: the row that those of the papers' settings are compared with, if any.
        of_tuned: likewise the row of tuned ones: none where the baseline was not tuned.
    """
    base = _row(loaded, pair.study.row)
    papers = [(pair.papers, pair.study.papers[0], of_papers)] if pair.papers else []
    best = [(pair.chosen, pair.best.setting, of_tuned)] if pair.chosen != pair.papers else []
    return [
        {
            **_data(base, setting),
            "name": name,
            "note": f"Setting: {setting_text(setting)}.",
            **({"minus": other} if other not in {None, name} else {}),
        }
        for name, setting, other in (*papers, *best)
    ]


def _row(loaded: LoadedTarget, name: str) -> Row:
    row = loaded.row(name)
    if not isinstance(row, Row) or row.sampler is None:
        raise UserError(f"row '{name}' of {loaded.name} has no sampler to tune", fix="tune another row")
    return row


def _data(base: Row, setting: Setting | None = None) -> dict[str, Any]:
    """Return a row for YAML, without published figures, with a setting in place of its own."""
    of_papers = {"published", "published_sampler"}
    plain = base.model_dump(by_alias=True, exclude_defaults=True, exclude=of_papers)
    return {**plain, "overrides": dict(setting)} if setting else plain
