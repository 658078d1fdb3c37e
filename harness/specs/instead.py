"""What a command gives in the place of a scale's collections and encoder: a table of one's own."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.collections.checkpoint_place import found
from harness.errors import UserError, nearest
from harness.evaluation.measures import reads_answers
from harness.specs.dataset import Dataset
from harness.specs.loaded import LoadedTarget
from harness.specs.named_collection import NamedCollection, option, read_option
from harness.specs.scale import Encoder, Scale
from harness.specs.target import Measured, Target, Trained
from harness.storage.files import content_hash
from harness.storage.places import written_path

OWN = "own"
"""Folder below `results/local/` of what is made on collections and encoders that a command names."""

LONGEST = 100
"""Letters of names in the name of a place."""


@dataclass(frozen=True)
class Instead:
    """What a command names in the place of what specs and scale do.

    Attributes:
        collections: dataset -> collection; "" is the one dataset of a target.
        encoder: folder or hub id from which the encoder starts; none for that of the scale.
    """

    collections: Mapping[str, NamedCollection] = field(default_factory=dict)
    encoder: str | None = None

    @staticmethod
    def parse(collections: Sequence[str], encoder: str | None) -> Instead:
        """Return what the options of a command name.

        Args:
            collections: ``KIND:PLACE`` or ``DATASET=KIND:PLACE`` each.
            encoder: a folder or hub id.

        Raises:
            UserError: an option is not written so, or a dataset is named twice.
        """
        named: dict[str, NamedCollection] = {}
        for text in collections:
            dataset, collection = read_option(text)
            if dataset in named:
                what = f"two collections for {dataset or 'one dataset'}"
                raise UserError(what, where=option(text), fix="leave one out, or write DATASET=beir:PATH")
            named[dataset] = collection
        if encoder is not None and not encoder.strip():
            raise UserError("no encoder is named", where="--encoder", fix="name a folder or a hub id")
        written_path(encoder or "", "--encoder")
        return Instead(named, encoder)

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return bool(self.collections) or self.encoder is not None

    @property
    def options(self) -> str:
        """The options of a command that name it, each with a blank before it."""
        named = [f"{name}={of}" if name else str(of) for name, of in self.collections.items()]
        options = [("--collection", text) for text in named]
        options += [("--encoder", self.encoder)] if self.encoder is not None else []
        return "".join(f" {option} {shlex.quote(text)}" for option, text in options)

    @property
    def place(self) -> str:
        """Folder of its results below those of a user: of other folders or another encoder it is another."""
        names = [*(of.title for of in self.collections.values()), Path(self.encoder or "").name]
        words = (re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._-") for name in names)
        text = "-".join(filter(None, words))[:LONGEST]
        places = {name: of.whole_place for name, of in sorted(self.collections.items())}
        return f"{OWN}/{text or 'collection'}-{content_hash(places, self._start)[:8]}"

    @property
    def _start(self) -> str | None:
        """The encoder, a folder by its whole path."""
        folder = written_path(self.encoder or "", "--encoder")
        return str(folder.resolve()) if self.encoder and folder.is_dir() else self.encoder

    def on(self, loaded: LoadedTarget) -> Instead:
        """Return what is named for a target; the collection of its one dataset is that of "".

        Raises:
            UserError: the target has no such dataset, several where one is meant, or no runs.
        """
        if self and not isinstance(loaded.target, Trained):
            what = f"{loaded.name} counts the datasets of the paper; nothing of it is trained"
            raise UserError(what, fix="leave --collection and --encoder out, or name a target with runs")
        datasets = loaded.target.datasets
        for name, of in self.collections.items():
            if name and name not in datasets:
                what = f"{loaded.name} has no dataset '{name}'"
                raise UserError(what, where=option(f"{name}={of}"), fix=nearest(name, datasets))
            if not name and len(datasets) > 1:
                what = f"{loaded.name} has several datasets: {', '.join(datasets)}"
                fix = f"write --collection {datasets[0]}={of}, or another of them"
                raise UserError(what, where=option(str(of)), fix=fix)
        if len(datasets) > 1 or not self.collections:
            return self
        if len(self.collections) > 1:
            what = f"{loaded.name} has one dataset, {datasets[0]}"
            raise UserError(what, where="--collection", fix="name one collection")
        return replace(self, collections={"": next(iter(self.collections.values()))})

    def in_loaded(self, loaded: LoadedTarget, scale: str) -> LoadedTarget:
        """Return a target on the collections that are named, without what its paper prints.

        Args:
            loaded: the target.
            scale: name of the scale whose collections are replaced.

        Raises:
            UserError: what is named is no collection.
        """
        if not self:
            return loaded
        named = {name or loaded.target.datasets[0]: of for name, of in self.collections.items()}
        shared = Counter(of.title for of in named.values())
        titles = {
            name: of.title if shared[of.title] == 1 else f"{of.title} ({name})" for name, of in named.items()
        }
        datasets = {
            name: _dataset(loaded.datasets[name], scale, of, titles[name]) for name, of in named.items()
        }
        moved = replace(loaded, datasets={**loaded.datasets, **datasets})
        return replace(moved, target=self._target(loaded, moved))

    def _target(self, loaded: LoadedTarget, moved: LoadedTarget) -> Target:
        """Return the spec of a target without published figures and the notes that are about them."""
        target = loaded.trained
        rows = [row for row in target.rows if row.kind not in {"published", "unavailable"}]
        of_figures = {note.id for note in loaded.paper.notes if note.figures}
        changes: dict[str, object] = {
            "title": f"{target.title}, {self.text}",
            "rows": [row.model_copy(update={"published": None}) for row in rows],
            "notes": [note for note in target.notes if note not in of_figures],
        }
        if isinstance(target, Measured):
            labels = {loaded.label(column): moved.label(column) for column in target.columns}
            changes["primary"] = labels.get(target.primary, target.primary)
        return target.model_copy(update=changes)

    def in_scale(self, scale: Scale) -> Scale:
        """Return a scale with the encoder that is named; of the scale's own it keeps what no file says."""
        if self.encoder is None:
            return scale
        unsaid = {"towers", "token_dropout"} if _is_ours(self.encoder) else _UNSAID
        kept = scale.encoder.model_dump(include=unsaid, exclude_unset=True)
        encoder = Encoder(start=self.encoder, **kept)
        on = {name: own.model_copy(update={"encoder": None}) for name, own in scale.datasets.items()}
        return scale.model_copy(update={"encoder": encoder, "datasets": on})

    @property
    def text(self) -> str:
        """What is named, in words."""
        on = ", ".join(of.name for of in self.collections.values())
        encoder = f"encoder {self.encoder}" if self.encoder else ""
        return ", ".join(filter(None, (f"on {on}" if on else "", encoder)))


_UNSAID = {"towers", "score_scale", "token_dropout"}
"""Settings of an encoder that no file of a checkpoint says; what the harness saved says its own factor."""


def _is_ours(start: str) -> bool:
    """Return whether the harness saved an encoder there."""
    from harness.encoders.dual_encoder import holds_encoder  # noqa: PLC0415  (slow, and rarely needed)

    folder = found(start)
    return folder is not None and holds_encoder(folder)


def _dataset(dataset: Dataset, scale: str, collection: NamedCollection, title: str) -> Dataset:
    """Return a dataset that a collection serves at a scale; without judgements only answers are measured."""
    choice, judged = collection.served()
    served = {**dataset.collections, scale: choice}
    further = [of for of in dataset.further if judged or reads_answers(of.measure)]
    changes = {"title": title, "collections": served, "further": further, "remarks": []}
    return dataset.model_copy(update=changes)
