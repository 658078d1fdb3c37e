"""Modules as long documents: all that a module documents, with its signatures, in the order of the file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.collections.harvested.page import Page, Question, bare_name
from harness.collections.pydocs.clean import Parts, split_docstring
from harness.collections.pydocs.harvest import Definition, definitions, parse_source, read_source
from harness.collections.pydocs.markup import words
from harness.collections.pydocs.packages import SourceFile
from harness.collections.pydocs.splits import hash_fraction

ALONE = ("transformers",)
"""Packages whose definitions no other collection asks for; of others a module's first sentence is asked."""

MOST_ASKED = 6
"""Questions that a module may have of its definitions, those with the smallest hashes of their names."""

WORDS = (100, 2000)
"""Least and greatest number of words of a document."""


def read_modules(file: SourceFile) -> Iterator[Page]:
    """Yield the page of a module, if it is long enough, without the sentences that are asked for."""
    tree = parse_source(file, read_source(file))
    texts, questions = [file.module], []
    docstring = ast.get_docstring(tree, clean=False)
    parts = split_docstring(docstring) if docstring else None
    if parts is not None:
        texts += [parts.body] if parts.query else [parts.summary, parts.body]
        questions += [Question(parts.query)] if parts.query else []
    documented = [(name, node, _docstring(node)) for name, node in definitions(tree.body, file.module)]
    asked = {name: query for name, _, of in documented if of and (query := of.query)}
    chosen = sorted(asked, key=hash_fraction)[:MOST_ASKED] if file.package in ALONE else []
    for name, node, of in documented:
        texts.append(_signature(name, node))
        texts += [] if of is None else [of.body] if name in chosen else [of.summary, of.body]
    questions += [Question(asked[name]) for name in chosen]
    fewest, most = WORDS
    text = " ".join(" ".join(texts).split()[:most])
    if len(words(text)) >= fewest:
        yield Page(f"{file.package}:{file.module}", text, tuple(questions))


def _docstring(node: Definition) -> Parts | None:
    docstring = ast.get_docstring(node, clean=False)
    return split_docstring(docstring) if docstring else None


def _signature(name: str, node: Definition) -> str:
    """Return how a definition is called, with the names of its parameters alone."""
    if isinstance(node, ast.ClassDef):
        return f"class {bare_name(name)}"
    of = node.args
    parameters = [parameter.arg for parameter in (*of.posonlyargs, *of.args, *of.kwonlyargs)]
    return f"{bare_name(name)}({', '.join(parameters)})"
