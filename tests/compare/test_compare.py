"""`harness compare` from end to end, on the tiny place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.image import imread

from harness.compare.report import FILES
from tests.place import TARGET

ROWS = (f"{TARGET}:TriSampler", f"{TARGET}:Uniform Sampling")
FOLDER = Path("results/local/simulation/compare")


def compared(made, monkeypatch, capsys, *arguments):
    """Compare in the place; returns the folder and what was printed."""
    assert made.call(monkeypatch, "compare", *arguments, "--scale", "simulation") == 0
    printed = capsys.readouterr().out
    folder = made.root / re.search(rf"({FOLDER}/\S+)/table.md", printed)[1]
    return folder, printed


@pytest.fixture
def rows(made, monkeypatch, capsys):
    return compared(made, monkeypatch, capsys, *ROWS, "--show", "3")


def test_rows_agree_with_their_table(made, rows):
    folder, printed = rows
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    lines = pd.read_csv(folder / "per_query.csv")
    assert list(lines.columns[:7]) == ["query", "seed", "a", "b", "difference", "rank_a", "rank_b"]
    scores = pd.read_parquet(made.results / "per_query.parquet")
    scores = scores[(scores["measure"] == "RR(rel=2)@10") & (scores["split"] == "test")]
    means = scores.groupby("row")["value"].mean()
    assert lines["a"].mean() == pytest.approx(means["TriSampler"])
    assert lines["b"].mean() == pytest.approx(means["Uniform Sampling"])
    assert f"{100 * means['TriSampler']:.1f}" in printed


def test_the_reciprocal_rank_is_that_of_the_first_relevant_document(rows):
    lines = pd.read_csv(rows[0] / "per_query.csv")
    for score, rank in (("a", "rank_a"), ("b", "rank_b")):
        reciprocal = (1 / lines[rank]).where(lines[rank] <= 10, 0.0)
        assert lines[score].to_numpy() == pytest.approx(reciprocal.to_numpy())


def test_reports_say_the_same_and_hold_query_texts(rows):
    folder, printed = rows
    markdown, page = ((folder / name).read_text(encoding="utf-8") for name in ("table.md", "table.html"))
    gains = markdown.split("## Largest gains")[1].split("##")[0]
    text = re.search(r"^\| test-\d+ +\| (.+?) +\|", gains, re.MULTILINE)[1]
    assert len(text.split()) > 1 and text in page and text.split()[0] in printed
    assert "Simulation. A: row 'TriSampler'" in markdown and "Simulation." in page
    assert "harness compare" in page and '<img src="figure.svg"' in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert set(re.findall(r'href="([^"#:]+)"', page)) <= set(FILES)
    assert imread(folder / "figure.png").shape[1] == 1440


def test_the_final_encoder_of_a_run_ranks_as_the_run_did(made, monkeypatch, capsys):
    run = made.runs("continued")[0]
    folder, _ = compared(made, monkeypatch, capsys, run.name, str(run / "checkpoints/final"))
    lines = pd.read_csv(folder / "per_query.csv")
    assert (lines["difference"] == 0).all() and (lines["overlap"] == 1).all()
    assert lines["rank_a"].equals(lines["rank_b"]) and len(lines) == 30


def test_an_encoder_that_lies_alone_reads_with_its_own_tokenizer(made, monkeypatch, capsys, tmp_path):
    run = made.runs("continued")[0]
    alone = tmp_path / "alone"
    shutil.copytree(run / "checkpoints/final", alone)
    folder, printed = compared(made, monkeypatch, capsys, str(alone), ROWS[1], "--split", "dev")
    lines = pd.read_csv(folder / "per_query.csv")
    assert len(lines) == 20 and "alone (A)" in printed
    other, _ = compared(made, monkeypatch, capsys, run.name, str(alone))
    assert (pd.read_csv(other / "per_query.csv")["difference"] == 0).all()


def test_there_is_no_way_to_publish(made, monkeypatch, capsys):
    assert made.call(monkeypatch, "compare", *ROWS, "--publish") == 2
    assert "no such option" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((ROWS[0], ROWS[0]), "both sides are TriSampler"),
        ((*ROWS, "--measure", "MRR"), "did you mean 'MRR@10'"),
        ((*ROWS, "--split", "train"), "no queries 'train'"),
    ],
)
def test_wrong_calls_are_one_line(made, monkeypatch, capsys, arguments, words):
    assert made.call(monkeypatch, "compare", *arguments, "--scale", "simulation") == 2
    places, *error = capsys.readouterr().err.splitlines()
    assert places.startswith("specs: ") and len(error) == 1 and words in error[0]
