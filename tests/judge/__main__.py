"""``python -m tests.judge --write``: record settings, fingerprints and results again, and say what moved."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests import judge
from tests.judge import remade


def main(arguments: list[str]) -> None:
    if "--write" not in arguments:
        sys.exit("python -m tests.judge --write [--settings]")
    for target, scale in judge.cases():
        path, after = judge.path_of(target, scale), judge.record(target, scale)
        if path.exists():
            for name, old, new in judge.moved(json.loads(path.read_text(encoding="utf-8")), after):
                print(f"| {target} | {scale} | {name} | {old} | {new} |")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")
    if "--settings" not in arguments:
        with tempfile.TemporaryDirectory() as folder:
            made = {"machine": remade.machine(), "files": remade.remade(Path(folder) / "place")}
        remade.PATH.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
