"""BM25 and the encoder of the quick scale, as it is, on the collection of each dataset, on its test queries.

Prints a line for each retriever of each dataset: the measures of the papers on any of them, and
answer hits where queries have answers. Runs are made unless they are in the store; all texts of a collection
are encoded once, which takes some minutes on two cores.

    python experiments/scripts/collections_in_figures.py [DATASET...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import torch
from quick_scale import on

from harness.evaluation.measures import evaluate_split
from harness.evaluation.rankings import read_ranking
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at

DATASETS = ("ms-pas", "nq", "tqa", "ms-doc")
ROWS = ("BM25", "Base")
SPLIT = "test"
JUDGED = ("nDCG@10", "RR(rel=2)@10", "RR(rel=2)@100", "Success(rel=2)@100")
ANSWERED = ("AnswerHit@5", "AnswerHit@20", "AnswerHit@100")


def figures(stages: Stages, resolved: Resolved) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each retriever on the dataset of a target, and its mean over queries of each measure."""
    for row in ROWS:
        settings = resolved.run(resolved.loaded.row(row), 0)
        made = stages.run(settings, f"{row}, {resolved.dataset}")
        collection = stages.collections.get(settings.collection)
        measures = JUDGED + (ANSWERED if collection.queries[SPLIT].answers else ())
        ranking = read_ranking(made.folder.folder / f"rankings/{SPLIT}.trec.gz")
        values = evaluate_split(ranking, collection, SPLIT, measures).groupby("measure")["value"].mean()
        yield f"{collection.name} {row}", {measure: float(values[measure]) for measure in measures}


def main(datasets: Sequence[str]) -> None:
    """Print the figures of datasets."""
    stages, library = Stages(Store.default(), Progress()), Library.default()
    table = resolve_at(library, "trisampler/table-5", "quick", stages)
    torch.set_num_threads(table.scale.spec.threads)
    for dataset in datasets:
        for retriever, values in figures(stages, on(table, library, dataset)):
            printed = "  ".join(f"{measure} {value:.3f}" for measure, value in values.items())
            print(f"{retriever:16s} {printed}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:] or DATASETS)
