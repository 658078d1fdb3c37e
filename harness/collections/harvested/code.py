"""Code: the source of a function without its docstring, which is what is asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.collections.harvested.page import Page, Question
from harness.collections.pydocs.clean import FEWEST_WORDS, MOST_WORDS, split_docstring
from harness.collections.pydocs.harvest import definitions, parse_source, read_source
from harness.collections.pydocs.markup import words
from harness.collections.pydocs.packages import SourceFile


def read_code(file: SourceFile) -> Iterator[Page]:
    """Yield a page for each function whose docstring is too short for `pydocs`; its name answers it."""
    text = read_source(file)
    lines = text.split("\n")
    for name, definition in definitions(parse_source(file, text).body, file.module):
        if isinstance(definition, ast.ClassDef):
            continue
        docstring = ast.get_docstring(definition, clean=False)
        parts = split_docstring(docstring) if docstring else None
        if parts is None or len(words(parts.body)) >= FEWEST_WORDS:
            continue
        code = " ".join(_code(lines, definition).split()[:MOST_WORDS])
        if len(words(code)) >= FEWEST_WORDS:
            questions = (Question(parts.query, (definition.name,)),) if parts.query else ()
            yield Page(f"{file.package}:{name}", code, questions)


def _code(lines: list[str], definition: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the source of a definition without its docstring, which is its first statement."""
    first = definition.body[0]
    head = lines[definition.lineno - 1 : first.lineno - 1]
    return "\n".join([*head, *lines[first.end_lineno or first.lineno : definition.end_lineno]])
