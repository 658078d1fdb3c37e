"""Parts of an encoder, trained over states that were computed once, against training without them."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers

from harness.encoders.dual_encoder import DualEncoder, Embedder, Tower
from harness.encoders.frozen import FROZEN
from harness.encoders.partial import PartialEncoder, last_layer_suffices, prepared
from harness.errors import HarnessError
from harness.retrieval.encode import Reader, encode, length_buckets
from harness.retrieval.states import FrozenTexts, States, build_states, load_states, texts_of
from harness.storage.files import unfinished
from harness.training.losses.registry import make_loss
from harness.training.objectives import RetrieverObjective
from harness.training.topologies.own import Own

SMALL = {"layers": 3, "token_dropout": 0.0, "dropout": 0.0}


class Uncached(Embedder):
    """A part of a tower that computes its states each time."""

    def __init__(self, part, states_of, whole):
        super().__init__()
        self.part, self._states, self._whole = part, states_of, [whole]

    @property
    def dimension(self):
        return self.part.dimension

    def forward(self, ids, mask):
        self._whole[0].eval()
        with torch.no_grad():
            states = self._states(ids, mask)
        self._whole[0].train(self.training)
        return self.part(states, mask)


def part_of(bench, trains, **changes):
    encoder = bench.encoder(seed=1, **SMALL | changes)
    for tower in encoder.towers().values():
        tower.normalised = True
    return PartialEncoder(prepared(encoder, trains), trains)


def in_memory(part, tokens):
    """The states of all texts in the precision of the encoder."""

    def states(sequences, states_of):
        flat, offset = [], [0]
        for row in range(len(sequences)):
            ids, mask = sequences.padded(np.array([row]), tokens.pad)
            with torch.no_grad():
                flat.append(states_of(torch.from_numpy(ids), torch.from_numpy(mask))[0].numpy())
            offset.append(offset[-1] + len(flat[-1]))
        return States(np.concatenate(flat), np.array(offset))

    part.whole.eval()
    of_queries = part.query_states()
    queries = {
        split: sequences if of_queries is None else states(sequences, of_queries)
        for split, sequences in tokens.queries.items()
    }
    return FrozenTexts(states(tokens.documents, part.passage_states()), queries, tokens.pad)


@pytest.mark.parametrize("towers", ["shared", "separate"])
@pytest.mark.parametrize("trains", FROZEN)
def test_gradients_are_those_of_full_autograd(bench, trains, towers):
    part = part_of(bench, trains, towers=towers).double()
    part.whole.double()
    if trains == "head":  # off the identity, where a wrong order of maps would show
        for tower in part.whole.towers().values():
            torch.nn.init.normal_(tower.head.weight, std=0.3)
    rows, loss = np.arange(6), make_loss("softmax-cross-entropy")
    passage = np.stack([bench.pairs.pairs[rows, 1], (bench.pairs.pairs[rows, 1] + 7) % 72], axis=1)

    def gradients(encoder, texts):
        part.whole.zero_grad()
        objective = RetrieverObjective(encoder, texts, bench.pairs, Own(), "labelled", loss)
        objective(rows, passage)[0].backward()
        return {name: weight.grad.clone() for name, weight in part.named_parameters()}

    full, cached = gradients(part.whole, bench.tokens), gradients(part, in_memory(part, bench.tokens))
    assert full.keys() == cached.keys()
    assert max(float(gradient.abs().max()) for gradient in full.values()) > 1e-3
    for name in full:
        torch.testing.assert_close(cached[name], full[name], rtol=0, atol=1e-8)


@pytest.mark.parametrize("trains", FROZEN)
def test_training_over_stored_states_gives_the_weights_of_training_without(bench, trains, tmp_path):
    trained = {}
    for name in ("stored", "computed each time"):
        part = part_of(bench, trains)
        whole, texts, encoder = part.whole, bench.tokens, part
        if name == "stored":
            build_states(part, bench.tokens, tmp_path / "states", lambda done: None)
            texts = load_states(part, bench.tokens, tmp_path / "states")
        else:
            encoder = copy.copy(part)
            encoder._modules = dict(part._modules)
            if part.query_states() is not None:
                encoder.query = Uncached(part.query, part.query_states(), whole)
            shared = part.shared
            encoder.passage = (
                encoder.query if shared else Uncached(part.passage, part.passage_states(), whole)
            )
        trainer = bench.trainer(tmp_path / name, whole, steps=12)
        trainer.encoder, trainer.texts = encoder, texts
        trainer.run()
        trained[name] = part.weights()
    before = part_of(bench, trains).weights()
    one, other = trained.values()
    assert one.keys() == other.keys() == before.keys()
    assert max(float((one[key] - before[key]).abs().max()) for key in one) > 1e-3
    for key in one:
        torch.testing.assert_close(one[key], other[key], rtol=0, atol=1e-6)


@pytest.mark.parametrize("trains", FROZEN)
def test_before_the_first_step_a_part_embeds_as_the_encoder_that_it_is_of(bench, trains, tmp_path):
    part = part_of(bench, trains, towers="separate", score_scale=3.0)
    encoder = bench.encoder(seed=1, **SMALL, towers="separate", score_scale=3.0)
    for tower in encoder.towers().values():
        tower.normalised = True
    build_states(part, bench.tokens, tmp_path / "states", lambda done: None)
    reader = Reader(part.eval(), load_states(part, bench.tokens, tmp_path / "states"))
    whole = Reader(encoder, bench.tokens)
    np.testing.assert_allclose(reader.documents(), whole.documents(), atol=1e-6)
    np.testing.assert_allclose(reader.queries("dev"), whole.queries("dev"), atol=1e-6)


def test_states_are_continued_after_a_kill_with_the_same_bytes(bench, tmp_path, monkeypatch):
    few_at_once = functools.partial(length_buckets, places=256)
    monkeypatch.setattr("harness.retrieval.states.length_buckets", few_at_once)
    part, said = part_of(bench, "last-layer"), []
    build_states(part, bench.tokens, tmp_path / "whole", said.append)
    assert said[-1] == texts_of(part, bench.tokens) and len(said) > 8

    class Killed(BaseException):
        pass

    def kill_at(done):
        if done >= stop:
            raise Killed

    stop = 0
    for place in (1, 4, -2):
        stop = said[place]
        with pytest.raises(Killed):
            build_states(part, bench.tokens, tmp_path / "resumed", kill_at)
        assert not (tmp_path / "resumed").exists()
    again = []
    build_states(part, bench.tokens, tmp_path / "resumed", again.append)
    assert again == said[-1:], "what was counted was computed again"
    assert not unfinished(tmp_path / "resumed").exists()
    for path in (tmp_path / "whole").glob("*.npy"):
        assert path.read_bytes() == (tmp_path / "resumed" / path.name).read_bytes()


def test_documents_that_another_collection_has_are_not_encoded_again(bench, tmp_path):
    part, said = part_of(bench, "head"), []
    build_states(part, bench.tokens, tmp_path / "whole", lambda done: None)
    few = replace(bench.tokens, queries={"dev": bench.tokens.queries["dev"]})
    known = (bench.tokens, tmp_path / "whole")
    build_states(part, few, tmp_path / "carved", said.append, known=known)
    assert said == [len(bench.tokens.documents) + len(few.queries["dev"])]
    for name in ("documents.npy", "queries-dev.npy"):
        assert (tmp_path / "carved" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    other = replace(few, documents=few.queries["dev"])
    said.clear()
    build_states(part, other, tmp_path / "other", said.append, known=known)
    assert len(said) == 2, "other documents are encoded"


def test_a_part_is_read_back_and_another_is_refused(bench, tmp_path):
    part = part_of(bench, "head")
    torch.nn.init.normal_(part.whole.query.head.weight)
    part.save(tmp_path / "head", tokenizer=None, longest=40)
    assert sum(path.stat().st_size for path in (tmp_path / "head").iterdir()) < 2 * 32 * 32 * 4
    other = part_of(bench, "head")
    other.read(tmp_path / "head")
    assert torch.equal(other.whole.query.head.weight, part.whole.query.head.weight)
    with pytest.raises(HarnessError, match="it holds a head, not a last-layer"):
        part_of(bench, "last-layer").read(tmp_path / "head")


def test_a_head_is_put_over_weights_that_stay_those_of_the_encoder(bench):
    encoder = bench.encoder()
    part = PartialEncoder(prepared(encoder, "head"), "head")
    assert part.whole.query.transformer is encoder.query.transformer
    assert set(part.weights()) == {"shared.head.weight"}
    copied = PartialEncoder(prepared(encoder, "query-tower"), "query-tower")
    assert copied.whole.passage is encoder.passage
    assert copied.whole.query.transformer is not encoder.query.transformer
    documents = encode(encoder.passage, bench.tokens.documents, bench.tokens.pad)
    np.testing.assert_array_equal(
        encode(copied.whole.passage, bench.tokens.documents, bench.tokens.pad), documents
    )


@pytest.mark.parametrize(
    ("kind", "sizes", "suffices"),
    [
        ("bert", {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}, True),
        ("roberta", {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}, True),
        ("t5", {"d_model": 16, "d_kv": 8, "num_heads": 2, "d_ff": 16, "num_layers": 3}, False),
    ],
)
def test_a_last_layer_that_reads_more_than_states_is_refused(kind, sizes, suffices):
    """In T5 the first layer computes the biases of positions that all layers add."""
    torch.manual_seed(0)
    layers = {} if kind == "t5" else {"num_hidden_layers": 3}
    config = transformers.AutoConfig.for_model(kind, vocab_size=60, **sizes, **layers)
    of = transformers.T5EncoderModel if kind == "t5" else transformers.AutoModel.from_config
    tower = Tower(of(config).eval(), pooling="mean")
    if kind == "t5":
        bias = tower.transformer.encoder.block[0].layer[0].SelfAttention.relative_attention_bias
        torch.nn.init.normal_(bias.weight, std=3.0)
    assert last_layer_suffices(tower) is suffices
    if not suffices:
        with pytest.raises(HarnessError, match="cannot be told from the layers below"):
            prepared(DualEncoder(tower, tower), "last-layer")
