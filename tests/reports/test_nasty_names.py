"""One name with everything that a format takes for its own, everywhere: in each format it is letters."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from harness.errors import printable
from harness.reports.drawing import figure_to, legend_label
from harness.reports.kinds import REPORTS, document_of, read_cells
from harness.reports.renderers.csv import render_frame
from harness.reports.renderers.latex import escape as latex
from harness.reports.renderers.markdown import escape as markdown
from harness.reports.renderers.terminal import Terminal, render_terminal
from harness.reports.rendering import render, site_texts
from harness.reports.site import PAGE, REPORT
from harness.tuning.report.render import render as render_tuning

CHECKOUT = Path(__file__).parents[2]
NASTY = '=1+1|`<script>\n</script>$ \\frac{ [/b] :x: [a](b) *c* __d__ %&#~^ 中\x1b[31m\u202e" '
SHOWN = '=1+1|`<script> </script>$ \\frac{ [/b] :x: [a](b) *c* __d__ %&#~^ 中\\x1b[31m\\u202e" '
TEXTS = {
    *("answer", "baseline", "citation", "compared", "cpu", "criterion", "dataset_title", "finding", "focus"),
    *(
        "label",
        "minus",
        "name",
        "other",
        "positive",
        "primary",
        "query",
        "reason",
        "row",
        "same_as",
        "source",
    ),
    *("summary", "text", "title", "verdict_reason", "why"),
}
"""Keys of what people wrote."""

LISTS = {"reading_notes", "rows", "same_scores", "sides", "written"}


def nasty(value: Any, key: str = "") -> Any:
    """The content of a file in which all texts of a person begin with the nasty name."""
    if isinstance(value, dict):
        return {name: nasty(of, name) for name, of in value.items()}
    if isinstance(value, list):
        return [nasty(of, key if key in LISTS else key if isinstance(of, list) else "") for of in value]
    if not isinstance(value, str) or not value:
        return value
    name_of_reading = key == "reading" and ": " in value
    return f"{NASTY}{value}" if key in TEXTS | LISTS or name_of_reading else value


def smallest(kind: str) -> Path:
    """The folder of the smallest committed target of a kind."""
    found = {
        path: path.stat().st_size
        for path in (CHECKOUT / "results").glob("*/*/*/cells.json")
        if json.loads(path.read_text())["kind"] == kind
    }
    return min(found, key=lambda path: found[path]).parent


@pytest.fixture(scope="module", params=sorted(set(REPORTS) - {"confirmation"}))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target of each kind whose names are nasty, rendered."""
    committed, folder = smallest(request.param), tmp_path_factory.mktemp(request.param)
    shutil.copy(committed / "provenance.json", folder)
    cells = nasty(json.loads((committed / "cells.json").read_text()))
    (folder / "cells.json").write_text(json.dumps(cells))
    render(folder)
    (folder / "plain.md").write_bytes((committed / "table.md").read_bytes())
    return folder


def outline(text: str) -> list[str]:
    """What a reader of Markdown makes of it: its blocks and marks, without texts and code."""
    kinds = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        kinds.append(token.type)
        kinds += [child.type for child in token.children or () if child.type not in ("text", "code_inline")]
    return [kind for kind in kinds if kind not in ("text_special", "softbreak")]


def test_markdown_has_the_same_blocks_and_marks_as_with_plain_names(folder: Path) -> None:
    assert outline((folder / "table.md").read_text()) == outline((folder / "plain.md").read_text())


def test_markdown_shows_each_letter() -> None:
    class Letters(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    for name in (NASTY, "_a_", "#", "\\`<b>`", "``<i>`", "&lt;b&gt;", "a\\", "<!-- x", "**x**y"):
        reader = Letters()
        reader.feed(MarkdownIt("commonmark").render(f"x {markdown(name)}"))
        assert reader.text.strip() == f"x {printable(name)}".strip()


def test_latex_has_balanced_braces_and_no_letter_that_it_lacks(folder: Path) -> None:
    text = re.sub(r"\\[%&$#_{}\\]", "", (folder / "table.tex").read_text().partition(r"\fi")[2])
    assert text.count("{") == text.count("}")
    assert text.isascii()
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    assert r"\frac" not in text and "U+4E2D" in text


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a\\b", r"a\textbackslash{}b"),
        ("a`b", r"a\textasciigrave{}b"),
        ("Müller–Łódź", "Müller--Łódź"),
        ("Ωμέγα", r"\texttt{U+03A9}\texttt{U+03BC}\texttt{U+03AD}\texttt{U+03B3}\texttt{U+03B1}"),
    ],
)
def test_latex_of_single_letters(name: str, written: str) -> None:
    assert latex(name) == unicodedata.normalize("NFC", written)


def check_html(text: str) -> None:
    """A page has one script, ours, and shows the nasty name as letters."""

    class Reader(HTMLParser):
        scripts, text = 0, ""

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.scripts += tag == "script"

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed(text)
    assert reader.scripts == 1
    assert SHOWN.strip() in reader.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", reader.text)


def test_html_has_no_element_of_a_name(folder: Path) -> None:
    check_html((folder / "table.html").read_text())


def test_the_site_has_no_element_of_a_name(folder: Path, tmp_path: Path) -> None:
    target = shutil.copytree(folder, tmp_path / "quick/simans/table-9")
    (target / "per_query.parquet").write_bytes(b"")
    pages = site_texts(tmp_path)
    assert set(pages) == {tmp_path / PAGE, target / REPORT}
    for text in pages.values():
        check_html(text)


def test_csv_has_no_formula_and_no_broken_line(folder: Path) -> None:
    header, *lines = list(csv.reader(io.StringIO((folder / "table.csv").read_text())))
    assert {len(line) for line in lines} == {len(header)}
    for text in [*header, *(field for line in lines for field in line)]:
        assert text[:1] not in tuple("=+@\t\r") or re.fullmatch(r"\+[0-9.e-]+", text)
    assert any(f"'{SHOWN}" in field for line in lines for field in line)


def test_the_terminal_shows_each_letter_and_takes_no_command(folder: Path) -> None:
    stream = io.StringIO()
    Terminal(file=stream, width=4000, force_terminal=True).print(
        render_terminal(document_of(read_cells(folder / "cells.json")))
    )
    shown = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert SHOWN.strip() in shown and "\x1b" not in shown


def test_figures_are_drawn(folder: Path) -> None:
    assert ElementTree.parse(folder / "figure.svg").getroot().tag.endswith("svg")  # noqa: S314  (ours)
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_tuning_with_nasty_names_is_reported(tmp_path: Path) -> None:
    committed = CHECKOUT / "results" / "simulation" / "tuning" / "simans-a-b"
    (tmp_path / "trials.json").write_text(
        json.dumps(nasty(json.loads((committed / "trials.json").read_text())))
    )
    Terminal(file=io.StringIO()).print(render_terminal(render_tuning(tmp_path)))
    assert outline((tmp_path / "table.md").read_text()) == outline((committed / "table.md").read_text())
    assert "<script>alert" not in (tmp_path / "table.html").read_text()


def test_strings_with_markup_are_printed_as_they_are() -> None:
    stream = io.StringIO()
    Terminal(file=stream, width=200).print("at /tmp/[/b]/[red]x :smile: \x1b]0;t\x07")
    assert stream.getvalue() == "at /tmp/[/b]/[red]x :smile: \\x1b]0;t\\x07\n"


def test_texts_that_are_formulas_and_numbers_that_are_none() -> None:
    import pandas as pd

    texts = ["=1", "+a", "-b", "@c", "\td", "\re", "+0.5", "-1e-3", "a=b", "", "’", "＝1"]
    frame = pd.DataFrame({"@name": texts, "n": range(len(texts))})
    header, *lines = list(csv.reader(io.StringIO(render_frame(frame))))
    assert header == ["'@name", "n"]
    expected = ["'=1", "'+a", "'-b", "'@c", "' d", "'e", "+0.5", "-1e-3", "a=b", "", "’", "'＝1"]
    assert [line[0] for line in lines] == expected


def test_each_format_is_written_in_one_place() -> None:
    modules = {path: path.read_text() for path in (CHECKOUT / "harness").rglob("*.py")}
    for call, file in [
        (".to_csv(", ["csv.py"]),
        ("(Console)", ["terminal.py"]),
        ("Console(", ["progress.py"]),
    ]:
        assert [path.name for path, text in modules.items() if call in text] == file


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a b"),
        ("a \r\n  b\u2028c\n", "a b c"),
        ("a\tb", "a b"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\ud800\x00\x85", r"\ud800\x00 "),
        ("a\u202etxt.exe", r"a\u202etxt.exe"),
        ("  Ärger 中 ", "  Ärger 中 "),
    ],
)
def test_what_is_no_letter_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_name_with_an_underscore_before_it_stays_in_the_legend(tmp_path: Path) -> None:
    with figure_to(tmp_path / "x.svg", tmp_path / "x.png", 3, 2) as figure:
        axis = figure.subplots()
        for name in ("_first", "$second$", "third"):
            axis.plot([1, 2], label=legend_label(name))
        shown = [text.get_text() for text in axis.legend().get_texts()]
    assert [text.strip("\u2060") for text in shown] == ["_first", "$second$", "third"]
    assert "\\$second\\$" in [text.get_text() for text in axis.get_legend().get_texts()]
