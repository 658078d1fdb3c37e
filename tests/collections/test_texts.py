"""Texts as one run of bytes: what a tuple of strings is, with less memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.collections import texts as module
from harness.collections.texts import Numbering, PackedTexts, TextSpool, equal_texts

SOME = ("", "a", "zwei\u2028\x1f", "ä" * 1000, "a", "\U0001f600", "")


def packed(texts: tuple[str, ...], folder: Path | None = None) -> PackedTexts:
    spool = TextSpool(folder)
    for text in texts:
        spool.add(text)
    return spool.packed()


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("at_once", [1, 3, 4096])
@pytest.mark.parametrize("texts", [(), ("",), SOME])
def test_packed_texts_are_a_sequence_of_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_file: bool, at_once: int, texts: tuple[str, ...]
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    some = packed(texts, tmp_path if in_file else None)
    assert len(some) == len(texts) and tuple(some) == texts and some == texts
    assert [some[number] for number in range(-len(texts), len(texts))] == [*texts, *texts]
    assert some[1:5:2] == texts[1:5:2]
    with pytest.raises(IndexError):
        some[len(texts)]
    assert some != (*texts, "more") and (not texts or some != (*texts[:-1], "other"))
    assert not list(tmp_path.iterdir())


def test_each_id_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = tuple(f"d{number}" for number in range(1000))
    numbers = Numbering(packed(ids))
    assert dict(numbers) == {name: number for number, name in enumerate(ids)}
    assert "d5" in numbers and "e5" not in numbers and numbers.get("e5") is None and numbers.repeated is None
    with pytest.raises(KeyError):
        numbers["e5"]


def test_ids_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "hash", len, raising=False)
    ids = ("ab", "cd", "efg", "hij", "kl")
    numbers = Numbering(ids)
    assert dict(numbers) == {name: number for number, name in enumerate(ids)} and "zz" not in numbers
    assert numbers.repeated is None and equal_texts(ids) == []
    assert Numbering((*ids, "cd", "ab")).repeated == 5
    assert equal_texts((*ids, "cd", "ab", "cd")) == [[0, 6], [1, 5, 7]]


def test_numbers_of_equal_texts_ascend() -> None:
    assert equal_texts(packed(SOME)) == [[0, 6], [1, 4]]
