"""Resolving: target, recipe, dataset and scale put together into the settings of each training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from harness.collections.clusters import ClusteredBy
from harness.errors import UserError, nearest
from harness.specs.as_published import as_published
from harness.specs.collection_choice import CollectionChoice
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.phase_numbers import KEYS, trains_at, used
from harness.specs.reading import named
from harness.specs.recipe import Starts, on_dataset
from harness.specs.run_settings import EvaluatedRun, RunSettings
from harness.specs.runs import RowDraws, Runs, Seeds
from harness.specs.scale import Scale
from harness.specs.settings import RERANKED, CheckpointSettings, CollectionSettings, Pooling
from harness.specs.target import BM25, Column, Line, Measured, Row, Target, Trained, with_runs
from harness.storage.files import content_hash


@dataclass(frozen=True)
class NamedScale:
    """A scale and its name."""

    name: str
    spec: Scale


@dataclass(frozen=True)
class ResolvedColumn:
    """A column of the finished table; `published` where the paper prints it."""

    label: str
    dataset: str
    dataset_title: str
    measure: str
    split: str
    published: bool

    def model_dump(self) -> dict[str, Any]:
        """Return it as cells.json holds it."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Resolved:
    """A target at a scale.

    Attributes:
        loaded: the target and what it names.
        scale: the scale.
        splits: dataset -> further test sets of its collection, shown beside the measured split.
        instead: what a command gave in the place of what target and scale name; they have it already.
    """

    loaded: LoadedTarget
    scale: NamedScale
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    instead: Instead = field(default_factory=Instead)

    @property
    def name(self) -> str:
        """Name of the target."""
        return self.loaded.name

    @property
    def call(self) -> str:
        """What a command names it by, with its scale, and with what it is made on in their place."""
        return f"{self.loaded.path or self.name} --scale {self.scale.name}{self.instead.options}"

    @property
    def paper(self) -> str:
        """Name of the paper; of what a tuning wrote, ``tuning``."""
        return self.name.split("/", maxsplit=1)[0]

    @property
    def target(self) -> Target:
        """The target's spec."""
        return self.loaded.target

    @property
    def trained(self) -> Trained:
        """The spec of a target whose rows are runs; no other has what these need."""
        return self.loaded.trained

    @property
    def dataset(self) -> str:
        """Name of the target's dataset, the first where there are several."""
        return self.target.datasets[0]

    @property
    def columns(self) -> list[ResolvedColumn]:
        """Columns as printed, then reranked, then further measures of datasets, then further test sets."""
        target, publishing = self.target, any(row.published for row in self.target.rows)
        measured = target.columns if isinstance(target, Measured) else []
        printed = [
            self._column(c.dataset, c.label, c.measure, self._printed_on(c.dataset), published=publishing)
            for c in measured
        ]
        reranked = [
            self._column(c.dataset, f"{c.label} reranked", c.measure, self._printed_on(c.dataset) + RERANKED)
            for c in self._reranked
        ]
        further = [
            self._column(name, of.label, of.measure, self.measured(name))
            for name in target.datasets
            for of in self.loaded.datasets[name].further
        ]
        first = {column.dataset: column for column in reversed(measured)}
        others = [
            self._column(name, f"{first[name].label} {split}", first[name].measure, split)
            for name in target.datasets
            if name in first
            for split in self.splits.get(name, ())
        ]
        return [*printed, *reranked, *further, *others]

    def _column(
        self, dataset: str, label: str, measure: str, split: str, *, published: bool = False
    ) -> ResolvedColumn:
        title = self.loaded.datasets[dataset].title
        return ResolvedColumn(self.loaded.label_on(dataset, label), dataset, title, measure, split, published)

    def _printed_on(self, dataset: str) -> str:
        """Return the split that the printed columns of a dataset are measured on."""
        split = self.target.split if isinstance(self.target, Measured) else None
        return split or self.measured(dataset)

    @property
    def printed(self) -> list[ResolvedColumn]:
        """The first of the columns, those that the target prints."""
        return self.columns[: len(self.target.columns)] if isinstance(self.target, Measured) else []

    @property
    def primary(self) -> ResolvedColumn:
        """The primary column; of a target without printed measures the first that its dataset adds."""
        target, columns = self.target, self.columns
        label = target.primary if isinstance(target, Measured) else columns[0].label
        return next(column for column in columns if column.label == label)

    def primary_on(self, dataset: str) -> ResolvedColumn:
        """Return the primary column if it is of a dataset, else the first one that is."""
        return next(column for column in (self.primary, *self.columns) if column.dataset == dataset)

    @property
    def _reranked(self) -> list[Column]:
        """The printed columns that stand a second time, measured on what a ranker has read again."""
        target = self.target
        if not isinstance(target, Measured) or not any(map(self.reranks, target.rows)):
            return []
        return [column for column in target.columns if self.loaded.label(column) == target.primary]

    def reranks(self, row: Line) -> bool:
        """Whether a ranker reads a row's rankings again: in a comparison, where the row's recipe has one."""
        if not self.target.shows_reranked or not isinstance(row, Row):
            return False
        return row.kind not in {"published", "unavailable"} and self.loaded.ranked(row)

    def trains_ranker(self, row: Row) -> bool:
        """Whether a row's run trains a ranker alone."""
        phases = self.loaded.chain(row)
        return bool(phases) and phases[self.loaded.last_phase(row)].trains == "ranker"

    def seed_text(self, dataset: str, seed: int) -> str:
        """Return which run of a row it is, in words: its seed, and its dataset where there are several."""
        return f"seed {seed}" if len(self.target.datasets) == 1 else f"{dataset}, seed {seed}"

    @property
    def seeds(self) -> int:
        """Number of seeds, unless the command says otherwise."""
        return self.trained.seeds or self.scale.spec.seeds.count

    def published(self, row: Line) -> list[dict[str, Any] | None]:
        """Return a row's published figures, one a column of the finished table."""
        printed = figures(self.loaded, row)
        return [printed.get(column.label) for column in self.columns]

    def collection(self, dataset: str | None = None) -> CollectionSettings:
        """Return the collection that serves a dataset of the target, its first by default, at this scale."""
        choice = self.choice_of(dataset or self.dataset)
        return CollectionSettings(kind=choice.kind, parameters=choice.settings)

    def measured(self, dataset: str | None = None) -> str:
        """Return the split that a dataset, the first by default, is measured on at this scale."""
        return self.choice_of(dataset or self.dataset).measured

    def clusters(self, dataset: str | None = None) -> ClusteredBy | None:
        """Return what the queries of a cluster share; none where each query is one by itself."""
        return self.choice_of(dataset or self.dataset).clusters

    def has_answers(self, dataset: str | None = None) -> bool | None:
        """Return whether a dataset's queries have answers at this scale; none where files alone say it."""
        return self.choice_of(dataset or self.dataset).has_answers

    def choice_of(self, dataset: str) -> CollectionChoice:
        """Return the collection that serves a dataset at this scale, as its spec has it."""
        choices = self.loaded.datasets[dataset].collections
        choice = choices.get(self.scale.name)
        if choice is None:
            raise UserError(
                f"dataset '{dataset}' has no collection at scale '{self.scale.name}'",
                fix=nearest(self.scale.name, choices),
            )
        return choice

    def run(self, row: Row, seed: int, dataset: str | None = None) -> RunSettings:
        """Return the settings of a row's run of one seed, from 0, on a dataset, the first by default."""
        dataset = dataset or self.dataset
        if row.checkpoint is not None:
            return self.evaluated(
                self._checkpoint(row.name, row.checkpoint, dataset, row.pooling), dataset, seed
            )
        runs = self._runs(dataset)
        sampler = self.loaded.sampler(row, dataset, as_published=self.scale.spec.as_published)
        draws = RowDraws(sampler, row.under(self.trained.shared))
        if row.evaluates == BM25:
            return runs.bm25(self.trained.shared.recipe, self._seeds(row, seed))
        run = row.tuned(runs.run(self.loaded.last_phase(row), self._seeds(row, seed), draws))
        return run if row.phase else self.target.looking(run)

    def evaluated(self, checkpoint: CheckpointSettings, dataset: str, seed: int = 0) -> EvaluatedRun:
        """Return the settings by which a checkpoint is measured as rows are; seeds change nothing."""
        seeds = Seeds(*[self.scale.spec.seeds.base + self.target.added_to_seeds + seed] * 3)
        return self._runs(dataset).evaluated(self.trained.shared.recipe, seeds, checkpoint)

    def _checkpoint(
        self, row: str, starts: Starts, dataset: str, pooling: Pooling | None
    ) -> CheckpointSettings:
        """Return what an evaluated row measures on a dataset.

        Raises:
            UserError: its checkpoints are of other datasets.
        """
        start = on_dataset(starts, dataset)
        if start is None:
            fix = f"name another dataset, or give the row a checkpoint for '{dataset}'"
            raise UserError(f"{self.name}:{row} has no checkpoint on dataset '{dataset}'", fix=fix)
        return CheckpointSettings(start=start, pooling=pooling)

    def _runs(self, dataset: str) -> Runs:
        """Return what makes settings of runs on a dataset."""
        measures = dict.fromkeys(column.measure for column in self.columns if column.dataset == dataset)
        collection, recipes = self.collection(dataset), self.loaded.recipes
        return Runs(self.scale.spec.on(dataset), recipes, dataset, collection, tuple(measures))

    def _seeds(self, row: Row, seed: int) -> Seeds:
        """Return the seeds of a row's run; rows share all but those of the last phase."""
        first = self.scale.spec.seeds
        shared, own = (self.target.added_to_seeds + shift + seed for shift in row.seed_shift)
        return Seeds(first.base + shared, first.continued + shared, first.continued + own)

    def settings_commit(self) -> str | None:
        """Return the commit that froze the settings, if they are still those; what was tuned is not."""
        if self.target.settings_are_tuned:
            return None
        settings = self.settings_hash()
        return next((of.commit for of in self.scale.spec.frozen if of.settings == settings), None)

    def settings_hash(self) -> str:
        """Return a hash of all that decides a comparison but its rows."""
        chains = [self.loaded.chain(row) for row in with_runs(self.target.rows)]
        phases = {name: phase for chain in chains for name, phase in chain.items()}
        ranked = any(phase.trains == "ranker" or phase.ranker for phase in phases.values())
        other = {
            "frozen",
            "summary",
            "seeds",
            "threads",
            "hardware",
            "substitutes",
            "as_published",
            "gradient_queries",
        }
        scale = self.scale.spec
        return content_hash(
            scale.model_dump(exclude=other if ranked else {*other, "ranker"}),
            {
                name: [
                    phase.model_dump(exclude={**dict.fromkeys(KEYS, True), "ranker": {"published_turns"}}),
                    *(asdict(used(scale, name, phase, dataset)) for dataset in self.target.datasets),
                    *([trains] if (trains := trains_at(scale, name, phase)) != phase.trains else []),
                ]
                for name, phase in phases.items()
            },
            *(self.collection(name).model_dump() for name in self.target.datasets),
            self.trained.shared.model_dump(exclude={"published_recipe"}),
            *(split for name in self.target.datasets if (split := self.measured(name)) != "test"),
        )

    def notes(self) -> list[dict[str, str]]:
        """Return the register's notes that the target cites."""
        register = {note.id: note for note in self.loaded.paper.notes}
        return [register[name].model_dump() for name in self.target.notes]


def resolve(library: Library, target: str, scale: str) -> Resolved:
    """Load a target at a scale, with what the library has in the place of its collections and encoder.

    Raises:
        UserError: unknown target or scale, the target has no such scale or its reading changes nothing there,
            or what stands in the place of its collections does not fit it.
    """
    loaded = library.target(target)
    spec = library.scale(scale)
    if scale not in loaded.target.scales:
        raise UserError(f"{target} has no scale '{scale}'", fix=nearest(scale, loaded.target.scales))
    if not library.reads(target, scale):
        written, reading = named(target)
        what = f"reading '{reading}' changes nothing of {written} at scale '{scale}'"
        raise UserError(what, fix=f"name {written} alone, or a scale that trains as published")
    instead = library.instead.on(loaded)
    named_scale = NamedScale(scale, instead.in_scale(spec))
    trained = as_published(loaded) if spec.as_published else loaded
    return Resolved(instead.in_loaded(trained, scale), named_scale, instead=instead)


def figures(loaded: LoadedTarget, row: Line) -> dict[str, dict[str, Any] | None]:
    """Return a row's published figures, by what the printed columns are called."""
    headings = loaded.target.headings
    printed = row.published or [None] * len(headings)
    return {
        loaded.label(heading): None if text is None else figure(text, heading.unit_in(loaded.target.unit))
        for heading, text in zip(headings, printed, strict=True)
    }


def figure(printed: str, unit: str) -> dict[str, Any]:
    """Return a published figure with its value as a fraction, or in seconds, in exact decimals.

    >>> figure("39.7", "percent")
    {'printed': '39.7', 'value': 0.397, 'unit': 'percent'}
    """
    parts = {"percent": 100, "ms": 1000}.get(unit, 1)
    return {"printed": printed, "value": float(Decimal(printed) / parts), "unit": unit}
