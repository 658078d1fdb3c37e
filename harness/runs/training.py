"""The training of a run: a phase over what the stages have made, watched on ``dev`` at each refresh."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import torch

from harness.collections.collection import Collection
from harness.collections.tokenizer import load_tokenizer
from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder, TwoTowers
from harness.encoders.late_interaction import late_interaction_over
from harness.encoders.partial import whole_of
from harness.encoders.ranker import Ranker, build_ranker
from harness.evaluation.measures import DEV_MEASURE
from harness.negatives.candidates import Candidates
from harness.negatives.mining import Miner
from harness.negatives.sampler import Sampler
from harness.negatives.sources.source import SearchResult
from harness.progress import Progress
from harness.records.run_folder import RunFolder
from harness.retrieval.bm25 import bm25_search
from harness.retrieval.encode import Reader
from harness.retrieval.rerank import PairTexts
from harness.runs.evaluation import Embeddings, dev_metrics, watched_metrics
from harness.runs.profiler import profiled
from harness.runs.run import Means
from harness.specs.run_settings import RankerRun, RunSettings, TaughtRun, TrainedRun
from harness.specs.settings import LateInteractionSettings, SamplerSettings
from harness.training.batches import TrainingPairs
from harness.training.checkpoints import final_of, keep_best, latest_checkpoint, ranker_of, save_final
from harness.training.phase_inputs import Drawn, Negatives, RankerInTraining
from harness.training.protocols import Rates
from harness.training.rounds import Watch, watch_nothing
from harness.training.trainer import Trainer
from harness.training.turns import RankerAlone, RetrieverAlone


@dataclass(frozen=True)
class TrainingData:
    """What a run is trained on.

    Attributes:
        collection: documents and queries.
        tokens: token ids of the documents and queries.
        pairs: labelled training pairs.
        progress: shows the steps taken.
        means: by what it is trained.
        ranker_texts: what a ranker reads in the place of tokens, where there is one that does.
    """

    collection: Collection
    tokens: TokenStore
    pairs: TrainingPairs
    progress: Progress
    means: Means = field(default_factory=Means)
    ranker_texts: PairTexts | None = None


def make_miner(data: TrainingData, sampler: SamplerSettings) -> Miner:
    """Return what finds the candidates of a sampler."""
    collection, pairs = data.collection, data.pairs
    texts = collection.queries["train"].texts

    @functools.cache
    def lexical(depth: int) -> SearchResult:
        with data.progress.task("BM25"):
            scores, numbers = bm25_search(collection.documents, texts, depth)
        return scores[pairs.pairs[:, 0]], numbers[pairs.pairs[:, 0]]

    return Miner(
        source=sampler.drawn_from,
        k=sampler.draws[0],
        pairs=pairs.pairs,
        masked=pairs.masked(sampler.mask),
        query_ids=collection.queries["train"].ids,
        document_number=collection.number,
        lexical=lexical,
    )


def make_negatives(data: TrainingData, sampler: SamplerSettings, first: Candidates | None) -> Negatives:
    """Return which negatives a sampler trains against.

    Args:
        data: collection, tokens and labelled pairs.
        sampler: resolved settings.
        first: candidates of round 0; none where the sampler draws from no source.
    """
    topology = sampler.topology
    if first is None:
        return Negatives(topology, sampler.mask)
    drawn = Drawn(make_sampler(sampler), make_miner(data, sampler), first)
    return Negatives(topology, sampler.mask, drawn)


def make_sampler(sampler: SamplerSettings) -> Sampler:
    """Return law and draw of a sampler, which take candidates and noise."""
    return Sampler(sampler.law, sampler.draw, sampler.draws[1])


def train(
    settings: TrainedRun,
    data: TrainingData,
    folder: RunFolder,
    reader: Reader,
    negatives: Negatives,
    ranker: Ranker | None = None,
    *,
    title: str,
    watched: Callable[[int, dict[str, float]], None] = lambda step, metrics: None,
) -> None:
    """Train an encoder, or a part of it, in place, in a run's phase, and save it; so a ranker, if it learns.

    The checkpoint that is best on ``dev`` is kept beside the last one; it is looked at where all documents
    are embedded anyway, at a refresh.

    Args:
        settings: of the run.
        data: collection, tokens and labelled pairs.
        folder: of the run.
        reader: what the phase trains, as it begins, and what that reads.
        negatives: what queries are trained against.
        ranker: what teaches, as it begins.
        title: what the progress bar calls it.
        watched: called at each refresh with the step and what was measured on ``dev``; what it raises stops
            the run, which stays as after an interrupt.
    """
    tokenizer, longest = load_tokenizer(str(data.tokens.tokenizer_folder)), settings.tokens.passage_tokens

    def look(step: int, documents: Embeddings) -> None:
        looked = watched_metrics(settings.phase.watched, data.collection, reader, documents)
        folder.log(f"{settings.kind} watched", step, **looked)

    def watch(step: int, encoder: TwoTowers[Any], documents: Embeddings) -> dict[str, float]:
        look(step, documents)
        metrics = dev_metrics(settings, data.collection, reader, documents)
        keep_best(encoder, folder.checkpoints, tokenizer, longest, step, metrics[DEV_MEASURE])
        watched(step, metrics)
        return metrics

    def begin() -> None:
        if settings.phase.watched and latest_checkpoint(folder.checkpoints) is None:
            look(0, reader.documents())

    def end() -> None:
        if settings.phase.watched:
            look(settings.phase.steps, reader.documents())
            folder.settle()
        if part is not None and ranker_learns(settings):
            save_final(part.ranker, ranker_of(folder.checkpoints), tokenizer, part.pair_tokens)
        save_final(reader.encoder, final_of(folder.checkpoints), tokenizer, longest)

    part = _ranker_part(settings, ranker) if isinstance(settings, TaughtRun) and ranker else None
    data.means.ranks.alone(begin)
    _run(settings, data, folder, reader, negatives, part, title=title, watch=watch)
    data.means.ranks.alone(end)


def train_ranker(
    settings: RankerRun,
    data: TrainingData,
    folder: RunFolder,
    retriever: Reader,
    negatives: Negatives,
    *,
    title: str,
) -> Ranker:
    """Return the ranker of a run of kind ranker, trained and saved.

    Args:
        settings: of the run.
        data: collection, tokens and labelled pairs.
        folder: of the run.
        retriever: whose candidates it learns to tell apart; a fresh ranker begins with what it is.
        negatives: what is drawn from them.
        title: what the progress bar calls it.
    """
    phase, longest, whole = settings.phase, settings.pair_tokens, whole_of(retriever.encoder)
    torch.manual_seed(settings.seed)
    ranker = _new_ranker(settings, data, whole).to(whole.passage.like.device)
    part = RankerInTraining(ranker, longest, RankerAlone(), phase, phase.loss)
    _run(settings, data, folder, retriever, negatives, part, title=title)
    tokenizer = load_tokenizer(str(data.tokens.tokenizer_folder))
    data.means.ranks.alone(lambda: save_final(ranker, final_of(folder.checkpoints), tokenizer, longest))
    return ranker


def _new_ranker(settings: RankerRun, data: TrainingData, retriever: DualEncoder) -> Ranker:
    """Return the ranker of a run as it begins."""
    if isinstance(settings.ranker, LateInteractionSettings):
        return late_interaction_over(retriever)
    words = retriever.passage.transformer.get_input_embeddings().weight.detach().cpu()
    return build_ranker(settings.ranker, tokens=data.tokens, words=words, longest=settings.pair_tokens)


def _run(
    settings: TrainedRun,
    data: TrainingData,
    folder: RunFolder,
    reader: Reader,
    negatives: Negatives,
    ranker: RankerInTraining | None,
    *,
    title: str,
    watch: Watch = watch_nothing,
) -> None:
    phase, name = settings.phase, settings.kind
    make_repeatable()
    looked_at = data.means.profile and data.means.ranks.first
    trace = profiled(folder.folder, data.progress.say) if looked_at else nullcontext(_nothing)
    with data.progress.task(f"{title}: {name}", phase.steps) as shown, trace as stepped:

        def advance(done: int) -> None:
            shown(done)
            stepped()

        Trainer(
            encoder=reader.encoder,
            texts=reader.texts,
            tokens=data.tokens if data.ranker_texts is None else data.ranker_texts,
            pairs=data.pairs,
            name=name,
            phase=phase,
            loss=phase.loss,
            seed=settings.seed,
            writer=folder,
            negatives=negatives,
            ranker=ranker,
            watch=watch,
            advance=advance,
            note=shown.note,
            ranks=data.means.ranks,
            recompute=data.means.recompute,
        ).run()


def _nothing() -> None:
    """Do nothing after a step."""


def make_repeatable() -> None:
    """Let torch give the same twice; tensors are not filled before they are written, as it does by itself.

    Filling is for code that reads what it has not written, and takes up to a sixth of a step.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def ranker_learns(settings: RunSettings) -> bool:
    """Whether a run trains a ranker beside its retriever."""
    return isinstance(settings, TaughtRun) and not isinstance(settings.co_training.turns, RetrieverAlone)


def _ranker_part(settings: TaughtRun, ranker: Ranker) -> RankerInTraining:
    own = settings.co_training
    rates = None if own.learning_rate is None else cast("Rates", own)
    return RankerInTraining(ranker, settings.own_ranker.pair_tokens, own.turns, rates, own.loss)
