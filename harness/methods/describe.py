"""The output of `harness methods`, as JSON and as text."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.methods.catalogue import (
    FORMULA_OF,
    KINDS,
    LETTERS,
    LOSS_LETTERS,
    Method,
    catalogue,
    methods_named,
)
from harness.methods.curves import COPIES, DRAWN, assumptions, chances_around, weights_at
from harness.methods.uses import all_uses, uses_of
from harness.negatives.draws.draw import Draw
from harness.negatives.laws.law import Law
from harness.negatives.presets import presets
from harness.negatives.registry import make_draw, make_law
from harness.specs.library import Library

BAR = 28
"""Width of the longest bar in characters."""

EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")

GAPS = range(4, -9, -1)
"""Gaps of a plot, one for each line."""


def list_methods(library: Library) -> list[dict[str, Any]]:
    """Return all methods as `harness methods --json` prints them."""
    return [method.as_json() for method in catalogue(library)]


def show_methods(library: Library, name: str) -> list[dict[str, Any]]:
    """Return the details of all methods with a name, JSON-ready."""
    uses = all_uses(library)
    return [
        method.as_json()
        | {"formula": method.formula, "text": list(method.text), "used_by": uses_of(method, uses)}
        for method in methods_named(library, name)
    ]


def render_list(library: Library) -> RenderableType:
    """Return a table for each kind of method."""
    tables: list[RenderableType] = []
    methods = catalogue(library)
    for kind, description in KINDS.items():
        table = Table(box=None, pad_edge=False, title_justify="left", expand=True)
        table.title = Text(f"{kind}: {description}", style="bold")
        table.add_column("name", width=max(len(method.name) for method in methods))
        table.add_column("summary", ratio=1)
        table.add_column("citation", ratio=1, overflow="fold")
        for method in methods:
            if method.kind == kind:
                table.add_row(method.name, Text(method.summary), Text(method.citation))
        tables += [table, Text()]
    return Group(*tables[:-1])


def render_methods(library: Library, name: str) -> RenderableType:
    """Return the details of all methods with a name, one below the other."""
    uses = all_uses(library)
    blocks: list[RenderableType] = []
    for method in methods_named(library, name):
        blocks += [*_description(method), *_curves(method), _used_by(uses_of(method, uses)), Text()]
    return Group(*blocks[:-1])


def _description(method: Method) -> list[RenderableType]:
    lines = [Text(f"{method.name} ({method.kind}): {method.summary}", style="bold")]
    lines.append(Text(f"Citation: {method.citation}", style="dim"))
    if method.formula:
        letters = LETTERS if method.kind == "law" else LOSS_LETTERS
        lines.append(Text(f"{FORMULA_OF[method.kind]}: {method.formula}; {letters}"))
    if method.text:
        lines += [Text(), *map(Text, method.text)]
    return [*lines, *_parameters(method)]


def _parameters(method: Method) -> list[RenderableType]:
    if not method.parameters:
        return []
    settings = method.kind in ("sampler", "recipe")
    headers = ("", "written") if settings else ("parameter", "values", "default", "range")
    table = Table(*headers, box=None, pad_edge=False)
    for parameter in method.parameters:
        line = [parameter.name, parameter.default_text]
        if not settings:
            line[1:1] = [parameter.values_text]
            line.append(parameter.range or "")
        table.add_row(*map(Text, line))
    return [Text(), table]


def _curves(method: Method) -> list[RenderableType]:
    """Return the plot of a law, or of a sampler that draws."""
    if method.kind == "law":
        return _plot(make_law(method.name), None)
    if method.kind == "sampler" and presets()[method.name].source is not None:
        preset = presets()[method.name]
        return _plot(make_law(preset.law), make_draw(preset.draw))
    return []


def _plot(law: Law, draw: Draw | None) -> list[RenderableType]:
    """Return a plot of weight over gap, with a draw also of the chance to be drawn, and the assumptions."""
    table = Table(box=None, pad_edge=False)
    table.add_column("s- - s+", justify="right")
    table.add_column("weight", no_wrap=True)
    columns = [[f"{share:5.3f} {_bar(share)}" for share in weights_at(law, GAPS)]]
    under = assumptions(union="union" in law.needs)
    if draw is not None:
        table.add_column(f"chance to be among {DRAWN}", no_wrap=True)
        columns.append([f"{share:5.1%} {_bar(share)}" for share in chances_around(law, draw, GAPS)])
        under += f" Chances: mean over {COPIES} draws, and over the candidates within half a unit."
    for gap, *line in zip(GAPS, *columns, strict=True):
        table.add_row(*map(Text, [f"{gap:+d}" if gap else "0", *line]))
    return [Text(), table, Text(under, style="dim")]


def _bar(share: float) -> str:
    """Return a bar of blocks, to an eighth of a block."""
    whole, eighths = divmod(round(share * BAR * 8), 8)
    return "█" * whole + EIGHTHS[eighths]


def _used_by(rows_by_spec: dict[str, list[str]]) -> RenderableType:
    specs = [f"{spec} ({', '.join(rows)})" if rows else spec for spec, rows in rows_by_spec.items()]
    return Text(f"\nUsed by: {'; '.join(specs) or 'no spec'}")
