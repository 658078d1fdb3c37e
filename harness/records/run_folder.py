"""The folder of a training run: the source of all tables, resumable after a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError, told
from harness.records.written import WRITTEN, check_written, write_written
from harness.storage.disk import disk_full_as_error
from harness.storage.files import (
    canonical_json,
    flush,
    make_folder,
    read_json,
    read_object,
    read_parquet,
    write_json,
)

if TYPE_CHECKING:
    import pandas as pd

DONE = "done.json"
PER_QUERY = "per_query.parquet"


def is_time(key: str) -> bool:
    """Return whether a key of a line of metrics is a time or a speed: other in identical runs."""
    return key == "time" or key.startswith("seconds") or key.endswith("_per_second")


class RunFolder:
    """`runs/<fingerprint>/`: spec, links, environment, metrics, checkpoints, rankings, and finally done.json.

    Metrics are append-only. A step that was logged before a crash is not logged again when it is repeated,
    and the next writer removes a line torn by the crash; readers never modify the folder, since another
    process may be writing it.

    Args:
        folder: path of the folder, which is created if necessary.
        on_flush: called with the folder whenever its metrics are flushed to disk.
    """

    def __init__(self, folder: Path, on_flush: Callable[[Path], None] = lambda folder: None) -> None:
        self.folder, self._on_flush = folder, on_flush
        make_folder(folder)
        self._metrics = folder / "metrics.jsonl"

    @property
    def _again(self) -> str:
        return f"delete the folder {self.folder} and run again"

    @property
    def checkpoints(self) -> Path:
        """Folder of the trainer's checkpoints and, at the end, of its encoder."""
        return self.folder / "checkpoints"

    @property
    def done(self) -> bool:
        """Whether the run is finished."""
        return (self.folder / DONE).exists()

    def describe(
        self, spec: dict[str, Any], links: Sequence[Mapping[str, Any]], environment: dict[str, Any]
    ) -> None:
        """Write the resolved spec, the links of the fingerprint and the environment, unless they are so."""
        contents = {"environment.json": environment, "links.json": links, "spec.json": spec}
        for name, content in contents.items():  # the spec comes last: a folder that has it is a run
            if not self._holds(name, content):
                write_json(self.folder / name, content)

    def _holds(self, name: str, content: Any) -> bool:
        """Whether a file is there as it should be; environment and measures are those it was begun with."""
        try:
            there = read_json(self.folder / name)
        except UserError:
            return False
        if name == "environment.json":
            return isinstance(there, dict)
        if isinstance(there, dict):
            there, content = ({**some, "measures": None} for some in (there, content))
        return canonical_json(there) == canonical_json(content)

    def environment(self) -> dict[str, Any]:
        """Return the environment in which the run was begun.

        Raises:
            UserError: the file is missing or corrupt.
        """
        return read_object(check_written(self.folder, "environment.json"), self._again)

    def log(self, phase: str, step: int, **metrics: float) -> None:
        """Append the metrics of a step, unless the step is logged already."""
        if not metrics or (phase, step) in self._logged:
            return
        self._logged.add((phase, step))
        line = {"phase": phase, "step": step, "time": time.time(), **metrics}
        with (
            disk_full_as_error(self._metrics.name, self.folder),
            self._metrics.open("a", encoding="utf-8") as stream,
        ):
            stream.write(json.dumps(line) + "\n")

    @cached_property
    def _logged(self) -> set[tuple[str, int]]:
        """Phases and steps that are logged."""
        self._cut_torn_line()
        return {(line["phase"], line["step"]) for line in self.metrics()}

    def reopen(self) -> None:
        """Begin to write, perhaps to a finished run: its files are no longer those that it finished with."""
        (self.folder / WRITTEN).unlink(missing_ok=True)

    def settle(self) -> None:
        """Flush the metrics to disk."""
        if self._metrics.exists():
            flush(self._metrics)
            self._on_flush(self.folder)

    def metrics(self) -> Iterator[dict[str, Any]]:
        """Yield the complete lines of metrics.

        Raises:
            UserError: a line is corrupt.
        """
        check_written(self.folder, self._metrics.name)
        if not self._metrics.exists():
            return
        with (
            told("corrupt file", where=str(self._metrics), fix=self._again),
            self._metrics.open("rb") as stream,
        ):
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n"):
                    return
                yield self._entry(line, number)

    def _entry(self, line: bytes, number: int) -> dict[str, Any]:
        where = f"{self._metrics}:{number}"
        with told("corrupt line", where=where, fix=self._again):
            entry: dict[str, Any] = json.loads(line)
            if not (isinstance(entry, dict) and entry.keys() >= {"phase", "step"}):
                raise UserError("corrupt line", where=where, fix=self._again)
            return entry

    def total(self, metric: str) -> float:
        """Return the sum of a metric over the steps that log it."""
        return sum(float(line[metric]) for line in self.metrics() if metric in line)

    def last(self, phase: str) -> dict[str, float]:
        """Return the metrics of the last line of a phase; empty if there is none."""
        lines = [line for line in self.metrics() if line["phase"] == phase]
        line = lines[-1] if lines else {}
        return {k: v for k, v in line.items() if k not in {"phase", "step"} and not is_time(k)}

    def finish(self, result: dict[str, Any]) -> None:
        """Write the checksums of all files, and done.json, the last file of a run."""
        write_written(self.folder, result, DONE)
        write_json(self.folder / DONE, result)

    def result(self) -> dict[str, Any]:
        """Return the result that `finish` wrote.

        Raises:
            UserError: the file is missing or corrupt.
        """
        return read_object(check_written(self.folder, DONE), self._again)

    def per_query(self) -> pd.DataFrame:
        """Return the per-query values of a finished run: columns query, measure, value, split.

        Raises:
            UserError: the file is missing or corrupt.
        """
        path = check_written(self.folder, PER_QUERY)
        return read_parquet(path, fix=f"delete it and {DONE} beside it, and run again")

    def _cut_torn_line(self) -> None:
        if self._metrics.exists():
            data = self._metrics.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                os.truncate(self._metrics, len(whole))  # never a moment without the lines before
