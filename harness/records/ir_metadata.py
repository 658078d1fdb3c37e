"""Metadata of rankings in the schema of ir_metadata (Breuer, Keller, Schaer, SIGIR 2022; ir-metadata.org).

The schema puts them into the run file, as lines that begin with ``#``. Here they are in a file beside it, as
ir_measures fails on such lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from harness.records.written import check_written
from harness.storage.files import read_object, write_text

LIBRARIES = ("torch", "transformers", "tokenizers", "faiss-cpu", "faiss-gpu", "bm25s", "numpy")
"""Libraries that rankings depend on; environment.json has all packages."""


def write_ir_metadata(folder: Path, call: str, goal: str) -> None:
    """Write or update `rankings/<split>.ir_metadata.yaml` for all rankings of a finished run.

    Args:
        folder: folder of the run, `runs/<fingerprint>/`, with done.json.
        call: arguments of the command that made it, such as ``reproduce trisampler/table-5 --scale quick``.
        goal: research goal and publication of the target.

    Raises:
        UserError: a file of the run is missing or corrupt.
    """
    if "phase_name" not in _of(folder, "spec.json"):
        return  # of an earlier harness, which wrote its own
    for qrels in sorted((folder / "rankings").glob("*.qrels")):
        path, described = (
            qrels.with_suffix(".ir_metadata.yaml"),
            ir_metadata(folder, qrels.stem, call, goal),
        )
        text = yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=110)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)


def ir_metadata(folder: Path, split: str, call: str, goal: str) -> dict[str, Any]:
    """Return the metadata of one ranking, without unknown values.

    Args:
        folder: folder of the run, `runs/<fingerprint>/`, with done.json.
        split: name of the split that is ranked.
        call: arguments of the command that made it, such as ``reproduce trisampler/table-5 --scale quick``.
        goal: research goal and publication of the target.
    """
    spec, result = _of(folder, "spec.json"), _of(folder, "done.json")
    environment, name = _of(folder, "environment.json"), spec["collection"]["kind"]
    name = f"{name}, carved" if "held_out" in spec["collection"] else name
    trained = (
        {}
        if spec["kind"] in {"bm25", "evaluated"}
        else {"training data": [{"name": f"{name}, train queries"}]}
    )
    collection = {"name": name, "topics": f"{split} queries", "qrels": f"{split}.qrels"}
    return {
        "tag": folder.name,
        "platform": _platform(environment),
        "implementation": {
            "executable": {"cmd": f"harness {call}"},
            "source": _code_version(environment),
        },
        "resources": {"wall clock seconds": result.get("seconds")},
        "research goal": {"description": goal, "evaluation": {"reported measures": result["measures"]}},
        "data": {"test collection": collection, **trained},
        "method": {"automatic": True, "score ties": "broken by a hash of the document id", **_method(spec)},
    }


def _of(folder: Path, name: str) -> dict[str, Any]:
    return read_object(check_written(folder, name), f"delete the folder {folder} and run again")


def _platform(environment: dict[str, Any]) -> dict[str, Any]:
    hardware, packages = environment["hardware"], environment["packages"]
    gpus = [gpu["name"] for gpu in hardware["gpus"]]
    return {
        "hardware": {
            "cpu": {"model": hardware["cpu"], "number of cores": hardware["cores"]},
            **({"gpu": {"model": ", ".join(gpus)}} if gpus else {}),
            "ram": hardware["memory_bytes"],
        },
        "operating system": {"kernel": environment["platform"]},
        "software": {"libraries": {"python": [f"{n}=={packages[n]}" for n in LIBRARIES if n in packages]}},
    }


def _code_version(environment: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "lang": "python",
        "commit": environment["commit"],
        "uncommitted changes": environment["dirty"] or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _method(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the retrieval method; `spec.json` has all settings."""
    if spec["kind"] == "bm25":
        return {"retrieval": [{"name": "bm25"}]}
    if spec["kind"] == "evaluated":
        return {"retrieval": [{"name": "dual encoder", "checkpoint": spec["checkpoint"]["start"]}]}
    encoder = spec["encoder"]
    begins = {"pooling": encoder["pooling"]} if encoder["start"] == "fresh" else {"start": encoder["start"]}
    retriever = {"name": "dual encoder", **begins, "base seed": _first(spec)["seed"]}
    if spec["kind"] != "base":  # a base run serves several recipes
        negatives = spec["sampler"]["preset"]
        retriever |= {"recipe": spec["recipe"], "seed": spec["seed"], "negatives": negatives}
    return {"retrieval": [retriever]}


def _first(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the first run of a chain of runs."""
    return spec if spec["kind"] == "base" else _first(spec["start"])
