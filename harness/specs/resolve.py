"""Resolving: target, recipe, dataset and scale put together into the settings of each training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from harness.errors import UserError, nearest
from harness.files import content_hash
from harness.negatives.pieces import settings_of
from harness.negatives.registry import make_topology
from harness.specs.kinds import CostColumn
from harness.specs.library import Library
from harness.specs.loaded import LoadedTarget
from harness.specs.models import Heading, Line, Measured, Row, Target, Trained, with_runs
from harness.specs.parts import Recipe, Scale
from harness.specs.samplers import sampler_settings
from harness.specs.settings import (
    CollectionSettings,
    EncoderSettings,
    PhaseSettings,
    RunSettings,
    SamplerSettings,
    TokenSettings,
)
from harness.training.losses.registry import make_loss


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
        splits: further test sets of the collection, shown beside the test split.
    """

    loaded: LoadedTarget
    scale: NamedScale
    splits: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Name of the target."""
        return self.loaded.name

    @property
    def paper(self) -> str:
        """Name of the paper."""
        return self.name.split("/", maxsplit=1)[0]

    @property
    def target(self) -> Target:
        """The target's spec."""
        return self.loaded.target

    @property
    def trained(self) -> Trained:
        """The spec of a target whose rows are runs; no other has what these need."""
        return cast("Trained", self.target)

    @property
    def dataset(self) -> str:
        """Name of the target's dataset, the first where there are several."""
        return self.target.datasets[0]

    @property
    def columns(self) -> list[ResolvedColumn]:
        """Columns as printed, then the dataset's further measures, then further test sets."""
        dataset = self.loaded.datasets[self.dataset]
        title = dataset.title
        publishing = any(row.published for row in self.target.rows)
        measured = self.target.columns if isinstance(self.target, Measured) else []
        split = self.target.split if isinstance(self.target, Measured) else "test"
        printed = [ResolvedColumn(c.label, c.dataset, title, c.measure, split, publishing) for c in measured]
        further = [
            ResolvedColumn(f.label, self.dataset, title, f.measure, "test", False) for f in dataset.further
        ]
        others = [
            ResolvedColumn(f"{first.label} {split}", self.dataset, title, first.measure, split, False)
            for first in measured[:1]
            for split in self.splits
        ]
        return [*printed, *further, *others]

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

    @property
    def seeds(self) -> int:
        """Number of seeds, unless the command says otherwise."""
        return self.trained.seeds or self.scale.spec.seeds.count

    def published(self, row: Line) -> list[dict[str, Any] | None]:
        """Return a row's published figures, one a column of the finished table."""
        printed = figures(self.target, row)
        return [printed.get(column.label) for column in self.columns]

    def collection(self, dataset: str | None = None) -> CollectionSettings:
        """Return the collection that serves a dataset of the target, its first by default, at this scale."""
        dataset = dataset or self.dataset
        choices = self.loaded.datasets[dataset].collections
        choice = choices.get(self.scale.name)
        if choice is None:
            raise UserError(
                f"dataset '{dataset}' has no collection at scale '{self.scale.name}'",
                fix=nearest(self.scale.name, choices),
            )
        parameters = choice.parameters.model_dump() if choice.parameters else {}
        return CollectionSettings(kind=choice.kind, parameters=parameters)

    def run(self, row: Row, seed: int) -> RunSettings:
        """Return the settings of a row's run of one seed, counted from 0."""
        scale, name = self.scale.spec, row.recipe or self.trained.shared.recipe
        recipe = self.loaded.recipes[name]
        warm_up_shift, shift = row.seed_shift
        warm_up = RunSettings(
            kind="warm-up",
            recipe=recipe.start or name,
            collection=self.collection(),
            tokens=TokenSettings(**scale.tokens.model_dump()),
            encoder=EncoderSettings(**scale.encoder.model_dump()),
            start=None,
            phase=_phase(self.loaded.recipes[recipe.start or name], scale, "warm_up"),
            sampler=None,
            seed=scale.seeds.warm_up + warm_up_shift + seed,
            measures=tuple(dict.fromkeys(column.measure for column in self.columns)),
            depth=scale.depth,
        )
        if row.evaluates == "warm-up":
            return warm_up
        if row.evaluates == "bm25":
            return warm_up.model_copy(update={"kind": "bm25", "phase": None})
        trained = {
            "kind": "trained",
            "recipe": name,
            "start": warm_up,
            "phase": _phase(recipe, scale, "continued"),
            "sampler": self._sampler(row),
            "seed": scale.seeds.continued + shift + seed,
        }
        return warm_up.model_copy(update=trained)

    def settings_commit(self) -> str | None:
        """Return the commit that froze the settings, if they are still those."""
        frozen = self.scale.spec.frozen
        return frozen.commit if frozen and frozen.settings == self.settings_hash() else None

    def settings_hash(self) -> str:
        """Return a hash of all that decides a comparison but its rows."""
        return content_hash(
            self.scale.spec.model_dump(exclude={"frozen", "summary", "seeds", "threads"}),
            {
                name: recipe.model_dump(exclude={"summary", "departs", "source"})
                for name, recipe in self.loaded.recipes.items()
            },
            self.collection().model_dump(),
            self.trained.shared.model_dump(),
        )

    def scale_notes(self) -> list[str]:
        """Return what the scale changes, and the target's own remarks."""
        if not isinstance(self.target, Trained):
            return list(self.target.remarks)
        wanted, cap = self.target.shared.candidates, self.scale.spec.candidates_cap
        capped = [f"Candidates: K = {wanted} is capped to {cap} at this scale."] if wanted > cap else []
        departs = [recipe.departs for recipe in self.loaded.recipes.values() if recipe.departs]
        return [*capped, "Titles: off; no title stands before a passage.", *departs, *self.target.remarks]

    def notes(self) -> list[dict[str, str]]:
        """Return the register's notes that the target cites."""
        register = {note.id: note for note in self.loaded.paper.notes}
        return [register[name].model_dump() for name in self.target.notes]

    def _sampler(self, row: Row) -> SamplerSettings | None:
        if row.sampler is None:
            return None
        shared = row.under(self.trained.shared)
        candidates = min(shared.candidates, self.scale.spec.candidates_cap)
        return sampler_settings(row.sampler, candidates, shared.negatives)


def resolve(library: Library, target: str, scale: str) -> Resolved:
    """Load a target at a scale.

    Raises:
        UserError: unknown target or scale, or the target has no such scale.
    """
    loaded = library.target(target)
    spec = library.scale(scale)
    if scale not in loaded.target.scales:
        raise UserError(f"{target} has no scale '{scale}'", fix=nearest(scale, loaded.target.scales))
    _check_towers(loaded, scale, spec)
    return Resolved(loaded, NamedScale(scale, spec))


def _check_towers(loaded: LoadedTarget, name: str, scale: Scale) -> None:
    """Refuse a queue where the document tower would get no gradient.

    Raises:
        UserError: there is such a row.
    """
    for row in with_runs(loaded.target.rows):
        queue = row.sampler is not None and make_topology(row.sampler.piece("topology")).name == "queue"
        if queue and scale.encoder.towers == "separate":
            what = f"row '{row.name}' has a queue, scale '{name}' has separate towers"
            raise UserError(what, where=loaded.name, fix="a queue needs shared towers: leave the row out")


def figures(target: Target, row: Line) -> dict[str, dict[str, Any] | None]:
    """Return a row's published figures, by the labels of the columns as printed."""
    printed = row.published or [None] * len(target.headings)
    return {
        heading.label: None if text is None else figure(text, unit_of(target, heading))
        for heading, text in zip(target.headings, printed, strict=True)
    }


def unit_of(target: Target, heading: Heading) -> str:
    """Return the unit in which a column is printed."""
    return heading.unit if isinstance(heading, CostColumn) else target.unit


def figure(printed: str, unit: str) -> dict[str, Any]:
    """Return a published figure with its value as a fraction, or in seconds, in exact decimals.

    >>> figure("39.7", "percent")
    {'printed': '39.7', 'value': 0.397, 'unit': 'percent'}
    """
    parts = {"percent": 100, "ms": 1000}.get(unit, 1)
    return {"printed": printed, "value": float(Decimal(printed) / parts), "unit": unit}


def _phase(recipe: Recipe, scale: Scale, phase: str) -> PhaseSettings:
    continued = phase == "continued"
    drawn = recipe.negatives == "drawn"
    return PhaseSettings(
        loss=settings_of(make_loss(recipe.loss)),
        negatives=recipe.negatives,
        steps=scale.steps.continued if continued else scale.steps.warm_up,
        batch=scale.batch.continued if continued else scale.batch.warm_up,
        learning_rate=scale.learning_rate.continued if continued else scale.learning_rate.warm_up,
        weight_decay=recipe.schedule.weight_decay,
        warm_up_share=recipe.schedule.warm_up_share,
        clip_norm=recipe.schedule.clip_norm,
        refresh=scale.steps.refresh if continued and drawn else None,
    )
