"""Operations, hours and room on disk of a run, against counts by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from harness.estimate.disk import products, while_training
from harness.estimate.moments import CorpusSize
from harness.estimate.parameters import Bert
from harness.estimate.work import Work, forward, work
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import RunSettings

PAPER = resolve(Library(Path(__file__).parents[2] / "experiments"), "trisampler/table-5-ar2", "paper")
MARCO = CorpusSize(8_841_823, 502_939, 509_919)
SIZES = PAPER.scale.spec.published_sizes
HARDWARE = PAPER.scale.spec.hardware


def settings(row: str) -> RunSettings:
    return PAPER.run(PAPER.loaded.rows(row)[0], 0)


def counted(row: str, corpus: CorpusSize = MARCO) -> Work:
    return work(settings(row), corpus, HARDWARE, SIZES)


@pytest.mark.parametrize(("hidden", "tokens"), [(128, 8), (128, 64), (256, 128)])
def test_a_forward_pass_is_what_torch_counts(hidden: int, tokens: int) -> None:
    config = BertConfig(
        vocab_size=50, hidden_size=hidden, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=2 * hidden, attn_implementation="eager",
    )  # fmt: skip
    ids = torch.zeros((5, tokens), dtype=torch.long)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        BertModel(config, add_pooling_layer=False)(ids)
    bert = Bert(hidden, 3, 2, 2 * hidden, True, 50, 512)
    assert forward(bert, 5, tokens) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_the_base_run_of_the_paper_scale_is_counted_by_hand() -> None:
    base = settings("Base")
    layer = 4 * 768 * 769 + 769 * 3072 + 3073 * 768 + 4 * 768
    a_token = {length: 12 * (2 * layer + 4 * 768 * length) for length in (32, 128)}
    passes = base.phase.batch * (32 * a_token[32] + 128 * a_token[128])
    assert counted("Base").steps == pytest.approx(base.phase.steps * 4 * passes)  # 4: layers computed again
    assert counted("Base").evaluation == pytest.approx(MARCO.documents * 128 * a_token[128])
    assert counted("Base").refreshes == 0
    assert counted("BM25") == Work(0, 0, 0)


def test_a_refresh_encodes_documents_and_queries_and_searches() -> None:
    every, no_search = counted("TriSampler"), counted("TriSampler", CorpusSize(MARCO.documents, 0, 0))
    rounds = 60_000 // 5_000
    assert no_search.refreshes == pytest.approx(rounds * every.evaluation)
    assert every.refreshes > no_search.refreshes
    assert every.steps == counted("SimANS").steps  # which draw alike


def test_hours_are_operations_at_a_rate() -> None:
    assert Work(3.6e15, 3.6e15, 0).gpu_hours(2) == pytest.approx(1)


def test_runs_that_share_a_product_name_it_alike() -> None:
    left = {row: dict(products(settings(row), MARCO, SIZES)) for row in ("Base", "TriSampler", "SimANS")}
    shared = left["TriSampler"].keys() & left["SimANS"].keys()
    assert sorted(name.split()[0] for name in shared) == ["candidates", "tokens"]
    [tokens] = left["Base"].keys() & left["SimANS"].keys()
    assert left["Base"][tokens] == 4 * (MARCO.documents * 128 + MARCO.queries * 32)
    [weights] = [size for name, size in left["Base"].items() if name.startswith("run")]
    assert weights == 4 * 218_967_552  # two towers, as `harness plan` prints
    assert set(dict(products(settings("BM25"), MARCO, SIZES)).values()) == {0}


def test_rankings_take_room_of_the_queries_that_are_not_for_training_down_to_their_depth() -> None:
    def room(corpus: CorpusSize) -> int:
        return sum(dict(products(settings("BM25"), corpus, SIZES)).values())

    assert room(CorpusSize(14_661, 9_922, 12_842, 2_920)) == pytest.approx(
        81e6, rel=0.02
    )  # pydocs, as on disk
    assert room(CorpusSize(100, 80, 100, 20)) == 20 * 100 * 28  # no more than all documents


def test_a_run_needs_its_moments_while_it_trains() -> None:
    assert while_training(settings("Base"), MARCO, SIZES) == 3 * 4 * 218_967_552
    assert while_training(settings("TriSampler"), MARCO, SIZES) > while_training(
        settings("Base"), MARCO, SIZES
    )
    assert while_training(settings("BM25"), MARCO, SIZES) == 0
