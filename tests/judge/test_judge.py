"""No change of structure moves a setting or a fingerprint, or a byte of three small targets."""

from __future__ import annotations

import pytest

from tests import judge
from tests.judge import remade


@pytest.mark.parametrize(("target", "scale"), judge.cases(), ids=lambda name: name)
def test_runs_are_those_of_the_record(target: str, scale: str) -> None:
    made, written = judge.record(target, scale), judge.committed(target, scale)
    assert judge.moved(written, made) == []
    assert made == written


def test_the_record_holds_the_shipped_targets_alone() -> None:
    expected = {judge.path_of(target, scale) for target, scale in judge.cases()}
    assert set((judge.FOLDER / "settings").rglob("*.json")) == expected


@pytest.mark.slow
def test_small_targets_are_made_again_to_the_same_bytes(tmp_path) -> None:
    written = remade.committed()
    if written["machine"] != remade.machine():
        pytest.skip(f"recorded with {written['machine']}: other kernels round otherwise")
    assert remade.remade(tmp_path / "place") == written["files"]
