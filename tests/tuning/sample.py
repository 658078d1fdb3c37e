"""Tuning over cheap functions, recorded as a tuning records its trials."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna

Space = dict[str, dict[str, Any]]
Objective = Callable[[Mapping[str, Any]], Sequence[float]]

STEPS = (50, 100, 150)
SAMPLERS = {
    "random": optuna.samplers.RandomSampler,
    "tpe": optuna.samplers.TPESampler,
    "nsga-ii": optuna.samplers.NSGAIISampler,
}


def number(low: float, high: float, *, log: bool = False, kind: str = "float", **more: Any) -> dict[str, Any]:
    return {"type": kind, "low": low, "high": high, "log": log, "step": None, "when": None, **more}


def names(*choices: Any, when: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "categorical", "choices": list(choices), "when": when}


RATE = {"learning_rate": number(1e-5, 1e-2, log=True)}
A_B = {"law.a": number(0.0, 2.0), "law.b": number(-2.0, 2.0)}
MEASURE = {"name": "MRR@10", "measure": "RR(rel=2)@10", "direction": "maximize", "queries": 200}
SECONDS = {"name": "seconds", "cost": "seconds", "direction": "minimize"}


def peak(setting: Mapping[str, Any]) -> float:
    """Best at a = 1.2, b = -0.5 and a rate of 1e-3; b matters little, a and the rate much."""
    loss = (setting.get("law.a", 1.2) - 1.2) ** 2 + 0.02 * (setting.get("law.b", -0.5) + 0.5) ** 2
    loss += 0.15 * (math.log10(setting.get("learning_rate", 1e-3)) + 3) ** 2
    return 0.45 - 0.08 * loss


def study(
    row: str,
    space: Space,
    objective: Objective,
    first: Mapping[str, Any] | None = None,
    *,
    sampler: str = "random",
    trials: int = 20,
    seed: int = 0,
    fails: Callable[[Mapping[str, Any]], bool] = lambda setting: False,
) -> dict[str, Any]:
    """Tune, and return the study as trials.json has it."""
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    several = len(objective(first)) > 1 if first else False
    optuna_study = optuna.create_study(
        sampler=SAMPLERS[sampler](seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        directions=["maximize", "minimize"] if several else ["maximize"],
    )
    if first:
        optuna_study.enqueue_trial(dict(first), user_attrs={"first": True})

    def run(trial: optuna.Trial) -> float | Sequence[float]:
        setting = {key: suggest(trial, key, of) for key, of in space.items() if holds(of, trial.params)}
        if fails(setting):
            raise ArithmeticError("the loss is no number at step 50")
        values = objective(setting)
        for place, step in enumerate(STEPS[:-1] if not several else ()):
            trial.report(values[0] - 0.02 * (len(STEPS) - 1 - place), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return values if several else values[0]

    optuna_study.optimize(run, n_trials=trials, catch=ArithmeticError)
    states = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    return {
        "row": row,
        "sampler": row.lower(),
        "space": space,
        "first": [dict(first)] if first else [],
        "trials": [
            {
                "number": trial.number,
                "state": states[trial.state.name],
                "params": trial.params,
                "values": trial.values if trial.state.name == "COMPLETE" else None,
                "steps": [[step, value] for step, value in trial.intermediate_values.items()],
                "seconds": 12.5,
                "fingerprint": f"{trial.number:016x}",
                "first": bool(trial.user_attrs.get("first")),
                "why": {"PRUNED": "behind the median", "FAIL": "the loss is no number at step 50"}.get(
                    trial.state.name
                ),
            }
            for trial in optuna_study.trials
        ],
    }


def suggest(trial: optuna.Trial, key: str, of: Mapping[str, Any]) -> Any:
    if of["type"] == "categorical":
        return trial.suggest_categorical(key, of["choices"])
    if of["type"] == "int":
        return trial.suggest_int(key, of["low"], of["high"], log=of["log"])
    return trial.suggest_float(key, of["low"], of["high"], log=of["log"])


def holds(of: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    conditions = {key: v if isinstance(v, list) else [v] for key, v in (of["when"] or {}).items()}
    return all(params.get(key) in values for key, values in conditions.items())


def tuning_data(
    *studies: dict[str, Any], sampler: str = "random", two: bool = False, **more: Any
) -> dict[str, Any]:
    """Return the content of trials.json."""
    return {
        "tuning": "simans-a-b",
        "title": "SimANS's density a and peak b",
        "source": "SimANS (EMNLP 2022), Figure 2",
        "scale": "simulation",
        "collection": {"name": "planted", "simulation": True},
        "target": "trisampler/table-5",
        "seed": 0,
        "objectives": [dict(MEASURE), dict(SECONDS)] if two else [dict(MEASURE)],
        "trials_a_study": len(studies[0]["trials"]),
        "optuna": {"version": optuna.__version__, "sampler": sampler, "pruner": "median"},
        "studies": list(studies),
        **more,
    }


def write(folder: Path, data: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trials.json").write_text(json.dumps(data, sort_keys=True, indent=1))
    return folder
