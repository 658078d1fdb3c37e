"""What a search comes to, as the one file from which its report is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from harness.runs.stages import Stages
from harness.specs.models import Measured
from harness.specs.tuning import Objective
from harness.specs.tuning_library import ResolvedSearch
from harness.storage.files import read_json, write_json
from harness.tuning.recovery import TRIES, abandoned
from harness.tuning.space import space_as_json
from harness.tuning.study import FINGERPRINT, FIRST, RETRY_OF, SECONDS, WHY, OpenStudy

FILE = "trials.json"
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def results_of(root: Path, search: ResolvedSearch) -> Path:
    """Return the folder of a search's results below a root of results."""
    return root / search.scale / "searches" / search.name


def write_trials(
    search: ResolvedSearch, studies: Sequence[OpenStudy], stages: Stages, trials: int, folder: Path
) -> Path:
    """Write trials.json.

    Args:
        search: at its scale.
        studies: of it, finished.
        stages: knows the collection.
        trials: for each study.
        folder: of the results.
    """
    said, base = search.search, studies[0].base
    collection = stages.collection(base.collection)
    held_out = collection.queries["dev"]
    written = {
        "search": search.name,
        "title": said.title,
        "source": said.source,
        "scale": search.scale,
        "collection": {
            "name": stages.collection(base.collection.whole).name,
            "simulation": collection.simulation,
            "fingerprint": collection.fingerprint,
            "held_out": said.held_out,
        },
        "target": said.target,
        "measured": search.resolved.measured(),
        "seed": said.optuna.seed,
        "objectives": [_objective(search, of, len(held_out)) for of in said.objectives],
        "trials_a_study": trials,
        "optuna": {
            "version": optuna.__version__,
            "sampler": said.optuna.sampler,
            "pruner": said.optuna.pruner,
        },
        "studies": [_study(of) for of in studies],
        **_confirmed(folder / FILE),
    }
    write_json(folder / FILE, written)
    return folder / FILE


def _confirmed(path: Path) -> dict[str, Any]:
    """Return what a search was confirmed by before; the report tells if its best has changed since."""
    known = read_json(path) if path.exists() else {}
    return {"confirmation": known["confirmation"]} if "confirmation" in known else {}


def _objective(search: ResolvedSearch, of: Objective, queries: int) -> dict[str, Any]:
    if of.measure is None:
        return {"name": "seconds", "cost": of.cost, "direction": "minimize"}
    target = search.resolved.target
    columns = target.columns if isinstance(target, Measured) else []
    name = next((column.label for column in columns if column.measure == of.measure), of.measure)
    return {"name": name, "measure": of.measure, "direction": "maximize", "queries": queries}


def _study(of: OpenStudy) -> dict[str, Any]:
    trials = of.trials()
    retried = {trial.user_attrs[RETRY_OF]: trial.number for trial in trials if RETRY_OF in trial.user_attrs}
    return {
        "row": of.spec.row,
        "sampler": of.base.sampler.preset if of.base.sampler else None,
        "space": space_as_json(of.space),
        "first": of.first,
        "trials": [_trial(trial, retried.get(trial.number)) for trial in trials if trial.state in STATES],
    }


def _trial(trial: FrozenTrial, retried: int | None) -> dict[str, Any]:
    why = trial.user_attrs.get(WHY)
    if retried is not None:
        why = f"its process ended before it; tried again as trial {retried}"
    elif abandoned(trial):
        why = f"its process ended before it, {TRIES} times"
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
