"""Three small targets, made again from specs to tables: their bytes."""

from __future__ import annotations

import json
import platform
from hashlib import sha256
from pathlib import Path

import torch

from tests.judge import FOLDER
from tests.place import Place, edit

SMALL = ("calibration/hard-negatives", "trisampler/table-5-ar2", "simans/figure-2a")
"""Own and in-batch negatives, a ranker that teaches, a sweep."""
FILES = ("cells.json", "per_query.parquet", "table.md", "table.tex", "table.csv")
PATH = FOLDER / "remade.json"


def remade(root: Path) -> dict[str, str]:
    """Make the targets in a new folder.

    Returns:
        A file of the results -> the SHA-256 of its bytes.
    """
    place = Place(root)
    edit(place.root / "experiments/papers/simans/figure-2a.yaml", _two_values)
    found = {}
    for target in SMALL:
        made = place.run("reproduce", target, "--scale", "simulation", "--seeds", "1")
        if made.returncode:
            raise RuntimeError(made.stderr)
        folder = place.root / "results/local/simulation" / target
        found |= {f"{target}/{name}": sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    return found


def machine() -> dict[str, str]:
    """Return what the last digits depend on beside the code."""
    return {
        "torch": torch.__version__,
        "processor": platform.machine(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
    }


def committed() -> dict[str, dict[str, str]]:
    """Return what was made, and on which machine."""
    return dict(json.loads(PATH.read_text(encoding="utf-8")))


def _two_values(spec: dict) -> None:
    spec["rows"][0]["values"] = spec["rows"][0]["values"][:2]
