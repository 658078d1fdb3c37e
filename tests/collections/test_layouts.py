"""Published layouts: one content in any of them, in a folder or an archive, is one collection."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.built_in import build_collection, build_own, collection_key, stand_in
from harness.collections.collection import OWN, Collection
from harness.collections.layouts.registry import KINDS
from harness.evaluation.measures import evaluate_split
from tests import published
from tests.published import DOCUMENTS, QUERIES, SPLITS, TEXTS, WRITERS, packed

DATA = os.environ.get("HARNESS_DATA")


def read(kind: str, folder: Path, **parameters: Any) -> Collection:
    return build_own(kind, {"folder": str(folder), **parameters})


def test_each_kind_has_a_line_of_its_own() -> None:
    assert tuple(KINDS) == OWN
    assert all(kind.summary and (kind.files or name == "ir") for name, kind in KINDS.items())


@pytest.mark.parametrize("titles", [False, True])
@pytest.mark.parametrize("written", WRITERS)
@pytest.mark.parametrize("ending", ["", ".gz", ".zip", ".tar.gz"])
def test_one_content_has_one_fingerprint(written: str, ending: str, titles: bool, tmp_path: Path) -> None:
    kind, writer = WRITERS[written]
    expected = load_beir(published.beir(tmp_path / "one/mine"), titles=titles and written != "msmarco")
    folder = writer(tmp_path / "mine")
    place = packed(folder, ending) if ending else folder
    if ending not in ("", ".gz"):
        shutil.rmtree(folder)
    before = sorted(tmp_path.rglob("*"))
    collection = read(kind, place, titles=titles)
    assert sorted(tmp_path.rglob("*")) == before
    assert collection.name == f"{kind}/mine"
    assert collection.documents == expected.documents and collection.queries == expected.queries
    assert collection.fingerprint == expected.fingerprint


@pytest.mark.parametrize("written", WRITERS)
def test_a_table_can_be_made_of_each_and_its_key_is_of_its_content(written: str, tmp_path: Path) -> None:
    kind, writer = WRITERS[written]
    folder = writer(tmp_path / "mine")
    parameters = {"folder": str(folder)}
    assert set(build_collection(kind, parameters).queries) == {"train", "dev", "test"}
    key = collection_key(kind, {"parameters": parameters})
    assert key.startswith(f"{kind}-")
    largest = max(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    largest.write_bytes(largest.read_bytes() + b"\n")
    assert collection_key(kind, {"parameters": parameters}) != key


def test_questions_of_dpr_have_answers_where_nothing_is_judged(tmp_path: Path) -> None:
    collection = read("dpr", published.dpr(tmp_path / "nq"), titles=True)
    train, dev, test = (collection.queries[split] for split in ("train", "dev", "test"))
    assert (len(train), len(dev), len(test)) == (24, 8, 10)
    assert train.qrels["nq-train-3"] == {"3": 2} and train.known_relevant["nq-train-3"] == ("3", "4")
    assert dev.qrels["nq-dev-0"] == {"24": 2} and dev.qrels["nq-dev-1"] == {}
    assert test.answers["nq-test-0"] == (TEXTS[32][1],)
    assert collection.documents[0] == 'apple the "pear" of apple'
    assert collection.about["dropped"] == {"questions without a positive passage, which no file judges": 1}
    ranking = {query: {str(n): 1.0} for query, n in zip(test.ids, SPLITS["test"], strict=True)}
    values = evaluate_split(ranking, collection, "test", ["AnswerHit@1", "Success(rel=2)@1"])
    assert values.groupby("measure")["value"].mean().to_dict() == {"AnswerHit@1": 1, "Success(rel=2)@1": 0}
    save_collection(collection, tmp_path / "prepared.zip")
    assert load_collection(tmp_path / "prepared.zip") == collection


def test_all_positives_of_dpr_may_be_labels(tmp_path: Path) -> None:
    folder = published.dpr(tmp_path / "nq")
    assert read("dpr", folder, positives="all").queries["train"].qrels["nq-train-3"] == {"3": 2, "4": 2}


def test_a_folder_of_several_datasets_of_dpr_is_read_by_the_name_of_one(tmp_path: Path) -> None:
    folder = published.dpr(tmp_path / "all")
    (folder / "qas/trivia-test.qa.csv").write_text("who\t['me']\n")
    assert len(read("dpr", folder, dataset="nq").queries["test"]) == 10
    assert list(read("dpr", folder, dataset="trivia").queries) == ["test"]


def test_the_release_of_simans_has_more_than_labels(tmp_path: Path) -> None:
    folder = published.simans(tmp_path / "marco")
    (folder / "qrels.train.addition.tsv").write_text("q3\td7\nq3\td3\n")
    (folder / "para.title.txt").write_text("d0\t-\nd1\tpear\n")
    collection = read("simans", folder, titles=True)
    train = collection.queries["train"]
    assert train.qrels["q3"] == {"d3": 2} and train.known_relevant["q3"] == ("d3", "d7")
    assert collection.documents[0] == DOCUMENTS[0]["text"]
    assert collection.documents[1] == f"pear {DOCUMENTS[1]['text']}"


def test_lists_for_the_ranker_of_simans_replace_missing_labels(tmp_path: Path) -> None:
    folder = published.simans(tmp_path / "marco")
    expected = read("simans", folder).queries["train"]
    lists = ((f"q{n}", QUERIES[n]["text"], f"d{n} 3.5", "d0 1.0,d40 0.2") for n in SPLITS["train"])
    (folder / "train_ce_0.tsv").write_text(published.rows(lists))
    (folder / "train_ce_2000.tsv").write_text("newer and broken\n")
    (folder / "qrels.train.tsv").unlink()
    assert read("simans", folder).queries["train"] == expected


def test_the_release_of_simans_for_wikipedia_is_read_by_its_questions(tmp_path: Path) -> None:
    folder = published.dpr(tmp_path / "nq")
    record = {"q_id": "17", "question": "who", "answers": ["me"], "positive_ctxs": [{"passage_id": "5"}]}
    (folder / "train_ce_0.json").write_text(json.dumps([record]))
    train = read("simans", folder).queries["train"]
    assert (train.ids, train.qrels) == (("train-17",), {"train-17": {"5": 2}})


def test_what_no_split_asks_is_counted_as_dropped(tmp_path: Path) -> None:
    folder = published.beir(tmp_path / "mine")
    with (folder / "queries.jsonl").open("a") as stream:
        stream.write('{"_id": "more", "text": "never judged"}\n')
    assert load_beir(folder).about["dropped"] == {"queries of no split: no judgement of them is given": 1}


def test_a_dataset_is_known_by_its_name_in_any_kind() -> None:
    assert stand_in("ir/dpr-w100/trivia-qa", "TriviaQA") is None
    assert stand_in("msmarco/MSMARCO-passage", "MS MARCO passage") is None
    assert stand_in("ir/beir/scifact", "TriviaQA") == "ir/beir/scifact stands in for TriviaQA"


@pytest.mark.skipif(not DATA, reason="HARNESS_DATA names no folder")
@pytest.mark.parametrize(
    ("name", "documents", "queries", "judgements"),
    [
        ("scifact", 5183, (733, 76, 300), (836, 83, 339)),
        ("nfcorpus", 3633, (2590, 324, 323), (110575, 11385, 12334)),
    ],
)
def test_real_collections_have_the_counts_of_their_manifests(
    name: str, documents: int, queries: tuple[int, ...], judgements: tuple[int, ...], tmp_path: Path
) -> None:
    archive = Path(str(DATA)) / f"{name}.tar.gz"
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    places = [archive, tmp_path / name, packed(tmp_path / name, ".zip"), packed(tmp_path / name, ".gz")]
    read_from = [read("beir", place) for place in places]
    assert len({collection.fingerprint for collection in read_from}) == 1
    splits = [read_from[0].queries[split] for split in ("train", "dev", "test")]
    assert len(read_from[0].documents) == documents
    assert tuple(map(len, splits)) == queries
    assert tuple(sum(map(len, of.qrels.values())) for of in splits) == judgements


@pytest.mark.skipif(not DATA, reason="HARNESS_DATA names no folder")
def test_a_real_sample_of_dpr_is_read_whole(tmp_path: Path) -> None:
    with tarfile.open(Path(str(DATA)) / "format_samples.tar.gz") as opened:
        opened.extractall(tmp_path, filter="data")
    folder = tmp_path / "format_samples"
    (folder / "haystack_dpr_sample.json").rename(folder / "biencoder-nq-train.json")
    records = json.loads((folder / "biencoder-nq-train.json").read_text())
    passages = {
        of["passage_id"]: (of["text"], of["title"]) for record in records for of in record["positive_ctxs"]
    }
    lines = (
        f'{name}\t"{text.replace(chr(34), chr(34) * 2)}"\t{title}' for name, (text, title) in passages.items()
    )
    (folder / "psgs_w100.tsv").write_text("\n".join(["id\ttext\ttitle", *lines]))
    train = read("dpr", folder, dev_share=0.0).queries["train"]
    assert train.texts == tuple(record["question"] for record in records)
    assert list(train.answers.values()) == [tuple(dict.fromkeys(record["answers"])) for record in records]
    assert [len(known) for known in train.known_relevant.values()] == [
        len({of["passage_id"] for of in record["positive_ctxs"]}) for record in records
    ]
