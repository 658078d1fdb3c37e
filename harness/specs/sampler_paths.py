"""Dotted paths into the sampler of a row, such as ``law.gap``: how they are called, and how they are set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.specs.samplers import Parameter
from harness.specs.yaml_file import Location


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return the last step of each path, or the whole path where two end alike.

    >>> short_names(["law.gap", "source.count"])
    {'law.gap': 'gap', 'source.count': 'count'}
    """
    every = list(dict.fromkeys(paths))
    last = [path.rpartition(".")[2] for path in every]
    return {path: step if last.count(step) == 1 else path for path, step in zip(every, last, strict=True)}


def value_text(value: Parameter) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_sampler(path: str) -> Location:
    """Return where a path into the sampler leads, below its row."""
    return ("sampler", *path.split("."))


def with_value(choice: Mapping[str, Any], path: str, value: Parameter) -> dict[str, Any]:
    """Return a choice with a value put at a dotted path."""
    first, _, rest = path.partition(".")
    return {**choice, first: with_value(choice.get(first, {}), rest, value) if rest else value}
