"""Conversion of docstring markup (reStructuredText, numpydoc, Google style) to plain text."""

from __future__ import annotations

import re

_HEADINGS = """
parameters arguments args kwargs attributes methods returns return yields yield receives raises raise warns
warnings warning notes note examples example usage references explanation details description
"""
SECTIONS = frozenset(_HEADINGS.split()) | {
    "other parameters",
    "extra parameters",
    "optional parameters",
    "keyword arguments",
    "see also",
}
"""Standard headings of docstrings, which carry no content."""

_BLOCKS = """
versionadded versionchanged versionremoved deprecated seealso autosummary toctree currentmodule module index
automethod autoclass autofunction testsetup testcleanup only raw image figure digraph
"""
DROPPED_BLOCKS = frozenset(_BLOCKS.split())
"""Directives to drop with their contents; of other directives the contents remain."""

SPEAKING = frozenset(["math", "note", "warning", "attention", "tip", "important", "hint", "admonition"])
"""Directives whose own line has text."""

_PROMPT = re.compile(r"\s*(>>>|\.\.\.|In \[\d+\]:|sage:)( |$)")
_RULER = re.compile(r"\s*([-=~^*#+.`]{3,}|[-=]{2,})\s*$")
_DIRECTIVE = re.compile(r"(\s*)\.\. +([\w:-]+?) ?::\s*(.*)$")
_OPTION = re.compile(r"\s*:[\w-]+:(\s+[^\s`]+)?$")
_TARGET = re.compile(r"\s*\.\. (_[^:]+:|\|[^|]+\| )")
_TABLE = re.compile(r"\s*[=+|-][=+|\s-]*$")
_COMMENT = re.compile(r"\s*\.\. +(?!\[)\S|\s*\.\.$")
_IMPORT = re.compile(r"\s*(>>> |\.\.\. )?\s*(import [\w.]+( as \w+)?(, *[\w.]+)*|from [\w.]+ import .*)$")
_FIELD = re.compile(
    r"^(\s*):(?:param|parameter|arg|argument|keyword|kwarg|raises?|type|attr|ivar|var)\s+([^:]+):"
)
_RESULT = re.compile(r"^(\s*):(?:returns?|rtype|yields?):")
_REFERENCE = re.compile(r"^\s*\.\. \[[^]]+\]")
_DOCTEST_OPTION = re.compile(r"\s*#\s*doctest:.*$")
_INLINE_MARKS = {
    r":math:`([^`]+)`": r"\1",  # before other roles: its < is no address
    r":(?:[\w+-]+:){1,2}`~?!?([^`<]*?)\s*(?:<[^`>]*>)?`": r"\1",  # :class:`~a.B`, :ref:`text <place>`
    r"`([^`<]+?)\s*<[^`>]*>`_{0,2}": r"\1",  # `text <address>`_
    r"\[([^][]+)\]\((?:https?:|#|/)[^)\s]*\)": r"\1",  # [text](address)
    r"\s*\[[\w+.-]{1,20}\]_": "",  # citations
    r"<?https?://[^\s>)]+>?": "",
    r"\|([A-Za-z][\w .]*)\|": r"\1",  # |substitution|
    r"`{1,2}([^`]+?)`{1,2}_{0,2}": r"\1",  # `code`, ``code``, `link`_
    r"`+": "",  # quotes that nothing closes
    r"(?<![\w*])\*{1,2}(?=[^\s*])([^*]*?[^\s*])\*{1,2}(?![\w*])": r"\1",  # *stressed*, **strongly**
    r"</?[a-z]{1,4}\d?/?>|&nbsp;": " ",
    r"(?<![\w.)\]])(?:~\.?|\.)(?=[A-Za-z_])": "",  # ~module.Name and .Name, short for a link
    r"::(?=\s|$)": ":",
    r"Read more in the User Guide\.?": "",  # scikit-learn, below every second summary
    r"\\(?=[*_`|\s]|$)": "",
}
_INLINE = [(re.compile(pattern), replacement) for pattern, replacement in _INLINE_MARKS.items()]


def dedent(text: str) -> list[str]:
    """Return lines without their common indentation, and the first line, beside the quotes, without any.

    ``inspect.cleandoc`` is not used because its treatment of other white space changed in Python 3.13.
    """
    lines = [line.rstrip() for line in text.expandtabs(4).split("\n")]
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line]
    margin = min(indents, default=0)
    return [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]


def heading(lines: list[str], at: int) -> str | None:
    """Return the lower-cased heading if a line starts a section, underlined or in Google style, else None."""
    line = lines[at].strip()
    name = line.rstrip(":").lower()
    underlined = at + 1 < len(lines) and bool(line) and bool(_RULER.match(lines[at + 1]))
    if underlined or (line.endswith(":") and name in SECTIONS):
        return name
    return None


def plain_lines(lines: list[str]) -> list[str]:
    """Return dedented lines without headings, rulers, directives, doctests, imports and inline markup.

    Blank lines still separate the paragraphs.
    """
    plain: list[str] = []
    block: int | None = None  # indentation of a dropped directive while inside it
    output = False  # inside the output of a doctest
    for at, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and (not line or indent > block):
            continue
        block = None
        directive = _DIRECTIVE.match(line)
        if directive:
            if directive[2] in DROPPED_BLOCKS:
                block = indent
            plain.append(directive[1] + directive[3] if directive[2] in SPEAKING else "")
            continue
        prompt = _PROMPT.match(line)
        output = bool(prompt) or (output and bool(line))
        if _is_noise(lines, at) or (output and not prompt):
            continue
        plain.append(_plain_field(line[prompt.end() :] if prompt else line))
    return plain


def _is_noise(lines: list[str], at: int) -> bool:
    """Return whether a line is markup without content."""
    line = lines[at]
    if any(pattern.match(line) for pattern in (_RULER, _OPTION, _TARGET, _COMMENT, _IMPORT, _TABLE)):
        return True
    return heading(lines, at) in SECTIONS or line.strip().lower() in ("example", "examples", "usage")


def _plain_field(line: str) -> str:
    """Remove the markup at the start of a field or reference, and options of doctests."""
    line = _DOCTEST_OPTION.sub("", line)
    return _REFERENCE.sub("", _RESULT.sub(r"\1", _FIELD.sub(r"\1\2:", line)))


def plain_inline(paragraph: str) -> str:
    """Replace roles, links, citations, code quotes and emphasis by their text."""
    for pattern, replacement in _INLINE:
        paragraph = pattern.sub(replacement, paragraph)
    return " ".join(paragraph.split())


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text: runs of letters, digits and underscores."""
    return re.findall(r"\w+", text.lower())
