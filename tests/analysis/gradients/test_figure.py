"""The figure shows what its frame says, and is the same from the same frame."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.gradients.per_rank import POSITIVES, gradients_per_rank
from harness.reports.ranks.figure import draw_gradients


@pytest.fixture(scope="module")
def frame(double) -> pd.DataFrame:
    curves = gradients_per_rank(double("no layer, shared, idf"), ranks=12, wrt="query-embedding")
    return pd.concat([curves.assign(retriever=name) for name in ("base", "SimANS")], ignore_index=True)


def drawn(frame: pd.DataFrame, folder) -> bytes:
    draw_gradients(frame, folder / "figure.svg", folder / "figure.png", title="Gradients")
    assert (folder / "figure.png").stat().st_size > 10_000
    return (folder / "figure.svg").read_bytes()


def test_the_same_frame_gives_the_same_bytes_also_when_it_was_written(frame, tmp_path) -> None:
    first = drawn(frame, tmp_path)
    frame.to_csv(tmp_path / "frame.csv", index=False)
    assert drawn(pd.read_csv(tmp_path / "frame.csv"), tmp_path) == first


@pytest.mark.parametrize("column", ["relative", "relative_high"])
def test_curves_and_bands_are_those_of_the_frame(frame, tmp_path, column: str) -> None:
    other = frame.copy()
    other.loc[3, column] = 0.01
    assert drawn(other, tmp_path) != drawn(frame, tmp_path)


def test_positives_within_the_ranks_and_beyond_them(frame, tmp_path) -> None:
    line = frame["statistic"] == POSITIVES
    within = frame.copy()
    within.loc[line, ["value", "low", "high"]] = [6.0, 4.0, 30.0]
    assert (frame.loc[line, "value"] > 12).all() and drawn(within, tmp_path) != drawn(frame, tmp_path)
