"""Notebooks run at simulation scale, and what is committed of them is what stands in their text."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from notebooks.execute import execute, main, names
from tests.cases import few
from tests.place import CHECKOUT, Place

NOTEBOOKS = CHECKOUT / "notebooks"


@pytest.mark.parametrize("name", few(names(), "compare_runs"))
def test_a_notebook_runs(name: str, made: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in made.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    monkeypatch.setenv("HARNESS_SCALE", "simulation")
    place = made.copy(tmp_path / "place")
    execute(name, tmp_path / "made.ipynb", place.root)
    done = nbformat.read(tmp_path / "made.ipynb", as_version=4)
    pictures = [
        output
        for cell in done.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert pictures


@pytest.mark.parametrize("name", names())
def test_the_committed_notebook_is_its_text_executed(name: str) -> None:
    text = jupytext.read(NOTEBOOKS / f"{name}.py")
    committed = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert [(c.cell_type, c.source) for c in committed.cells] == [(c.cell_type, c.source) for c in text.cells]
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(o.output_type != "error" for cell in code for o in cell.outputs)


@pytest.mark.parametrize("name", names())
def test_a_committed_notebook_names_no_folder_of_a_machine(name: str) -> None:
    committed = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in committed.cells for output in cell.get("outputs", ())]
    told = [text for o in outputs for kind, text in o.get("data", {}).items() if kind.startswith("text/")]
    told += [output.text for output in outputs if "text" in output]
    assert told
    assert not re.findall(r"(?<![\w.:/<])/(?:[\w.-]+/)+", "\n".join(told))


def test_an_unknown_notebook_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient"]) == 2
    assert "no notebook 'gradient'" in capsys.readouterr().err
