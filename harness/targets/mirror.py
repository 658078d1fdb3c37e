"""MLflow's mirror of a target's runs, written while they train and afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from harness.errors import HarnessError
from harness.records.ir_metadata import write_ir_metadata
from harness.records.mirror_thread import MirrorThread, ServerError
from harness.records.mlflow_client import ask_server, without_password
from harness.records.mlflow_mirror import USED_BY, MlflowMirror
from harness.runs.stages import Stages
from harness.specs.fingerprints import Chain
from harness.specs.reading import AT
from harness.specs.resolve import Resolved

LOG = logging.getLogger(__name__)


class Use(Protocol):
    """A row of the target that uses a run (`harness.targets.reproduce.PlannedRun`)."""

    @property
    def row(self) -> str: ...  # noqa: D102
    @property
    def dataset(self) -> str: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def chain(self) -> Chain: ...  # noqa: D102


@dataclass(frozen=True)
class Synced:
    """How many folders MLflow holds after `sync`, and how many planned runs have none yet."""

    written: int
    missing: int


@contextmanager
def mirrored(stages: Stages, resolved: Resolved, uses: Sequence[Use]) -> Iterator[Stages]:
    """Give stages that keep a run's records beside it: MLflow, and metadata of its rankings.

    MLflow is written on a thread. When the block ends, the rest is written; one line names what could not be.
    A block that fails ends at once.

    Args:
        stages: makes runs.
        resolved: the target at a scale.
        uses: all its rows, those too that are not made now.
    """
    tags = run_tags(resolved, uses)
    seeds = 1 + max((use.seed for use in uses), default=-1)
    more = f" --seeds {seeds}" if seeds and seeds != resolved.seeds else ""
    command = MirroredCommand(
        experiment=resolved.paper,
        tags=lambda mirror, name: tags.get(name, {}),
        folders=lambda: _folders(stages, tags),
        call=f"reproduce {resolved.call}",
        goal=f"{resolved.target.title}; {resolved.target.citation}",
        again=f"harness sync {resolved.call}{more}",
    )
    with mirroring_runs(stages, command) as keeping:
        yield keeping


@dataclass(frozen=True)
class MirroredCommand:
    """A command whose runs are mirrored, as MLflow and the rankings' metadata describe it.

    Attributes:
        experiment: of MLflow, for runs that are in none yet.
        tags: of a run, by its fingerprint; asked for on the thread that writes, and may ask MLflow.
        folders: of the runs that are there.
        call: the command that makes them, without `harness`.
        goal: what they are made for.
        again: the command that writes what was missed.
    """

    experiment: str
    tags: Callable[[MlflowMirror, str], dict[str, str]]
    folders: Callable[[], Sequence[Path]]
    call: str
    goal: str
    again: str


@contextmanager
def mirroring_runs(stages: Stages, command: MirroredCommand) -> Iterator[Stages]:
    """Give stages that keep a run's records beside it; see `mirrored`."""
    mirroring = MirrorThread(lambda folder: mirror.write(folder, command.tags(mirror, folder.name)))
    mirror = MlflowMirror(stages.store.tracking_uri, command.experiment, mirroring.answered)

    def record(folder: Path) -> None:
        if (folder / "done.json").exists():
            write_ir_metadata(folder, command.call, command.goal)
        mirroring.note(folder)

    def note_all() -> None:
        for folder in command.folders():
            mirroring.note(folder)

    try:
        note_all()  # what an earlier command could not write, and what is used by another target as well
        yield replace(stages, mirror=record)
    except BaseException:
        mirroring.stop()
        raise
    note_all()
    with stages.progress.task("MLflow"):
        left = mirroring.finish()
    if left:
        reason = next(iter(left.values()))
        LOG.warning(
            "%d run(s) are not all in MLflow (%s); `%s` writes them", len(left), reason, command.again
        )


def sync(stages: Stages, resolved: Resolved, uses: Sequence[Use]) -> Synced:
    """Write a target's runs to MLflow, finished or not, as far as they are not there.

    Args:
        stages: knows the store.
        resolved: the target at a scale.
        uses: all its rows.

    Raises:
        ServerError: MLflow is away or refuses.
        HarnessError: folders are corrupt; the others are written.
    """
    tags = run_tags(resolved, uses)
    uri, folders = stages.store.tracking_uri, _folders(stages, tags)
    written: list[Path] = []
    corrupt: list[str] = []

    def write(answered: Callable[[], None]) -> None:
        mirror = MlflowMirror(uri, resolved.paper, answered)
        for folder in folders:
            try:
                mirror.write(folder, tags[folder.name])
                written.append(folder)
            except ServerError:
                raise
            except HarnessError as error:
                corrupt.append(str(error))

    try:
        ask_server(uri, write)
    except ServerError as error:
        fix = "" if error.fix else "start the server, or say in MLFLOW_TRACKING_URI where it is"
        count = f"{len(written)} of {len(folders)} run(s) are there"
        raise ServerError(f"{error}; {count}", fix) from error
    if corrupt:
        count = f"{len(corrupt)} of {len(folders)} run(s) are not in {without_password(uri)}"
        raise HarnessError("\n".join([count, *corrupt]))
    return Synced(len(folders), len(tags) - len(folders))


def run_tags(resolved: Resolved, uses: Sequence[Use]) -> dict[str, dict[str, str]]:
    """Return the tags of each run that a target depends on, base runs too, by fingerprint.

    The first use gives name, row, dataset and seed; `used_by.<target>` names all rows, in a reading
    `used_by.<target>:<reading>`, since MLflow has no @ in the names of tags.
    """
    rows: dict[str, list[tuple[str, Use]]] = {use.chain.last: [] for use in uses}
    for use in uses:
        rows[use.chain.last].append((use.row, use))
    for use in uses:
        for stage, fingerprint in use.chain.runs_below:
            name = f"start of {use.row}" if stage == "run" else stage
            rows.setdefault(fingerprint, [(name, use)])
    return {fingerprint: _tags(resolved, row_uses) for fingerprint, row_uses in rows.items()}


def _tags(resolved: Resolved, row_uses: Sequence[tuple[str, Use]]) -> dict[str, str]:
    """Return the tags of a run from the rows that use it."""
    row, first = row_uses[0]
    return {
        "mlflow.runName": f"{row}, {resolved.seed_text(first.dataset, first.seed)}",
        "target": resolved.name,
        "row": row,
        "dataset": first.dataset,
        "scale": resolved.scale.name,
        "seed": str(first.seed),
        f"{USED_BY}{resolved.name.replace(AT, ':')}": "; ".join(dict.fromkeys(name for name, _ in row_uses)),
    }


def _folders(stages: Stages, tags: dict[str, dict[str, str]]) -> list[Path]:
    """Return the folders of those runs that are there, finished or not."""
    return [folder for folder in map(stages.store.run, tags) if (folder / "spec.json").exists()]
