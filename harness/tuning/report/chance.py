"""Whether the best trial is better than the papers' setting by more than chance gives the best of n.

A trial is one training run with one seed on one set of queries, so its value has noise, and the best of n
values is above the papers' even where no setting differs. How large the noise is, neighbours tell: two trials
with nearly the same setting differ by little else,

    s^2 = mean over the other finished trials of (v_i - v_j)^2 / 2,  j the one whose setting is nearest to i's

which is the noise of seeds and queries together where no setting differs, and more where neighbours do. The
gain in units of s is compared with its distribution under no difference: normal values in place of all trials
and of the papers', the same neighbours, the best of n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.tuning.report.result import Setting, StudyResult, TrialResult, TuningResult

LEVEL = 0.95
DRAWS = 20_000
FEWEST = 5
"""Finished trials beside the papers' from which noise is estimated."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """The best trial beside that of the papers' setting, on the first objective; more is better.

    Attributes:
        value: its gain over the papers' setting.
        expected: the gain that the best of n has on average where no setting differs; none with few.
        limit: upper end of the interval of that gain at `LEVEL`; none likewise.
    """

    value: float
    expected: float | None
    limit: float | None

    @property
    def beyond_chance(self) -> bool:
        """Whether the setting is better than the papers' by more than chance."""
        return self.limit is not None and self.value > self.limit


def gain_of(result: TuningResult, study: StudyResult) -> Gain | None:
    """Return the gain of the best other trial; None without one, or without a finished papers'."""
    paper = study.paper()
    drawn = [trial for trial in study.trials if trial is not paper]
    finished = [trial for trial in drawn if trial.values]
    if paper is None or not paper.values or not finished:
        return None
    values = np.array([result.gain(trial.values[0]) for trial in finished if trial.values])
    value = float(values.max()) - result.gain(paper.values[0])
    if len(finished) < FEWEST:
        return Gain(value, None, None)
    nearest = _nearest(study, finished)
    count = sum(not study.tried_again(trial) for trial in drawn)
    noise = float(_noise(values[None], nearest)[0])
    gains, units = _by_chance(nearest, count)
    return Gain(
        value, float(gains.mean()) * noise, float(np.quantile(gains / units, (1 + LEVEL) / 2)) * noise
    )


def keeps(result: TuningResult, study: StudyResult) -> bool:
    """Return whether the papers' setting is kept: no other is better by more than chance."""
    gain = gain_of(result, study)
    return study.paper() is not None and not (gain is not None and gain.beyond_chance)


def _by_chance(nearest: npt.NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """Return gains of the best of `count` values over another and their noise, [DRAWS], for a noise of 1."""
    drawn = np.random.default_rng(0).normal(size=(DRAWS, count + 1))
    return drawn[:, :-1].max(axis=1) - drawn[:, -1], _noise(drawn[:, : len(nearest)], nearest)


def _noise(values: Floats, nearest: npt.NDArray[np.int64]) -> Floats:
    noise: Floats = np.sqrt(np.square(values - values[:, nearest]).mean(axis=1) / 2)
    return noise


def _nearest(study: StudyResult, trials: list[TrialResult]) -> npt.NDArray[np.int64]:
    """Return the place of the trial whose setting is nearest to that of each."""
    places = np.array([_place(study, trial.setting) for trial in trials])
    distance = np.square(places[:, None] - places[None]).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest: npt.NDArray[np.int64] = distance.argmin(axis=1)
    return nearest


def _place(study: StudyResult, setting: Setting) -> list[float]:
    """Return a setting as numbers: a parameter's place in its range, choices and absent parameters apart."""
    place: list[float] = []
    for key, of in study.space.items():
        if of["type"] == "categorical":
            place.extend(float(setting.get(key) == choice) for choice in of["choices"])
            continue
        low, high, value = (float(end) for end in (of["low"], of["high"], setting.get(key, of["low"])))
        if of.get("log"):
            low, high, value = math.log(low), math.log(high), math.log(value)
        place.extend([(value - low) / ((high - low) or 1.0), float(key in setting)])
    return place
