"""Specs as they were written before recipes had phases: one line says what to do, instead of many errors."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import UserError
from harness.specs.yaml_file import YamlFile

_RECIPE = ("negatives", "loss", "schedule", "start", "trains", "draws", "ranker")
_SCALE = ("learning_rate", "steps", "batch")


def old_recipe(yaml_file: YamlFile) -> UserError | None:
    """Return what to do with a recipe that is one phase without a name."""
    old = [key for key in _RECIPE if yaml_file.at((key,)) is not None]
    if not old or yaml_file.at(("phases",)) is not None:
        return None
    what = f"a recipe is a list of `phases`; `{old[0]}` stands outside of one"
    return yaml_file.error((old[0],), what, "write it as in experiments/recipes/continue-contrastive.yaml")


def old_scale(yaml_file: YamlFile) -> UserError | None:
    """Return what to do with a scale that owns rates, steps and batches."""
    old = [key for key in _SCALE if yaml_file.at((key,)) is not None]
    if not old:
        return None
    what = f"recipes own rates, batches and steps; a scale has `substitutes` for them, and no `{old[0]}`"
    return yaml_file.error((old[0],), what, "write them as in experiments/scales/simulation.yaml")


def old_rows(yaml_file: YamlFile) -> Iterator[UserError]:
    """Yield what to do with rows that evaluate a phase by another word."""
    rows = yaml_file.at(("rows",))
    named = {"warm-up": "base/retriever", "ranker": "base/ranker"}
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        old = row.get("evaluates") if isinstance(row, dict) else None
        if isinstance(old, str) and old in named:
            what = f"a row evaluates a phase, <recipe>/<phase>, not '{old}'"
            yield yaml_file.error(("rows", place, "evaluates"), what, f"for example {named[old]}")
