"""Collections as runs use them: prepared, with tokens and labelled pairs; built or found in the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.collections.archive import load_collection, save_collection
from harness.collections.built_in import BUILDING, build_collection, collection_key, departure
from harness.collections.carved import carve
from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore, build_tokens, load_tokens
from harness.encoders.pretrained import tokenizer_at
from harness.errors import UserError
from harness.runs.run import Workshop
from harness.runs.training import TrainingData
from harness.specs.base import FRESH
from harness.specs.fingerprints import Chain, chain
from harness.specs.run_settings import EvaluatedRun, RunSettings, TrainedRun
from harness.specs.settings import CollectionSettings
from harness.training.batches import TrainingPairs, labelled_pairs


@dataclass(frozen=True)
class Collections:
    """The collections of a store; each is read once, unless it is forgotten meanwhile."""

    workshop: Workshop
    _collections: dict[str, Collection] = field(default_factory=dict)
    _tokens: dict[tuple[str, str], TokenStore] = field(default_factory=dict)
    _pairs: dict[str, TrainingPairs] = field(default_factory=dict)

    def get(self, settings: CollectionSettings) -> Collection:
        """Return the collection, built or read from the store.

        Raises:
            UserError: it is not available.
        """
        if not settings.available:
            size = settings.parameters["documents"]
            what = f"the {size:,} documents of this scale are not here, and no loader yet"
            fix = "`harness plan` shows runs and memory; to train, choose a scale that has a collection"
            raise UserError(what, where="collection", fix=fix)
        key, path, progress = _key(settings), self.path(settings), self.workshop.progress
        what = f"collection {settings.kind}"
        if key not in self._collections:

            def make() -> None:
                with progress.task(what):
                    save_collection(self._built(settings), path, key)

            self.workshop.once(path, key, what, make)
            collection = self._collections[key] = load_collection(path, key)
            if (told := departure(collection)) is not None:
                progress.say(f"warning: {told}; figures differ from the committed ones")
        return self._collections[key]

    def _built(self, settings: CollectionSettings) -> Collection:
        if settings.held_out is not None:
            return carve(self.get(settings.whole), settings.held_out)
        if settings.kind in BUILDING:
            name, about = settings.parameters.get("name", settings.kind), BUILDING[settings.kind]
            self.workshop.progress.say(f"building the collection {name} first, once for this store: {about}")
        return build_collection(settings.kind, settings.parameters)

    def path(self, settings: CollectionSettings) -> Path:
        """Return the file of the prepared collection, there or not; it can be carried to another machine."""
        return self.workshop.store.collection(_key(settings))

    def chain(self, settings: RunSettings) -> Chain:
        """Return the fingerprints of a run."""
        return chain(settings, self.get(settings.collection).fingerprint)

    def tokens(self, settings: TrainedRun | EvaluatedRun) -> TokenStore:
        """Return the collection's tokens, as the encoder of a run reads them."""
        key = self.chain(settings).tokens
        folder, known = self.workshop.store.tokens(key), (_key(settings.collection), key)
        if known not in self._tokens:

            def make() -> None:
                with self.workshop.progress.task("tokens"):
                    build_tokens(
                        self.get(settings.collection),
                        folder,
                        start=_tokenizer(settings),
                        vocabulary=settings.tokens.vocabulary or 0,
                        query_tokens=settings.tokens.query_tokens,
                        passage_tokens=settings.tokens.passage_tokens,
                    )

            self.workshop.once(folder / "done.json", key, "tokens", make)
            self._tokens[known] = load_tokens(folder)
        return self._tokens[known]

    def training_data(self, settings: TrainedRun) -> TrainingData:
        """Return what a run is trained on."""
        collection, key = self.get(settings.collection), _key(settings.collection)
        if key not in self._pairs:
            self._pairs[key] = labelled_pairs(collection)
        tokens, workshop = self.tokens(settings), self.workshop
        return TrainingData(collection, tokens, self._pairs[key], workshop.progress, workshop.means)

    def keep_only(self, wanted: Iterable[CollectionSettings]) -> None:
        """Forget what was read of all other collections, with their tokens and pairs.

        Args:
            wanted: what is used next.
        """
        kept = set(map(_key, wanted))
        for key in self._collections.keys() - kept:
            del self._collections[key]
        for key in self._pairs.keys() - kept:
            del self._pairs[key]
        for known in [known for known in self._tokens if known[0] not in kept]:
            del self._tokens[known]


def _tokenizer(settings: TrainedRun | EvaluatedRun) -> str:
    """Return where the tokenizer of a run comes from; fresh where it is learnt."""
    if isinstance(settings, EvaluatedRun):
        return tokenizer_at(settings.checkpoint.start)
    start = settings.encoder.start
    return start if start == FRESH else tokenizer_at(start)


def _key(settings: CollectionSettings) -> str:
    return collection_key(settings.kind, settings.model_dump())
