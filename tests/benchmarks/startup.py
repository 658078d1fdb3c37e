"""What a command waits for before it works: CPU seconds of whole processes.

    python -m tests.benchmarks.startup [--write]

The peers are what a person would start instead: sentence-transformers as a library, MLflow as a command line
of records. The store of ours is empty.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile

from tests.benchmarks.paired import Line, in_turn, tell

ROUNDS = 5
LIBRARY, COMMAND = ("-c", "import sentence_transformers"), ("-m", "mlflow", "--help")
CASES = {
    "import harness": (("-c", "import harness"), LIBRARY, None),
    "harness --help": (("-m", "harness.cli", "--help"), COMMAND, None),
    "harness list": (("-m", "harness.cli", "list"), COMMAND, 0.5),
    "harness runs list": (("-m", "harness.cli", "runs", "list"), COMMAND, 0.5),
}
"""What is started -> ours, the peer, and the seconds that are asked of ours."""


def spent(arguments: tuple[str, ...], store: str) -> float:
    """CPU seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"HARNESS_STORE": store}
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(name: str, store: str) -> Line:
    """Return the line of a command."""
    ours, theirs, most = CASES[name]
    timed = in_turn(lambda: spent(ours, store), lambda: spent(theirs, store), ROUNDS)
    note = "ours reads nothing until it is asked" if most is None else f"asked: ours under {most} s"
    return Line.of(name, " ".join(theirs[1:]), timed, note=note)


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as store:
        lines = [compared(name, store) for name in CASES]
    tell("startup", "Start-up", lines, ("sentence-transformers", "mlflow", "typer"))


if __name__ == "__main__":
    main()
