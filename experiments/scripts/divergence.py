"""Whether distillation brings the retriever nearer to its teacher than training on labels alone does.

On the held-out lists of `calibration/distillation`: KL from the base ranker's distribution to that of the
retriever at its base run, after `Labels alone`, and after `Frozen ranker`; how often each of them is right.

    python experiments/scripts/divergence.py    # a minute, where the target's runs are in the store
"""

from __future__ import annotations

import numpy as np
import torch

from harness.evaluation.significance import checkpoint_interval
from harness.progress import Progress
from harness.runs.reranking import TeacherState, compared_on_lists
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.resolve import Resolved
from harness.storage.store import Store
from harness.targets.reproduce import resolve_at

TARGET, WARM_UP, WARM_RANKER = "calibration/distillation", "Base", "Base, reranked"
LABELS, TAUGHT = "Labels alone", "Frozen ranker"


def lists_of(stages: Stages, resolved: Resolved, seed: int) -> dict[str, dict[str, float]]:
    """Return row -> KL to the base ranker (nats), shares of lists in which retriever and ranker are right."""
    settings = {name: resolved.run(resolved.loaded.row(name), seed) for name in (WARM_UP, LABELS, TAUGHT)}
    teacher = resolved.run(resolved.loaded.row(WARM_RANKER), seed)
    readers = {name: stages.products.trained(of) for name, of in settings.items()}
    ranker = stages.products.ranker(teacher)
    teaching = TeacherState(ranker, ranker, readers[WARM_UP], teacher.ranker.pair_tokens)
    collection, tokens = stages.collections.get(teacher.collection), stages.collections.tokens(teacher)
    found = {}
    for name, reader in readers.items():
        told = compared_on_lists(teacher, collection, tokens, reader, teaching)
        found[name] = {"KL": told["divergence"]["ranker"], **told["right"]}
    return found


def main() -> None:
    """Print means over seeds, and differences in KL with their interval over seeds."""
    stages = Stages(Store.default(), Progress())
    resolved = resolve_at(Library.default(), TARGET, "simulation", stages)
    torch.set_num_threads(resolved.scale.spec.threads)
    seeds = [lists_of(stages, resolved, seed) for seed in range(resolved.seeds)]
    for name in (WARM_UP, LABELS, TAUGHT):
        means = {key: np.mean([of[name][key] for of in seeds]) for key in seeds[0][name]}
        print(name, " ".join(f"{key} {value:.3f}" for key, value in means.items()))  # noqa: T201
    for other in (WARM_UP, LABELS):
        differences = [of[TAUGHT]["KL"] - of[other]["KL"] for of in seeds]
        interval = checkpoint_interval([differences], resolved.target.level)
        found = f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
        print(f"KL of {TAUGHT} minus {other}: {found}, {100 * resolved.target.level:g} % over seeds")  # noqa: T201


if __name__ == "__main__":
    main()
