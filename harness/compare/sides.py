"""The two sides of a comparison: an address becomes the runs or the encoder that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.api.finished import dataset_of, finished_runs, refuse_unfinished, row_with_runs
from harness.encoders.dual_encoder import holds_encoder
from harness.errors import UserError
from harness.provenance.stored import StoredRun, find_run_or_folder
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.models import with_runs
from harness.specs.resolve import Resolved, resolve
from harness.specs.settings import EncoderSettings, RunSettings, TokenSettings


@dataclass(frozen=True)
class Member:
    """A run or an encoder, a side's for one seed.

    Attributes:
        folder: of the run, or of the encoder.
        run: the run that tells how to measure; none for an encoder that lies alone.
        is_run: whether it was measured when it was made; an encoder is measured now.
    """

    folder: Path
    run: StoredRun | None
    is_run: bool


@dataclass(frozen=True)
class Side:
    """What is compared.

    Attributes:
        address: names it among all others; a run's has its whole fingerprint.
        name: short, for headings.
        about: what it is, in words.
        members: seed, from 0, -> its run; an only member where it is no row.
        is_row: whether its members are the seeds of a row.
        settings: that say on what and how it is measured; none for an encoder that lies alone.
        labels: measure -> what its table calls it, the primary one first.
        measured: split that its table measures on; none where it is of no table.
    """

    address: str
    name: str
    about: str
    members: Mapping[int, Member]
    is_row: bool
    settings: RunSettings | None
    labels: Mapping[str, str] = field(default_factory=dict)
    measured: str | None = None

    @property
    def content(self) -> str | None:
        """Return the fingerprint of the collection that its runs stand on; none where that is not told."""
        for member in self.members.values():
            links = member.run.links() if member.run else None
            if links:
                return links[0].stands_on
        return None


def find_side(
    library: Library,
    stages: Stages,
    address: str,
    *,
    scale: str,
    seeds: int | None,
    dataset: str | None = None,
) -> Side:
    """Return what an address names; nothing is trained and no collection is built.

    Args:
        library: the specs.
        stages: over the store.
        address: ``TARGET:ROW``; fingerprint of a run, a prefix of it, or its folder; folder of an encoder.
        scale: of a row.
        seeds: how many of a row; the spec's number by default.
        dataset: of a row; the first of its target by default.

    Raises:
        UserError: there is no such thing, or it is not finished.
    """
    target, colon, row = address.partition(":")
    if colon or target in library.targets():
        return _row(stages, resolve(library, target, scale), row, seeds, dataset)
    folder = Path(address)
    if folder.is_dir() and not (folder / "spec.json").exists():
        return _encoder(address, folder.resolve())
    return _run(find_run_or_folder(stages.store, address))


def refuse_twice(a: Side, b: Side) -> None:
    """Refuse to compare a side with itself.

    Raises:
        UserError: both are the same.
    """
    one, other = ({member.folder.resolve() for member in side.members.values()} for side in (a, b))
    if one == other:
        raise UserError(f"both sides are {a.name}", fix="name two that differ")


def apart(a: Side, b: Side) -> tuple[Side, Side]:
    """Return both with names that differ: rows of two targets may have the same."""
    if a.name != b.name:
        return a, b
    return replace(a, name=a.address), replace(b, name=b.address)


def settings_at(
    library: Library, target: str, scale: str, dataset: str | None
) -> tuple[RunSettings, dict[str, str], str]:
    """Return how the runs of a target are measured, its labels of the measures, and the measured split."""
    resolved = resolve(library, target, scale)
    rows = with_runs(resolved.target.rows)
    if not rows:
        raise UserError(f"{target} measures nothing", fix="name a target whose rows are runs")
    on = dataset_of(resolved, dataset)
    return resolved.run(rows[0], 0, on), _labels(resolved, on), resolved.measured(on)


def scale_of(library: Library, settings: RunSettings) -> str:
    """Return the name of the scale that a run is of, which its settings do not hold; ``other`` if of none."""
    for name in library.names("scales"):
        spec = library.scale(name)
        encoder, tokens = (part.model_dump() for part in (spec.encoder, spec.tokens))
        if (EncoderSettings(**encoder), TokenSettings(**tokens)) == (settings.encoder, settings.tokens):
            return name
    return "other"


def _row(stages: Stages, resolved: Resolved, name: str, seeds: int | None, dataset: str | None) -> Side:
    if not name:
        known = ", ".join(f"'{resolved.name}:{row.name}'" for row in resolved.loaded.written)
        raise UserError(f"{resolved.name} is a target, not a row", fix=f"name one of {known}")
    row, on = row_with_runs(resolved.loaded, name), dataset_of(resolved, dataset)
    address, about = f"{resolved.name}:{row.name}", f"row '{row.name}' of {resolved.name}"
    if len(resolved.target.datasets) > 1:
        address, about = f"{address}, {on}", f"{about}, {resolved.loaded.datasets[on].title}"
    runs = finished_runs(stages, resolved, row, seeds, on)
    members = {seed: Member(run.folder, run, is_run=True) for seed, run in runs.items()}
    settings, labels = resolved.run(row, 0, on), _labels(resolved, on)
    return Side(address, row.name, about, members, True, settings, labels, resolved.measured(on))


def _run(run: StoredRun) -> Side:
    refuse_unfinished(run)
    settings = run.settings()
    about = f"run {run.fingerprint} ({made_by(settings)})"
    members = {0: Member(run.folder, run, is_run=True)}
    return Side(run.fingerprint, f"run {run.fingerprint[:8]}", about, members, False, settings)


def _encoder(address: str, folder: Path) -> Side:
    """Return an encoder; it may lie in `checkpoints/` of a run."""
    if not holds_encoder(folder):
        fix = "name the folder of an encoder, for example checkpoints/final of a run"
        raise UserError("no encoder lies in it", where=str(folder), fix=fix)
    above = StoredRun(folder.parents[1])
    run = above if (above.folder / "spec.json").exists() else None
    name = f"{above.fingerprint[:8]}/{folder.name}" if run else folder.name
    address = f"{above.fingerprint}/{folder.name}" if run else address
    settings = run.settings() if run else None
    about = f"encoder {folder}" + (f" ({made_by(settings)})" if settings else "")
    return Side(address, name, about, {0: Member(folder, run, is_run=False)}, False, settings)


def made_by(settings: RunSettings) -> str:
    """Return what made a run, in a few words."""
    if settings.checkpoint is not None:
        return f"checkpoint {settings.checkpoint.start}"
    if settings.kind != "trained":
        return "BM25" if settings.kind == "bm25" else f"warm-up, seed {settings.seed}"
    sampler = f", {settings.sampler.preset}" if settings.sampler else ""
    return f"{settings.recipe}{sampler}, seed {settings.seed}"


def _labels(resolved: Resolved, dataset: str) -> dict[str, str]:
    first = resolved.primary_on(dataset)
    columns = [column for column in resolved.columns if column.dataset == dataset]
    return {column.measure: column.label for column in (first, *columns)}
