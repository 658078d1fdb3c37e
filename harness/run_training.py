"""The training of a run: a phase over what the stages have made, watched on ``dev`` at each refresh."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch

from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore, load_tokenizer
from harness.encoders.dual_encoder import DualEncoder
from harness.evaluation.measures import DEV_MEASURE
from harness.negatives.candidates import Candidates
from harness.negatives.mining import Miner
from harness.negatives.registry import make_draw, make_law, make_source, make_topology
from harness.negatives.sampler import Sampler
from harness.negatives.sources.source import Found
from harness.progress import Progress
from harness.records.run_folder import RunFolder
from harness.retrieval.bm25 import bm25_search
from harness.run_evaluation import Embeddings, dev_metrics
from harness.specs.settings import RunSettings, SamplerSettings
from harness.training.batches import TrainingPairs
from harness.training.checkpoints import keep_best, save_final
from harness.training.given import Drawn, Negatives
from harness.training.losses.registry import make_loss
from harness.training.trainer import Trainer


@dataclass(frozen=True)
class Ground:
    """What a run is trained on.

    Attributes:
        collection: documents and queries.
        tokens: of them.
        pairs: labelled training pairs.
        progress: shows what is done.
    """

    collection: Collection
    tokens: TokenStore
    pairs: TrainingPairs
    progress: Progress


def make_miner(ground: Ground, sampler: SamplerSettings) -> Miner:
    """Return what finds the candidates of a sampler."""
    collection, pairs = ground.collection, ground.pairs
    texts = collection.queries["train"].texts

    @functools.cache
    def lexical(depth: int) -> Found:
        with ground.progress.task("BM25"):
            scores, numbers = bm25_search(collection.documents, texts, depth)
        return scores[pairs.pairs[:, 0]], numbers[pairs.pairs[:, 0]]

    return Miner(
        source=make_source(sampler.source),
        k=sampler.candidates,
        pairs=pairs.pairs,
        masked=pairs.masked(sampler.mask),
        query_ids=collection.queries["train"].ids,
        document_number=collection.number,
        lexical=lexical,
    )


def make_negatives(ground: Ground, sampler: SamplerSettings, first: Candidates | None) -> Negatives:
    """Return which negatives a sampler trains against.

    Args:
        ground: what is trained on.
        sampler: resolved settings.
        first: candidates of round 0; none where the sampler draws from no source.
    """
    topology = make_topology(sampler.topology)
    if first is None:
        return Negatives(topology, sampler.mask)
    law_and_draw = Sampler(make_law(sampler.law), make_draw(sampler.draw), sampler.negatives)
    return Negatives(topology, sampler.mask, Drawn(law_and_draw, make_miner(ground, sampler), first))


def train(
    settings: RunSettings,
    ground: Ground,
    folder: RunFolder,
    encoder: DualEncoder,
    negatives: Negatives,
    *,
    title: str,
) -> None:
    """Train an encoder in place, in a run's phase, and save it.

    The checkpoint that is best on ``dev`` is kept beside the last one; it is looked at where all documents
    are embedded anyway, at a refresh.

    Args:
        settings: of the run.
        ground: what is trained on.
        folder: of the run.
        encoder: what the phase starts from.
        negatives: what queries are trained against.
        title: what the progress bar calls it.
    """
    if settings.phase is None:
        raise ValueError(f"a run of kind {settings.kind} is not trained")
    name = "warm-up" if settings.start is None else "continued"
    tokenizer, longest = load_tokenizer(str(ground.tokens.tokenizer_folder)), settings.tokens.passage_tokens

    def watch(step: int, encoder: DualEncoder, documents: Embeddings) -> dict[str, float]:
        metrics = dev_metrics(settings, ground.collection, ground.tokens, encoder, documents)
        keep_best(encoder, folder.checkpoints, tokenizer, longest, step, metrics[DEV_MEASURE])
        return metrics

    torch.use_deterministic_algorithms(True, warn_only=True)
    with ground.progress.task(f"{title}: {name}", settings.phase.steps) as advance:
        Trainer(
            encoder=encoder,
            tokens=ground.tokens,
            pairs=ground.pairs,
            name=name,
            phase=settings.phase,
            loss=make_loss(settings.phase.loss),
            seed=settings.seed,
            writer=folder,
            negatives=negatives,
            watch=watch,
            advance=advance,
        ).run()
    save_final(encoder, folder.checkpoints, tokenizer, longest)
