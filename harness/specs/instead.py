"""What a command gives in the place of a scale's collections and encoder: a table of one's own."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.collections.beir import data_folder, judged_splits
from harness.collections.checkpoint_place import found
from harness.errors import UserError, nearest
from harness.specs.collection_choice import BeirChoice, BeirParameters
from harness.specs.dataset import Dataset
from harness.specs.loaded import LoadedTarget
from harness.specs.scale import Encoder, Scale
from harness.specs.target import Measured, Target, Trained
from harness.storage.files import content_hash
from harness.storage.places import written_path

OWN = "own"
"""Folder below `results/local/` of what is made on collections and encoders that a command names."""

LONGEST = 100
"""Letters of names in the name of a place."""

_WRITTEN = re.compile(r"(?:(?P<dataset>[\w-]+)=)?(?P<kind>[\w-]+):(?P<folder>.+)", re.DOTALL)


@dataclass(frozen=True)
class Instead:
    """What a command names in the place of what specs and scale do.

    Attributes:
        collections: dataset -> folder in the layout of BEIR; "" is the one dataset of a target.
        encoder: folder or hub id from which the encoder starts; none for that of the scale.
    """

    collections: Mapping[str, str] = field(default_factory=dict)
    encoder: str | None = None

    @staticmethod
    def parse(collections: Sequence[str], encoder: str | None) -> Instead:
        """Return what the options of a command name.

        Args:
            collections: ``beir:PATH`` or ``DATASET=beir:PATH`` each.
            encoder: a folder or hub id.

        Raises:
            UserError: an option is not written so, or a dataset is named twice.
        """
        folders: dict[str, str] = {}
        for text in collections:
            dataset, folder = _collection(text)
            if dataset in folders:
                what = f"two collections for {dataset or 'one dataset'}"
                raise UserError(what, where=_option(text), fix="leave one out, or write DATASET=beir:PATH")
            folders[dataset] = folder
        if encoder is not None and not encoder.strip():
            raise UserError("no encoder is named", where="--encoder", fix="name a folder or a hub id")
        written_path(encoder or "", "--encoder")
        return Instead(folders, encoder)

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return bool(self.collections) or self.encoder is not None

    @property
    def options(self) -> str:
        """The options of a command that name it, each with a blank before it."""
        named = [f"{name}=beir:{path}" if name else f"beir:{path}" for name, path in self.collections.items()]
        options = [("--collection", text) for text in named]
        options += [("--encoder", self.encoder)] if self.encoder is not None else []
        return "".join(f" {option} {shlex.quote(text)}" for option, text in options)

    @property
    def place(self) -> str:
        """Folder of its results below those of a user: of other folders or another encoder it is another."""
        names = [*map(collection_name, self.collections.values()), Path(self.encoder or "").name]
        words = (re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._-") for name in names)
        text = "-".join(filter(None, words))[:LONGEST]
        folders = {name: str(data_folder(path).resolve()) for name, path in sorted(self.collections.items())}
        return f"{OWN}/{text or 'collection'}-{content_hash(folders, self._start)[:8]}"

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
        for name, folder in self.collections.items():
            if name and name not in datasets:
                what = f"{loaded.name} has no dataset '{name}'"
                raise UserError(what, where=_option(f"{name}=beir:{folder}"), fix=nearest(name, datasets))
            if not name and len(datasets) > 1:
                what = f"{loaded.name} has several datasets: {', '.join(datasets)}"
                fix = f"write --collection {datasets[0]}=beir:{folder}, or another of them"
                raise UserError(what, where=_option(f"beir:{folder}"), fix=fix)
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
            UserError: a folder is no collection.
        """
        if not self:
            return loaded
        folders = {name or loaded.target.datasets[0]: path for name, path in self.collections.items()}
        shared = Counter(map(collection_name, folders.values()))
        titles = {
            name: title if shared[title] == 1 else f"{title} ({name})"
            for name, title in ((name, collection_name(path)) for name, path in folders.items())
        }
        datasets = {
            name: _dataset(loaded.datasets[name], scale, path, titles[name]) for name, path in folders.items()
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
        on = ", ".join(f"beir/{collection_name(path)}" for path in self.collections.values())
        encoder = f"encoder {self.encoder}" if self.encoder else ""
        return ", ".join(filter(None, (f"on {on}" if on else "", encoder)))


_UNSAID = {"towers", "score_scale", "token_dropout"}
"""Settings of an encoder that no file of a checkpoint says; what the harness saved says its own factor."""


def _is_ours(start: str) -> bool:
    """Return whether the harness saved an encoder there."""
    from harness.encoders.dual_encoder import holds_encoder  # noqa: PLC0415  (slow, and rarely needed)

    folder = found(start)
    return folder is not None and holds_encoder(folder)


def collection_name(folder: str) -> str:
    """Return the name of the folder of a collection."""
    return data_folder(folder).resolve().name


def _option(text: str) -> str:
    return f"--collection {shlex.quote(text)}"


def _collection(text: str) -> tuple[str, str]:
    """Return dataset and folder of an option."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        what = f"'{text}' names no kind of collection"
        raise UserError(what, where=_option(text), fix="write beir:PATH, or DATASET=beir:PATH")
    if written["kind"] != "beir":
        fix = "write beir:PATH, a folder in the layout of BEIR"
        raise UserError(
            f"'{written['kind']}' is no kind of collection that a command names", where=_option(text), fix=fix
        )
    return written["dataset"] or "", written["folder"]


def own_choice(folder: str) -> BeirChoice:
    """Return a folder as the collection of a command: titles on, measured on test, or else on dev.

    Raises:
        UserError: the folder is no collection.
    """
    tested = "test" in judged_splits(data_folder(folder))
    parameters = BeirParameters(folder=folder, titles=True)
    return BeirChoice(kind="beir", parameters=parameters, measured="test" if tested else "dev")


def _dataset(dataset: Dataset, scale: str, folder: str, title: str) -> Dataset:
    """Return a dataset that a folder serves at a scale."""
    served = {**dataset.collections, scale: own_choice(folder)}
    return dataset.model_copy(update={"title": title, "collections": served, "remarks": []})
