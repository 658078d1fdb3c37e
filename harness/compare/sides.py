"""The two sides of a comparison: the runs or the encoder that an address names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.api.finished import dataset_of, finished_runs, refuse_unfinished, row_with_runs
from harness.collections.clusters import ClusteredBy
from harness.encoders.dual_encoder import holds_encoder
from harness.encoders.partial import holds_part
from harness.errors import UserError
from harness.provenance.stored import StoredRun, find_run_or_folder
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.reading import named
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import EvaluatedRun, RunSettings, TrainedRun
from harness.specs.runs import encoder_settings, token_settings
from harness.specs.target import with_runs
from harness.storage.places import written_path


@dataclass(frozen=True)
class Member:
    """The run or the encoder of a side for one seed.

    Attributes:
        folder: folder of the run, or of the encoder.
        run: the run with the settings of the measurement; none for an encoder outside of a run.
        is_run: whether scores are stored in a run; those of an encoder are computed now.
    """

    folder: Path
    run: StoredRun | None
    is_run: bool


@dataclass(frozen=True)
class ComparedSide:
    """One side of a comparison.

    Attributes:
        address: unique name; that of a run has the whole fingerprint.
        name: short name for headings.
        about: description in words.
        members: seed, from 0, -> run or encoder; a single member unless the side is a row.
        is_row: whether the members are the seeds of a row.
        settings: settings by which it is measured; none for an encoder outside of a run.
        labels: measure -> label in its table, the primary one first.
        measured: split that its table measures; none for a side without a table.
        clusters: what the queries of a cluster share in its table; none where each is one by itself.
    """

    address: str
    name: str
    about: str
    members: Mapping[int, Member]
    is_row: bool
    settings: RunSettings | None
    labels: Mapping[str, str] = field(default_factory=dict)
    measured: str | None = None
    clusters: ClusteredBy | None = None

    @property
    def content(self) -> str | None:
        """Return the fingerprint of the collection of its runs; none if it is not recorded."""
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
) -> ComparedSide:
    """Return the side that an address names; nothing is trained and no collection is built.

    Args:
        library: the specs.
        stages: over the store.
        address: ``TARGET:ROW``; fingerprint of a run, a prefix of it, or its folder; folder of an encoder.
        scale: scale at which a row is looked up.
        seeds: number of seeds of a row; by default that of the spec.
        dataset: dataset of a row; by default the first of its target.

    Raises:
        UserError: the address names nothing, or something unfinished.
    """
    target, colon, row = address.partition(":")
    if colon or named(target)[0] in library.targets():
        return _row(stages, resolve(library, target, scale), row, seeds, dataset)
    folder = written_path(address, "side")
    if folder.is_dir() and not (folder / "spec.json").exists():
        return _encoder(address, folder.resolve())
    return _run(find_run_or_folder(stages.store, address))


def refuse_twice(a: ComparedSide, b: ComparedSide) -> None:
    """Refuse to compare a side with itself.

    Raises:
        UserError: both sides are the same.
    """
    one, other = ({member.folder.resolve() for member in side.members.values()} for side in (a, b))
    if one == other:
        raise UserError(f"both sides are {a.name}", fix="name two that differ")


def with_distinct_names(a: ComparedSide, b: ComparedSide) -> tuple[ComparedSide, ComparedSide]:
    """Return both with distinct names: rows of two targets may share one."""
    if a.name != b.name:
        return a, b
    return replace(a, name=a.address), replace(b, name=b.address)


def settings_at(
    library: Library, target: str, scale: str, dataset: str | None
) -> tuple[RunSettings, dict[str, str], str]:
    """Return the settings by which a target's runs are measured, its labels of measures, and the split."""
    resolved = resolve(library, target, scale)
    on = dataset_of(resolved, dataset)
    rows = [row for row in with_runs(resolved.target.rows) if row.is_made_on(on)]
    if not rows:
        raise UserError(f"{target} measures nothing", fix="name a target whose rows are runs")
    settings = with_lengths([resolved.run(row, 0, on) for row in rows])
    return settings, _labels(resolved, on), resolved.measured(on)


def with_lengths(settings: Sequence[RunSettings]) -> RunSettings:
    """Return the first settings that say how long the texts are which an encoder reads, or else the first."""
    return next((of for of in settings if isinstance(of, TrainedRun | EvaluatedRun)), settings[0])


def scale_of(library: Library, settings: RunSettings) -> str:
    """Return the name of the scale with a run's encoder and lengths; ``other`` if there is none."""
    parts = (settings.encoder, settings.tokens) if isinstance(settings, TrainedRun) else None
    for name in library.names("scales"):
        spec = library.scale(name)
        encoder = encoder_settings(spec)
        if (encoder, token_settings(spec, encoder)) == parts:
            return name
    return "other"


def _row(
    stages: Stages, resolved: Resolved, name: str, seeds: int | None, dataset: str | None
) -> ComparedSide:
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
    split, clusters = resolved.measured(on), resolved.clusters(on)
    return ComparedSide(address, row.name, about, members, True, settings, labels, split, clusters)


def _run(run: StoredRun) -> ComparedSide:
    refuse_unfinished(run)
    settings = run.settings()
    about = f"run {run.fingerprint} ({run_text(settings)})"
    members = {0: Member(run.folder, run, is_run=True)}
    return ComparedSide(run.fingerprint, f"run {run.fingerprint[:8]}", about, members, False, settings)


def _encoder(address: str, folder: Path) -> ComparedSide:
    """Return the side of an encoder, which may be in `checkpoints/` of a run."""
    if not (holds_encoder(folder) or holds_part(folder)):
        fix = "name the folder of an encoder, for example checkpoints/final of a run"
        raise UserError("this folder holds no encoder", where=str(folder), fix=fix)
    above = StoredRun(folder.parents[1])
    run = above if (above.folder / "spec.json").exists() else None
    name = f"{above.fingerprint[:8]}/{folder.name}" if run else folder.name
    address = f"{above.fingerprint}/{folder.name}" if run else address
    settings = run.settings() if run else None
    about = f"encoder {folder}" + (f" ({run_text(settings)})" if settings else "")
    return ComparedSide(address, name, about, {0: Member(folder, run, is_run=False)}, False, settings)


def run_text(settings: RunSettings) -> str:
    """Return recipe, sampler and seed of a run as text."""
    if isinstance(settings, EvaluatedRun):
        return f"checkpoint {settings.checkpoint.start}"
    if settings.kind != "continued":
        return "BM25" if settings.kind == "bm25" else f"{settings.kind}, seed {settings.seed}"
    return f"{settings.recipe}, {settings.preset}, seed {settings.seed}"


def _labels(resolved: Resolved, dataset: str) -> dict[str, str]:
    first = resolved.primary_on(dataset)
    columns = [column for column in resolved.columns if column.dataset == dataset]
    return {column.measure: column.label for column in (first, *columns)}
