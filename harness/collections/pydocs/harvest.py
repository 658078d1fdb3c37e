"""Docstrings of a source file, read with ``ast``, which parses the code without running it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from harness.collections.pydocs.packages import SourceFile
from harness.errors import UserError

PRIVATE = re.compile(r"_(?!_\w+__$)")
"""Pattern of names of private definitions; special methods such as ``__init__`` are public."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Docstring:
    """A docstring as written.

    Attributes:
        package: canonical name of the distribution.
        name: qualified name, for example ``scipy.sparse._csr.csr_array.tocsc``.
        text: raw text, indented as in the source file.
    """

    package: str
    name: str
    text: str


def read_docstrings(file: SourceFile) -> list[Docstring]:
    """Return the docstrings of classes, functions, methods and ``add_newdoc`` calls of a file.

    Private definitions and those inside functions are skipped. Of several definitions of the same name
    (overloads, setters, branches of an ``if``), the first one with a docstring counts.

    Raises:
        UserError: the file is missing, is not UTF-8, or does not parse.
    """
    text = read_source(file)
    if '"""' not in text and "'''" not in text:
        return []  # a docstring of several lines needs a triple quote
    docstrings: dict[str, str] = {}
    for name, docstring in _walk(parse_source(file, text).body, file.module):
        docstrings.setdefault(name, docstring)
    return [Docstring(file.package, name, docstring) for name, docstring in docstrings.items()]


_DAMAGED = "the installed package is damaged; install it again"


def read_source(file: SourceFile) -> str:
    """Return the text of a file.

    Raises:
        UserError: the file is missing, or is not UTF-8.
    """
    where = str(file.path)
    try:
        return file.path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError("a file of an installed package is missing", where=where, fix=_DAMAGED) from error
    except UnicodeDecodeError as error:
        raise UserError(f"not UTF-8 at byte {error.start}", where=where, fix=_DAMAGED) from error


def parse_source(file: SourceFile, text: str) -> ast.Module:
    """Return the syntax tree of a file whose text is at hand.

    Raises:
        UserError: it does not parse.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes: what warns depends on the Python version
            return ast.parse(text)
    except SyntaxError as error:
        raise UserError(
            f"does not parse ({error.msg})", where=f"{file.path}:{error.lineno or 0}", fix=_DAMAGED
        ) from error


def definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    """Yield (qualified name, definition) of the public classes, functions and methods of statements."""
    for statement in body:
        if isinstance(statement, Definition) and not PRIVATE.match(statement.name):
            name = f"{prefix}.{statement.name}"
            yield name, statement
            if isinstance(statement, ast.ClassDef):
                yield from definitions(statement.body, name)


def _walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield (qualified name, docstring) of the definitions in a module's or a class's statements."""
    for statement in body:
        if isinstance(statement, Definition):
            if PRIVATE.match(statement.name):
                continue
            name = f"{prefix}.{statement.name}"
            docstring = ast.get_docstring(statement, clean=False)
            if docstring:
                yield name, docstring
            if isinstance(statement, ast.ClassDef):
                yield from _walk(statement.body, name)
        elif isinstance(statement, ast.Expr):
            yield from _newdoc(statement.value)
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            yield from _walk(statement.body, prefix)
            yield from _walk(getattr(statement, "orelse", []), prefix)
            for handler in getattr(statement, "handlers", []):
                yield from _walk(handler.body, prefix)


def _newdoc(call: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the docstring that a literal ``add_newdoc(module, name, text)`` call attaches.

    The text may also be a pair (attribute, text) or a list of such pairs.
    """
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute)):
        return
    called = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
    if called != "add_newdoc" or len(call.args) < 3:
        return
    try:
        module, name, attached = (ast.literal_eval(argument) for argument in call.args[:3])
    except ValueError:
        return  # text put together at run time
    pairs = attached if isinstance(attached, list) else [attached]
    for pair in pairs:
        if isinstance(pair, tuple):
            yield f"{module}.{name}.{pair[0]}", pair[1]
        else:
            yield f"{module}.{name}", pair
