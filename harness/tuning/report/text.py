"""How what a tuning found is written: settings, values, where it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.reports.text import NOTHING, Style, count_text, list_text
from harness.specs.expansion import short_names, value_text
from harness.specs.samplers import Parameter
from harness.tuning.report.result import Setting, TuningObjective, TuningResult

PERCENT = Style(100.0, 1)

PAPERS = "papers' setting"
"""What a paper chose, as a row and a column name it."""


def value_of(objective: TuningObjective, value: float | None) -> str:
    """Return a value of an objective: per cent of a measure, seconds of a cost."""
    if value is None:
        return NOTHING
    return PERCENT.number(value) if objective.measured else f"{value:.3g}"


def factor_of(objective: TuningObjective) -> float:
    """Return what the values of an objective are multiplied by where they are shown."""
    return PERCENT.factor if objective.measured else 1.0


def axis_text(objective: TuningObjective) -> str:
    """Return an objective with its unit."""
    return f"{objective.name} (%)" if objective.measured else objective.name


def number_text(value: Parameter) -> str:
    """Return a value of a setting, a number to three digits; trials.json has all of them."""
    return f"{value:.3g}" if isinstance(value, float) else value_text(value)


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the keys of a space as they are read: the last step of a path where that is clear."""
    return short_names(keys)


def setting_text(setting: Setting) -> str:
    """Return a setting in one line."""
    names = names_of(setting)
    return ", ".join(f"{names[key]} {number_text(value)}" for key, value in setting.items()) or NOTHING


def condition_text(when: Mapping[str, Any] | None) -> str:
    """Return when a parameter is there at all, as far as that depends on others."""
    parts = [
        f"{key} is {' or '.join(map(str, values if isinstance(values, list) else [values]))}"
        for key, values in (when or {}).items()
    ]
    return f"where {list_text(parts)}" if parts else ""


def data_text(result: TuningResult) -> str:
    """Return the collection, a simulation named so, the scale and on how many queries settings are judged."""
    collection = result.data["collection"]
    simulation = " (simulation)" if collection["simulation"] else ""
    queries = next((one.queries for one in result.objectives if one.queries), None)
    held_out = f", {count_text(queries)} held-out training queries" if queries else ""
    return f"{collection['name']}{simulation} at {result.scale} scale{held_out}"


def title_of(result: TuningResult, what: str) -> str:
    """Return the title of a figure: what it shows, of which tuning, made on what."""
    simulation = "Simulation. " if result.data["collection"]["simulation"] else ""
    return f"{simulation}tuning/{result.name}: {result.data['title']}\n{what}; {data_text(result)}"
