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


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"documents.jsonl": '["b", "other"]\n["a", "text"]\n'}, "does not match its fingerprint"),
        ({"documents.jsonl": "{"}, "corrupt"),
        ({"documents.jsonl": '{"a": 1}\n'}, "corrupt"),
        ({"documents.jsonl": '["b"]\n'}, "corrupt"),
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
