import json
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest

from harness.collections.archive import load_collection, save_collection
from harness.collections.collection import Collection, Queries
from harness.errors import UserError


@pytest.fixture
def collection():
    train = Queries(
        ("q2", "q1"),
        ("zwei\u2028ä", "one"),
        {"q2": {"b": 2}, "q1": {"a": 2}},
        {"q2": ("b", "a"), "q1": ("a",)},
    )
    test = Queries(("q3",), ("three\n",), {"q3": {"b": 2, "a": 1}}, {"q3": ("b",)})
    return Collection(
        "name", True, ("b", "a"), ("text b", 'text "a"'), {"train": train, "test/x": test}, {"n": [1, 2]}
    )


def test_round_trip_keeps_everything(collection, tmp_path):
    save_collection(collection, tmp_path / "c.zip")
    loaded = load_collection(tmp_path / "c.zip")
    assert loaded == collection
    assert list(loaded.queries) == list(collection.queries)
    assert list(loaded.queries["test/x"].qrels["q3"]) == ["b", "a"]
    assert loaded.fingerprint == collection.fingerprint


def test_the_same_content_makes_the_same_bytes(collection, tmp_path):
    save_collection(collection, tmp_path / "1.zip")
    save_collection(load_collection(tmp_path / "1.zip"), tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_a_missing_foreign_or_torn_file_is_an_error(collection, tmp_path):
    path = tmp_path / "c.zip"
    with pytest.raises(UserError, match="file is missing"):
        load_collection(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(UserError, match="not a collection, or corrupt"):
        load_collection(path)
    save_collection(collection, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"c\.zip: not a collection, or corrupt"):
        load_collection(path)
    with pytest.raises(UserError, match="not a collection"):
        load_collection(tmp_path)


def rewrite(path, how=zipfile.ZIP_STORED, **changed):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in {**members, **changed}.items():
            archive.writestr(name, content)


def save_as_formerly(collection, path):
    """Write the format of before, whose documents are lines of JSON."""
    save_collection(collection, path)
    with zipfile.ZipFile(path) as archive:
        head = json.loads(archive.read("collection.json")) | {"format": "harness collection 1"}
        queries = {name: archive.read(name) for name in archive.namelist() if name.startswith("queries")}
    documents = zip(collection.document_ids, collection.documents, strict=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in documents)
    members = {"collection.json": json.dumps(head), "documents.jsonl": lines, **queries}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_collection_of_the_former_format_is_read(collection, tmp_path):
    save_as_formerly(collection, tmp_path / "c.zip")
    assert load_collection(tmp_path / "c.zip") == collection


def test_documents_are_mapped_and_not_read(tmp_path):
    texts = tuple(f"{number} " + "word " * 200 for number in range(50_000))
    queries = {"test": Queries(("q",), ("?",), {"q": {"0": 2}}, {"q": ("0",)})}
    collection = Collection("large", True, tuple(map(str, range(50_000))), texts, queries)
    save_collection(collection, tmp_path / "c.zip")
    tracemalloc.start()
    try:
        loaded = load_collection(tmp_path / "c.zip")
        assert loaded.number["49999"] == 49999 and loaded.documents[-1] == texts[-1] and not loaded.copies
        assert tracemalloc.get_traced_memory()[1] < 30e6  # of 50 MB
    finally:
        tracemalloc.stop()


def test_titles_and_copies_are_kept(tmp_path):
    queries = {"test": Queries(("q",), ("?",), {"q": {"a": 2}}, {"q": ("a",)})}
    collection = Collection("n", True, ("a", "b", "c"), ("t x", "y", "t x"), queries, text_starts=(2, 0, 2))
    save_collection(collection, tmp_path / "c.zip")
    loaded = load_collection(tmp_path / "c.zip")
    assert loaded == collection and loaded.fingerprint == collection.fingerprint
    assert {number: copies.tolist() for number, copies in loaded.copies.items()} == {0: [2], 2: [0]}


def test_another_collection_in_its_place_is_told(collection, tmp_path):
    save_collection(collection, tmp_path / "c.zip", "planted-1")
    assert load_collection(tmp_path / "c.zip", "planted-1") == collection
    assert load_collection(tmp_path / "c.zip") == collection
    with pytest.raises(UserError, match=r"c\.zip: this is the collection planted-1; delete it and run again"):
        load_collection(tmp_path / "c.zip", "planted-2")
    save_collection(collection, tmp_path / "old.zip")
    assert load_collection(tmp_path / "old.zip", "planted-2") == collection


def test_equal_texts_make_a_collection_that_is_read_again(tmp_path):
    many = tuple(f"d{number}" for number in range(2000))
    queries = {"test": Queries(("q",), ("?",), {"q": {"d0": 2}}, {"q": ("d0",)})}
    collection = Collection("same", True, many, ("words " * 400,) * len(many), queries)
    save_collection(collection, tmp_path / "c.zip")
    assert load_collection(tmp_path / "c.zip") == collection


BOMBS = {
    "lists": b"[],\n" * 15_000_000,
    "one line of lists": b"[" + b"[]," * 20_000_000 + b"[]]",
    "zeros": bytes(60_000_000),
    "one text": b'["b", "' + b"x" * 60_000_000 + b'"]\n',
}


@pytest.mark.parametrize("name", [*BOMBS, "small lists", "a lie"])
def test_an_archive_is_refused_before_it_fills_the_memory(collection, tmp_path, name):
    path = tmp_path / "c.zip"
    save_as_formerly(collection, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a second member of this name, which is the one that is read
        archive.writestr("documents.jsonl", BOMBS.get(name, b"[]\n" * 300_000))
    if name == "a lie":
        content = path.read_bytes()
        claimed = (900_000).to_bytes(4, "little")
        assert content.count(claimed) == 2
        path.write_bytes(content.replace(claimed, (90).to_bytes(4, "little")))
    assert path.stat().st_size < 70_000
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"claims \d+ MB in|line 1 of documents|corrupt") as refused:
            load_collection(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"document-texts.bytes": b'text ctext "a"'}, "does not match its fingerprint"),
        ({"document-texts.bytes": b'text \xfftext "a"'}, "corrupt"),
        ({"document-texts.bytes": b"text b"}, "not one after the other"),
        ({"document-texts.offset": np.array([0, 9, 6, 14]).tobytes()}, "not one after the other"),
        ({"document-texts.offset": b""}, "not one after the other"),
        ({"document-texts.offset": b"123"}, "a part of a number"),
        ({"document-texts.offset": np.array([0, 14]).tobytes()}, "corrupt"),
        ({"text-starts.int32": np.zeros(1, dtype=np.int32).tobytes()}, "where their text starts"),
        ({"queries-1.jsonl": '["q3", "three", {"b": 2.5}, ["b"]]\n'}, "line 1 of queries-1"),
        ({"queries-1.jsonl": '["q3", "three", {"b": true}, ["b"]]\n'}, "line 1 of queries-1"),
        ({"queries-1.jsonl": '["q3", "three", {"b": 2}, "b"]\n'}, "line 1 of queries-1"),
        ({"queries-1.jsonl": "[" * 100_000}, "corrupt"),
        ({"collection.json": '{"format": "another"}\n'}, "has format 'another'"),
        ({"collection.json": "[]\n"}, "corrupt"),
        ({"../outside": "x"}, "not part of a collection"),
        ({"/outside": "x"}, "not part of a collection"),
    ],
)
def test_changed_content_is_refused(collection, tmp_path, changed, message):
    path = tmp_path / "c.zip"
    save_collection(collection, path)
    rewrite(path, **changed)
    with pytest.raises(UserError, match=message):
        load_collection(path)
    assert [file.name for file in tmp_path.iterdir()] == ["c.zip"]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ('["b", "other"]\n["a", "text"]\n', "does not match its fingerprint"),
        ("{", "corrupt"),
        ('{"a": 1}\n', "corrupt"),
        ('["b"]\n', r"corrupt \(line 1 of documents.jsonl\)"),
        ('["b", "text b"]\n["a", 3]\n', "line 2 of documents"),
    ],
)
def test_changed_content_of_the_former_format_is_refused(collection, tmp_path, documents, message):
    path = tmp_path / "c.zip"
    save_as_formerly(collection, path)
    rewrite(path, **{"documents.jsonl": documents})
    with pytest.raises(UserError, match=message):
        load_collection(path)


def test_compressed_documents_are_refused(collection, tmp_path):
    save_collection(collection, tmp_path / "c.zip")
    rewrite(tmp_path / "c.zip", how=zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="is compressed"):
        load_collection(tmp_path / "c.zip")
