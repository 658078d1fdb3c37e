"""What a collection has that decides the worth of a table: treated, refused, or told under it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.carved import carve
from harness.collections.collection import Collection
from harness.errors import UserError
from harness.evaluation.measures import evaluate
from harness.retrieval.bm25 import bm25_search
from harness.runs.evaluation import _ranking as ranked
from harness.training.batches import labelled_pairs

HEADER = "query-id\tcorpus-id\tscore\n"
MASKS = ("labelled", "known-relevant", "positive-only")


def written(folder: Path, documents: dict[str, str], queries: dict[str, str], **judged: str) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, texts in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps({"_id": key, "text": text}) + "\n" for key, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("".join(lines))
    for split, lines_of in judged.items():
        (folder / f"qrels/{split}.tsv").write_text(HEADER + lines_of.replace(" ", "\t"))
    return folder


DOCUMENTS = {"a": "apple pear", "b": "plum tree", "c": "river stone", "d": "plum tree"}
QUERIES = {"q0": "apple", "q1": "plum", "q2": "stone", "q3": "unknown"}
JUDGED = {"train": "q0 a 1\nq1 b 1\n", "dev": "q3 c 1\n", "test": "q2 c 1\n"}


def account(collection: Collection) -> list[str]:
    said = collection.about["account"]
    assert isinstance(said, list)
    return said


def test_a_query_is_not_its_own_document(tmp_path: Path) -> None:
    """ArguAna and Quora: each query is a document of the same id, and would be ranked first."""
    documents = DOCUMENTS | QUERIES
    folder = written(tmp_path / "asked", documents, QUERIES, **JUDGED)
    collection = load_beir(folder)
    test, hits = collection.queries["test"], bm25_search(list(documents.values()), ["stone"], 4)
    ranking = ranked(collection, "test", hits, 3)
    assert next(iter(ranking["q2"])) == "c" and "q2" not in ranking["q2"] and len(ranking["q2"]) == 3
    assert evaluate(ranking, test.qrels, ["RR(rel=2)@10"])["value"].tolist() == [1.0]
    pairs = labelled_pairs(collection)
    own = [collection.number[query] for query in ("q0", "q1")]
    for mask in MASKS:
        assert all(number in pairs.masked_at(row, mask) for row, number in enumerate(own))
    assert "Queries with the id of a document, taken out of their own rankings and candidates: 4." in account(
        collection
    )


def test_ids_that_coincide_by_chance_can_be_kept(tmp_path: Path) -> None:
    folder = written(tmp_path / "asked", DOCUMENTS | QUERIES, QUERIES, **JUDGED)
    out, kept = load_beir(folder), load_beir(folder, own_documents="kept")
    hits = bm25_search(list(kept.documents), ["stone"], 4)
    assert "q2" in ranked(kept, "test", hits, 4)["q2"]
    assert all(len(of) == 0 for of in labelled_pairs(kept).own)
    assert out.fingerprint != kept.fingerprint and "kept in their own" in " ".join(account(kept))
    save_collection(kept, tmp_path / "kept.zip")
    assert load_collection(tmp_path / "kept.zip") == kept and carve(kept, 0.5).own_documents == "kept"


def test_a_query_judged_relevant_to_itself_is_no_pair(tmp_path: Path) -> None:
    judged = JUDGED | {"train": "q0 q0 1\nq0 a 1\nq1 b 1\n"}
    collection = load_beir(written(tmp_path / "asked", DOCUMENTS | QUERIES, QUERIES, **judged))
    assert labelled_pairs(collection).pairs.tolist() == [[0, 0], [1, 1]]


def test_a_copy_of_a_positive_is_no_negative(tmp_path: Path) -> None:
    collection = load_beir(written(tmp_path / "copies", DOCUMENTS, QUERIES, **JUDGED))
    pairs = labelled_pairs(collection)
    assert pairs.labelled[1].tolist() == [1] and pairs.known_relevant[1].tolist() == [1, 3]
    assert pairs.masked_at(1, "labelled").tolist() == pairs.masked_at(1, "known-relevant").tolist() == [1, 3]
    assert pairs.masked_at(0, "labelled").tolist() == [0]
    assert "Documents with the text of another: 2." in account(collection)[0]
    assert "positives that have one: 1." in account(collection)[0]


def test_a_query_of_two_splits_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "two", DOCUMENTS, QUERIES, **(JUDGED | {"test": "q2 c 1\nq0 b 0\n"}))
    with pytest.raises(UserError, match=r"test\.tsv:3: query 'q0' is judged in train\.tsv, too; keep"):
        load_beir(folder)


def test_equal_texts_of_two_splits_are_told(tmp_path: Path) -> None:
    queries = QUERIES | {"q2": "plum"}
    collection = load_beir(written(tmp_path / "two", DOCUMENTS, queries, **JUDGED))
    assert "Texts that are queries of both train and test: 1." in account(collection)


@pytest.mark.parametrize("missing", ["q2 gone 1\n", "gone c 1\n", "gone gone 0\n"])
def test_a_judgement_of_what_is_not_there_is_refused_or_left_out(tmp_path: Path, missing: str) -> None:
    judged = JUDGED | {"test": "q2 c 1\n" + missing}
    folder = written(tmp_path / "absent", DOCUMENTS, QUERIES, **judged)
    with pytest.raises(UserError, match=r"test\.tsv:3: .* set `absent: dropped` in the dataset's parameters"):
        load_beir(folder)
    collection = load_beir(folder, absent="dropped")
    assert collection.queries["test"].qrels == {"q2": {"c": 2}}
    assert "Judgements of queries or documents that are not there, left out: 1." in account(collection)


def test_a_split_without_a_relevant_document_is_refused(tmp_path: Path) -> None:
    for split, line in (("train", "q0 a 0\n"), ("dev", "q3 c -1\n"), ("test", "q2 c -2\n")):
        folder = written(tmp_path / split, DOCUMENTS, QUERIES, **(JUDGED | {split: line}))
        with pytest.raises(UserError, match=rf"{split}\.tsv: no query has a relevant document; give"):
            load_beir(folder)


def test_one_training_query_cannot_be_held_back(tmp_path: Path) -> None:
    folder = written(tmp_path / "one", DOCUMENTS, QUERIES, train="q0 a 1\n", test="q2 c 1\n")
    with pytest.raises(UserError, match=r"train\.tsv: one query, of which none is left .* or qrels/dev\.tsv"):
        load_beir(folder)
    assert len(load_beir(folder, dev_share=0).queries["train"]) == 1


def test_grades_below_0_are_0(tmp_path: Path) -> None:
    judged = JUDGED | {"test": "q2 c 1\nq2 a -1\nq1x b -2\n"}
    collection = load_beir(written(tmp_path / "below", DOCUMENTS, QUERIES | {"q1x": "apple"}, **judged))
    assert collection.queries["test"].qrels == {"q2": {"c": 2, "a": 0}, "q1x": {"b": 0}}
    assert "Queries of test without a relevant document, each counted as 0: 1." in account(collection)


def test_queries_without_a_known_word_are_told(tmp_path: Path) -> None:
    collection = load_beir(written(tmp_path / "plain", DOCUMENTS, QUERIES, **JUDGED))
    assert "Queries of dev that share no word with any document: 1 (100.0 %)." in account(collection)


def test_a_title_of_null_is_no_title(tmp_path: Path) -> None:
    folder = written(tmp_path / "null", DOCUMENTS, QUERIES, **JUDGED)
    lines = (folder / "corpus.jsonl").read_text().replace('{"_id"', '{"title": null, "_id"')
    (folder / "corpus.jsonl").write_text(lines)
    assert load_beir(folder, titles=True).documents == tuple(DOCUMENTS.values())


def test_the_name_of_the_folder_is_not_in_the_fingerprint(tmp_path: Path) -> None:
    folder = written(tmp_path / "one", DOCUMENTS, QUERIES, **JUDGED)
    shutil.copytree(folder, tmp_path / "other")
    one, other = load_beir(folder), load_beir(tmp_path / "other")
    assert one.fingerprint == other.fingerprint and one.name != other.name
    assert carve(one, 0.5).fingerprint == carve(other, 0.5).fingerprint


@pytest.mark.parametrize(
    ("documents", "query"),
    [
        (["红色苹果很甜", "绿色树木很高"], "苹果"),
        (["赤いりんごです", "緑の木がある"], "りんご"),
        (["ผลไม้สีแดง", "ต้นไม้สีเขียว"], "สีแดง"),
        (["red 苹果 pie", "green 树木"], "苹果"),
    ],
)
def test_words_are_found_where_there_are_no_blanks(documents: list[str], query: str) -> None:
    scores, numbers = bm25_search(documents, [query], 2)
    assert numbers[0, 0] == 0 and scores[0, 0] > scores[0, 1]


@pytest.mark.parametrize("documents", [["", ""], ["the", "of and"], ["\U0001f600", "!"], ["C", "R"]])
def test_documents_without_a_word_are_refused(documents: list[str]) -> None:
    with pytest.raises(UserError, match="no document has a word that BM25 reads"):
        bm25_search(documents, ["apple"], 2)


def test_a_split_that_bm25_cannot_rank_is_refused(tmp_path: Path) -> None:
    collection = load_beir(written(tmp_path / "plain", DOCUMENTS, QUERIES, **JUDGED))
    hits = bm25_search(list(collection.documents), collection.queries["dev"].texts, 4)
    assert not np.any(hits[0])
    with pytest.raises(UserError, match="all 4 documents score the same for each of the 1 queries"):
        ranked(collection, "dev", hits, 4)
