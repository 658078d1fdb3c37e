"""Collections of one's own: read as they are, or refused with file and line."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from pathlib import Path

import ir_measures
import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.built_in import build_collection, collection_key, stand_in
from harness.collections.layouts.assemble import DEV_SHARE
from harness.errors import UserError
from harness.evaluation.measures import evaluate
from harness.progress import Progress
from harness.runs.stages import Stages
from harness.specs.collection_choice import CollectionChoice
from harness.specs.settings import CollectionSettings
from harness.storage.store import Store
from harness.training.batches import labelled_pairs

HEADER = "query-id\tcorpus-id\tscore\n"
DATA = os.environ.get("HARNESS_DATA")


def lines(*objects: object) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Six documents, of which the first has a title; thirty training queries and one to test on."""
    texts = [{"_id": f"d{n}", "text": f"text {n}"} for n in range(6)]
    queries = [{"_id": f"q{n}", "text": f"query {n}", "metadata": {}} for n in range(31)]
    (tmp_path / "mine/qrels").mkdir(parents=True)
    (tmp_path / "mine/corpus.jsonl").write_text(lines(texts[0] | {"title": "Title"}, *texts[1:]))
    (tmp_path / "mine/queries.jsonl").write_text(lines(*queries))
    train = [f"q{n}\td{n % 6}\t{1 + n % 2}\n" for n in range(30)]
    (tmp_path / "mine/qrels/train.tsv").write_text(HEADER + "".join(train))
    (tmp_path / "mine/qrels/test.tsv").write_text(f"{HEADER}q30\td0\t2\nq30\td1\t1\nq30\td2\t0\n")
    return tmp_path / "mine"


def refused(call) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_a_folder_holds(folder, tmp_path):
    collection = load_beir(folder)
    assert (collection.name, collection.simulation) == ("beir/mine", False)
    assert collection.documents[0] == "text 0" and collection.document_ids[5] == "d5"
    test = collection.queries["test"]
    assert (test.ids, test.texts) == (("q30",), ("query 30",))
    assert test.qrels == {"q30": {"d0": 4, "d1": 2, "d2": 0}}
    assert test.known_relevant == {"q30": ("d0", "d1")}
    save_collection(collection, tmp_path / "prepared.zip")
    assert load_collection(tmp_path / "prepared.zip") == collection


def test_titles_stand_before_texts_where_they_are_wanted(folder):
    collection = load_beir(folder, titles=True)
    assert collection.documents[:2] == ("Title text 0", "text 1")
    assert collection.fingerprint != load_beir(folder).fingerprint


def test_measures_are_those_of_the_judgements_as_given(folder):
    ranking = {"q30": {"d2": 3.0, "d1": 2.0, "d0": 1.0}}
    qrels = {"q30": {"d0": 2, "d1": 1, "d2": 0}}
    measures = {"nDCG@10": "nDCG@10", "RR(rel=2)@10": "RR@10", "R(rel=2)@2": "R@2"}
    values = evaluate(ranking, load_beir(folder).queries["test"].qrels, measures).set_index("measure")[
        "value"
    ]
    for ours, theirs in measures.items():
        expected = ir_measures.calc_aggregate([ir_measures.parse_measure(theirs)], qrels, ranking)
        assert values[ours] == pytest.approx(*expected.values())
    assert values["nDCG@10"] == pytest.approx((1 / np.log2(3) + 2 / 2) / (2 + 1 / np.log2(3)))


def test_every_judgement_of_relevance_is_a_training_pair(folder):
    assert len(labelled_pairs(load_beir(folder, dev_share=0)).pairs) == 30


def test_dev_queries_are_held_back_from_train_by_their_ids(folder):
    collection = load_beir(folder, dev_share=0.2)
    train, dev = (set(collection.queries[split].ids) for split in ("train", "dev"))
    assert len(dev) == 6 and len(train) == 24 and not train & dev
    path = folder / "qrels/train.tsv"
    header, *judged = path.read_text().splitlines(keepends=True)
    path.write_text(header + "".join(reversed(judged)))
    assert set(load_beir(folder, dev_share=0.2).queries["dev"].ids) == dev
    assert set(load_beir(folder).queries["dev"].ids) < dev
    assert "dev" not in load_beir(folder, dev_share=0).queries
    (folder / "qrels/test.tsv").rename(folder / "qrels/dev.tsv")
    default = load_beir(folder)
    assert (default.queries["dev"].ids, len(default.queries["train"])) == (("q30",), 30)


def test_a_folder_to_test_on_alone_serves_analyses_and_no_table(folder):
    (folder / "qrels/train.tsv").unlink()
    assert list(load_beir(folder).queries) == ["test"]
    message = refused(lambda: build_collection("beir", {"folder": str(folder)}))
    assert "qrels/train.tsv and qrels/dev.tsv missing" in message


def test_a_folder_without_test_queries_serves_tables_that_are_measured_on_dev(folder):
    (folder / "qrels/test.tsv").unlink()
    assert set(build_collection("beir", {"folder": str(folder)}).queries) == {"train", "dev"}


WRONG = [
    ("corpus.jsonl", 2, "{'_id': 1}\n", "broken JSON"),
    ("corpus.jsonl", 2, '{"_id": "d1"}\n', "'text' is missing"),
    ("corpus.jsonl", 2, '{"_id": 1, "text": ""}\n', "'_id' is not a text"),
    ("corpus.jsonl", 2, '["d1", "text"]\n', "'_id' is missing"),
    ("corpus.jsonl", 3, '{"_id": "d1", "text": "again"}\n', "id 'd1' occurs twice"),
    ("queries.jsonl", 1, '{"_id": "q0", "text": 4}\n', "'text' is not a text"),
    ("qrels/train.tsv", 1, "q0\td0\t1\n", "a judgement instead of a header"),
    ("qrels/train.tsv", 2, "q0 0 d0 1\n", "not a judgement"),
    ("qrels/train.tsv", 2, "q0\td0\t0.5\n", "not a judgement; write query, document and a whole number"),
    ("qrels/train.tsv", 3, "q99\td0\t1\n", "query 'q99' is not in queries.jsonl"),
    ("qrels/train.tsv", 3, "q1\td99\t1\n", "document 'd99' is not in corpus.jsonl"),
    ("qrels/train.tsv", 3, "q0\td0\t2\n", "document 'd0' is judged twice for query 'q0'"),
    (
        "corpus.jsonl",
        2,
        '{"_id": "d1", "text": "\\ud83d"}\n',
        "'text' has half of a surrogate pair at",
    ),
    (
        "corpus.jsonl",
        2,
        '{"_id": "d\\udc00", "text": ""}\n',
        "'_id' has half of a surrogate pair at",
    ),
    ("queries.jsonl", 1, '{"_id": "q0", "text": "so \\ud83d"}\n', "'text' has half of a surrogate pair"),
    ("qrels/train.tsv", 1, "q0\td0\t1.0\n", "a judgement instead of a header"),
    ("qrels/train.tsv", 1, "q0\t0\td0\t1\n", "a judgement instead of a header"),
    ("qrels/train.tsv", 2, f"q0\td0\t{10**30}\n", "grade 1e+30 is not a grade; give at most 1,000,000"),
    ("qrels/train.tsv", 2, "q30\td0\t1\n", None),
]


@pytest.mark.parametrize(("name", "number", "line", "message"), WRONG)
def test_a_wrong_line_is_named(folder, name, number, line, message):
    path = folder / name
    before = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*before[: number - 1], line, *before[number:]]))
    line_printed = refused(lambda: load_beir(folder))
    if message is None:  # a query of two splits is told where the second has it
        path, number, message = folder / "qrels/test.tsv", 2, "query 'q30' is judged in train.tsv, too"
    assert line_printed.startswith(f"{path}:{number}: ") and message in line_printed


def test_what_is_missing_is_named(folder, tmp_path):
    assert "dev_share 1.5" in refused(lambda: load_beir(folder, dev_share=1.5))
    assert "no such folder" in refused(lambda: load_beir(tmp_path / "nowhere"))
    (folder / "qrels/test.tsv").write_text(HEADER)
    assert "test.tsv: has no judgements" in refused(lambda: load_beir(folder))
    for name in ("train.tsv", "test.tsv"):
        (folder / "qrels" / name).unlink()
    assert "contains none of train.tsv, dev.tsv, test.tsv" in refused(lambda: load_beir(folder))
    (folder / "corpus.jsonl").unlink()
    assert "corpus.jsonl: file is missing" in refused(lambda: load_beir(folder))


def test_a_prepared_collection_is_made_again_when_a_file_changes(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    settings = CollectionSettings(
        kind="beir", parameters={"folder": "mine", "titles": False, "dev_share": 0.1}
    )
    stages = Stages(Store(tmp_path / "store"), Progress(quiet=True))
    before, path = stages.collections.get(settings), stages.collections.path(settings)
    assert path.exists() and before.documents[1] == "text 1"
    corpus = folder / "corpus.jsonl"
    corpus.write_text(corpus.read_text().replace("text 1", "changed"))
    assert stages.collections.path(settings) != path
    assert stages.collections.get(settings).documents[1] == "changed"
    shutil.rmtree(folder)
    assert "no such folder" in refused(lambda: collection_key("beir", settings.model_dump()))


def test_the_page_tells_the_truth(folder):
    page = (Path(__file__).parents[2] / "docs/your-own-collection.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    choice = TypeAdapter(CollectionChoice).validate_python(yaml.safe_load(block)["collections"]["quick"])
    written = {"folder": "mine", "titles": True, "dev_share": DEV_SHARE}
    assert choice.settings == written | {"own_documents": "out", "absent": "refused"}
    assert build_collection(choice.kind, choice.settings | {"folder": str(folder)}).about["titles"] is True


def test_only_a_collection_of_a_datasets_name_is_the_papers_own():
    assert stand_in("beir/scifact", "SciFact") is None
    assert stand_in("beir/scifact", "MS MARCO passage") == "beir/scifact stands in for MS MARCO passage"
    assert stand_in("pydocs", "pydocs") is not None


@pytest.mark.parametrize(
    ("name", "documents", "queries"),
    [("scifact", 5183, 300), ("nfcorpus", 3633, 323), ("squad", 6077, 5068)],
)
def test_published_collections(name, documents, queries, tmp_path):
    folder = Path(DATA or ".") / name
    packed = folder.with_name(f"{name}.tar.gz")
    if not DATA or not (folder.is_dir() or packed.exists()):
        pytest.skip(f"HARNESS_DATA has no {name}")
    if not folder.is_dir():
        with tarfile.open(packed) as archive:
            archive.extractall(tmp_path, filter="data")
        folder = tmp_path / name
    collection = load_beir(folder)
    assert (len(collection.documents), len(collection.queries["test"])) == (documents, queries)
    assert set(collection.queries) == {"train", "dev", "test"}
    ranking = {
        query: {document: -float(place) for place, document in enumerate(collection.document_ids[:100])}
        for query in collection.queries["test"].ids
    }
    judgements = list(ir_measures.read_trec_qrels(_as_trec(folder / "qrels/test.tsv")))
    measures = {"nDCG@100": ir_measures.nDCG @ 100, "R(rel=2)@100": ir_measures.R @ 100}
    expected = ir_measures.calc_aggregate(list(measures.values()), judgements, ranking)
    values = evaluate(ranking, collection.queries["test"].qrels, measures).groupby("measure")["value"].mean()
    for ours, theirs in measures.items():
        assert values[ours] == pytest.approx(expected[theirs])


def _as_trec(path: Path) -> str:
    judged = (line.split("\t") for line in path.read_text().splitlines()[1:])
    return "".join(f"{query} 0 {document} {grade}\n" for query, document, grade in judged)
