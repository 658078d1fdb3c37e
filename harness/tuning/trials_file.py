"""trials.json: the results of a tuning, in the one file that its report is rendered from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from harness.runs.stages import Stages
from harness.specs.fingerprints import TRAINED_BY
from harness.specs.target import Measured
from harness.specs.tuning import ObjectiveSpec
from harness.specs.tuning_library import ResolvedTuning
from harness.storage.files import read_json, write_json
from harness.tuning.space import space_as_json
from harness.tuning.study import FINGERPRINT, FIRST, RETRY_OF, SECONDS, WHY, OpenStudy

FILE = "trials.json"
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def results_of(root: Path, tuning: ResolvedTuning) -> Path:
    """Return the folder of a tuning's results below a root of results."""
    return root / tuning.scale / "tuning" / tuning.name


def write_trials(
    tuning: ResolvedTuning, studies: Sequence[OpenStudy], stages: Stages, trials: int, folder: Path
) -> Path:
    """Write trials.json and return its path.

    Args:
        tuning: the tuning at a scale.
        studies: its studies, all finished.
        stages: over the store that holds the collection.
        trials: budget of each study.
        folder: folder of the results.
    """
    spec, base = tuning.spec, studies[0].base
    collection = stages.collections.get(base.collection)
    held_out = collection.queries["dev"]
    content = {
        "tuning": tuning.name,
        "title": spec.title,
        "source": spec.citation,
        "scale": tuning.scale,
        **({"options": tuning.resolved.instead.options} if tuning.resolved.instead else {}),
        "collection": {
            "name": stages.collections.get(base.collection.whole).name,
            "simulation": collection.simulation,
            "fingerprint": collection.fingerprint,
            "held_out": spec.held_out,
        },
        "target": spec.target,
        "measured": tuning.resolved.measured(),
        "seed": spec.optuna.seed,
        "objectives": [_objective(tuning, of, len(held_out)) for of in spec.objectives],
        "trials_a_study": trials,
        "stages": TRAINED_BY,
        "optuna": {
            "version": optuna.__version__,
            "sampler": spec.optuna.sampler,
            "pruner": spec.optuna.pruner,
        },
        "studies": [_study(of) for of in studies],
        **_confirmed(folder / FILE),
    }
    write_json(folder / FILE, content)
    return folder / FILE


def _confirmed(path: Path) -> dict[str, Any]:
    """Return an earlier confirmation; the report says if the best setting has changed since."""
    known = read_json(path) if path.exists() else {}
    return {"confirmation": known["confirmation"]} if "confirmation" in known else {}


def _objective(tuning: ResolvedTuning, of: ObjectiveSpec, queries: int) -> dict[str, Any]:
    if of.measure is None:
        return {"name": "seconds", "cost": of.cost, "direction": "minimize"}
    target = tuning.resolved.target
    columns = target.columns if isinstance(target, Measured) else []
    name = next((column.label for column in columns if column.measure == of.measure), of.measure)
    return {"name": name, "measure": of.measure, "direction": "maximize", "queries": queries}


def _study(of: OpenStudy) -> dict[str, Any]:
    trials = of.trials()
    retried = {trial.user_attrs[RETRY_OF]: trial.number for trial in trials if RETRY_OF in trial.user_attrs}
    return {
        "row": of.spec.row,
        "sampler": of.base.sampler.preset,
        "space": space_as_json(of.space),
        "first": of.first,
        "trials": [_trial(trial, retried.get(trial.number)) for trial in trials if trial.state in STATES],
    }


def _trial(trial: FrozenTrial, retried: int | None) -> dict[str, Any]:
    why = trial.user_attrs.get(WHY)
    if retried is not None:
        why = f"its process ended before it; tried again as trial {retried}"
    return {
        "number": trial.number,
        "state": STATES[trial.state],
        "params": trial.params,
        "values": trial.values if trial.state == TrialState.COMPLETE else None,
        "steps": [[step, value] for step, value in sorted(trial.intermediate_values.items())],
        "seconds": trial.user_attrs.get(SECONDS),
        "fingerprint": trial.user_attrs.get(FINGERPRINT),
        "first": bool(trial.user_attrs.get(FIRST)),
        "why": why,
    }
