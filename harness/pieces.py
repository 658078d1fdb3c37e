"""Pieces made from what a spec says: a name, or a name with parameters; errors know the place inside."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from harness.errors import UserError, nearest

PieceType = TypeVar("PieceType")
"""What all pieces of a kind are: law, source, draw, topology, loss, turns."""
Given = str | Mapping[str, Any]
"""As a spec writes a piece: ``top-k``, or ``{name: top-k, count: retrieved}``."""

NESTED = ("of", "parts")
"""Parameters that are pieces of the same kind."""

PIECE_IN_SCHEMA = "x-piece"
"""Key in a JSON schema in whose place `harness.specs.piece_schemas` puts the pieces of a kind."""

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


class Piece(BaseModel):
    """A piece: a frozen, validated set of parameters.

    Attributes:
        name: as a spec writes it; each class has its own, as the default.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        defer_build=True,  # until one is made: most commands make few
    )

    name: str

    def lacks(self) -> tuple[str, str] | None:
        """Return what is missing, such as a file, and the fix; None if nothing is missing."""
        return None


@dataclass(frozen=True, eq=False)
class AnyOf:
    """Annotates a field of settings that holds a piece of a kind, identified by its ``name``.

    Attributes:
        kind: what it is called in messages.
        known: pieces of the kind by name.
    """

    kind: str
    known: Mapping[str, type[Any]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how pydantic reads a piece, from itself or from JSON."""
        return core_schema.no_info_plain_validator_function(
            self._read, serialization=core_schema.plain_serializer_function_ser_schema(settings_of)
        )

    def _read(self, value: Any) -> Any:
        if isinstance(value, tuple(self.known.values())):
            return value
        try:
            return _read_piece(self.kind, self.known, value)
        except PieceError as error:
            raise ValueError(error.what) from error


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


def make_piece(kind: str, known: Mapping[str, type[PieceType]], choice: Any) -> PieceType:
    """Return a piece with its parameters checked.

    Args:
        kind: what it is called in messages: law, source, draw, topology, loss.
        known: pieces of the kind by name.
        choice: a name, or a mapping of ``name`` and parameters.

    Raises:
        PieceError: unknown name, unknown or missing parameter, a value out of its range, or a missing file.
    """
    made = _read_piece(kind, known, choice)
    _refuse_lacking(kind, made)
    return made


def _read_piece(kind: str, known: Mapping[str, type[PieceType]], choice: Any) -> PieceType:
    if isinstance(choice, str):
        choice = {"name": choice}
    if not isinstance(choice, Mapping) or not isinstance(choice.get("name"), str):
        raise PieceError(f"a {kind} is a name, or a `name` with parameters, got {choice!r}")
    name = choice["name"]
    if name not in known:
        raise PieceError(f"unknown {kind} '{name}'", nearest(name, known))
    parameters = {key: value for key, value in choice.items() if key != "name"}
    names = parameters_of_class(known[name])
    for key in parameters:
        if key not in names:
            fix = nearest(key, names) or "it has none"
            raise PieceError(f"{kind} '{name}' has no parameter '{key}'", fix, (key,))
    return _made(kind, known, name, _nested(kind, known, parameters))


def settings_of(piece: Any) -> dict[str, Any]:
    """Return a piece as a spec would write it, every parameter named."""
    settings: dict[str, Any] = piece.model_dump(mode="json")
    return settings


def name_of(piece: type[Any]) -> str:
    """Return the name of a class of pieces."""
    return str(piece.model_fields["name"].default)


def classes_by_name(*pieces: type[Any]) -> dict[str, type[Any]]:
    """Return classes of pieces by their names."""
    return {name_of(piece): piece for piece in pieces}


def parameters_of_class(piece: type[Any]) -> list[str]:
    """Return the names of the parameters of a class of pieces."""
    return [field for field in piece.model_fields if field != "name"]


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


def _refuse_lacking(kind: str, piece: Any) -> None:
    """Raise an error if something is missing that a piece, or one inside it, refers to."""
    for key in NESTED:
        inner = getattr(piece, key, None)
        parts = inner if isinstance(inner, tuple) else () if inner is None else (inner,)
        for place, part in enumerate(parts):
            try:
                _refuse_lacking(kind, part)
            except PieceError as error:
                raise error.inside(*((key, place) if isinstance(inner, tuple) else (key,))) from error
    lacking = piece.lacks()
    if lacking is not None:
        what, fix = lacking
        raise PieceError(f"{kind} '{piece.name}': {what}", fix)


def _nested(kind: str, known: Mapping[str, type[PieceType]], parameters: dict[str, Any]) -> dict[str, Any]:
    made = dict(parameters)
    for key in NESTED:
        if key not in parameters:
            continue
        inner = parameters[key]
        try:
            if key == "of":
                made[key] = _read_piece(kind, known, inner)
            elif not isinstance(inner, list | tuple):
                raise PieceError(f"`{key}` is a list of {plural(kind)}, got {inner!r}")
            else:
                made[key] = tuple(_part(kind, known, place, part) for place, part in enumerate(inner))
        except PieceError as error:
            raise error.inside(key) from error
    return made


def _part(kind: str, known: Mapping[str, type[PieceType]], place: int, part: Any) -> PieceType:
    try:
        return _read_piece(kind, known, part)
    except PieceError as error:
        raise error.inside(place) from error


def _made(
    kind: str, known: Mapping[str, type[PieceType]], name: str, parameters: dict[str, Any]
) -> PieceType:
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
