"""Executes the notebooks: `make notebooks`, or `python -m notebooks.execute [NAME...]`.

A notebook is a Python file in percent format, for review; the .ipynb beside it is the same, executed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

HERE = Path(__file__).parent
LONGEST_CELL_S = 1800


def names() -> list[str]:
    """Return the names of all notebooks, those in percent format."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.read_text().startswith("# ---\n# jupyter"))


def execute(name: str, target: Path, working_folder: Path) -> None:
    """Execute a notebook and write it with its outputs, without anything that differs from run to run.

    Args:
        name: of the notebook.
        target: the .ipynb that is written.
        working_folder: where its commands run: the store and the results are below it.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = jupytext.read(HERE / f"{name}.py")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    client = NotebookClient(
        notebook,
        timeout=LONGEST_CELL_S,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # it warns that it talks to itself over TCP
        resources={"metadata": {"path": str(working_folder)}},
    )
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # bars are not drawn here anyway
    client.execute()
    notebook.metadata.pop("language_info", None)  # names the Python version of the machine
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # random without it
    nbformat.write(notebook, target)


def main(chosen: list[str]) -> int:
    """Execute some notebooks, all by default."""
    unknown = [name for name in chosen if name not in names()]
    if unknown:
        print(f"error: no notebook '{unknown[0]}'; there are {', '.join(names())}", file=sys.stderr)
        return 2
    for name in chosen or names():
        print(f"{name} ...", flush=True)
        try:
            execute(name, HERE / f"{name}.ipynb", HERE.parent)
        except CellExecutionError as error:
            print(f"error: notebook {name}: {error.ename}: {error.evalue}", file=sys.stderr)
            return 1
        except (CellTimeoutError, DeadKernelError) as error:
            reason = str(error).splitlines()[0]
            print(f"error: notebook {name}: {reason}; run it again with more time or memory", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
