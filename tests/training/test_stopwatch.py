"""What the trainer records of its time: work, and no pause."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from harness.encoders.flops import matrix_rate, model_flops
from harness.retrieval.timeline import measured, part
from harness.training import stopwatch


def test_each_step_and_refresh_tells_its_seconds(bench, tmp_path):
    trainer = bench.trainer(tmp_path, bench.encoder(seed=1), steps=6, refresh=2)
    trainer.run()
    lines = list(trainer.writer.metrics())
    steps = [line for line in lines if line["phase"] == "continued"]
    assert len(steps) == 6 and all(0 < line["seconds_drawing"] < line["seconds"] for line in steps)
    mining = [line for line in lines if line["phase"] == "continued mining"]
    assert [line["step"] for line in mining] == [2, 4]  # round 0 is made before
    assert all(line["seconds_encoding"] > 0 and line["seconds_mining"] > 0 for line in mining)
    assert all(0 < line["seconds_similarity"] < line["seconds_mining"] for line in mining)  # a part of it


def test_pauses_and_watching_are_told_apart_from_work(bench, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])  # a clock that work does not move

    def pause(*_):
        now[0] += 1000.0
        return {}

    trainer = bench.trainer(tmp_path, bench.encoder(seed=1), steps=4, refresh=2)
    trainer.advance = trainer.watch = pause
    trainer.run()
    lines = list(trainer.writer.metrics())
    assert {line["seconds"] for line in lines if line["phase"] == "continued"} == {0.0}
    (mining,) = (line for line in lines if line["phase"] == "continued mining")
    assert (mining["seconds_encoding"], mining["seconds_mining"]) == (0.0, 0.0)
    assert mining["seconds_watching"] == 1000.0


def test_the_parts_of_a_step_do_not_overlap_and_make_up_the_step(bench, tmp_path):
    trainer = bench.trainer(tmp_path, bench.encoder(), steps=6)
    trainer.run()
    steps = [line for line in trainer.writer.metrics() if "loss" in line]
    for line in steps:
        parts = [line[f"seconds_{name}"] for name in ("data", "forward", "backward", "optimizer")]
        assert 0.5 * line["seconds"] < sum(parts) <= line["seconds"]
        assert line["tokens_per_second"] * line["seconds"] == pytest.approx(line["tokens"])
        assert line["seconds_at_matrix_rate"] > 0
        assert "seconds_communication" not in line  # one process tells none


def test_a_part_within_another_is_taken_from_it():
    with measured(torch.device("cpu")) as line, part("forward"), part("data"):
        time.sleep(0.02)
    told = line.seconds()
    assert told["seconds_data"] >= 0.02 > told["seconds_forward"]


@pytest.mark.parametrize(("lengths", "trains", "factor"), [([4], True, 6), ([4, 2], False, 2), ([], True, 6)])
def test_flops_are_those_of_the_literature(lengths, trains, factor):
    """6 x parameters x tokens, 12 x layers x width x length x tokens for attention; no embeddings."""
    model = nn.Sequential(nn.Embedding(7, 3), nn.Linear(3, 5, bias=False))
    model.config = SimpleNamespace(num_hidden_layers=2, hidden_size=3)
    attention = sum(2 * factor * 2 * 3 * length * length for length in lengths)
    expected = factor * 15 * sum(lengths) + attention
    assert model_flops(model, np.array(lengths, dtype=np.int64), trains=trains) == expected


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_the_matrix_rate_is_measured_in_the_precision_that_it_is_of(monkeypatch, precision):
    entered = []
    monkeypatch.setattr(
        "harness.encoders.flops.products", lambda named: (entered.append(named), nullcontext())[1]
    )
    assert matrix_rate.__wrapped__(torch.device("cpu"), precision) > 0
    assert entered == [precision]
