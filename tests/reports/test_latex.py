"""LaTeX that a paper can use: escaped, with the scale in its captions, and accepted by an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sample import typed

from harness.reports.document import Document, Field, NoteItem, Notes, Table, TableColumn
from harness.reports.kinds import document_of
from harness.reports.renderers.latex import MOST, escape, render_latex

PAPER = r"""\documentclass[twocolumn]{article}
\usepackage{booktabs,graphicx}
\begin{document}Before. \input{table} After.\end{document}
"""


def hostile(rows: int = 3) -> Document:
    """Every character that LaTeX takes for something else, and a table longer than a page."""
    columns = (TableColumn("Row", names=True), TableColumn("a % of #1", "G & H"), TableColumn("b_c", "G & H"))
    text = r"50 % & $x$ #1 a_b {c} ~ ^ \end <d> | `--flag` “"
    line = (Field(text.strip("“")), Field("-1.0 ± 0.2", "†", strong=True), Field("not run", state="missing"))
    head = (Field("[x]"), Field("–"), Field("…"))
    table = Table("T_1", columns, (head, *[line] * rows), "Caption 10 %.", ("Marked †: 5 %.",))
    notes = Notes("Notes", (NoteItem("100 % of $5", "a_b"),))
    return Document("t", ("Lead_1.", "Verdict: x."), (table, notes), "quick_scale", "")


def compiled(folder: Path, name: str) -> str:
    """Compile a file and return the engine's log."""
    for engine, options in {
        "pdflatex": ["-interaction=nonstopmode", "-halt-on-error"],
        "tectonic": [],
    }.items():
        if shutil.which(engine):
            command = [engine, *options, name]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
            assert (folder / name).with_suffix(".pdf").stat().st_size > 0
            return done.stdout
    pytest.skip("no pdflatex and no tectonic on this machine")


@pytest.mark.parametrize("kind", ["table", "hostile"])
def test_it_compiles_alone_and_inside_a_paper(cells: dict[str, Any], tmp_path: Path, kind: str) -> None:
    document = document_of(typed(cells)) if kind == "table" else hostile(2 * MOST)
    (tmp_path / "table.tex").write_text(render_latex(document), encoding="utf-8")
    (tmp_path / "paper.tex").write_text(PAPER, encoding="utf-8")
    for name in ("table.tex", "paper.tex"):
        assert "too large" not in compiled(tmp_path, name)


def test_captions_say_where_it_was_made_and_the_verdict(cells: dict[str, Any]) -> None:
    captions = re.findall(r"\\caption\{(.*)\}", render_latex(document_of(typed(cells))))
    assert "Verdict: pipeline check" in captions[0] and captions[0].startswith("TriSampler, Table 5.")
    assert len(captions) == 6 and all("at scratch scale, 3 seeds" in caption for caption in captions)


def test_groups_marks_and_missing_figures(cells: dict[str, Any], simulated: dict[str, Any]) -> None:
    text = render_latex(document_of(typed(cells)))
    assert r"\multicolumn{2}{c}{MRR@10} & \multicolumn{2}{c}{R@50}" in text
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-5} \cmidrule(lr){6-7}" in text
    line = next(line for line in render_latex(hostile()).splitlines() if line.startswith("50"))
    assert line.endswith(
        r"& \textbf{$-$1.0 $\pm$ 0.2}\rlap{\textsuperscript{$\dagger$}} & \textit{not run} \\"
    )
    lines = [
        line for line in render_latex(document_of(typed(simulated))).splitlines() if line.startswith("TriS")
    ]
    assert lines[0].count(r"\textit{not run}") == 3


def test_a_table_longer_than_a_page_goes_on_in_another(cells: dict[str, Any]) -> None:
    text = render_latex(hostile(2 * MOST))
    assert text.count(r"\begin{table*}") == 3 and text.count("(continued)") == 2
    assert text.count(r"\textit{not run}") == 2 * MOST


def test_signs() -> None:
    assert escape("-0.1, x-1, top-5") == "$-$0.1, x-1, top-5"
    assert escape('as "raw" or "b"') == "as ``raw'' or ``b''"
    assert escape("a_b & 5 % `--seeds 3`") == r"a\_b \& 5\,\% \texttt{{-}{-}seeds 3}"
