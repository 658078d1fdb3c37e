"""Whether the zero-shot row has the figure of `SentenceTransformer`: nDCG@10 on test of the same checkpoint.

The row is Base of `trisampler/table-5`, a run of no steps whose heads are the identity. Beside it
`SentenceTransformer` opens the same files, encodes the same texts, cut at the same lengths, and documents are
ranked by cosine, ties told apart as everywhere. Prints both figures and their difference.

    python experiments/scripts/zero_shot.py                # the collection of the scale
    python experiments/scripts/zero_shot.py beir:FOLDER    # another
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from sentence_transformers import SentenceTransformer

from harness.collections.checkpoint_place import located
from harness.collections.collection import Collection
from harness.evaluation.measures import evaluate
from harness.evaluation.rankings import make_ranking
from harness.progress import Progress
from harness.retrieval.search import exact_search
from harness.runs.stages import Stages
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.run_settings import BaseRun
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at

SPLIT, MEASURE, DEPTH = "test", "nDCG@10", 1000
AT_ONCE = 64
"""Texts in a batch of `SentenceTransformer`."""


def of_row(stages: Stages, settings: BaseRun) -> float:
    """Return the figure of the row, whose run is made unless it is there."""
    scores = stages.run(settings, "the checkpoint as it is").folder.per_query()
    chosen = scores[(scores["split"] == SPLIT) & (scores["measure"] == MEASURE)]
    return float(chosen["value"].mean())


def of_sentence_transformer(settings: BaseRun, collection: Collection) -> float:
    """Return the figure of the same checkpoint as `SentenceTransformer` embeds the collection."""
    model = SentenceTransformer(located(settings.encoder.start), device="cpu")
    longest, asked = model.max_seq_length or sys.maxsize, collection.queries[SPLIT]
    model.max_seq_length = min(longest, settings.tokens.passage_tokens)
    documents = model.encode_document(
        list(collection.documents), batch_size=AT_ONCE, normalize_embeddings=True
    )
    model.max_seq_length = min(longest, settings.tokens.query_tokens)
    queries = model.encode_query(list(asked.texts), batch_size=AT_ONCE, normalize_embeddings=True)
    own = collection.own(SPLIT)
    cosines, numbers = exact_search(queries, documents, DEPTH + bool(own))
    ranking = make_ranking(asked.ids, collection.document_ids, cosines, numbers, own=own, depth=DEPTH)
    return float(evaluate(ranking, asked.qrels, [MEASURE])["value"].mean())


def compared(collections: Sequence[str], scale: str = "quick") -> tuple[float, float]:
    """Return the figures of the row and of `SentenceTransformer`.

    Args:
        collections: what `harness reproduce --collection` takes; none for the collection of the scale.
        scale: whose encoder is a checkpoint, of which heads are trained.
    """
    stages = Stages(Store.default(), Progress())
    library = Library.default(Instead.parse(collections, None))
    resolved = resolve_at(library, "trisampler/table-5", scale, stages)
    torch.set_num_threads(resolved.scale.spec.threads)
    settings = resolved.run(resolved.loaded.row("Base"), 0)
    if not isinstance(settings, BaseRun) or settings.phase.trains != "head" or settings.phase.steps:
        raise TypeError(f"at {scale} row Base is no head without a step")
    row = of_row(stages, settings)
    return row, of_sentence_transformer(settings, stages.collections.get(settings.collection))


def main() -> None:
    """Print the figures of a collection."""
    row, other = compared(sys.argv[1:])
    print(f"{MEASURE} of the row {row:.6f}, of SentenceTransformer {other:.6f}: {row - other:+.1e}")  # noqa: T201


if __name__ == "__main__":
    main()
