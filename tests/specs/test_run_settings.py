"""Settings of runs: a type for each kind; files of when one type stood for all kinds are still read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import (
    BaseRun,
    Bm25Run,
    ContinuedRun,
    RankerRun,
    RunSettings,
    TaughtRun,
    TrainedRun,
    read_run_settings,
)

ALL = ("start", "phase", "sampler", "ranker", "teacher", "co_training", "reranked")
"""Keys that every file had, null where its kind has no use for them."""


def run(row: str, table: str = "trisampler/table-5-ar2") -> RunSettings:
    resolved = resolve(Library.default(), table, "simulation")
    return resolved.run(resolved.loaded.rows(row)[0], 0)


def as_before(settings: RunSettings) -> dict[str, Any]:
    """What spec.json held of a run when one type stood for all kinds."""
    written = {**dict.fromkeys(ALL), **settings.model_dump(mode="json")}
    return written | {key: as_before(below) for key, below in settings.below.items()}


RUNS = [run("TriSampler"), run("TriSampler").below["teacher"], run("Base"), run("BM25")]
RUNS.append(run("TriSampler", "trisampler/table-5"))


def test_each_kind_has_its_type() -> None:
    taught, ranker, base, bm25, continued = RUNS
    assert isinstance(taught, TaughtRun) and isinstance(ranker, RankerRun) and isinstance(base, BaseRun)
    assert isinstance(bm25, Bm25Run) and not isinstance(bm25, TrainedRun)
    assert type(continued) is ContinuedRun
    assert not any(
        set(ALL) & {key for key, value in one.model_dump().items() if value is None} for one in RUNS
    )


@pytest.mark.parametrize("settings", RUNS, ids=[type(one).__name__ for one in RUNS])
def test_files_of_now_and_of_before_give_the_same_settings(settings: RunSettings) -> None:
    assert read_run_settings(settings.model_dump_json()) == settings
    before = as_before(settings)
    if isinstance(settings, Bm25Run):
        trained = RUNS[0]
        assert isinstance(trained, TrainedRun)
        before |= {"encoder": trained.encoder.model_dump(), "tokens": trained.tokens.model_dump()}
    assert read_run_settings(json.dumps(before)) == settings


def test_a_key_of_another_kind_with_something_in_it_is_refused() -> None:
    changed = RUNS[2].model_dump(mode="json") | {"reranked": 5}
    with pytest.raises(ValidationError, match="reranked"):
        read_run_settings(json.dumps(changed))
