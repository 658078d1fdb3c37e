from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.carved import carve
from harness.collections.planted import build_planted
from harness.collections.tokenizer import load_tokenizer
from harness.collections.tokens import build_tokens, learn_tokenizer
from harness.errors import UserError
from harness.storage.checksums import SUMS
from tests.beir_folder import write_folder

SIZES = {"start": "fresh", "vocabulary": 800, "query_tokens": 6, "passage_tokens": 12}
LEARN = """
import hashlib
from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.carved import carve
from harness.collections.planted import build_planted
from harness.collections.tokens import learn_tokenizer
texts = build_planted(topics=4, train_queries=20).documents
print(hashlib.sha256(learn_tokenizer(texts, 800).backend_tokenizer.to_str().encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def collection():
    return build_planted(topics=4, train_queries=20, dev_queries=3, test_queries=3)


def test_the_same_texts_give_the_same_pieces_in_every_process():
    outputs = {subprocess.check_output([sys.executable, "-c", LEARN], text=True) for _ in range(2)}
    assert len(outputs) == 1


def test_tokens_are_those_of_the_tokenizer_cut_to_length(collection, tmp_path):
    store = build_tokens(collection, tmp_path / "tokens", **SIZES)
    tokenizer = load_tokenizer(str(store.tokenizer_folder))
    for row in (0, 7):
        begin, end = store.documents.offset[row : row + 2]
        expected = tokenizer(collection.documents[row], truncation=True, max_length=12)["input_ids"]
        assert store.documents.flat[begin:end].tolist() == expected
    assert store.documents.lengths.max() == 12
    assert max(store.queries[split].lengths.max() for split in store.queries) <= 6


def test_padded_rows_hold_their_tokens_and_nothing_else(collection, tmp_path):
    store = build_tokens(collection, tmp_path / "tokens", **SIZES)
    rows = np.array([3, 0])
    ids, mask = store.queries["train"].padded(rows, store.pad)
    assert mask.sum(axis=1).tolist() == store.queries["train"].lengths[rows].tolist()
    assert (ids[mask == 0] == store.pad).all()


def test_a_finished_token_store_is_opened_not_made_again(collection, tmp_path):
    build_tokens(collection, tmp_path / "tokens", **SIZES)
    before = (tmp_path / "tokens/documents.flat.npy").stat().st_mtime_ns
    build_tokens(collection, tmp_path / "tokens", **SIZES)
    assert (tmp_path / "tokens/documents.flat.npy").stat().st_mtime_ns == before


def test_a_corrupt_array_is_a_clear_error(collection, tmp_path):
    build_tokens(collection, tmp_path / "tokens", **SIZES)
    (tmp_path / "tokens/idf.npy").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"idf\.npy: corrupt file"):
        build_tokens(collection, tmp_path / "tokens", **SIZES)
    (tmp_path / "tokens" / SUMS).unlink()  # as made before there were checksums
    with pytest.raises(UserError, match="corrupt cache file"):
        build_tokens(collection, tmp_path / "tokens", **SIZES)


def test_a_token_store_that_a_crash_left_half_made_is_made_again(collection, tmp_path):
    for half in ("tokens", ".tokens.tmp"):
        (tmp_path / half).mkdir()
        (tmp_path / half / "idf.npy").write_bytes(b"torn")
    store = build_tokens(collection, tmp_path / "tokens", **SIZES)
    assert len(store.documents) == len(collection.documents)
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


def test_a_missing_tokenizer_is_a_clear_error(tmp_path):
    with pytest.raises(UserError, match=r"no checkpoint at '.*nowhere'"):
        load_tokenizer(str(tmp_path / "nowhere"))


def test_special_tokens_frame_a_pair():
    tokenizer = learn_tokenizer(["one two", "two three"] * 4, 100)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("one", "two")["input_ids"])
    assert tokens[0] == "[CLS]" and tokens.count("[SEP]") == 2


@pytest.mark.parametrize("titles", [True, "pair"])
def test_titles_are_joined_or_a_segment_of_their_own(tmp_path, titles):
    folder = write_folder(tmp_path / "mine")
    lines = (folder / "corpus.jsonl").read_text().splitlines()
    lines[1] = json.dumps({"_id": "d1", "title": "", "text": "plum"})
    lines[2] = json.dumps({"_id": "d2", "title": "apple river", "text": ""})
    (folder / "corpus.jsonl").write_text("\n".join(lines) + "\n")
    save_collection(load_beir(folder, titles=titles), tmp_path / "c.zip")
    collection = load_collection(tmp_path / "c.zip")
    store = build_tokens(collection, tmp_path / "tokens", **SIZES)
    tokenizer = load_tokenizer(str(store.tokenizer_folder))
    for row, (title, text) in enumerate([("apple", "pear"), ("", "plum"), ("apple river", "")]):
        begin, end = store.documents.offset[row : row + 2]
        given = ([title], [text]) if titles == "pair" else ([f"{title} {text}".strip()],)
        (expected,) = tokenizer(*given, truncation=True, max_length=12)["input_ids"]
        assert store.documents.flat[begin:end].tolist() == expected
    separators = (store.documents.padded(np.array([0]), store.pad)[0] == tokenizer.sep_token_id).sum()
    assert separators == (2 if titles == "pair" else 1)


def test_how_titles_are_read_is_of_the_fingerprint_and_of_what_is_carved(tmp_path):
    folder = write_folder(tmp_path / "mine")
    joined, pair = load_beir(folder, titles=True), load_beir(folder, titles="pair")
    assert joined.documents == pair.documents and joined.fingerprint != pair.fingerprint
    assert carve(pair, 0.5).titles_are == "pair" and carve(joined, 0.5).titles_are == "joined"
