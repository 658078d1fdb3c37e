"""Rows that should differ in one factor do, in every table: settings are held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from harness.specs.kinds.calibration import Calibration
from harness.specs.kinds.readings import Readings
from harness.specs.kinds.sweep import NEGATIVES, OF_RUN, RATE, Sweep
from harness.specs.library import Library
from harness.specs.reading import named
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RunSettings, StartedRun
from harness.specs.target import Row, Trained, with_runs

from .conftest import SHIPPED

LIBRARY = Library(SHIPPED)
NAMES = ("recipe", "phase_name")
"""Settings that are names alone."""

TAUGHT = {"phase.loss", "teacher", "co_training"}
RECIPES_DIFFER = {
    ("ar2/table-5", "AR2-G", "w/o R"): {"phase.loss"},
    ("calibration/distillation", "Labels alone", "Frozen ranker"): TAUGHT,
    ("calibration/distillation", "Labels alone", "Learning ranker"): TAUGHT,
    ("calibration/distillation", "Labels alone", "AR2, the paper's form"): TAUGHT,
    ("calibration/distillation", "Labels alone", "AR2, the released form"): TAUGHT,
    ("calibration/distillation", "Frozen ranker", "Learning ranker"): {"co_training"},
    ("calibration/distillation", "Frozen ranker", "AR2, the paper's form"): {"phase.loss", "co_training"},
    ("calibration/distillation", "Frozen ranker", "AR2, the released form"): {"phase.loss", "co_training"},
    ("calibration/distillation", "Learning ranker", "AR2, the paper's form"): {"phase.loss", "co_training"},
    ("calibration/distillation", "Learning ranker", "AR2, the released form"): {"phase.loss", "co_training"},
    ("calibration/distillation", "AR2, the paper's form", "AR2, the released form"): {
        "phase.loss",
        "co_training",
    },
}
"""Rows of other recipes over the same start -> what differs between them."""

WHOLE_RECIPES = ("calibration/every-recipe",)
"""Targets that show which recipes can be run, not which is best."""


def parts(settings: RunSettings) -> dict[str, Any]:
    """Return the settings of a run by part, those of phase and sampler key by key."""
    told = settings.model_dump(mode="json", exclude={*NAMES, "reranked"})
    inner = {key: told.pop(key, None) or {} for key in ("phase", "sampler")}
    return told | {f"{part}.{key}": of for part, keys in inner.items() for key, of in keys.items()}


def differing(one: RunSettings, other: RunSettings) -> set[str]:
    """Return the parts in which two runs differ."""
    first, second = parts(one), parts(other)
    keys = {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}
    undrawn = None in (first["sampler.candidates"], second["sampler.candidates"])
    return keys - ({"sampler.candidates", "sampler.negatives"} if undrawn else set())


def below(settings: RunSettings) -> Iterator[RunSettings]:
    """Yield the runs whose retrievers a run stands on, the nearest first."""
    while isinstance(settings, StartedRun):
        settings = settings.start
        yield settings


def same(one: RunSettings, other: RunSettings) -> bool:
    return parts(one) == parts(other)


def compared(resolved: Resolved) -> Iterator[tuple[Row, Row, RunSettings, RunSettings]]:
    """Yield each two rows made by training, with their runs on each dataset."""
    rows = [row for row in with_runs(resolved.target.rows) if row.kind in ("trained", "control")]
    for dataset in resolved.target.datasets:
        runs = {row.name: resolved.run(row, 0, dataset) for row in rows}
        for one, other in combinations(rows, 2):
            yield one, other, runs[one.name], runs[other.name]


READ = "simans/table-2@released"
"""The target in a reading that `make test` looks at; `make test-all` looks at all."""


def cases() -> list[Any]:
    targets = {name: LIBRARY.target(name).target for name in LIBRARY.in_all_readings()}
    trained = {name: of.scales for name, of in targets.items() if isinstance(of, Trained)}
    read = [(name, scale) for name, of in trained.items() for scale in of if LIBRARY.reads(name, scale)]
    slow = {name for name in trained if named(name)[1] and name != READ}
    return [pytest.param(*case, marks=[pytest.mark.slow] * (case[0] in slow)) for case in read]


@pytest.mark.parametrize(("name", "scale"), cases())
def test_rows_differ_in_their_factor_alone(name: str, scale: str) -> None:
    resolved = resolve(LIBRARY, name, scale)
    for one, other, first, second in compared(resolved):
        differ, rows = differing(first, second), (one.name, other.name)
        if resolved.loaded.last_phase(one) == resolved.loaded.last_phase(other):
            assert differ and differ <= factor(resolved.trained, one, other), rows
        elif name in WHOLE_RECIPES or stands_on(first, second) or stands_on(second, first):
            continue
        elif same_start(first, second):
            assert differ == RECIPES_DIFFER[named(name)[0], *rows], rows
        else:
            assert roots(first) != roots(second), rows


def factor(target: Trained, one: Row, other: Row) -> set[str]:
    """Return the parts in which two rows of one recipe may differ."""
    if isinstance(target, Calibration):
        return {"seed", *(["start"] if one.seed_shift[0] != other.seed_shift[0] else [])}
    swept = isinstance(target, Sweep) and one.written == other.written
    if swept and isinstance(target, Sweep) and target.parameter in OF_RUN:
        return {"sampler.negatives" if target.parameter == NEGATIVES else "phase.learning_rate"}
    if swept or isinstance(target, Readings):
        return {f"sampler.{key}" for key in ("preset", "source", "law", "draw")}
    own = [key for key in ("candidates", "negatives") if getattr(one, key) != getattr(other, key)]
    crossed = [NEGATIVES] if isinstance(target, Sweep) and target.parameter == NEGATIVES else []
    rate = ["phase.learning_rate"] if isinstance(target, Sweep) and target.parameter == RATE else []
    pieces = ("preset", "source", "law", "draw", "topology", "mask", *own, *crossed)
    return {*rate, *(f"sampler.{key}" for key in pieces)}


def stands_on(one: RunSettings, other: RunSettings) -> bool:
    """Whether a run continues another, or one that does."""
    return any(same(run, other) for run in below(one))


def same_start(one: RunSettings, other: RunSettings) -> bool:
    starts = [next(below(run), None) for run in (one, other)]
    return None not in starts and same(*starts)  # type: ignore[arg-type]


def roots(settings: RunSettings) -> dict[str, Any]:
    """Return the settings of the run that a run begins with."""
    return parts(list(below(settings))[-1] if isinstance(settings, StartedRun) else settings)


CONTINUED = {
    "simans/table-2": ("AR2", ["AR2+SimANS", "AR2+Uniform"]),
    "simans/table-3": ("AR2", ["AR2+SimANS", "AR2+Uniform"]),
    "simans/table-5": ("ANCE", ["ANCE+SimANS", "ANCE+Uniform"]),
    "trisampler/table-2": ("AR2", ["AR2+SimANS", "AR2 + TriSampler", "AR2+Uniform"]),
    "trisampler/table-3": ("AR2", ["AR2+SimANS", "AR2+TriSampler", "AR2+Uniform"]),
}
"""Target -> a row, and the rows that continue its very run."""


@pytest.mark.parametrize("name", CONTINUED)
def test_rows_continue_the_run_of_the_row_that_they_are_named_after(name: str) -> None:
    resolved = resolve(LIBRARY, name, "simulation")
    start, rows = CONTINUED[name]
    for dataset in resolved.target.datasets:
        runs = {row.name: resolved.run(row, 3, dataset) for row in with_runs(resolved.target.rows)}
        assert all(same(next(below(runs[row])), runs[start]) for row in rows)
        assert len({str(parts(runs[row])) for row in rows}) == len(rows)


@pytest.mark.parametrize("name", [name for name in LIBRARY.targets() if not name.startswith("calibration/")])
def test_what_continues_a_checkpoint_has_a_control_that_continues_it_as_long(name: str) -> None:
    """The control that the papers lack: the same further training with uniform negatives."""
    target = LIBRARY.target(name).target
    if target.kind not in ("comparison", "sweep") or not isinstance(target, Trained):
        return
    rows = [row for row in with_runs(target.rows) if row.kind in ("trained", "control") and row.sampler]
    for recipe in {row.recipe or target.shared.recipe for row in rows}:
        drawn = {
            row.sampler.preset
            for row in rows
            if row.sampler and (row.recipe or target.shared.recipe) == recipe
        }
        assert "uniform" in drawn or name in ("simans/figure-2a", "simans/figure-2b"), recipe
