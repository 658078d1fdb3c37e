"""Makes `golden_repro_eval.json`: what the package `repro_eval` says of made-up scores.

In an environment of its own, `pip install repro_eval==0.5.0`, then
`python tests/evaluation/golden_repro_eval.py > tests/evaluation/golden_repro_eval.json`.
"""

from __future__ import annotations

import json
import random
from importlib.metadata import version

TOPICS, MEASURE = 9, "RR"
RUNS = ("orig_base", "orig_adv", "rep_base", "rep_adv")


def scores_of(case: int) -> dict[str, list[float]]:
    """Scores by topic of both runs of both experiments; the fourth case reproduces itself."""
    rng = random.Random(case)
    runs = {run: [round(rng.random(), 4) for _ in range(TOPICS)] for run in RUNS}
    return runs | ({"rep_base": runs["orig_base"], "rep_adv": runs["orig_adv"]} if case == 3 else {})


def ask(scores: dict[str, list[float]]) -> dict[str, float]:
    """Effect ratio and delta relative improvement by the package."""
    from repro_eval.measure.overall_effects import DRI, ER

    runs = {
        run: {f"t{topic}": {MEASURE: value} for topic, value in enumerate(values)}
        for run, values in scores.items()
    }
    arguments = (runs["orig_adv"], runs["orig_base"], runs["rep_adv"], runs["rep_base"])
    return {"effect_ratio": ER(*arguments)[MEASURE], "delta_ri": DRI(*arguments)[MEASURE]}


if __name__ == "__main__":
    cases = [{"scores": scores_of(case), **ask(scores_of(case))} for case in range(4)]
    print(json.dumps({"repro_eval": version("repro_eval"), "cases": cases}, indent=1))
