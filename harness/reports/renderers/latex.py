"""A document as LaTeX: a file that compiles by itself and that a paper can include with its input command."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

from harness.errors import printable
from harness.reports.document import Document, Field, NoteItem, Notes, Table, TableColumn

MOST = 40
"""Number of rows on a page; a longer table continues in another float."""

HEAD = r"""% Compiles as it is, with pdflatex or tectonic. In a paper, which loads booktabs and graphicx,
% \input{table} gives the tables alone; remove those that you do not need.
\makeatletter
\ifx\documentclass\@twoclasseserror % a paper has begun
  \makeatother
  \let\harnessend\relax
\else
  \makeatother
  \documentclass{article}
  \usepackage[a4paper,margin=2cm]{geometry}
  \usepackage{booktabs,graphicx}
  \begin{document}\sloppy
  \def\harnessend{\end{document}}
\fi
"""

FOOT = r"\harnessend"

ACCENTS = {chr(code) for code in (*range(0x300, 0x305), *range(0x306, 0x309), 0x30A, 0x30B, 0x30C, 0x327)}
LETTERS = set("ÆæŒœØøÅåŁłßıȷ¡¿‘’“”—§¶©£")
"""What LaTeX knows beside ASCII without further packages, and accents on letters that it knows."""

CODE, QUOTED = re.compile("`([^`]*)`"), re.compile('"([^"]*)"')

SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "–": "--",
    "−": "$-$",
    "…": r"\dots{}",
    "×": r"$\times$",
    "†": r"$\dagger$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
}


def render_latex(document: Document) -> str:
    """Return all tables as floats, followed by the notes if the file is compiled by itself."""
    tables = [block for block in document.blocks if isinstance(block, Table) and block.rows]
    notes = [block for block in document.blocks if isinstance(block, Notes)]
    floats = [_floats(document, table, first=table is tables[0]) for table in tables]
    standalone = [r"\ifx\harnessend\relax\else", r"\clearpage", *map(_notes, notes), r"\fi"]
    return "\n".join([HEAD, *floats, *standalone, FOOT]) + "\n"


def escape(text: str) -> str:
    """Return the text on one line with LaTeX's special characters escaped.

    A letter that LaTeX lacks without further packages, and would leave out, is written as ``U+4E2D``.
    """
    written = "".join(map(_letter, unicodedata.normalize("NFC", printable(text))))
    written = re.sub(r"(?<![\w.])-(?=\d)", "$-$", written).replace(r" \%", r"\,\%")  # a minus, no hyphen
    written = CODE.sub(lambda match: rf"\texttt{{{match[1].replace('-', '{-}')}}}", written)
    return QUOTED.sub(r"``\1''", written.replace("`", r"\textasciigrave{}"))


def _letter(character: str) -> str:
    """Return a character as LaTeX has it, or its number."""
    letter, *accents = [*unicodedata.normalize("NFD", character)]
    accented = letter.isascii() and ACCENTS.issuperset(accents) and character < "\u0180"
    if accented or character in LETTERS or character in SPECIAL:
        return SPECIAL.get(character, character)
    return rf"\texttt{{U+{ord(character):04X}}}"


def _floats(document: Document, table: Table, *, first: bool) -> str:
    """Return a float for each page of rows; the first table has the report's introduction as caption."""
    table_caption = f"{table.title}. Results on {document.made_on}. {table.caption}".strip()
    caption = " ".join([*document.introduction, table.caption]).strip() if first else table_caption
    pages = [table.rows[start : start + MOST] for start in range(0, len(table.rows), MOST)]
    return "".join(
        _float(table, page, f"{table.title or document.title} (continued)." if number else caption)
        for number, page in enumerate(pages)
    )


def _float(table: Table, rows: Sequence[tuple[Field, ...]], caption: str) -> str:
    notes = [r"\par\smallskip", r"\parbox{\linewidth}{\footnotesize " + escape(" ".join(table.notes)) + "}"]
    return "\n".join(
        [
            r"\begin{table*}[tbp]",
            r"\centering\small",
            rf"\caption{{{escape(caption)}}}\smallskip",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{''.join('l' if column.names else 'r' for column in table.columns)}}}",
            r"\toprule",
            *_headings(table.columns),
            r"\midrule",
            *(_guarded(" & ".join(map(_field, row))) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}}",
            *(notes if table.notes else []),
            r"\end{table*}",
            "",
        ]
    )


def _headings(columns: Sequence[TableColumn]) -> list[str]:
    """Return the groups, if any, each with a rule, and the names below them."""
    names = " & ".join(map(_name, columns)) + r" \\"
    if not any(column.group for column in columns):
        return [names]
    spans, rules, place = [], [], 1
    for group, members in groupby(columns, key=lambda column: column.group):
        width = len(list(members))
        spans.append(rf"\multicolumn{{{width}}}{{c}}{{{escape(group)}}}")
        if group:
            rules.append(rf"\cmidrule(lr){{{place}-{place + width - 1}}}")
        place += width
    return [" & ".join(spans) + r" \\", " ".join(rules), names]


def _name(column: TableColumn) -> str:
    """Return a name, wrapped to keep columns of short figures narrow."""
    lines = [_guarded(escape(line)) for line in wrap(printable(column.name), 16)]
    return r"\shortstack[" + ("l" if column.names else "r") + "]{" + r"\\".join(lines) + "}"


def _guarded(line: str) -> str:
    """Protect a bracket or star at the start of a line, which would be an option of what stands before it."""
    return "{}" + line if line.startswith(("[", "*")) else line


def _field(field: Field) -> str:
    """Return a field; its mark has no width, so that figures with and without one align."""
    text = escape(field.text)
    text = rf"\textbf{{{text}}}" if field.strong else text
    text = text if field.state == "figure" else rf"\textit{{{text}}}"
    return f"{text}\\rlap{{\\textsuperscript{{{escape(field.mark)}}}}}" if field.mark else text


def _notes(block: Notes) -> str:
    items = [rf"\item {_guarded(_item(note))}" for note in block.items]
    lines = [rf"\section*{{{escape(block.title)}}}", r"\begin{itemize}", *items, r"\end{itemize}"]
    return "\n".join(lines)


def _item(note: NoteItem) -> str:
    return rf"\textbf{{{escape(note.term)}}}: {escape(note.text)}" if note.term else escape(note.text)
