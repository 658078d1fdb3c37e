"""Pieces made from what a spec says: a name, or a name with parameters; errors know the place inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError

from harness.errors import UserError, nearest

Piece = TypeVar("Piece")
Given = str | Mapping[str, Any]
"""As a spec writes a piece: ``top-k``, or ``{name: top-k, count: retrieved}``."""

NESTED = ("of", "parts")
"""Parameters that are pieces of the same kind."""

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

HOLDING = ConfigDict(**STRICT, arbitrary_types_allowed=True)
"""Of pieces that hold other pieces, which are checked when they are made."""

FILES = ("path", "ranker")
"""Parameters that may name a file."""

_EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "finite_number": "a finite number",
}


class PieceError(UserError):
    """Something is wrong inside a piece.

    Attributes:
        place: keys and positions that lead to it from the piece.
    """

    def __init__(
        self,
        what: str,
        fix: str | None = None,
        place: tuple[str | int, ...] = (),
        where: str | None = None,
    ) -> None:
        self.place = place
        super().__init__(what, where=where, fix=fix)

    def inside(self, *place: str | int) -> PieceError:
        """Return the error as seen from further outside."""
        return PieceError(self.what, self.fix, (*place, *self.place), self.where)


def make_piece(kind: str, known: Mapping[str, type[Piece]], choice: Any) -> Piece:
    """Return a piece with its parameters checked.

    Args:
        kind: what it is called in messages: law, source, draw, topology, loss.
        known: pieces of the kind by name.
        choice: a name, or a mapping of ``name`` and parameters.

    Raises:
        PieceError: unknown name, unknown or missing parameter, or a value out of its range.
    """
    if isinstance(choice, str):
        choice = {"name": choice}
    if not isinstance(choice, Mapping) or not isinstance(choice.get("name"), str):
        raise PieceError(f"a {kind} is a name, or a `name` with parameters, got {choice!r}")
    name = choice["name"]
    if name not in known:
        raise PieceError(f"unknown {kind} '{name}'", nearest(name, known))
    parameters = {key: value for key, value in choice.items() if key != "name"}
    names = [field.name for field in fields(known[name])]  # type: ignore[arg-type]
    for key in parameters:
        if key not in names:
            fix = nearest(key, names) or "it has none"
            raise PieceError(f"{kind} '{name}' has no parameter '{key}'", fix, (key,))
    return _made(kind, known, name, _nested(kind, known, parameters))


def settings_of(piece: Any) -> dict[str, Any]:
    """Return a piece as a spec would write it, every parameter named."""
    parameters = {field.name: _plain(getattr(piece, field.name)) for field in fields(piece)}
    return {"name": piece.name, **parameters}


def plural(kind: str) -> str:
    """Return the name of several pieces of a kind.

    >>> plural("law"), plural("loss")
    ('laws', 'losses')
    """
    return f"{kind}es" if kind.endswith("s") else f"{kind}s"


def by_content(settings: Any) -> Any:
    """Return settings of pieces with the hash of a file's content in the place of its path."""
    if isinstance(settings, Mapping):
        return {key: _hashed(value) if key in FILES else by_content(value) for key, value in settings.items()}
    return [by_content(part) for part in settings] if isinstance(settings, list) else settings


def _hashed(value: Any) -> Any:
    path = Path(str(value))
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else value


def _nested(kind: str, known: Mapping[str, type[Piece]], parameters: dict[str, Any]) -> dict[str, Any]:
    made = dict(parameters)
    for key in NESTED:
        if key not in parameters:
            continue
        inner = parameters[key]
        try:
            if key == "of":
                made[key] = make_piece(kind, known, inner)
            elif not isinstance(inner, list | tuple):
                raise PieceError(f"`{key}` is a list of {plural(kind)}, got {inner!r}")
            else:
                made[key] = tuple(_part(kind, known, place, part) for place, part in enumerate(inner))
        except PieceError as error:
            raise error.inside(key) from error
    return made


def _part(kind: str, known: Mapping[str, type[Piece]], place: int, part: Any) -> Piece:
    try:
        return make_piece(kind, known, part)
    except PieceError as error:
        raise error.inside(place) from error


def _made(kind: str, known: Mapping[str, type[Piece]], name: str, parameters: dict[str, Any]) -> Piece:
    try:
        return known[name](**parameters)
    except ValidationError as error:
        first = error.errors()[0]
        place = tuple(str(step) for step in first["loc"][:1])
        if first["type"] == "value_error":
            what, _, fix = str(first["ctx"]["error"]).partition("; ")
            raise PieceError(f"{kind} '{name}': {what}", fix or None, place) from error
        if first["type"] in {"missing", "missing_argument"}:
            raise PieceError(f"{kind} '{name}' lacks '{''.join(place)}'", "add it") from error
        expected = _EXPECTED.get(first["type"], first["msg"].removeprefix("Input should be "))
        where = f"{kind} '{name}', parameter '{''.join(place)}'"
        raise PieceError(f"got {first['input']!r}", f"expected {expected}", place, where) from error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return settings_of(value) if hasattr(value, "name") else value
