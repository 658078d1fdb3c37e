"""What workers do with trials, without training any: who proposes what, and who takes over from whom."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest

from harness.errors import UserError
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.library import Library
from harness.specs.tuning import Values
from harness.specs.tuning_library import resolve_tuning
from harness.storage.leases import STALE_S
from harness.storage.store import Store
from harness.tuning import workers
from harness.tuning.recovery import recover
from harness.tuning.storages import open_storage
from harness.tuning.study import WORKER, OpenStudy, counted_trials, open_studies
from tests.cases import first

from .conftest import NAME, TuningPlace

STEPS = {
    "law.a": {"low": 0.0, "high": 2.0, "step": 0.25},
    "negatives": {"low": 1, "high": 20, "int": True},
}
RANGES = {"law.a": {"low": 0.0, "high": 2.0}, "law.transitional": {"low": 0.1, "high": 1.0}}


@dataclass
class Fake:
    """A trial whose value is a function of its setting, in a process that may be interrupted."""

    trial: optuna.Trial
    values_: Values
    tried: list[Values]
    fails: set[int]

    def values(self) -> list[float]:
        self.tried.append(self.values_)
        if len(self.tried) - 1 in self.fails:
            raise KeyboardInterrupt
        value = -sum(v * v for v in self.values_.values() if isinstance(v, float))
        for step in (10, 20):
            self.trial.report(value, step)
            if self.trial.should_prune():
                raise optuna.TrialPruned
        return [value]


@contextmanager
def not_mirrored(stages: Stages, studies: list[OpenStudy]) -> Iterator[Stages]:
    yield stages


@pytest.fixture
def tune_with_fakes(place: TuningPlace, monkeypatch: pytest.MonkeyPatch):
    """Tune with fake trials, some of which end their process; return the studies and all that was tried."""
    monkeypatch.setattr(workers, "mirrored_stages", not_mirrored)
    library = Library(place.root / "experiments")

    def tune(storage: str, budget: int, fails: frozenset[int] = frozenset(), **changes: object):
        place.write(**changes)
        tried: list[Values] = []
        monkeypatch.setattr(
            workers.TrialRun, "of", lambda of, trial, values, stages: Fake(trial, values, tried, set(fails))
        )
        tuning = resolve_tuning(library, NAME, "simulation")
        for _ in range(len(fails) + 1):
            stages = Stages(Store(place.root / "store"), Progress(quiet=True))
            studies = open_studies(tuning, stages, open_storage(str(place.root / storage), stages.store))
            try:
                workers.run_worker(tuning, studies, stages, budget)
            except KeyboardInterrupt:
                continue
        return studies, tried

    return tune


@pytest.mark.parametrize(
    ("sampler", "pruner"),
    first(
        1,
        [
            ("tpe", "median"),
            ("tpe", "hyperband"),
            ("random", "successive-halving"),
            ("cma-es", "median"),
            ("nsga-ii", "median"),
            ("grid", "none"),
        ],
    ),
)
def test_the_same_settings_are_proposed_whatever_ends_a_process(
    tune_with_fakes, sampler: str, pruner: str
) -> None:
    optuna_choice = {"sampler": sampler, "pruner": pruner, "seed": 5}
    of = {"row": "TriSampler", "space": STEPS if sampler == "grid" else RANGES}
    changes = {"optuna": optuna_choice, "studies": [of], "trials": 20}
    (calm,), whole = tune_with_fakes("calm", 20, **changes)
    (shaken,), tried = tune_with_fakes("shaken", 20, frozenset({0, 3, 4, 14}), **changes)
    assert (
        [one.params for one in counted_trials(shaken.trials())]
        == [one.params for one in calm.trials()]
        == whole
    )
    assert len(tried) == 24
    assert len({tuple(one.items()) for one in whole}) >= 18  # they differ
    assert whole[0] == {"law.a": 0.25, list(of["space"])[1]: whole[0][list(of["space"])[1]]}


def test_another_seed_proposes_others(tune_with_fakes) -> None:
    space = [{"row": "TriSampler", "space": RANGES}]
    proposals = [
        tune_with_fakes("s", 4, studies=space, optuna={"sampler": "random", "seed": seed})[1]
        for seed in (0, 0, 1)
    ]
    assert proposals[1] == []  # all is there
    assert proposals[0][0] == proposals[2][0]
    assert proposals[0][1:] != proposals[2][1:]


def test_studies_tune_what_they_share_from_the_same_draws(tune_with_fakes) -> None:
    studies = [{"row": "TriSampler", "space": RANGES}, {"row": "Uniform Sampling"}]
    shared = {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
    both, _ = tune_with_fakes("s", 6, studies=studies, shared=shared, optuna={"sampler": "random"})
    assert [len(of.trials()) for of in both] == [6, 6]
    rates = [[trial.params["learning_rate"] for trial in of.trials()] for of in both]
    assert rates[0] == rates[1]


def test_more_trials_continue_a_study_and_another_space_begins_one(tune_with_fakes) -> None:
    few = tune_with_fakes("s", 3)[1]
    assert len(few) == 3
    assert len(tune_with_fakes("s", 5)[1]) == 2
    changed = [{"row": "TriSampler", "space": RANGES}]
    assert len(tune_with_fakes("s", 3, studies=changed)[1]) == 3


def study_with_a_running_trial(
    tune_with_fakes, place: TuningPlace, worker: str
) -> tuple[OpenStudy, Store, optuna.Trial]:
    """A study with a trial that a worker holds."""
    (study,), _ = tune_with_fakes("s", 2)
    trial = study.study.ask()
    trial.set_user_attr(WORKER, worker)
    trial.suggest_float("law.a", 0.0, 2.0)
    store = Store(place.root / "store")
    store.lease(worker).parent.mkdir(parents=True, exist_ok=True)
    return study, store, trial


def test_a_trial_of_a_dead_worker_is_tried_again(tune_with_fakes, place: TuningPlace) -> None:
    study, store, trial = study_with_a_running_trial(tune_with_fakes, place, "w")
    note = store.lease("w").with_name("w.json")
    note.write_text(json.dumps({"host": "elsewhere", "pid": 1, "since": 0}))
    recover(study, store)  # on another host, with a young heartbeat
    assert study.trials()[-1].state.name == "RUNNING"
    note.write_text(json.dumps({"host": socket.gethostname(), "pid": 1, "since": 0}))
    recover(study, store)
    dead, again = study.trials()[-2:]
    assert (dead.number, dead.state.name, again.state.name) == (trial.number, "FAIL", "WAITING")
    assert study.study.ask().suggest_float("law.a", 0.0, 2.0) == trial.params["law.a"]
    assert len(counted_trials(study.trials())) == 3


def test_a_worker_on_another_store_is_left_alone(tune_with_fakes, place: TuningPlace) -> None:
    study, store, _ = study_with_a_running_trial(tune_with_fakes, place, "elsewhere")
    recover(study, store)
    assert study.trials()[-1].state.name == "RUNNING"


def test_a_trial_that_nobody_took_is_given_up_after_a_while(
    tune_with_fakes, place: TuningPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    (study,), _ = tune_with_fakes("s", 2)
    study.study.ask()
    store = Store(place.root / "store")
    recover(study, store)
    assert study.trials()[-1].state.name == "RUNNING"
    begun = study.trials()[-1].datetime_start.timestamp()
    monkeypatch.setattr("harness.tuning.recovery.time.time", lambda: begun + STALE_S + 1)
    recover(study, store)
    assert study.trials()[-1].state.name == "WAITING"


def test_a_trial_is_resumed_however_often_its_process_ends(tune_with_fakes) -> None:
    space = [{"row": "TriSampler", "space": RANGES}]
    (calm,), whole = tune_with_fakes("calm", 4, studies=space)
    (shaken,), tried = tune_with_fakes("shaken", 4, frozenset(range(1, 16)), studies=space)
    assert tried == [whole[0], *[whole[1]] * 16, *whole[2:]]
    assert [one.params for one in counted_trials(shaken.trials())] == [one.params for one in calm.trials()]
    assert {one.state.name for one in counted_trials(shaken.trials())} == {"COMPLETE"}


def test_studies_under_their_earlier_file_name_are_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "searches.db").touch()
    with pytest.raises(UserError, match=r"searches\.db: .*new name.*rename it to tuning\.db"):
        open_storage(None, Store(tmp_path))
    assert not (tmp_path / "tuning.db").exists()
