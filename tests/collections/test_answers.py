"""Answers: read from queries, kept by all that keeps a collection, matched as DPR's released code does."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tarfile
import unicodedata
from pathlib import Path

import pytest
import regex

from harness.collections.account import account
from harness.collections.answers import AnswerTexts, tokens_in
from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.carved import carve
from harness.collections.collection import Collection
from harness.errors import UserError
from tests.beir_folder import write_folder

DATA = os.environ.get("HARNESS_DATA")


def released(answers: list[str], text: str) -> bool:
    """DPR's `has_answer` with match type string, as AR2 and SimANS copied it."""

    def uncased(part: str) -> list[str]:
        found = regex.finditer(
            r"([\p{L}\p{N}\p{M}]+)|([^\p{Z}\p{C}])",
            unicodedata.normalize("NFD", part),
            flags=regex.IGNORECASE + regex.UNICODE + regex.MULTILINE,
        )
        return [token.group().lower() for token in found]

    words = uncased(text)
    for answer in map(uncased, answers):
        for place in range(len(words) - len(answer) + 1):
            if words[place : place + len(answer)] == answer:
                return True
    return False


def holds(text: str, *answers: str) -> bool:
    return AnswerTexts([text], ()).hold(0, [tokens_in(answer) for answer in answers])


@pytest.mark.parametrize(
    ("text", "answer", "held"),
    [
        ("He lives in New York now.", "new york", True),
        ("He lives in Newyork.", "New York", False),
        ("New, York", "New York", False),  # the comma is a token
        ("newer", "new", False),
        ("a caf\u00e9 there", "CAFE\u0301", True),
        ("a cafe there", "caf\u00e9", False),  # NFD keeps the mark in the token
        ("it costs $ 5.50", "$5.50", True),
        ("array_equal(a, b)", "array_equal", True),
        ("array equal", "array_equal", False),
        ("one\ttwo\nthree", "two three", True),
        ("\u4e2d\u6587\u5b57", "\u4e2d\u6587", False),  # a run of letters is one token
        ("\u039f\u0394\u039f\u03a3 x", "\u03bf\u03b4\u03bf\u03c2", True),
        ("STRASSE", "stra\u00dfe", False),
        ("\u0130zmir", "i\u0307zmir", True),
        ("last word", "word", True),
        ("", "word", False),
    ],
)
def test_answers_match_as_in_the_released_code(text: str, answer: str, held: bool) -> None:
    assert holds(text, answer) == held == released([answer], text)


def test_one_answer_of_several_is_enough() -> None:
    assert holds("red and blue", "green", "blue") and not holds("red and blue", "green", "yellow")


def answering(tmp_path: Path, answers: dict[str, object]) -> Path:
    """A folder some of whose queries have answers; they replace keys of their lines."""
    folder = write_folder(tmp_path / "mine")
    lines = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    changed = [line | (answers.get(line["_id"], {})) for line in lines]  # type: ignore[operator]
    (folder / "queries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
    return folder


def test_answers_stand_below_their_key_or_in_the_metadata(tmp_path: Path) -> None:
    folder = answering(
        tmp_path,
        {
            "q70": {"answers": ["Pear", "a pear"]},
            "q71": {"metadata": {"answers": ["plum"], "source": "x"}},
            "q72": {"answers": ["plum"], "metadata": {"answers": ["plum", "stone"]}},
            "q73": {"answers": None, "metadata": "as one likes"},
            "q74": {"answers": []},
            "q0": {"answers": ["river"]},
        },
    )
    collection = load_beir(folder)
    assert collection.queries["test"].answers == {
        "q70": ("Pear", "a pear"), "q71": ("plum",), "q72": ("plum", "stone"),
    }  # fmt: skip
    assert collection.queries["train"].answers == {"q0": ("river",)}
    assert collection.queries["dev"].answers == {}
    assert account(collection)[-2:] == [
        "Queries of train without an answer string, each counted as 0 by AnswerHit: 49.",
        "Queries of test without an answer string, each counted as 0 by AnswerHit: 17.",
    ]
    assert "AnswerHit" not in " ".join(account(load_beir(write_folder(tmp_path / "other"))))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"answers": "pear"}, "'answers' is no list"),
        ({"metadata": {"answers": {"text": ["pear"]}}}, "'answers' is no list"),
        ({"answers": [1889]}, "'answers' is not a text"),
        ({"answers": ["pear", None]}, "'answers' is missing"),
        ({"answers": ["pear", " \t"]}, "an answer without a letter, digit or sign"),
        ({"answers": ["\u200b"]}, "digit or sign, which every passage would hold; leave it out"),
        ({"answers": ["\ud83d"]}, "'answers' has half of a surrogate pair"),
    ],
)
def test_what_is_no_answer_is_one_line(tmp_path: Path, given: dict[str, object], said: str) -> None:
    folder = answering(tmp_path, {"q3": given})
    with pytest.raises(UserError, match=rf"queries\.jsonl:4: .*{re.escape(said)}"):
        load_beir(folder)


def test_a_title_holds_no_answer(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine")
    for titles in (False, True):
        collection = load_beir(folder, titles=titles)
        at = collection.documents.index("apple pear" if titles else "pear")
        assert collection.answer_texts.hold(at, [tokens_in("pear")])
        assert not collection.answer_texts.hold(at, [tokens_in("apple")])


@pytest.mark.parametrize(("title", "text"), [("", "a b"), ("  ", " a b"), (" T", "a b "), ("T U", "\na b")])
def test_a_text_starts_after_its_title_however_it_is_written(tmp_path: Path, title: str, text: str) -> None:
    folder = write_folder(tmp_path / "mine")
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{n}", "title": title, "text": text}) + "\n" for n in range(90))
    )
    collection = load_beir(folder, titles=True)
    assert collection.documents[0][collection.text_starts[0] :].strip() == "a b"


def without(collection: Collection) -> Collection:
    queries = {split: dataclasses.replace(of, answers={}) for split, of in collection.queries.items()}
    return dataclasses.replace(collection, queries=queries)


def test_an_archive_and_a_carved_collection_keep_answers(tmp_path: Path) -> None:
    answers = {f"q{n}": {"answers": [f"answer {n}"]} for n in range(90)}
    collection = load_beir(answering(tmp_path, answers), titles=True)
    save_collection(collection, tmp_path / "c.zip")
    loaded = load_collection(tmp_path / "c.zip")
    assert loaded == collection and loaded.text_starts == collection.text_starts != ()
    carved = carve(collection, 0.3)
    assert carved.text_starts == collection.text_starts
    held_out = carved.queries["dev"]
    assert held_out.answers == {query: (f"answer {query[1:]}",) for query in held_out.ids} != {}


def test_answers_are_of_a_fingerprint_and_no_others_move(tmp_path: Path) -> None:
    titled = [load_beir(write_folder(tmp_path / f"{n}" / "mine"), titles=True) for n in range(2)]
    assert titled[0].fingerprint == "a6604773413310ad"  # as before there were answers
    assert dataclasses.replace(titled[1], text_starts=()).fingerprint == titled[0].fingerprint
    answered = load_beir(answering(tmp_path, {"q3": {"answers": ["pear"]}}), titles=True)
    other = load_beir(answering(tmp_path / "b", {"q3": {"answers": ["pear", "plum"]}}), titles=True)
    starts = dataclasses.replace(answered, text_starts=(0,) * len(answered.documents))
    assert len({one.fingerprint for one in (titled[0], answered, other, starts)}) == 4
    assert without(answered).fingerprint == titled[0].fingerprint


@pytest.mark.skipif(not DATA, reason="HARNESS_DATA names no folder")
def test_answers_of_squad_match_as_in_the_released_code(tmp_path: Path) -> None:
    with tarfile.open(Path(str(DATA)) / "squad.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    collection = load_beir(tmp_path / "squad")
    dev = collection.queries["dev"]
    for query in list(dev.answers)[::100]:
        given = list(dev.answers[query])
        for number in range(0, len(collection.documents), 400):
            text = collection.documents[number]
            assert collection.answer_texts.hold(number, [tokens_in(a) for a in given]) == released(
                given, text
            )


def released_pattern(answers: list[str], text: str) -> bool:
    """DPR's `has_answer` with match type regex, with Python's own `re` as there."""
    text = unicodedata.normalize("NFD", text)
    patterns = (unicodedata.normalize("NFD", answer) for answer in answers)
    flags = re.IGNORECASE + re.UNICODE + re.MULTILINE

    def matches(pattern: str) -> bool:
        try:
            return re.compile(pattern, flags=flags).search(text) is not None
        except re.error:
            return False

    return any(map(matches, patterns))


@pytest.mark.parametrize(
    ("text", "pattern", "held"),
    [
        ("It is 20,320 feet high.", r"20\s?,?\s?320\s?-?\s?f(ee|oo)t", True),
        ("It is 20.320 feet high.", r"20\s?,?\s?320\s?-?\s?f(ee|oo)t", False),
        ("the CAFE\u0301 there", "caf\u00e9", True),
        ("one\nTwo", "^two$", True),
        ("a b", "a.b", True),
        ("", "a", False),
        ("a(b", "a(b", False),
    ],
)
def test_patterns_match_as_in_the_released_code(text: str, pattern: str, held: bool) -> None:
    texts = AnswerTexts([text], (), "patterns")
    assert texts.hold(0, texts.prepared([pattern])) == held == released_pattern([pattern], text)


def test_patterns_are_a_choice_that_is_kept_and_hashed(tmp_path: Path) -> None:
    folder = answering(tmp_path, {f"q{n}": {"answers": ["pe[a-z]r"]} for n in range(90)})
    as_texts = load_beir(folder, titles=True)
    collection = load_beir(folder, titles=True, answers_are="patterns")
    assert as_texts.fingerprint == load_beir(folder, titles=True, answers_are="texts").fingerprint
    assert collection.fingerprint != as_texts.fingerprint
    save_collection(collection, tmp_path / "c.zip")
    for one in (collection, load_collection(tmp_path / "c.zip"), carve(collection, 0.3)):
        number = next(n for n, text in enumerate(one.documents) if text.endswith(" pear"))
        assert one.answer_texts.hold(number, one.answer_texts.prepared(["pe[a-z]r"]))
        start = one.documents[number].removesuffix(" pear")
        assert not one.answer_texts.hold(number, one.answer_texts.prepared([start]))


def test_a_pattern_that_says_nothing_is_refused_or_counted(tmp_path: Path) -> None:
    folder = answering(tmp_path, {"q70": {"answers": ["a*"]}})
    with pytest.raises(UserError) as refused:
        load_beir(folder, answers_are="patterns")
    assert "queries.jsonl:71: the pattern 'a*' matches every passage" in str(refused.value)
    broken = load_beir(answering(tmp_path / "b", {"q70": {"answers": ["a(b"]}}), answers_are="patterns")
    told = "Answers that are no regular expressions, and in no passage, as in the code of DPR: 1."
    assert told in account(broken)


def test_a_pattern_without_end_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.collections.answers.LONGEST_S", 0.05)
    texts = AnswerTexts(["a" * 40 + "b"], (), "patterns")
    with pytest.raises(UserError) as refused:
        texts.hold(0, texts.prepared(["(a|aa)+$"]))
    assert "is looked for longer than 0.05 s in one passage" in str(refused.value)


@pytest.mark.skipif(not DATA, reason="HARNESS_DATA names no folder")
def test_the_patterns_of_curatedtrec_are_read(tmp_path: Path) -> None:
    import gzip

    with tarfile.open(Path(str(DATA)) / "queries_only_dpr.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    lines = gzip.decompress((tmp_path / "queries_only_dpr/curatedtrec-test.jsonl.gz").read_bytes())
    asked = [json.loads(line) for line in lines.splitlines()]
    folder = write_folder(tmp_path / "mine", "train", "dev")
    (folder / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in asked))
    judged = "".join(f"{query['_id']}\td0\t1\n" for query in asked)
    (folder / "qrels/test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    collection = load_beir(folder, answers_are="patterns")
    assert len(collection.queries["test"].answers) == len(asked) == 694
    assert any("no regular expressions" in line and line.endswith(": 3.") for line in account(collection))
    text = "Mount McKinley is 20,320 feet high."
    texts = AnswerTexts([text], (), "patterns")
    for query in asked:
        assert texts.hold(0, texts.prepared(query["answers"])) == released_pattern(query["answers"], text)
    assert texts.hold(0, texts.prepared(asked[0]["answers"]))
