"""YAML files that know the line of each key; whatever is wrong with one is said in one line."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor

from harness.errors import UNSEEN, SpecErrors, UserError

Location = tuple[int | str, ...]

LONGEST = 200_000
"""Letters of a spec file; the longest shipped one has 3,000."""

DEEPEST = 30
"""Lists and mappings around one another; shipped specs have 8."""

MOST = 50_000
"""Values of a spec file, those that its aliases stand for among them."""

NO_LETTER = re.compile(rf"{UNSEEN.pattern}|[\u2028\u2029]")

MORE_IN_C = re.compile(r"[\t?!]")
"""Letters at which the scanner in C takes what the one in Python refuses."""


@dataclass(frozen=True, eq=False)
class YamlFile:
    """A parsed YAML file that knows the line of each key; a text that is read again is the same file.

    Attributes:
        path: the file, as messages show it.
        data: plain content, which nobody changes.
        lines: place of a key or an item -> its line, from 1.
    """

    path: str
    data: Any
    lines: dict[Location, int] = field(repr=False)

    def line(self, location: Location) -> int:
        """Return the line of a key or of the nearest thing around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def at(self, location: Location) -> Any:
        """Return what stands at a place, or none."""
        value = self.data
        for step in location:
            inside = isinstance(value, dict) or (isinstance(value, list) and isinstance(step, int))
            value = value[step] if inside and has(value, step) else None
        return value

    def where(self, location: Location) -> str:
        """Return file and line of a key or of the nearest thing around it."""
        return f"{self.path}:{self.line(location)}"

    def error(self, location: Location, what: str, fix: str | None = None) -> UserError:
        """Return an error that points to a key."""
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
        return UserError(f"key '{key}': {what}" if key else what, where=self.where(location), fix=fix)


def has(value: Any, step: int | str) -> bool:
    """Tell whether a mapping has a key, or a list a position."""
    return step in value if isinstance(value, dict) else isinstance(step, int) and 0 <= step < len(value)


def read_yaml(path: Path, root: Path | None = None) -> YamlFile:
    """Parse a YAML file safely.

    Args:
        path: the file.
        root: folder of the specs, from which messages show the path; by default they show it whole.

    Raises:
        UserError: it is missing, is not YAML, is empty, has a key twice, or is too large.
    """
    shown = path.as_posix()
    if root is not None:
        shown = f"{root.name}{shown.removeprefix(root.as_posix())}"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read ({type(error).__name__})", where=shown) from error
    return _parsed(text, shown)


@lru_cache(maxsize=512)
def _parsed(text: str, shown: str) -> YamlFile:
    """Parse a text; cached, because a target reads the recipes and scales that others have read, too."""
    if len(text) > LONGEST:
        raise UserError(f"more than {LONGEST:,} letters", where=shown, fix="give a spec, which is shorter")
    try:
        loader, node = _composed(text)
        reader = _Reader(loader)
        data = reader.read(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        what = (error.problem or "a syntax error").replace("\n", " ")
        fix = "write less" if isinstance(error, _TooMuchError) else "mend the syntax"
        raise UserError(f"broken YAML: {what}", where=f"{shown}{place}", fix=fix) from error
    except yaml.reader.ReaderError as error:
        raise UserError(f"broken YAML: {error.reason}", where=shown, fix="remove the character") from error
    yaml_file = YamlFile(shown, data, reader.lines)
    if reader.problems:
        raise SpecErrors(
            [UserError(what, where=f"{shown}:{line}", fix=fix) for line, what, fix in reader.problems]
        )
    if not isinstance(data, dict):
        raise yaml_file.error((), "the file must hold keys and values")
    return yaml_file


class _TooMuchError(yaml.MarkedYAMLError):
    """Sound YAML that is no spec."""


def _composed(text: str) -> tuple[SafeConstructor, yaml.Node | None]:
    """Return the one node of a text, with what makes values of it.

    The scanner in C takes a tenth of the time; what it refuses, or takes though the other one refuses it, is
    left to the other one.
    """
    if yaml.__with_libyaml__ and not MORE_IN_C.search(text):
        with suppress(yaml.YAMLError, UnicodeEncodeError):
            quick = _quick_loader()(text)
            return quick, quick.get_single_node()
    loader = _Loader(text)
    return loader, loader.get_single_node()


class _Shallow(Composer):
    """Composes nodes, no deeper than specs are."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node with all that is inside of it."""
        self._depth += 1
        if self._depth > DEEPEST:
            what = f"more than {DEEPEST} lists and keys inside one another"
            mark = self.peek_event().start_mark  # type: ignore[attr-defined]
            raise _TooMuchError(problem=what, problem_mark=mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Loader(_Shallow, yaml.SafeLoader):
    """Reads a text in Python, and knows how to say what is wrong with it."""


@lru_cache(maxsize=1)
def _quick_loader() -> type[Any]:
    """Return what reads a text in C up to its nodes, which are composed as by the other one."""

    class QuickLoader(_Shallow, yaml.CSafeLoader):
        def __init__(self, text: str) -> None:
            Composer.__init__(self)
            yaml.CSafeLoader.__init__(self, text)

    return QuickLoader


class _Reader:
    """Turns nodes into data; gathers lines, and keys that stand twice or are no text."""

    def __init__(self, loader: SafeConstructor) -> None:
        self.loader = loader
        self.read_values = 0
        self.lines: dict[Location, int] = {}
        self.problems: list[tuple[int, str, str]] = []
        self._around: list[yaml.Node] = []

    def read(self, node: yaml.Node | None, place: Location) -> Any:
        if node is None:
            return None
        self.lines.setdefault(place, node.start_mark.line + 1)
        self.read_values += 1
        if self.read_values > MOST:
            what = f"more than {MOST:,} values, with those that aliases stand for"
            raise _TooMuchError(problem=what, problem_mark=node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if any(node is outer for outer in self._around):
            raise yaml.constructor.ConstructorError(None, None, "an alias inside of itself", node.start_mark)
        self._around.append(node)
        if isinstance(node, yaml.MappingNode):
            value: Any = self._mapping(node, place)
        else:
            value = [self.read(item, (*place, number)) for number, item in enumerate(node.value)]
        self._around.pop()
        return value

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        """Return text, number, truth value or none; dates and the like stay text."""
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value
        try:
            value = self.loader.construct_object(node)
        except yaml.YAMLError:
            raise
        except Exception as error:  # the library lets through what int, float and its tables raise
            what = f"'{node.value[:40]}' is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from error
        if isinstance(value, str):
            self._check_letters(value, node.start_mark.line + 1)
        return value

    def _check_letters(self, text: str, line: int) -> None:
        """Note a problem with what is no letter, and would be in the names of files, tables and figures."""
        wrong = NO_LETTER.search(text)
        if wrong is not None:
            shown = ascii(wrong[0])[1:-1]
            self.problems.append((line, f"a text has the character {shown}, which is no letter", "remove it"))

    def _mapping(self, node: yaml.MappingNode, place: Location) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "a list, or keys"
            self._check_letters(key, line)
            if key_node.tag != "tag:yaml.org,2002:str":
                self.problems.append((line, f"key '{key}' is no text", "put it in quotes"))
                continue
            if key in mapping:
                before = self.lines[(*place, key)]
                self.problems.append((line, f"key '{key}' is given twice, also in line {before}", "keep one"))
            self.lines.setdefault((*place, key), line)
            mapping[key] = self.read(value_node, (*place, key))
        return mapping
