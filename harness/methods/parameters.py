"""Parameters of a method, derived from the fields and the docstring of its class."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from harness.pieces import plural

_NAMES = {float: "number", int: "whole number", str: "text", bool: "true or false"}
_BOUNDS = {"ge": ">= {:g}", "gt": "> {:g}", "le": "<= {:g}", "lt": "< {:g}", "min_length": "at least {}"}
_ITEM = re.compile(r"- |`[\w-]+`:")


@dataclass(frozen=True)
class MethodParameter:
    """A parameter that a spec may set.

    Attributes:
        name: name in specs.
        type: type of its values, in words.
        values: the valid values, if they can be listed.
        required: whether a spec must set it.
        default: default value, as written in a spec.
        range: bounds of a number or length of a list, in words.
        description: its description in the class.
    """

    name: str
    type: str
    values: tuple[Any, ...] | None = None
    required: bool = False
    default: Any = None
    range: str | None = None
    description: str | None = None

    @property
    def default_text(self) -> str:
        """The default on one line, or ``required``."""
        return "required" if self.required else _on_one_line(self.default)

    @property
    def values_text(self) -> str:
        """The valid values if they can be listed, else the type."""
        return ", ".join(map(str, self.values)) if self.values else self.type


def parameters_of(known: Mapping[str, FieldInfo], text: tuple[str, ...] = ()) -> tuple[MethodParameter, ...]:
    """Return the parameters of a pydantic class.

    Args:
        known: name -> field of the class.
        text: paragraphs of the class docstring, which may describe parameters.
    """
    return tuple(
        MethodParameter(
            name=name,
            type=_type(field.annotation),
            values=get_args(field.annotation) if get_origin(field.annotation) is Literal else None,
            required=field.is_required(),
            default=None if field.is_required() else field.default,
            range=_range(field),
            description=field.description or _explained(name, text),
        )
        for name, field in known.items()
    )


def paragraphs(thing: Any) -> tuple[str, ...]:
    """Return a docstring with one line for each paragraph and each item of a list.

    An item starts with a dash, or with a name in backticks and a colon. Double backticks become single ones.
    """
    lines: list[str] = []
    for block in (inspect.getdoc(thing) or "").replace("``", "`").split("\n\n"):
        for place, line in enumerate(block.splitlines()):
            if place == 0 or _ITEM.match(line):
                lines.append(line)
            else:
                lines[-1] += f" {line.strip()}"
    return tuple(lines)


def _on_one_line(value: Any) -> str:
    """Return a value as written in a spec."""
    if value is None or isinstance(value, str):
        return value or "none"
    if isinstance(value, float):
        return f"{value:g}"
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()


def _type(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inside[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in inside)
    if origin is tuple:
        return f"list of {plural(_type(inside[0]))}"
    if origin is dict:
        return "keys with values"
    if origin is Literal:
        return _NAMES[type(inside[0])]
    return "none" if annotation is NoneType else _NAMES.get(annotation, annotation.__name__.lower())


def _range(field: FieldInfo) -> str | None:
    bounds = [
        text.format(getattr(bound, key))
        for bound in field.metadata
        for key, text in _BOUNDS.items()
        if hasattr(bound, key)
    ]
    return ", ".join(bounds) or None


def _explained(name: str, text: tuple[str, ...]) -> str | None:
    """Return the item of a docstring on a parameter, or else the first sentence that names it."""
    mark = f"`{name}`"
    for paragraph in text:
        if paragraph.startswith(f"{mark}: "):
            return paragraph.removeprefix(f"{mark}: ")
    sentences = [sentence for paragraph in text for sentence in re.split(r"(?<=\.) ", paragraph)]
    return next((sentence for sentence in sentences if mark in sentence), None)
