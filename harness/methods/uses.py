"""The specs that use a method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.errors import UserError
from harness.methods.catalogue import PIECES, Method
from harness.pieces import NESTED
from harness.specs.base import FRESH
from harness.specs.library import Library
from harness.specs.target import Row, Trained


class MethodUse(NamedTuple):
    """The use of a method by a spec, in one of its rows if it has rows."""

    kind: str
    name: str
    spec: str
    row: str | None = None


def uses_of(method: Method, uses: list[MethodUse]) -> dict[str, list[str]]:
    """Return the specs that use a method, each with the rows that do."""
    rows_by_spec: dict[str, list[str]] = {}
    for use in uses:
        if (use.kind, use.name) == (method.kind, method.name):
            rows = rows_by_spec.setdefault(use.spec, [])
            if use.row is not None and use.row not in rows:
                rows.append(use.row)
    return rows_by_spec


def all_uses(library: Library) -> list[MethodUse]:
    """Return the uses of methods by all targets, recipes and scales, without invalid targets."""
    uses: list[MethodUse] = []
    for name in library.targets():
        try:
            target = library.target(name).target
        except UserError:
            continue
        if not isinstance(target, Trained):
            continue
        if target.shared.published_recipe:
            uses.append(MethodUse("recipe", target.shared.published_recipe, name))
        for row in target.rows:
            uses += [MethodUse(*use, name, row.written) for use in _methods_of_row(row, target.shared.recipe)]
    for name in library.names("recipes"):
        recipe = library.recipe(name)
        for phase in recipe.phases:
            uses += [MethodUse("loss", loss, f"recipes/{name}") for loss in _names(phase.loss)]
            starts = (start.partition("/")[0] for start in phase.starts)
            uses += [MethodUse("recipe", start, f"recipes/{name}") for start in starts if start != name]
    for name in library.names("scales"):
        encoder = library.scale(name).encoder
        if encoder.start == FRESH or "pooling" in encoder.model_fields_set:  # else the checkpoint says it
            uses.append(MethodUse("encoder", encoder.pooling, f"scales/{name}"))
    return uses


def _methods_of_row(row: Row, recipe: str) -> Iterator[tuple[str, str]]:
    """Yield kind and name of all methods of a trained row; one that draws nothing uses only a topology."""
    if row.sampler is None:
        return
    yield "recipe", row.recipe or recipe
    yield "sampler", row.sampler.preset
    drawn = row.sampler.piece("source") is not None
    for kind in PIECES if drawn else ("topology",):
        for name in _names(row.sampler.piece(kind)):
            yield kind, name


def _names(piece: Any) -> Iterator[str]:
    """Yield the name of a piece and of its nested pieces."""
    if isinstance(piece, list | tuple):
        for part in piece:
            yield from _names(part)
    elif isinstance(piece, Mapping):
        yield piece["name"]
        for key in NESTED:
            yield from _names(piece.get(key))
    elif piece is not None:
        yield piece
