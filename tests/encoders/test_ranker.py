"""A ranker gives a pair the same score wherever it is opened and with whatever it is scored."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.collections.pairs import Pairs
from harness.collections.tokenizer import PROMPTS
from harness.collections.tokens import Ragged, TokenStore, inverse_document_frequency, learn_tokenizer
from harness.encoders.matching import project_words
from harness.encoders.ranker import CrossEncoder, Ranker, build_ranker
from harness.errors import UserError
from harness.retrieval import rerank
from harness.retrieval.encode import length_buckets
from harness.retrieval.rerank import rerank_scores, score_bucket
from harness.training.forward_ranker import score_lists

TEXTS = ["red apples fall", "green pears fall from a tree", "the tree is green", "a red sky at night " * 6]
QUERIES = ["red", "which tree is green", "night sky"]
PAIR_TOKENS = 24
SIZES = {"start": "fresh", "hidden": 16, "layers": 2, "heads": 1, "intermediate": 32, "dropout": 0.1}


def ragged(tokenizer, texts) -> Ragged:
    ids = tokenizer(texts)["input_ids"]
    return Ragged(np.concatenate(ids).astype(np.int32), np.cumsum([0, *map(len, ids)]))


@pytest.fixture(scope="module")
def tokenizer():
    return learn_tokenizer(TEXTS * 3 + QUERIES, 120)


@pytest.fixture(scope="module")
def tokens(tokenizer, tmp_path_factory) -> TokenStore:
    documents = ragged(tokenizer, TEXTS)
    return TokenStore(
        documents=documents,
        queries={split: ragged(tokenizer, QUERIES) for split in ("train", "dev")},
        idf=inverse_document_frequency(documents, len(tokenizer), tokenizer.all_special_ids),
        tokenizer_folder=tmp_path_factory.mktemp("tokenizer"),
        vocabulary=len(tokenizer),
        pad=tokenizer.pad_token_id,
    )


def words(tokens: TokenStore, width: int = 16) -> torch.Tensor:
    return torch.randn(tokens.vocabulary, width, generator=torch.Generator().manual_seed(1))


def build(tokens: TokenStore, **changes) -> Ranker:
    torch.manual_seed(0)
    settings = SimpleNamespace(**SIZES | changes)
    return build_ranker(settings, tokens=tokens, words=words(tokens), longest=PAIR_TOKENS).eval()


def all_pairs(tokens: TokenStore, longest: int = PAIR_TOKENS) -> Pairs:
    query, document = np.divmod(np.arange(12), 4)
    return Pairs(tokens.queries["dev"], tokens.documents, query, document, longest)


EVERY = np.tile(np.arange(4), (3, 1))


def test_pairs_are_what_the_tokenizer_makes_of_two_texts(tokenizer, tokens):
    pairs = all_pairs(tokens)
    ids, mask, types = pairs.padded(np.arange(12), tokens.pad)
    expected = tokenizer(
        [text for text in QUERIES for _ in TEXTS],
        TEXTS * 3,
        truncation=True,
        max_length=PAIR_TOKENS,
        padding=True,
    )
    assert ids.tolist() == expected["input_ids"]
    assert mask.tolist() == expected["attention_mask"]
    assert pairs.lengths.tolist() == mask.sum(axis=1).tolist()
    assert pairs.lengths.max() == PAIR_TOKENS < tokens.documents.lengths.max()
    for row, kind, length in zip(ids, types, pairs.lengths, strict=True):
        end = row.tolist().index(tokenizer.sep_token_id)
        assert kind.tolist() == [0] * (end + 1) + [1] * (length - end - 1) + [0] * (len(row) - length)
        assert row[length - 1] == tokenizer.sep_token_id


def test_a_query_that_leaves_no_room_for_a_passage_is_a_clear_error(tokens):
    with pytest.raises(UserError, match="leaves no room"):
        all_pairs(tokens, longest=int(tokens.queries["dev"].lengths.max()) + 1)


@pytest.mark.parametrize("places", [1, 60, 10**6])
def test_neither_bucketing_nor_padding_changes_a_score(tokens, places):
    ranker, pairs = build(tokens), all_pairs(tokens)
    alone = np.empty(12, dtype=np.float32)
    together = np.empty(12, dtype=np.float32)
    with torch.inference_mode():
        for row in range(12):
            arrays = pairs.padded(np.array([row]), tokens.pad)
            alone[row] = ranker(*map(torch.from_numpy, arrays))[0]
        for bucket in length_buckets(pairs.lengths, places):
            together[bucket] = score_bucket(ranker, pairs, bucket, tokens.pad)
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)
    assert np.ptp(alone) > 1e-2


def test_reranking_and_training_score_alike_in_any_company(tokens):
    ranker = build(tokens)
    expected = rerank_scores(ranker, tokens, "dev", EVERY, pair_tokens=PAIR_TOKENS)
    query, passage = np.array([2, 0]), np.array([[3, 3, 1], [0, 2, 1]])
    lists = score_lists(ranker, tokens, query, passage, pair_tokens=PAIR_TOKENS)
    assert lists.requires_grad
    np.testing.assert_allclose(lists.detach().numpy(), expected[query[:, None], passage], rtol=0, atol=1e-6)


def test_reranking_takes_some_queries_and_leaves_out_missing_documents(tokens, monkeypatch):
    monkeypatch.setattr(rerank, "TOKENS_PER_BATCH", 50)
    ranker, counts = build(tokens).train(), []
    documents = np.array([[2, -1], [-1, -1], [0, 3]])
    rows = np.array([1, 0, 1])
    scores = rerank_scores(
        ranker, tokens, "dev", documents, pair_tokens=PAIR_TOKENS, rows=rows, advance=counts.append
    )
    assert np.isneginf(scores).tolist() == (documents < 0).tolist()
    expected = rerank_scores(ranker, tokens, "dev", EVERY, pair_tokens=PAIR_TOKENS)
    there = documents >= 0
    np.testing.assert_allclose(scores[there], expected[[1, 1, 1], [2, 0, 3]], rtol=0, atol=1e-6)
    assert counts == sorted(counts) and counts[-1] == 3 and len(counts) > 1
    assert ranker.training


def test_all_weights_but_the_unused_get_a_gradient(tokens):
    ranker = build(tokens).train()
    score_lists(ranker, tokens, np.array([0]), np.array([[0, 1]]), pair_tokens=PAIR_TOKENS)[0, 0].backward()
    assert all(parameter.grad is not None for parameter in ranker.parameters())


def test_a_saved_ranker_opens_alike_in_transformers_sentence_transformers_and_here(
    tokenizer, tokens, tmp_path
):
    from sentence_transformers import CrossEncoder
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    ranker = build(tokens)
    ranker.save(tmp_path, tokenizer, PAIR_TOKENS)
    loaded = type(ranker).load(tmp_path)
    assert loaded.fingerprint() == ranker.fingerprint() != build(tokens, intermediate=33).fingerprint()
    here = rerank_scores(ranker, tokens, "dev", EVERY, pair_tokens=PAIR_TOKENS)
    again = rerank_scores(loaded, tokens, "dev", EVERY, pair_tokens=PAIR_TOKENS)
    assert np.array_equal(here, again)
    texts = [(query, text) for query in QUERIES for text in TEXTS]
    elsewhere = CrossEncoder(str(tmp_path), device="cpu").predict(texts)
    np.testing.assert_allclose(elsewhere.reshape(3, 4), here, rtol=0, atol=1e-5)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    encoded = AutoTokenizer.from_pretrained(tmp_path)(
        *map(list, zip(*texts, strict=True)), truncation=True, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        np.testing.assert_allclose(model(**encoded).logits.reshape(3, 4), here, rtol=0, atol=1e-5)
    assert tokenizer.model_max_length > PAIR_TOKENS
    assert "token_type_ids" not in tokenizer("red", "apples")


def test_weights_are_copies_and_can_be_taken_back(tokens):
    ranker = build(tokens)
    before, name = ranker.weights(), ranker.fingerprint()
    with torch.no_grad():
        for parameter in ranker.parameters():
            parameter.add_(1)
    assert ranker.fingerprint() != name
    ranker.load_weights(before)
    assert ranker.fingerprint() == name


def test_a_released_encoder_of_another_kind_is_scored_without_token_types(tokenizer, tokens, tmp_path):
    import transformers

    torch.manual_seed(0)
    sizes = {"vocab_size": tokens.vocabulary, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    config = transformers.DistilBertConfig(**sizes, num_labels=1, pad_token_id=tokens.pad)
    transformers.DistilBertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    ranker = build(tokens, start=str(tmp_path))
    assert not ranker.typed
    assert ranker.fingerprint() == CrossEncoder.load(tmp_path).fingerprint()
    assert np.isfinite(rerank_scores(ranker, tokens, "dev", EVERY, pair_tokens=PAIR_TOKENS)).all()


def test_a_ranker_does_not_read_the_prompts_of_a_retriever(tokens, tmp_path):
    (tmp_path / PROMPTS).write_text('{"prompts": {"query": "query: "}}')
    prompted = replace(tokens, tokenizer_folder=tmp_path)
    with pytest.raises(UserError, match="a ranker would read the prompts that its retriever puts before"):
        build(prompted)


def test_a_ranker_is_loaded_without_a_report(tmp_path):
    """`transformers` would print a table of weights that it has no use for, through our progress bar."""
    import logging

    import transformers

    config = transformers.BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        num_labels=1,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors") | {"more.weight": torch.zeros(2)}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    try:
        CrossEncoder.load(tmp_path)
    finally:
        logger.removeHandler(handler)
    assert said == []


def test_what_cannot_be_a_ranker_is_a_clear_error(tokens, tmp_path):
    import transformers

    with pytest.raises(UserError, match=r"no checkpoint at '.*nowhere'"):
        build(tokens, start=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="no such folder"):
        CrossEncoder.load(tmp_path / "nowhere")
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path / "headless")
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "two")
    with pytest.raises(UserError, match="not a ranker"):
        CrossEncoder.load(tmp_path / "headless")
    with pytest.raises(UserError, match="not a ranker"):
        CrossEncoder.load(tmp_path / "two")
    with pytest.raises(UserError, match="a head of 2 outputs"):
        build(tokens, start=str(tmp_path / "two"))
    config.num_labels = 1
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "few")
    with pytest.raises(UserError, match="50 word vectors, and the tokenizer of its retriever 51 pieces"):
        build(replace(tokens, vocabulary=51), start=str(tmp_path / "few"))
    (tmp_path / "two" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(UserError, match="corrupt ranker"):
        CrossEncoder.load(tmp_path / "two")


def test_sizes_that_do_not_fit_are_a_clear_error(tokens):
    with pytest.raises(UserError, match="cannot compare"):
        build(tokens, layers=1)
    with pytest.raises(UserError, match="16 wide, the ranker 32"):
        build(tokens, hidden=32)


def test_a_fresh_ranker_looks_for_each_text_in_the_other(tokens):
    model = build(tokens).model
    ids, _, types = all_pairs(tokens).padded(np.array([6]), tokens.pad)
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        attention = model(
            input_ids=torch.from_numpy(ids), token_type_ids=torch.from_numpy(types), output_attentions=True
        ).attentions[0][0, 0]
    for place in range(ids.shape[1]):
        like = (ids[0] == ids[0, place]) & (types[0] != types[0, place])
        if like.any():
            assert like[int(attention[place].argmax())]
    assert ((ids[0][:, None] == ids[0]) & (types[0][:, None] != types[0])).sum() >= 4


def test_narrowed_words_keep_the_inner_products_that_the_collection_uses(tokens):
    wide = words(tokens, 32)
    wide[:, 8:] = 0
    turned = wide @ torch.linalg.qr(torch.randn(32, 32, generator=torch.Generator().manual_seed(2)))[0]
    narrow = project_words(turned, tokens, 8)
    assert narrow.shape == (tokens.vocabulary, 8)
    used = np.unique(tokens.documents.flat)
    torch.testing.assert_close(narrow[used] @ narrow[used].T, wide[used] @ wide[used].T, rtol=1e-4, atol=1e-4)
    assert project_words(turned, tokens, 32) is turned
