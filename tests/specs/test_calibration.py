"""The pairs of a calibration: same base run on both sides, seeds that meet nowhere else."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.specs.kinds.calibration import Side
from harness.specs.library import Library
from harness.specs.resolve import resolve

from .conftest import TABLE, Broken

AA = "calibration/a-a"
SEEDS = 100


def test_a_row_stands_for_both_sides_of_every_pair(library: Library) -> None:
    loaded = library.target(AA)
    names = [row.name for row in loaded.target.rows]
    assert len(names) == len(set(names)) == 40
    assert names[:3] == ["Uniform: pair 1, side A", "Uniform: pair 1, side B", "Uniform: pair 2, side A"]
    assert loaded.rows("Uniform") == loaded.target.rows
    assert [row.name for row in loaded.written] == ["Uniform"]
    (row,) = loaded.rows("Uniform: pair 7, side B")
    assert isinstance(row, Side)
    assert (row.written, row.pair, row.side) == ("Uniform", 7, "B")


def test_sides_differ_in_the_seed_of_continued_training_alone(library: Library) -> None:
    resolved = resolve(library, AA, "simulation")
    for pair in range(0, 40, 2):
        for seed in range(3):
            one, other = (resolved.run(row, seed) for row in resolved.target.rows[pair : pair + 2])
            assert one.seed != other.seed
            assert one.model_copy(update={"seed": other.seed}) == other


@pytest.mark.parametrize("scale", ["simulation", "scratch"])
def test_no_seed_is_used_twice_nor_by_a_table(library: Library, scale: str) -> None:
    path = library.root / f"papers/{AA}.yaml"
    path.write_text(path.read_text().replace("scales: [simulation]", f"scales: [{scale}]"))
    pairs, table = resolve(library, AA, scale), resolve(library, TABLE, scale)
    (uniform,) = table.loaded.rows("Uniform Sampling")
    runs = [pairs.run(row, seed) for row in pairs.target.rows for seed in range(SEEDS)]
    own = [table.run(uniform, seed) for seed in range(SEEDS)]
    continued = {run.seed for run in runs} | {run.seed for run in own}
    base_runs = {run.start.seed for run in (*runs, *own) if run.start}
    assert len(continued) == (40 + 1) * SEEDS
    assert len(base_runs) == (20 + 1) * SEEDS
    assert not continued & base_runs


def test_more_pairs_change_no_run(library: Library) -> None:
    before = resolve(library, AA, "simulation")
    path = library.root / f"papers/{AA}.yaml"
    path.write_text(path.read_text().replace("pairs: 20", "pairs: 30"))
    after = resolve(library, AA, "simulation")
    for one, other in zip(before.target.rows, after.target.rows[:40], strict=True):
        assert before.run(one, 2) == after.run(other, 2)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("pairs: 20\n", ""), "'pairs' is missing"),
        (("pairs: 20", "pairs: 0"), "key 'pairs': got 0"),
        (("sampler: uniform\n", "sampler: uniform\n    readings: {draw: [best]}\n"), "has no readings"),
        (("    kind: control", "    kind: reference\n    evaluates: bm25"), "rows made by training alone"),
        (("    kind: control", "    kind: control\n    published: ['1']"), "shows no published figures"),
        (
            ("rows:\n", "rows:\n  - {name: B, kind: control, sampler: simans}\n"),
            "key 'rows[1]': a calibration compares one row with itself, here are 2; keep one",
        ),
    ],
)
def test_wrong_calibrations_are_told(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken(f"papers/{AA}.yaml", change, target=AA)
    assert any(expected in line for line in lines), lines


def test_an_unknown_side_is_told(library: Library) -> None:
    with pytest.raises(UserError, match="has no row 'Uniform: pair 21, side A'"):
        library.target(AA).rows("Uniform: pair 21, side A")
