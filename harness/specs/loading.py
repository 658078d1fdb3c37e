"""Checking spec files against their models: every error at once, with line, key and nearest name."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import SpecErrors, UserError, nearest
from harness.specs.base import Spec
from harness.specs.owners import OWNERS, PLACES, RENAMED, SUBSTITUTED
from harness.specs.yaml_file import Location, YamlFile, has

Model = TypeVar("Model", bound=Spec)

LONGEST_SHOWN = 200
"""Letters of a wrong value that a message shows."""

_EXPECTED = {
    "string_type": 'a text; write it in quotes, such as "39.7"',
    "string_too_short": "a text that is not empty",
    "string_too_long": "a shorter text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "too_short": "a list that is not empty",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "finite_number": "a finite number",
    "string_pattern_mismatch": 'a number as printed, such as "39.7"',
}


def parse(yaml_file: YamlFile, model: type[Model], owner: str) -> Model:
    """Check a file's content against its model.

    Args:
        yaml_file: the parsed file.
        model: what it must be.
        owner: who sets keys in this file: dataset, recipe, scale, paper or row.

    Raises:
        SpecErrors: all that is wrong with it.
    """
    parsed, errors = try_parse(yaml_file, model, owner)
    if parsed is None or errors:
        raise SpecErrors(in_order(errors))
    return parsed


def try_parse(yaml_file: YamlFile, model: type[Model], owner: str) -> tuple[Model | None, list[UserError]]:
    """Return what `parse` returns, or none and the errors that it would raise."""
    try:
        return model.model_validate(yaml_file.data), []
    except ValidationError as error:
        errors: dict[Location, UserError] = {}
        for detail in error.errors():
            location = _location(yaml_file, detail)
            errors.setdefault(location, _explain(yaml_file, location, detail, model, owner))
        return None, [error for place, error in errors.items() if not _is_about_a_part(place, errors)]


def _is_about_a_part(place: Location, errors: Iterable[Location]) -> bool:
    """Whether another error names a part of a value: a number by dataset is one of two kinds of value."""
    return any(len(other) > len(place) and other[: len(place)] == place for other in errors)


def in_order(errors: list[UserError]) -> list[UserError]:
    """Sort errors of files by line; what is said twice is said once."""
    distinct = {str(error): error for error in errors}.values()
    return sorted(distinct, key=lambda error: int((re.findall(r":(\d+)$", str(error.where)) or ["0"])[0]))


def _explain(
    yaml_file: YamlFile, location: Location, detail: Any, model: type[BaseModel], owner: str
) -> UserError:
    kind, shown = detail["type"], _show(detail["input"])
    if kind == "missing":
        field = _fields_at(model, location[:-1]).get(str(location[-1]))
        about = f" ({field.description})" if field is not None and field.description else ""
        return yaml_file.error(location[:-1], f"'{location[-1]}' is missing{about}", "add it")
    if kind == "extra_forbidden":
        return _unknown_key(yaml_file, location, model, owner)
    if kind in {"literal_error", "union_tag_invalid", "union_tag_not_found"}:
        return _not_one_of(yaml_file, location, detail)
    if kind == "value_error":
        return yaml_file.error(location, str(detail["ctx"]["error"]))
    expected = _EXPECTED.get(kind, str(detail["msg"]).removeprefix("Input should be "))
    if kind == "float_type" and re.fullmatch(r"[+-]?\d+e[+-]?\d+", str(detail["input"])):
        expected = "a number, which YAML reads only with a point, such as 5.0e-4"
    elif location[-1:] != detail["loc"][-1:] and kind.endswith("_type"):  # a branch of a union stands last
        expected = "a number, a text, true or false"
    return yaml_file.error(location, f"got {shown}", f"expected {expected}")


def _not_one_of(yaml_file: YamlFile, location: Location, detail: Any) -> UserError:
    """Return what to say of a value that is none of a few, or of a kind of things that there is not."""
    context, value = detail["ctx"], detail["input"]
    if detail["type"] == "union_tag_not_found":
        return yaml_file.error(location, "'kind' is missing", "add it")
    if detail["type"] == "union_tag_invalid":
        location, value = (*location, "kind"), context["tag"]
    expected = str(context.get("expected") or context["expected_tags"])
    expected = expected.replace("False", "false").replace("True", "true")
    valid = [re.sub(r"^'|'$", "", name) for name in re.split(r", | or ", expected)]
    return yaml_file.error(location, f"{_show(value)} is not valid", nearest(str(value), valid))


def _unknown_key(yaml_file: YamlFile, location: Location, model: type[BaseModel], owner: str) -> UserError:
    key = str(location[-1])
    if owner == "scale" and key in SUBSTITUTED:
        what = f"'{key}' belongs to the recipe; a scale puts another in its place"
        return yaml_file.error(location, what, "write it below `substitutes`")
    if key in RENAMED:
        return yaml_file.error(location, f"'{key}' is called `{RENAMED[key]}`", "write that")
    owned = OWNERS.get(key)
    if owned and owned != owner:
        what = f"'{key}' belongs to the {owned} ({PLACES[owned]}), but is set here by the {owner}"
        return yaml_file.error(location, what, "set it there")
    return yaml_file.error(location, "unknown key", nearest(key, _fields_at(model, location[:-1])))


def _location(yaml_file: YamlFile, detail: Any) -> Location:
    """Return pydantic's location without the names of a union's branches, which the file does not have."""
    location: list[int | str] = []
    for number, step in enumerate(detail["loc"], start=1):
        around = yaml_file.at(tuple(location))
        there = isinstance(around, dict | list) and has(around, step)
        if there or (number == len(detail["loc"]) and detail["type"] == "missing"):
            location.append(step)
    return tuple(location)


def _fields_at(model: type[BaseModel], location: Location) -> dict[str, Any]:
    """Return the fields that a file may use where a location leads, of all models that may stand there."""
    models = [model]
    for step in location:
        if isinstance(step, str):
            fields = [f for of in models for n, f in of.model_fields.items() if step == (f.alias or n)]
            models = [inner for field in fields for inner in _models_in(field.annotation)] or models
    return {field.alias or name: field for of in models for name, field in of.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in typing.get_args(annotation) for m in _models_in(part)]


def _show(value: Any) -> str:
    if isinstance(value, dict | list):
        return "keys with values" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    shown = repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
