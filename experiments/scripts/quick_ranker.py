"""Whether a ranker that two cores train in a quarter of an hour is above its retriever at quick, on dev.

The rule, set before any two samplers were compared beside a ranker at this scale: of the rates below, the one
at which the late interaction has the greatest MRR@10 on dev, with a seed that no table uses; it is taken if
its difference to the retriever, paired by query, excludes 0 at 99 %. It reads the retriever's first ones.
Prints what the ranker gives before it is trained, each of its two terms alone and both; then a line for each
rate; what was made is found in the store, and what was stopped goes on.
`python experiments/scripts/quick_ranker.py`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from harness.encoders.late_interaction import late_interaction_over
from harness.encoders.partial import whole_of
from harness.evaluation.measures import evaluate
from harness.evaluation.rankings import Ranking, read_ranking
from harness.evaluation.significance import checkpoint_interval
from harness.progress import Progress
from harness.runs.reranking import TeacherState, reranked
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.run_settings import RankerRun
from harness.specs.varied import varied
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at

RATES = (1e-4, 3e-4, 1e-3)
SEED = 90
"""Added to the first seed of the scale; tables and confirmations stay below."""
SPLIT, MEASURE = "dev", "RR(rel=2)@10"
LEVEL = 0.99
TERMS = {"retriever's score alone": (1.0, 0.0), "MaxSim alone": (0.0, 1.0), "both, as it begins": (1.0, 1.0)}
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """Where rankers are judged: the base run's rankings of dev, which is `retriever` by query."""

    stages: Stages
    settings: RankerRun
    ranking: Ranking
    retriever: Values


def values(frame: pd.DataFrame) -> Values:
    """Return the measure of each query, in the order of their names."""
    return np.asarray(frame[frame["measure"] == MEASURE].sort_values("query")["value"], dtype=np.float64)


def ground() -> Ground:
    """Return the settings of the base ranker, and the rankings that it reads again."""
    stages = Stages(Store.default(), Progress())
    resolved = resolve_at(Library.default(), "trisampler/table-5-ar2", "quick", stages)
    torch.set_num_threads(resolved.scale.spec.threads)
    settings = resolved.run(resolved.loaded.row("Base, reranked"), SEED)
    if not isinstance(settings, RankerRun):
        raise SystemExit("the row 'Base, reranked' trains no ranker")
    base = stages.run(settings.start, "the checkpoint as it is").folder
    scores = base.per_query()
    ranking = read_ranking(base.folder / "rankings" / f"{SPLIT}.trec.gz")
    return Ground(stages, settings, ranking, values(scores[scores["split"] == SPLIT]))


def untrained(on: Ground, weights: tuple[float, float]) -> Values:
    """Return what the ranker gives as it begins, with other weights of its terms."""
    settings, products = on.settings, on.stages.products
    start = products.at_start(settings)
    ranker = late_interaction_over(whole_of(start.encoder)).eval()
    ranker.weight.data.copy_(torch.tensor(weights))
    collection = on.stages.collections.get(settings.collection)
    state = TeacherState(ranker, ranker, products.ranker_texts(settings), start, settings.pair_tokens)
    read_again = reranked(on.ranking, state, collection, SPLIT, settings.reranked)
    return values(evaluate(read_again, collection.queries[SPLIT].qrels, [MEASURE]))


def trained(on: Ground, rate: float) -> Values:
    """Return what the ranker gives after its phase at a rate."""
    settings = varied(on.settings, {"learning_rate": rate})
    scores = on.stages.run(settings, f"rate {rate:g}").folder.per_query()
    return values(scores[scores["split"] == SPLIT])


def say(name: str, own: Values, on: Ground, seconds: float) -> float:
    """Print a line and return the mean."""
    paired = checkpoint_interval((own - on.retriever)[None], LEVEL)
    difference = f"{paired.mean:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]"
    print(f"{name:24s} dev MRR@10 {own.mean():.4f}  {difference}  {seconds:.0f} s", flush=True)  # noqa: T201
    return float(own.mean())


def main() -> None:
    """Print the grid, and the rate that the rule chooses."""
    on = ground()
    on.stages.products.ranker_texts(on.settings)  # so that the seconds below are the ranker's own
    print(f"{'the retriever':24s} dev MRR@10 {on.retriever.mean():.4f}", flush=True)  # noqa: T201
    for name, weights in TERMS.items():
        begin = time.process_time()
        say(name, untrained(on, weights), on, time.process_time() - begin)
    means = pd.Series(dtype=float)
    for rate in RATES:
        begin = time.process_time()
        means[rate] = say(f"rate {rate:g}", trained(on, rate), on, time.process_time() - begin)
    print(f"chosen: {means.idxmax():g}")  # noqa: T201


if __name__ == "__main__":
    main()
