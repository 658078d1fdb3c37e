"""A working folder with a tiny tuning, and what its results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.place import Place

NAME = "tiny"
TINY = {
    "title": "A tiny tuning",
    "citation": "Ours",
    "target": "trisampler/table-5",
    "objectives": [{"measure": "RR(rel=2)@10"}],
    "held_out": 0.3,
    "trials": 4,
    "optuna": {"sampler": "tpe", "pruner": "median", "seed": 3},
    "studies": [
        {
            "row": "TriSampler",
            "space": {
                "law.a": {"low": 0.0, "high": 2.0},
                "law.angle": {"choices": ["off", "eq4"]},
                "law.degrees": {"low": 20.0, "high": 100.0, "when": {"law.angle": "eq4"}},
            },
            "first": [{}, {"law.angle": "eq4"}],
        }
    ],
}


class TuningPlace(Place):
    """A place whose tunings run at the scale of the simulation."""

    def write(self, name: str = NAME, **changes: object) -> None:
        folder = self.root / "experiments/tuning"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**TINY, **changes}, sort_keys=False))

    def tune(self, monkeypatch: pytest.MonkeyPatch, name: str, *more: str) -> int:
        return self.call(monkeypatch, "tune", name, "--scale", "simulation", *more)

    def results_of(self, name: str) -> dict:
        path = self.root / f"results/local/simulation/tuning/{name}/trials.json"
        return json.loads(path.read_text())

    def trials(self, name: str = NAME, study: int = 0) -> list[dict]:
        return self.results_of(name)["studies"][study]["trials"]


def counted(trials: list[dict]) -> list[dict]:
    """Those that were not tried again."""
    return [trial for trial in trials if "tried again" not in (trial["why"] or "")]


def settings(trials: list[dict]) -> list[dict]:
    return [trial["params"] for trial in counted(trials)]


@pytest.fixture
def place(tmp_path: Path) -> TuningPlace:
    place = TuningPlace(tmp_path / "place")
    place.write()
    return place


@pytest.fixture(scope="session")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> TuningPlace:
    """A tuning that ended without an interruption."""
    place = TuningPlace(tmp_path_factory.mktemp("tuned") / "place")
    place.write()
    with pytest.MonkeyPatch.context() as patch:
        assert place.tune(patch, NAME) == 0
    return place
