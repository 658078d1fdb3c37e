"""Texts for a tuning's report: settings, values, data and titles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.reports.text import NOTHING, Style, count_text, list_text
from harness.specs.sampler_paths import short_names, value_text
from harness.specs.samplers import Parameter
from harness.tuning.report.result import Setting, TuningObjective, TuningResult

PERCENT = Style(100.0, 1)

PAPERS = "papers' setting"
"""Name of the row and the column with a paper's choice."""


def value_of(objective: TuningObjective, value: float | None) -> str:
    """Return a value of an objective: a measure in per cent, a cost in seconds."""
    if value is None:
        return NOTHING
    return PERCENT.number(value) if objective.measured else f"{value:z.3g}"


def factor_of(objective: TuningObjective) -> float:
    """Return the factor by which values of an objective are multiplied for display."""
    return PERCENT.factor if objective.measured else 1.0


def axis_text(objective: TuningObjective) -> str:
    """Return an objective with its unit."""
    return f"{objective.name} (%)" if objective.measured else objective.name


def number_text(value: Parameter) -> str:
    """Return a value of a setting; numbers have three digits, all of them in trials.json."""
    return f"{value:z.3g}" if isinstance(value, float) else value_text(value)


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """Return short names of keys: the last part of a path where that is unambiguous."""
    return short_names(keys)


def setting_text(setting: Setting) -> str:
    """Return a setting in one line."""
    names = names_of(setting)
    return ", ".join(f"{names[key]} {number_text(value)}" for key, value in setting.items()) or NOTHING


def condition_text(when: Mapping[str, Any] | None) -> str:
    """Return the condition of a parameter, empty if it has none."""
    parts = [
        f"{key} is {' or '.join(map(str, values if isinstance(values, list) else [values]))}"
        for key, values in (when or {}).items()
    ]
    return f"where {list_text(parts)}" if parts else ""


def data_text(result: TuningResult) -> str:
    """Return collection (marked if a simulation), scale and number of held-out queries."""
    collection = result.data["collection"]
    simulation = " (simulation)" if collection["simulation"] else ""
    queries = next((one.queries for one in result.objectives if one.queries), None)
    held_out = f", {count_text(queries)} held-out training queries" if queries else ""
    return f"{collection['name']}{simulation} at {result.scale} scale{held_out}"


def title_of(result: TuningResult, what: str) -> str:
    """Return the title of a figure: the tuning, its subject `what`, and the data."""
    simulation = "Simulation. " if result.data["collection"]["simulation"] else ""
    return f"{simulation}tuning/{result.name}: {result.data['title']}\n{what}; {data_text(result)}"
