"""Plans of phases that train a part of an encoder: its parameters, what steps keep, what is encoded once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor

from harness.collections.tokens import Ragged, TokenStore
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.frozen import FROZEN, Frozen
from harness.encoders.partial import PartialEncoder, prepared
from harness.estimate.activations import FLOAT, STORING, BatchShape, activation_bytes, layer_bytes
from harness.estimate.memory import memory
from harness.estimate.moments import CorpusSize, Machine
from harness.estimate.parameters import Bert, retriever_of
from harness.estimate.render import states_line
from harness.estimate.states import states_size
from harness.retrieval.states import build_states
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import ContinuedRun
from harness.specs.settings import EncoderSettings, TokenSettings
from tests.place import CHECKOUT

WIDTH, LONGEST, DROPOUT = 32, 24, 0.1
BERT = Bert(WIDTH, 3, 2, 48, True, 50, LONGEST)
TOKENS = TokenSettings(vocabulary=50, query_tokens=8, passage_tokens=LONGEST)
SETTINGS = {
    "hidden": WIDTH, "layers": 3, "heads": 2, "intermediate": 48, "dropout": DROPOUT, "pooling": "mean",
    "token_dropout": 0.0,
}  # fmt: skip
CORPUS = CorpusSize(documents=6, pairs=5, queries=9)


def tower(**more: Any) -> Tower:
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=LONGEST, hidden_dropout_prob=DROPOUT, attention_probs_dropout_prob=DROPOUT,
        attn_implementation="eager",
    )  # fmt: skip
    return Tower(transformers.BertModel(config, add_pooling_layer=False), pooling="mean", **more)


def part_of(trains: Frozen, *, shared: bool, projection: int | None = None) -> PartialEncoder:
    query = tower(projection=projection, normalised=True)
    passage = query if shared else tower(projection=projection, normalised=True)
    return PartialEncoder(prepared(DualEncoder(query, passage), trains), trains)


def run_of(trains: str, steps: int = 20, before: str = "both-towers") -> ContinuedRun:
    """A run of the simulation that trains a part of an encoder, over a base run of no step."""
    resolved = resolve(Library(CHECKOUT / "experiments"), "trisampler/table-5", "simulation")
    run = resolved.run(resolved.loaded.row("TriSampler"), 0)
    assert isinstance(run, ContinuedRun)
    sizes = {"encoder": EncoderSettings(**SETTINGS), "tokens": TOKENS}
    phase = run.start.phase.model_copy(update={"trains": before, "steps": 0})
    base = run.start.model_copy(update={**sizes, "phase": phase})
    phase = run.phase.model_copy(update={"trains": trains, "steps": steps})
    return run.model_copy(update={**sizes, "start": base, "phase": phase})


def moments_of(run: ContinuedRun) -> dict[str, dict[str, int]]:
    return {
        moment.name: {part.name: part.size for part in (*moment.models, *moment.working)}
        for moment in memory(run, CORPUS, Machine())
    }


def texts(count: int, length: int) -> Ragged:
    return Ragged(np.full(count * length, 5, dtype=np.int32), np.arange(count + 1) * length)


def kept_by(forward: Callable[[], Tensor], model: torch.nn.Module) -> int:
    """Bytes of the storages, but parameters, that a forward pass saves for its backward pass."""
    of_model = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    storages: dict[int, tuple[int, Tensor]] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in of_model:
            storages[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        assert forward().requires_grad
    return sum(size for size, _ in storages.values())


@pytest.mark.parametrize("projection", [None, 8])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("trains", FROZEN)
def test_what_is_trained_is_the_part_alone(trains: Frozen, shared: bool, projection: int | None) -> None:
    part = part_of(trains, shared=shared, projection=projection)
    towers = "shared" if shared else "separate"
    settings = EncoderSettings(**SETTINGS, projection=projection, towers=towers)
    size = retriever_of(settings, TOKENS, phases=("both-towers", trains))
    assert size.trained == sum(weight.numel() for weight in part.parameters())
    assert size.parameters == sum(weight.numel() for weight in part.whole.parameters())
    assert size.width == part.passage.dimension


def test_a_head_is_there_in_phases_after_its_own() -> None:
    settings = EncoderSettings(**SETTINGS)
    plain = retriever_of(settings, TOKENS)
    after = retriever_of(settings, TOKENS, phases=("head", "both-towers"))
    assert after.trained - plain.trained == WIDTH**2


@pytest.mark.parametrize("trains", FROZEN)
def test_moments_and_gradients_are_of_the_part_alone(trains: Frozen) -> None:
    run = run_of(trains)
    trained = sum(weight.numel() for weight in part_of(trains, shared=True).parameters())
    sizes = moments_of(run)
    assert list(sizes)[:2] == ["states, once", "retriever's step"], "the base run takes no step"
    assert sizes["retriever's step"]["retriever: gradients"] == 4 * trained
    assert sizes["retriever's step"]["retriever: moments"] == 8 * trained
    assert "retriever: moments" not in sizes["states, once"]


def test_a_phase_of_no_step_plans_none() -> None:
    assert list(moments_of(run_of("head", steps=0, before="head"))) == ["states, once"]
    assert moments_of(run_of("both-towers", steps=0)) == {}


def test_a_head_s_step_keeps_vectors() -> None:
    run = run_of("head")
    sizes = moments_of(run)["retriever's step"]
    passages = run.phase.batch * (1 + run.sampler.draws[1])
    part = part_of("head", shared=True).train()
    states, mask = torch.randn(passages, 1, WIDTH), torch.ones(passages, 1, dtype=torch.int64)
    kept = kept_by(lambda: part.passage(states, mask), part)
    assert kept <= sizes["activations: passages"] <= 1.5 * kept  # with the embeddings, which losses keep
    whole = memory(run_of("both-towers"), CORPUS, Machine())
    step = next(moment for moment in whole if moment.name == "retriever's step")
    assert sizes["activations: passages"] < step.size / 100


def test_the_last_layer_s_step_keeps_nothing_of_the_layers_below() -> None:
    part = part_of("last-layer", shared=True).train()
    batch = BatchShape(8, LONGEST)
    states, mask = torch.randn(8, LONGEST, WIDTH), torch.ones(8, LONGEST, dtype=torch.int64)
    kept = kept_by(lambda: part.passage(states, mask), part)
    formula = layer_bytes(BERT, batch, STORING["cpu"])
    assert formula <= kept <= 1.03 * formula  # and what is kept of pooling
    run = run_of("last-layer")
    passages = BatchShape(run.phase.batch * (1 + run.sampler.draws[1]), LONGEST)
    planned = moments_of(run)["retriever's step"]["activations: passages"]
    assert (
        planned
        == layer_bytes(BERT, passages, STORING["cpu"])
        < activation_bytes(BERT, passages, STORING["cpu"]) / 3
    )


def test_the_query_tower_s_step_keeps_activations_of_queries_alone() -> None:
    run = run_of("query-tower")
    sizes, whole = moments_of(run)["retriever's step"], moments_of(run_of("both-towers"))["retriever's step"]
    assert sizes["activations: queries"] == whole["activations: queries"]
    assert "activations: passages" not in sizes
    assert sizes["passages"] == run.phase.batch * (1 + run.sampler.draws[1]) * WIDTH * FLOAT
    assert sizes["retriever: weights"] == 2 * whole["retriever: weights"], "a shared encoder becomes two"


@pytest.mark.parametrize("trains", FROZEN)
def test_states_on_disk_are_as_large_as_planned(trains: Frozen, tmp_path: Path) -> None:
    part = part_of(trains, shared=True)
    queries = {"train": texts(5, 8), "dev": texts(4, 8)}
    idf = np.ones(50, dtype=np.float32)
    tokens = TokenStore(texts(6, LONGEST), queries, idf, tmp_path, vocabulary=50, pad=0)
    build_states(part, tokens, tmp_path / "states", lambda done: None)
    stored = sum(np.load(path).nbytes for path in (tmp_path / "states").glob("*.npy"))
    states = states_size(run_of(trains), CORPUS, {})
    assert states.size == stored  # all texts are the longest, so that a bound is reached
    assert (states.documents, states.queries) == (6, 0 if trains == "query-tower" else 9)
    assert states.at_most == (trains == "last-layer")


def test_a_line_says_how_many_texts_are_encoded_and_whether_that_is_done() -> None:
    said = [states_line(run_of("head"), CORPUS, {}, encoders, done) for encoders, done in ((1, 0), (1, 1))]
    assert said[0].startswith(
        "Frozen encoder below a trained head: 6 documents and 9 queries are encoded once"
    )
    assert "(not done yet)" in said[0] and "(done)" in said[1]
    assert "32 x 4 bytes a text, memory-mapped" in said[0]
    assert "encoded once by each (1 of 3 done)" in states_line(run_of("head"), CORPUS, {}, 3, 1)
    assert "at most" in states_line(run_of("last-layer"), CORPUS, {}, 1, 0)
