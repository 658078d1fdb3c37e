"""`python -m tests.training.golden --write`: write the golden runs again, after a bump of `VERSION`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

from harness.storage.files import write_json
from tests.training.conftest import Bench
from tests.training.golden import golden_run, path_of, phases, versions_of


def main() -> None:
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.training.golden --write")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for name in phases():
            figures = golden_run(bench, Path(folder) / name, name)
            write_json(path_of(name), {"versions": versions_of(name), **figures})
            print(path_of(name))


if __name__ == "__main__":
    main()
