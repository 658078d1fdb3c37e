"""What the trainer records of its time: work, and no pause."""

from __future__ import annotations

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
