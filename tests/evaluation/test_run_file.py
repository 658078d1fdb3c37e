"""Run files of other systems: checked at the border, ranked as trec_eval ranks them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import ir_measures
import numpy as np
import pytest

from harness.collections.collection import Collection, Queries
from harness.errors import UserError
from harness.evaluation.measures import evaluate
from harness.evaluation.rankings import make_ranking, write_ranking
from harness.evaluation.run_file import RunFile, read_run_file, shallow

QRELS = {"q1": {"d1": 2, "d2": 0}, "q2": {"d3": 2}, "q 3": {"d4": 2}}

Write = Callable[..., Path]


def collection(ids: tuple[str, ...] = tuple(f"d{n}" for n in range(40))) -> Collection:
    queries = Queries(tuple(QRELS), ("one", "two", "three"), QRELS, {})
    return Collection("small", False, ids, tuple("text" for _ in ids), {"test": queries})


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(*lines: str, name: str = "system.run") -> Path:
        path = tmp_path / name
        text = "".join(f"{line}\n" for line in lines)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return written


def read(path: Path) -> RunFile:
    return read_run_file(path, collection(), "test")


GOOD = ("q1 Q0 d2 1 3.5 mine", "q1 Q0 d1 2 2.5 mine", "q2 Q0 d3 1 1e2 mine", "q%203 Q0 d4 1 -1 mine")


@pytest.mark.parametrize("name", ["system.run", "system.trec.gz", "packed.run"])
def test_plain_and_gzipped_files_are_read(write: Write, name: str) -> None:
    path = write(*GOOD, name=name)
    if name == "packed.run":
        path.write_bytes(gzip.compress(path.read_bytes()))
    file = read(path)
    assert {query: list(documents) for query, documents in file.ranking.items()} == {
        "q1": ["d2", "d1"],
        "q2": ["d3"],
        "q 3": ["d4"],
    }
    assert (file.tag, file.deepest, file.remarks) == ("mine", 2, ())


def test_what_we_write_comes_back(tmp_path: Path) -> None:
    rng, ids = np.random.default_rng(0), collection().document_ids
    scores = -np.sort(-rng.normal(size=(3, 40)).astype(np.float32), axis=1)
    ranking = make_ranking(list(QRELS), ids, scores, np.stack([rng.permutation(40) for _ in range(3)]))
    write_ranking(ranking, tmp_path / "run.trec.gz", tag="ours")
    file = read(tmp_path / "run.trec.gz")
    assert file.remarks == () and file.ranking.keys() == ranking.keys()
    for query, documents in ranking.items():
        assert list(file.ranking[query]) == list(documents)
        assert np.allclose(list(file.ranking[query].values()), list(documents.values()), rtol=1e-7)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("q2 Q0 d3 1 0.5", ":4: 5 columns; a line of a run file has six columns: query, Q0, document"),
        ("q2 0 d3 1", ":4: 4 columns, as judgements have; "),
        ("q2 Q0 d3 1 0.5 my tag", ":4: 7 columns; "),
        ("q2,Q0,d3,1,0.5,mine", ":4: 1 column; "),
        ("q2 Q0 d3 first 0.5 mine", ":4: rank 'first' is no whole number; "),
        ("q2 Q0 d3 1 high mine", ":4: score 'high' is no number; "),
        ("q2 Q0 d3 1 nan mine", ":4: score 'nan' is no finite number of 32 bits, as trec_eval reads scores"),
        ("q2 Q0 d3 1 -inf mine", ":4: score '-inf' is no finite number"),
        ("q2 Q0 d3 1 1e39 mine", ":4: score '1e39' is no finite number"),
        ("q1 Q0 d1 3 0.5 mine", ":4: document 'd1' is ranked a second time for query 'q1'; keep one"),
        ("q2 Q0 D3 1 0.5 mine", ":4: 1 document is not in small, the first 'D3'; rank the documents of this"),
    ],
)
def test_a_wrong_line_is_refused_by_its_number(write: Write, line: str, expected: str) -> None:
    path = write(*GOOD[:2], "", line, *GOOD[2:])
    with pytest.raises(UserError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}{expected}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ": holds no line; name a run file of TREC, plain or gzipped"),
        (b"\n \n", ": holds no line"),
        (b"\x80\x81\x82 Q0", ":1: not a text in UTF-8"),
        (b"PK\x03\x04\x00\x00", ":1: not a text"),
        (gzip.compress(b"q1 Q0 d1 1 1 mine\n", mtime=0)[:-9], ": cannot be read ("),
        (b"\x1f\x8bnot gzip", ": cannot be read ("),
        (
            b"q9 Q0 d1 1 1 mine\n",
            ": none of the 3 test queries of small, such as 'q1', has a line; rank these",
        ),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "system.run"
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}{expected}")


def test_unknown_documents_are_counted_and_those_of_other_queries_are_not(write: Write) -> None:
    path = write(*GOOD, "q2 Q0 x1 2 0 mine", "q1 Q0 x2 3 0 mine", "q1 Q0 x1 4 0 mine", "q9 Q0 x3 1 0 mine")
    with pytest.raises(UserError, match=r"run:5: 2 documents are not in small, the first 'x1'; "):
        read(path)


def test_other_queries_are_left_out_and_missing_ones_count_as_0(write: Write) -> None:
    file = read(write("q8 Q0 d1 1 2 mine", *GOOD[:2], "q8 Q0 d2 2 1 mine", "q9 Q0 d1 1 2 mine"))
    assert list(file.ranking) == ["q1"]
    others, missing = file.remarks
    assert others.startswith("2 queries of ") and "(the first: 'q8', line 1); left out, 3 lines." in others
    assert missing.startswith("2 of 3 test queries have no line in ")
    assert missing.endswith("(the first: 'q2'); each counts as 0.")
    values = evaluate(file.ranking, QRELS, ["RR(rel=2)@10"]).set_index("query")["value"]
    assert values.to_dict() == {"q1": 0.5, "q2": 0.0, "q 3": 0.0}


def test_scores_decide_and_not_ranks_or_lines(write: Write) -> None:
    file = read(write("q1 Q0 d5 2 1.0 mine", "q1 Q0 d6 1 3.0 mine", "q1 Q0 d7 3 2.0 mine", *GOOD[2:]))
    assert list(file.ranking["q1"]) == ["d6", "d7", "d5"]
    (remark,) = file.remarks
    assert (
        remark.startswith("Ranks in ")
        and "disagree with scores for 1 query (the first: 'q1', line 1)" in remark
    )
    in_order = read(write("q1 Q0 d5 9 1.0 mine", "q1 Q0 d6 0 3.0 mine", "q1 Q0 d7 4 2.0 mine", *GOOD[2:]))
    assert in_order.remarks == () and in_order.ranking == file.ranking


def test_ties_are_broken_as_trec_eval_breaks_them(write: Write) -> None:
    """Also those that are ties as 32-bit numbers alone: ir_measures, asked directly, has the same values."""
    rng, lines, raw = np.random.default_rng(1), [], {}
    for query in QRELS:
        for rank, document in enumerate(rng.permutation(40), start=1):
            score = round(float(rng.normal()), 1) + float(rng.integers(0, 3)) * 1e-9
            lines.append(f"{query.replace(' ', '%20')} Q0 d{document} {rank} {score:.12f} mine")
            raw.setdefault(query, {})[f"d{document}"] = float(f"{score:.12f}")
    file = read(write(*lines))
    assert any(remark.startswith("Scores are tied for 3 queries: ") for remark in file.remarks)
    names = ["nDCG@10", "R(rel=2)@10", "AP(rel=2)"]
    ours = evaluate(file.ranking, QRELS, names).groupby("measure")["value"].mean()
    measures = [ir_measures.parse_measure(name) for name in names]
    direct = ir_measures.pytrec_eval.calc_aggregate(measures, QRELS, raw)
    assert {str(measure): value for measure, value in direct.items()} == pytest.approx(
        ours.to_dict(), abs=1e-12
    )
    single = [value for documents in file.ranking.values() for value in np.diff(list(documents.values()))]
    assert max(single) < 0


def test_a_document_that_is_the_query_is_left_out(write: Write) -> None:
    own = collection(("q1", *(f"d{n}" for n in range(9))))
    file = read_run_file(write("q1 Q0 q1 1 9 mine", "q1 Q0 d1 2 8 mine", *GOOD[2:]), own, "test")
    assert list(file.ranking["q1"]) == ["d1"]
    assert file.remarks == ("1 document is the query itself; left out, as of all rankings on small.",)


def test_remarks_before_the_first_line_are_passed_over(write: Write) -> None:
    file = read(write("# ir_metadata.start", "# platform:", "#   a: b c d e", "#end", *GOOD))
    assert len(file.ranking) == 3 and file.remarks == ()


def test_measures_that_read_deeper_than_the_file_are_named(write: Write) -> None:
    file = read(write(*GOOD))
    assert shallow(file, ["RR(rel=2)@1", "nDCG@2"], 40) == []
    (line,) = shallow(file, ["nDCG@2", "R(rel=2)@50"], 40)
    assert line == "It ranks at most 2 documents a query, fewer than these read: R(rel=2)@50."
    assert shallow(file, ["R(rel=2)@50"], 2) == []
