"""Moments of training and what lives then; at the papers' scale it stays within their GPUs."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from harness.estimate.activations import BatchShape
from harness.estimate.memory import MINED, memory
from harness.estimate.moments import CorpusSize, Machine, Moment, largest
from harness.negatives.mining import Miner
from harness.negatives.registry import make_source
from harness.negatives.sources.source import MANY, ROWS_GATHERED
from harness.retrieval import search
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RunSettings, TaughtRun
from harness.specs.target import with_runs
from harness.training.turns import RetrieverAlone
from tests.place import CHECKOUT, Place

TARGET = "trisampler/table-5-ar2"
PUBLISHED = CorpusSize(8_841_823, 502_939, 509_919)


def at(scale: str) -> Resolved:
    return resolve(Library(CHECKOUT / "experiments"), TARGET, scale)


def runs(resolved: Resolved) -> list[RunSettings]:
    return [resolved.run(row, 0) for row in with_runs(resolved.target.rows)]


def moments(scale: str, machine: Machine, corpus: CorpusSize = PUBLISHED) -> dict[str, Moment]:
    resolved = at(scale)
    sizes = resolved.scale.spec.published_sizes
    return {m.name: m for m in largest(memory(run, corpus, machine, sizes) for run in runs(resolved))}


def sizes(moment: Moment) -> dict[str, int]:
    return {part.name: part.size for part in (*moment.models, *moment.working)}


@pytest.fixture(scope="module")
def paper() -> dict[str, Moment]:
    hardware = at("paper").scale.spec.hardware
    assert hardware is not None
    return moments("paper", Machine.of(hardware))


def test_the_papers_scale_fits_one_small_card(paper: dict[str, Moment]) -> None:
    assert list(paper) == [
        "base", "gradients added up", "ranker alone", "retriever's step", "ranker's step",
        "refresh", "search", "refresh, host memory",
    ]  # fmt: skip
    assert max(moment.size for moment in paper.values() if not moment.host) < 16e9
    alone = moments("paper", Machine("cuda", recompute=True))
    assert alone["ranker's step"].size == paper["ranker's step"].size  # memory is of a bucket, not of a share


def test_only_recomputation_makes_it_fit() -> None:
    assert moments("paper", Machine("cuda", ranks=8))["ranker's step"].size > 80e9


def test_both_models_and_optimizers_are_there_when_they_train_together(paper: dict[str, Moment]) -> None:
    together = sizes(paper["ranker's step"])
    retriever, ranker = 217_786_368, 335_144_961  # counted in test_parameters.py
    for name, trained in (("retriever", retriever), ("ranker", ranker)):
        assert together[f"{name}: gradients"] == 4 * trained
        assert together[f"{name}: moments"] == 8 * trained
    assert paper["retriever's step"].models == paper["refresh"].models == paper["ranker's step"].models
    assert {part.name for part in paper["base"].models} == {
        "retriever: weights", "retriever: gradients", "retriever: moments",
    }  # fmt: skip
    assert "retriever: moments" not in sizes(paper["ranker alone"])


def test_the_buckets_of_a_batch_are_shared_and_gradients_added_up(paper: dict[str, Moment]) -> None:
    on = {ranks: moments("paper", Machine("cuda", ranks=ranks)) for ranks in (1, 8)}
    details = {
        ranks: {part.name: part.detail for part in of["retriever's step"].working} for ranks, of in on.items()
    }
    assert details[1]["activations: passages"].startswith("4,096 of 128 tokens")
    assert details[8]["activations: passages"].startswith("512 of 128 tokens")
    assert details[8]["activations: queries"].startswith("128 of 32 tokens")  # two buckets, of two ranks
    assert "gradients added up" not in on[1]
    copy = paper["gradients added up"].working[0]
    assert copy.size == 4 * 335_144_961  # of the larger of both learners


def test_a_share_is_in_whole_buckets_and_no_more_than_the_batch() -> None:
    def shares(sequences: int) -> list[int]:
        return [Machine(ranks=r).share(BatchShape(sequences, 128), 4096).sequences for r in (1, 2, 3, 40)]

    assert shares(96) == [96, 64, 32, 32]
    assert shares(97) == [97, 64, 64, 32]
    assert shares(5) == [5, 5, 5, 5]


def test_a_refresh_maps_what_is_large_and_fits_a_small_host(
    paper: dict[str, Moment], monkeypatch: pytest.MonkeyPatch
) -> None:
    host = {part.name: part for part in paper["refresh, host memory"].working}
    assert host["document embeddings"].size == host["query embeddings"].size == 0
    assert host["document embeddings"].detail.startswith("8,841,823 x 768 x 4 bytes, mapped")
    assert 5e9 < paper["refresh, host memory"].size < 16e9
    monkeypatch.setenv("HARNESS_MEMORY", "100")
    held = sizes(moments("paper", Machine())["refresh, host memory"])
    assert held["document embeddings"] == 8_841_823 * 768 * 4


def test_mining_takes_no_more_than_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a search in two blocks: what blocks found, and what was the best before, are there at once."""
    rng, r, n, k, width = np.random.default_rng(0), 4000, MANY + 1000, 100, 16
    monkeypatch.setattr(search, "documents_at_once", lambda _: 30_000)
    documents = rng.standard_normal((n, width), dtype=np.float32)
    pairs = np.stack([np.arange(r), np.arange(r)], axis=1)
    miner = Miner(make_source("top-k"), k, pairs, list(pairs[:, 1:]))
    miner.mine(documents[:r], documents, model="m", seed=0)  # imports, which take memory once
    tracemalloc.start()
    try:
        miner.mine(documents[:r], documents, model="m", seed=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    norms, queries, gathered = n * 4, r * width * 4, ROWS_GATHERED * k * width * 4
    others = norms + queries + gathered
    assert 0.6 * r * k * MINED < peak - others < r * (k + 1) * MINED


def test_a_frozen_ranker_has_no_optimizer() -> None:
    taught = next(run for run in runs(at("scratch")) if isinstance(run, TaughtRun))
    alone = taught.co_training.model_copy(update={"turns": RetrieverAlone()})
    parts = {
        m.name: m for m in memory(taught.model_copy(update={"co_training": alone}), PUBLISHED, Machine())
    }
    assert "ranker's step" not in parts
    assert "ranker: weights" in sizes(parts["retriever's step"])
    assert "ranker: moments" not in sizes(parts["retriever's step"])


def test_a_plan_without_a_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path / "place")
    monkeypatch.setenv("COLUMNS", "160")
    assert place.call(monkeypatch, "plan", TARGET, "--scale", "paper", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert [run["row"] for run in planned] == [row.name for row in at("paper").target.rows]
    assert {key: planned[3][key] for key in planned[3] if key != "row"} == {
        "fingerprint": None, "dataset": "ms-pas", "seed": 0,
        "state": "no collection", "needs": [], "estimate_s": None,
    }  # fmt: skip
    assert place.call(monkeypatch, "plan", TARGET, "--scale", "paper") == 0
    output = capsys.readouterr().out
    assert "217,786,368 trained x 4 bytes" in output and "fits 40 GB" in output
    assert "one of 8 A100 (40 GB or 80 GB), with --recompute: 15.5 GB at most" in output
    assert place.call(monkeypatch, "plan", TARGET, "--scale", "paper", "--gpus", "2") == 0
    output = capsys.readouterr().out
    assert "one of 2 A100 (40 GB or 80 GB), without --recompute" in output and "fits none" in output
    assert "On 2 GPUs, with --recompute: 15.5 GB" in output
    assert place.call(monkeypatch, "plan", TARGET, "--ranks", "2", "--gpus", "2") == 2
    assert "give one of them" in capsys.readouterr().err
    for command in ("reproduce", "verify", "sync"):
        assert place.call(monkeypatch, command, TARGET, "--scale", "paper") == 2
        places, *error = capsys.readouterr().err.splitlines()
        assert places.startswith("specs: ") and len(error) == 1
        assert "collection: the 8,841,823 documents of this scale are not here, and no loader yet" in error[0]
    assert not (place.root / "store/collections").exists()


def test_a_plan_with_a_collection_tells_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path / "place")
    monkeypatch.setenv("COLUMNS", "160")
    assert place.call(monkeypatch, "plan", "trisampler/table-5", "--scale", "simulation") == 0
    output = capsys.readouterr().out
    assert "Memory: 0.0" in output and "retriever's step" in output and "ranker" not in output
