from collections import Counter
from dataclasses import replace

import pytest

from harness.collections.collection import Collection, Queries
from harness.collections.pydocs import build_pydocs
from harness.collections.pydocs.manifest import (
    MANIFEST,
    compare_with_manifest,
    manifest_rows,
    read_manifest,
    write_manifest,
)
from harness.errors import UserError


@pytest.fixture
def small():
    query = Queries(("q:a:a.f",), ("Do this and that.",), {"q:a:a.f": {"a:a.f": 2}}, {"q:a:a.f": ("a:a.f",)})
    none = Queries((), (), {}, {})
    return Collection(
        "pydocs",
        False,
        ("a:a.f", "a:a.g", "b:b.h"),
        ("text f", "text g", "text h"),
        {"train": query, "dev": none, "test": none},
        {"versions": {"a": "1", "b": "2"}},
    )


def test_round_trip_has_the_same_bytes_and_full_overlap(small, tmp_path):
    first, second = tmp_path / "1.csv.xz", tmp_path / "2.csv.xz"
    write_manifest(manifest_rows(small), first)
    write_manifest(read_manifest(first), second)
    assert first.read_bytes() == second.read_bytes()
    overlap = compare_with_manifest(small, first)
    assert overlap.share == 1
    assert overlap.summary == "pydocs: 100.0 % of documents as in the manifest (3 identical)"


def test_a_difference_is_shown_by_package(small, tmp_path):
    write_manifest(manifest_rows(small), tmp_path / "m.csv.xz")
    other = replace(
        small, document_ids=("a:a.f", "a:a.g", "b:b.new"), documents=("text f", "changed", "text")
    )
    overlap = compare_with_manifest(other, tmp_path / "m.csv.xz")
    assert (overlap.missing, overlap.changed, overlap.extra) == (("b:b.h",), ("a:a.g",), ("b:b.new",))
    assert overlap.share == 0.25
    assert "25.0 %" in overlap.summary
    assert "changed: a 1" in overlap.summary
    assert "missing: b 1" in overlap.summary


def test_another_query_or_split_is_a_change(small, tmp_path):
    write_manifest(manifest_rows(small), tmp_path / "m.csv.xz")
    train = small.queries["train"]
    reworded = replace(small, queries={**small.queries, "train": replace(train, texts=("Do that.",))})
    moved = replace(small, queries={**small.queries, "train": small.queries["dev"], "dev": train})
    for other in (reworded, moved):
        assert compare_with_manifest(other, tmp_path / "m.csv.xz").changed == ("a:a.f",)


def test_a_missing_or_corrupt_manifest_is_an_error(tmp_path):
    with pytest.raises(UserError, match="file is missing"):
        read_manifest(tmp_path / "none")
    (tmp_path / "bad").write_bytes(b"no xz")
    with pytest.raises(UserError, match="corrupt file"):
        read_manifest(tmp_path / "bad")


def test_the_committed_manifest_has_the_promised_size():
    rows = read_manifest()
    splits = Counter(row.split for row in rows)
    assert len({row.id for row in rows}) == len(rows) >= 12_000
    assert splits["train"] >= 8_000
    assert 1_500 <= splits["test"] <= 2_500
    assert 600 <= splits["dev"] <= 1_200
    assert MANIFEST.stat().st_size < 400_000


def test_networkx_is_as_in_the_manifest():
    rows = manifest_rows(build_pydocs(packages=("networkx",)))
    listed = {row.id: row.text for row in read_manifest() if row.package == "networkx"}
    assert {row.id: row.text for row in rows} == listed


@pytest.mark.slow
def test_the_whole_collection_is_as_in_the_manifest():
    collection = build_pydocs()
    assert compare_with_manifest(collection).share == 1
    assert len(collection.queries["train"]) >= 8_000
    assert len(collection.queries["see-also"]) >= 150
