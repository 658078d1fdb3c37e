import tracemalloc
import warnings
import zipfile

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


def rewrite(path, **changed):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**members, **changed}.items():
            archive.writestr(name, text)


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
    save_collection(collection, path)
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
        ({"documents.jsonl": '["b", "other"]\n["a", "text"]\n'}, "does not match its fingerprint"),
        ({"documents.jsonl": "{"}, "corrupt"),
        ({"documents.jsonl": '{"a": 1}\n'}, "corrupt"),
        ({"documents.jsonl": '["b"]\n'}, r"corrupt \(line 1 of documents.jsonl\)"),
        ({"documents.jsonl": '["b", "text b"]\n["a", 3]\n'}, "line 2 of documents"),
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
