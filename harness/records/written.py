"""Which files a finished run wrote: what is read from its folder is bound to the run."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.storage.checksums import SUMS, crc32
from harness.storage.files import json_text, read_object, write_json

WRITTEN = "written.json"
"""The run's fingerprint and the checksums of its files; written before done.json, read with it."""

_EVALUATION = ("rankings", "per_query.parquet")


def write_written(folder: Path, result: dict[str, Any], done: str) -> None:
    """Write the checksums of a run's files, and of its done.json that is about to be written.

    Checkpoints are known by their own lists of checksums.

    Args:
        folder: of the run.
        result: content of done.json.
        done: name of that file.
    """
    names = ["spec.json", "links.json", "environment.json", "metrics.jsonl", "per_query.parquet"]
    paths = [folder / name for name in names]
    paths += [*(folder / "rankings").glob("*.trec.gz"), *(folder / "checkpoints").glob(f"*/{SUMS}")]
    files = {path.relative_to(folder).as_posix(): crc32(path) for path in paths if path.exists()}
    files[done] = f"{zlib.crc32(json_text(result).encode()):08x}"
    write_json(folder / WRITTEN, {"run": folder.name, "files": files})


def check_written(folder: Path, name: str) -> Path:
    """Return the path of a file of a run, which is as the run wrote it.

    Runs that are not finished, and those made before this was written, pass.

    Args:
        folder: of the run.
        name: of the file, below the folder.

    Raises:
        UserError: the file is missing, damaged, or another run's.
    """
    path = folder / name
    if not (folder / WRITTEN).exists() or not (folder / "done.json").exists():
        return path
    again = f"delete the folder {folder} and run again"
    written = read_object(folder / WRITTEN, again)
    files = written.get("files")
    if not isinstance(files, dict):
        raise UserError("corrupt file", where=str(folder / WRITTEN), fix=again)
    if written.get("run") != folder.name and folder.parent.name == "runs":
        raise UserError(f"the files are those of run {written.get('run')}", where=str(folder), fix=again)
    expected = files.get(name)
    if expected is not None and (not path.is_file() or crc32(path) != expected):
        what = "corrupt file (not as the run wrote it)" if path.exists() else "file is missing"
        evaluated = f"delete it and done.json in {folder}, and run again: it is evaluated, not trained"
        raise UserError(what, where=str(path), fix=evaluated if name.startswith(_EVALUATION) else again)
    return path
