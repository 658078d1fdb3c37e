"""Reference pages: a docstring without its first sentence, below the name of what it documents."""

from __future__ import annotations

from collections.abc import Iterator

from harness.collections.harvested.page import Page, Question, bare_name
from harness.collections.pydocs.clean import clean
from harness.collections.pydocs.harvest import read_docstrings
from harness.collections.pydocs.packages import SourceFile


def read_reference(file: SourceFile) -> Iterator[Page]:
    """Yield a page for each docstring that `pydocs` would take; its name answers its first sentence.

    A method is named with its class, and is answered by both names or by its own.
    """
    for docstring in read_docstrings(file):
        entry = clean(docstring)
        if entry is None:
            continue
        name = bare_name(docstring.name)
        owner = bare_name(docstring.name.rpartition(".")[0])
        whole = f"{owner}.{name}" if owner[:1].isupper() else name
        questions = (Question(entry.summary, tuple(dict.fromkeys([name, whole]))),) if entry.summary else ()
        yield Page(entry.id, f"{whole} {entry.body}", questions)
