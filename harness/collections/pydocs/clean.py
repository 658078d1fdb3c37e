"""Cleaning of a docstring into a query (summary sentence), a document (the rest) and "See also" lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.collections.pydocs.harvest import Docstring
from harness.collections.pydocs.markup import dedent, heading, plain_inline, plain_lines, words

MOST_WORDS = 256
"""Maximal number of words of a document; passages of common benchmarks are shorter."""
FEWEST_WORDS = 25
"""Minimal number of words of a document; shorter ones have too little content to be retrieved."""
SUMMARY_WORDS = (4, 50)
"""Minimal and maximal number of words of a summary that serves as a query."""

_PLACEHOLDER = re.compile(
    r"%\(\w[^)]*\)s|(?<![\w{$])\{(?:klass|name|desc|axes\w*|func\w*|cls|method|op\w*|doc\w*)\}"
)
_PLACEHOLDER_LINE = re.compile(r"\s*(%\(\w[^)]*\)s|\{\w+\}|%s|\$\{?\w+\}?)\s*$")
_SIGNATURE = re.compile(r"[\w.]+\s*\(.*\)\s*(->\s*.+|=\s*.+)?$")
_PARAMETER = re.compile(r"\*{0,2}\w+(, \*{0,2}\w+)* ?:( |$)")
_SENTENCE_END = re.compile(r"(?<=[.!?])[)\"']?\s+(?=[^a-z\s])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|cf|al|etc|fig|eq|no|resp|approx|dr|st|ref|sec|ch|p|pp|vol|[a-z])\.)$", re.I
)
_SEE_ALSO = re.compile(
    r"(?P<names>[\w.~`:]+(?:\s*,\s*[\w.~`:]+)*)\s+:\s+(?P<text>\S.*)$|(?P<bare>[\w.~`:]+)\s*:?$"
)


@dataclass(frozen=True)
class Entry:
    """A cleaned docstring.

    Attributes:
        id: id of the document, ``package:qualified.name``.
        summary: first sentence of the docstring; empty if it does not serve as a query.
        body: rest of the docstring, with normalised white space and at most ``MOST_WORDS`` words.
        see_also: (name, description) of each one-line cross reference.
    """

    id: str
    summary: str
    body: str
    see_also: tuple[tuple[str, str], ...]


def clean(docstring: Docstring) -> Entry | None:
    """Clean a docstring.

    Returns:
        The entry; None for a template, or a docstring with too little text below its summary.
    """
    parts = split_docstring(docstring.text)
    if parts is None:
        return None
    body = " ".join(parts.body.split()[:MOST_WORDS])
    if len(words(body)) < FEWEST_WORDS:
        return None
    return Entry(f"{docstring.package}:{docstring.name}", parts.query, body, parts.see_also)


@dataclass(frozen=True)
class Parts:
    """What a docstring says, without markup.

    Attributes:
        summary: its first sentence; empty if it opens with its parameters.
        body: the rest.
        see_also: (name, description) of each one-line cross reference.
    """

    summary: str
    body: str
    see_also: tuple[tuple[str, str], ...]

    @property
    def query(self) -> str:
        """The summary if its length is that of a query, else nothing."""
        fewest, most = SUMMARY_WORDS
        return self.summary if fewest <= len(re.findall(r"[^\W\d_]{2,}", self.summary)) <= most else ""


def split_docstring(text: str) -> Parts | None:
    """Return the parts of a docstring as written; none of a template, or where there is no text."""
    lines = [line for line in dedent(text) if not _PLACEHOLDER_LINE.match(line)]
    if _PLACEHOLDER.search("\n".join(lines)):
        return None
    lines, see_also = _cut_see_also(lines)
    paragraphs = _paragraphs(plain_lines(lines))
    while paragraphs and _SIGNATURE.match(paragraphs[0]):
        paragraphs.pop(0)
    if not paragraphs:
        return None
    summary, rest = first_sentence(paragraphs[0])
    if _PARAMETER.match(summary):  # no summary: it opens with its parameters
        summary, rest = "", paragraphs[0]
    return Parts(summary, " ".join([rest, *paragraphs[1:]]), see_also)


def first_sentence(paragraph: str) -> tuple[str, str]:
    """Split a paragraph into its first sentence and the rest, ignoring the full stops of abbreviations."""
    for end in _SENTENCE_END.finditer(paragraph):
        sentence = paragraph[: end.start()]
        if not _ABBREVIATION.search(sentence):
            return paragraph[: end.end()].strip(), paragraph[end.end() :]
    return paragraph, ""


def _paragraphs(lines: list[str]) -> list[str]:
    """Join lines into paragraphs, which blank lines separate."""
    joined = re.split(r"\n\s*\n", "\n".join(lines))
    plain = (plain_inline(" ".join(paragraph.split())) for paragraph in joined)
    return [paragraph for paragraph in plain if paragraph]


def _cut_see_also(lines: list[str]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Remove the "See also" sections, which would leak cross references into documents."""
    rest: list[str] = []
    section: list[str] = []
    inside = False
    for at, line in enumerate(lines):
        name = heading(lines, at)
        if name is not None:
            inside = name == "see also"
        (section if inside else rest).append(line)
    return rest, _read_see_also(section)


def _read_see_also(section: list[str]) -> tuple[tuple[str, str], ...]:
    """Read ``name : description`` lines; a description may continue, indented, on the next lines."""
    entries: list[tuple[list[str], list[str]]] = []
    for line in section:
        if line[:1].isspace():
            if entries and line.strip():
                entries[-1][1].append(line.strip())
            continue
        match = _SEE_ALSO.match(line.strip())
        if match:
            named = (match["names"] or match["bare"]).split(",")
            entries.append(([plain_inline(name).strip(" `~:") for name in named], [match["text"] or ""]))
        elif line.strip():
            entries.append(([], []))
    return tuple(
        (names[0], first_sentence(plain_inline(" ".join(text)))[0])
        for names, text in entries
        if len(names) == 1 and any(text)
    )
