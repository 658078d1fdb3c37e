"""Reading spec files: every error of a file at once, each with file, line, key and nearest name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import SpecErrors, UserError, nearest
from harness.specs.models import OWNERS, PLACES, Spec

Model = TypeVar("Model", bound=Spec)
Location = tuple[int | str, ...]


@dataclass(frozen=True)
class Source:
    """A parsed YAML file that knows the line of each key.

    Attributes:
        path: the file, as messages show it.
        data: plain content.
        node: the YAML nodes, with their marks.
    """

    path: str
    data: Any
    node: yaml.Node

    def line(self, location: Location) -> int:
        """Return the line, from 1, of a key or of the nearest thing around it."""
        node, line = self.node, self.node.start_mark.line
        for step in location:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line + 1

    def error(self, location: Location, what: str, fix: str | None = None) -> UserError:
        """Return an error that points to a key."""
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
        where = f"{self.path}:{self.line(location)}"
        return UserError(f"key '{key}': {what}" if key else what, where=where, fix=fix)


def read_source(path: Path, root: Path) -> Source:
    """Parse a YAML file safely.

    Raises:
        UserError: it is missing, is not YAML, is empty, or has a key twice.
    """
    shown = f"{root.name}/{path.relative_to(root)}"
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read ({error})", where=shown) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UserError(
            f"broken YAML: {error.problem}", where=f"{shown}{place}", fix="mend the syntax"
        ) from error
    if not isinstance(node, yaml.MappingNode):
        raise UserError("the file must hold keys and values", where=f"{shown}:1")
    twice = list(_duplicates(node))
    if twice:
        raise SpecErrors([UserError(f"key '{k}' stands twice", where=f"{shown}:{n + 1}") for k, n in twice])
    return Source(shown, data, node)


def parse(source: Source, model: type[Model], owner: str) -> Model:
    """Check a file's content against its model.

    Args:
        source: the parsed file.
        model: what it must be.
        owner: who sets keys in this file: dataset, recipe, scale or row.

    Raises:
        SpecErrors: all that is wrong with it.
    """
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        found = [_explain(source, detail, model, owner) for detail in error.errors()]
        raise SpecErrors(sorted(found, key=lambda e: int(str(e.where).rsplit(":", 1)[-1]))) from error


def _explain(source: Source, detail: Any, model: type[BaseModel], owner: str) -> UserError:
    location: Location = tuple(detail["loc"])
    kind = detail["type"]
    if kind == "missing":
        return source.error(location[:-1], f"'{location[-1]}' is missing", _expectation(model, location))
    if kind == "extra_forbidden":
        key = str(location[-1])
        owned = OWNERS.get(key)
        if owned and owned != owner:
            return source.error(
                location, f"belongs to the {owned} ({PLACES[owned]}), but is set here by the {owner}",
                "set it there",
            )  # fmt: skip
        return source.error(location, "unknown key", nearest(key, _keys_at(model, location[:-1])))
    if kind == "literal_error":
        valid = [name.strip("' ") for name in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return source.error(
            location, f"{detail['input']!r} is not valid", nearest(str(detail["input"]), valid)
        )
    return source.error(location, f"got {detail['input']!r}", _lower(detail["msg"]))


def _lower(message: str) -> str:
    return f"expected: {message.removeprefix('Input should be ')}"


def _expectation(model: type[BaseModel], location: Location) -> str:
    field = _fields_at(model, location[:-1]).get(str(location[-1]))
    description = f" ({field.annotation})" if field is not None else ""
    return f"add it{description.replace('typing.', '')}"


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    return list(_fields_at(model, location))


def _fields_at(model: type[BaseModel], location: Location) -> dict[str, Any]:
    """Return the fields of the model that a location leads into, by the name a file uses."""
    for step in location:
        if isinstance(step, str):
            field = {f.alias or n: f for n, f in model.model_fields.items()}.get(step)
            inner = _models_in(field.annotation) if field is not None else []
            model = inner[0] if inner else model
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models_in(part)]


def _child(node: yaml.Node, step: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None


def _duplicates(node: yaml.Node) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                found.append((key.value, key.start_mark.line))
            seen.add(key.value)
            found.extend(_duplicates(value))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found.extend(_duplicates(value))
    return found
