"""Each source against what it says it proposes, over small embeddings."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from harness.errors import UserError
from harness.negatives.mining import Miner, Reads, load_candidates, save_candidates, score_proposal
from harness.negatives.registry import SOURCES, make_source
from harness.negatives.sources import source
from harness.negatives.sources.file import read_run
from harness.negatives.sources.source import View, keep
from harness.pieces import by_content, settings_of

PAIRS, DOCUMENTS, DIMENSION, K = 30, 200, 8, 12


@pytest.fixture(scope="module")
def view() -> View:
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(DOCUMENTS, DIMENSION)).astype(np.float32)
    positive = rng.choice(DOCUMENTS, PAIRS)
    masked = [np.array(sorted({p, (p + 1) % DOCUMENTS})) for p in positive]
    lexical = rng.random((PAIRS, DOCUMENTS)).astype(np.float32)
    lexical[lexical < 0.8] = 0

    def search(depth: int):
        order = np.argsort(-lexical, axis=1, kind="stable")[:, :depth]
        return np.take_along_axis(lexical, order, axis=1), order

    return View(
        pairs=np.stack([np.arange(PAIRS), positive], axis=1),
        queries=documents[positive] + rng.normal(size=(PAIRS, DIMENSION)).astype(np.float32),
        documents=documents,
        masked=masked,
        query_ids=[f"q{i}" for i in range(PAIRS)],
        document_number={f"d{i}": i for i in range(DOCUMENTS)},
        lexical=search,
        previous=None,
        seed=3,
        round=0,
    )


def run_file(path, view, score, depth=40):
    """A TREC run of the `depth` best documents of each query."""
    order = np.argsort(-score, axis=1)[:, :depth]
    path.write_text(
        "".join(
            f"{view.query_ids[row]} Q0 d{d} {rank + 1} {score[row, d]:.6f} x\n"
            for row, documents in enumerate(order)
            for rank, d in enumerate(documents)
        )
    )
    return str(path)


def source_spec(name: str, view: View, folder):
    """Every source by name, as a spec would write it."""
    score = view.queries @ view.documents.T
    return {
        "union": {"name": "union", "parts": ["top-k", "top-k-by-positive"]},
        "subset": {"name": "subset", "of": "top-k", "keep": 5},
        "denoised": {"name": "denoised", "of": "top-k", "ranker": "retriever", "at_least": 3},
        "file": {"name": "file", "path": run_file(folder / "run.trec", view, score)},
    }.get(name, name)


@pytest.mark.parametrize("name", SOURCES)
def test_candidates_are_distinct_unmasked_and_scored(view, tmp_path, name):
    if name == "previous":
        view = replace(view, previous=score_proposal(view, make_source("top-k"), K, "m"))
    candidates = score_proposal(view, make_source(source_spec(name, view, tmp_path)), K, "m")
    assert candidates.valid.any(axis=1).all()
    for row in range(PAIRS):
        documents = candidates.document[row][candidates.valid[row]]
        assert len(set(documents.tolist())) == len(documents)
        assert not np.isin(documents, view.masked[row]).any()
        np.testing.assert_allclose(
            candidates.score[row][candidates.valid[row]],
            view.documents[documents] @ view.queries[row],
            rtol=1e-4,
        )
    positive = view.documents[view.pairs[:, 1]]
    np.testing.assert_allclose(
        candidates.positive_score, np.einsum("rd,rd->r", view.queries, positive), rtol=1e-4
    )
    again = score_proposal(view, make_source(source_spec(name, view, tmp_path)), K, "m")
    np.testing.assert_array_equal(candidates.document, again.document)


def numbers(some):
    return np.array(some, dtype=np.int64)


@pytest.mark.parametrize(
    ("scores", "similarities"), [([2, 3, 29], [3]), ([], [0, 5]), (range(PAIRS), []), ([7], range(PAIRS))]
)
@pytest.mark.parametrize("name", ["top-k", "union"])
def test_what_is_not_read_is_not_scored_and_the_rest_stays_as_it_is(
    view, tmp_path, name, scores, similarities
):
    source = make_source(source_spec(name, view, tmp_path))
    whole, reads = score_proposal(view, source, K, "m"), Reads(numbers(scores), numbers(similarities))
    part = score_proposal(view, source, K, "m", reads)
    assert np.array_equal(part.document, whole.document)
    for column, read in (("score", scores), ("positive_similarity", similarities)):
        found, expected = getattr(part, column), getattr(whole, column)
        unread = np.setdiff1d(np.arange(PAIRS), read)
        np.testing.assert_allclose(found[list(read)], expected[list(read)], rtol=1e-5)
        assert np.isnan(found[unread]).all()


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"gold"}))  # its pool is made of the pairs
def test_rows_do_not_depend_on_each_other(view, tmp_path, name):
    """What a pair gets is the same whichever pairs are mined with it."""
    source = make_source(source_spec(name, view, tmp_path))
    if name == "previous":
        view = replace(view, previous=score_proposal(view, make_source("top-k"), K, "m"))
    whole = score_proposal(view, source, K, "m")
    some = np.array([4, 7, 21])
    part = replace(
        view,
        pairs=view.pairs[some],
        queries=view.queries[some],
        masked=[view.masked[row] for row in some],
        lexical=lambda depth: tuple(array[some] for array in view.lexical(depth)),
        previous=None if view.previous is None else view.previous.rows(some),
    )
    alone = score_proposal(part, source, K, "m")
    for place, row in enumerate(some):
        assert (
            alone.document[place][alone.valid[place]].tolist()
            == whole.document[row][whole.valid[row]].tolist()
        )


@pytest.mark.parametrize("most", [0, 1, 5])
def test_masked_documents_are_left_out_of_each_row_however_many_a_row_has(view, most):
    rng = np.random.default_rng(most)
    masked = [rng.choice(DOCUMENTS, rng.integers(most + 1), replace=False) for _ in range(PAIRS)]
    ranked = np.stack([rng.permutation(DOCUMENTS) for _ in range(PAIRS)])
    ranked[0, -9:] = -1
    kept = keep(replace(view, masked=masked), ranked, DOCUMENTS)
    for row, some in enumerate(masked):
        expected = [document for document in ranked[row] if document >= 0 and document not in some]
        assert kept.document[row][kept.valid[row]].tolist() == expected


def test_top_k_is_the_best_of_the_unmasked(view):
    candidates = score_proposal(view, make_source("top-k"), K, "m")
    for row, masked in enumerate(view.masked):
        score = view.documents @ view.queries[row]
        score[masked] = -np.inf
        assert set(candidates.document[row].tolist()) == set(np.argsort(-score)[:K].tolist())


def test_k_counts_before_or_after_positives_are_removed(view):
    candidates = score_proposal(view, make_source("top-k"), K, "m")
    before = score_proposal(view, make_source({"name": "top-k", "count": "retrieved"}), K, "m")
    assert candidates.valid.all()
    best = np.argsort(-(view.queries @ view.documents.T), axis=1)[:, :K]
    removed = np.array([np.isin(row, some).sum() for row, some in zip(best, view.masked, strict=True)])
    np.testing.assert_array_equal(before.valid.sum(axis=1), K - removed)
    np.testing.assert_array_equal(before.positive_retrieved, (best == view.pairs[:, 1:]).any(axis=1))
    assert removed.sum() > 0


def test_top_k_by_positive_looks_from_the_positive(view):
    candidates = score_proposal(view, make_source("top-k-by-positive"), K, "m")
    similarity = view.documents[view.pairs[:, 1]] @ view.documents.T
    for row, masked in enumerate(view.masked):
        similarity[row, masked] = -np.inf
        assert candidates.positive_similarity[row].min() >= np.sort(similarity[row])[-K] - 1e-4


def test_bm25_proposes_only_documents_that_share_a_word(view):
    candidates = score_proposal(view, make_source("bm25"), K, "m")
    lexical, order = view.lexical(DOCUMENTS)
    shared = [set(order[row][lexical[row] > 0].tolist()) for row in range(PAIRS)]
    assert all(
        set(candidates.document[row][candidates.valid[row]].tolist()) <= shared[row] for row in range(PAIRS)
    )


def test_a_pair_without_candidates_gets_random_documents_and_it_is_said(view):
    def nothing(depth: int):
        scores, numbers = view.lexical(depth)
        scores = scores.copy()
        scores[5] = 0
        return scores, numbers

    with pytest.warns(UserWarning, match="1 pair.s. have no candidate from source 'bm25'"):
        candidates = score_proposal(replace(view, lexical=nothing), make_source("bm25"), K, "m")
    assert candidates.valid[5].sum() == K
    assert candidates.valid[[0, 1]].sum() <= 2 * K


def test_of_many_documents_the_chosen_ones_are_gathered(view, monkeypatch):
    """To the last digits what is picked from the products with all documents, and for the same rows."""
    chosen, rows = np.arange(24).reshape(4, 6) % len(view.documents), np.array([3, 0])
    vectors = view.queries[:4]
    picked = source._products(vectors, view.documents, chosen, rows)
    monkeypatch.setattr(source, "MANY", len(view.documents) - 1)
    monkeypatch.setattr(source, "ROWS_GATHERED", 1)
    gathered = source._products(vectors, view.documents, chosen, rows)
    assert np.isnan(gathered[[1, 2]]).all() and np.isfinite(gathered[rows]).all()
    assert np.allclose(gathered, picked, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_corpus_is_uniform_over_all_unmasked_documents(view):
    many = 2000
    views = replace(
        view,
        pairs=np.stack([np.arange(many), np.zeros(many, int)], axis=1),
        queries=np.repeat(view.queries[:1], many, axis=0),
        masked=[np.array([0, 1])] * many,
    )
    candidates = make_source("corpus").propose(views, K)
    count = np.bincount(candidates.document.ravel(), minlength=DOCUMENTS)
    assert count[[0, 1]].sum() == 0
    assert stats.chisquare(count[2:]).pvalue > 1e-4
    other = make_source("corpus").propose(replace(views, round=1), K)
    assert np.mean(candidates.document == other.document) < 0.1


def test_gold_takes_positives_of_other_pairs(view):
    candidates = score_proposal(view, make_source("gold"), K, "m")
    assert set(candidates.document[candidates.valid].tolist()) <= set(view.pairs[:, 1].tolist())


def test_union_counts_a_document_for_its_first_part(view):
    union = make_source({"name": "union", "parts": ["top-k", "top-k-by-positive"]})
    candidates = score_proposal(view, union, K, "m")
    first = score_proposal(view, make_source("top-k"), K, "m").document
    second = score_proposal(view, make_source("top-k-by-positive"), K, "m").document
    for row in range(PAIRS):
        parts = [
            set(candidates.document[row][candidates.valid[row] & (candidates.origin[row] == o)].tolist())
            for o in (0, 1)
        ]
        assert parts[0] == set(first[row].tolist())
        assert parts[1] == set(second[row].tolist()) - parts[0]


def test_ance_tele_pool_grows_by_what_is_new(view):
    """30 and 30 in the code; 5 and 5 here: 10, then at most 20, with all of the round before."""
    parts = [{"name": "subset", "of": name, "keep": 5} for name in ("top-k", "top-k-by-positive")]
    source = make_source({"name": "union", "parts": [*parts, "previous"]})
    first = score_proposal(view, source, K, "m")
    second = score_proposal(replace(view, round=1, previous=first), source, K, "m")
    for row in range(PAIRS):
        before = set(first.document[row][first.valid[row]].tolist())
        after = set(second.document[row][second.valid[row]].tolist())
        assert before <= after and len(before) <= 10 and len(after) <= 20
    assert second.valid.sum() > first.valid.sum()


def test_file_scores_take_the_place_of_the_models(view, tmp_path):
    score = np.random.default_rng(9).normal(size=(PAIRS, DOCUMENTS))
    path = run_file(tmp_path / "run.trec", view, score, depth=DOCUMENTS)
    candidates = score_proposal(view, make_source({"name": "file", "path": path, "scores": "file"}), K, "m")
    for row in (0, 11):
        np.testing.assert_allclose(candidates.score[row], score[row, candidates.document[row]], atol=1e-5)
    np.testing.assert_allclose(
        candidates.positive_score, score[np.arange(PAIRS), view.pairs[:, 1]], atol=1e-5
    )
    assert np.isnan(candidates.positive_similarity).all()


LINE = "q0 Q0 d1 1 2.5 x\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LINE + "q0 Q0 d2\n", r"run\.trec:2: not six fields \(1 of 2 lines\); six fields a line"),
        (LINE + "\nq0 Q0 d2 2 1.5\n", r"run\.trec:3: not six fields"),
        (LINE + "q0 Q0 d 2 2 1.5 x\n", r"run\.trec:2: not six fields"),
        ("q0 Q0 d 2 a 1 1.5 x\n", r"run\.trec:1: not six fields"),
        ("q0 Q0 d1 1 high x\n", r"run\.trec:1: the score is no finite number \(1 of 1 lines\)"),
        (LINE + "q0 Q0 d2 2 nan x\nq0 Q0 d3 3 inf x\n", r"run\.trec:2: the score .* \(2 of 3 lines\)"),
        ("q0 Q0 d1 1 1e400 x\n", "the score is no finite number"),
        ("q0 Q0 d1 1 -1e39 x\n", "the score is no finite number .*; write a number that 32 bits hold"),
        (LINE + "q1 Q0 d1 1 2.5 x\n" + LINE, r"run\.trec:3: a document that the query has already"),
        ("", r"run\.trec: not a TREC run file \(it is empty\)"),
        ("\n\n", "it is empty"),
        (b"q0 Q0 d\xff 1 2.5 x\n", r"run\.trec: not a TREC run file \('utf-8' codec"),
        (b"\0\0\0", r"run\.trec: not a TREC run file|run\.trec:1: not six fields"),
        ("q0 Q0 e77 1 2.5 x\n", "document 'e77' is not in the collection"),
        ("Q0 Q0 d1 1 2.5 x\n", "none of the queries of .* is in the file; retrieve for the training queries"),
    ],
)
def test_wrong_files_are_told_by_line(view, tmp_path, content, said):
    path = tmp_path / "run.trec"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=said) as refused:
        score_proposal(view, make_source({"name": "file", "path": str(path)}), K, "m")
    assert "\n" not in str(refused.value)


def test_blanks_in_ids_are_written_as_in_addresses(view, tmp_path):
    ids = {"a b": 3, "a%20b": 4, "c%": 5, **{f"d{number}": number for number in range(6, DOCUMENTS)}}
    named = replace(view, document_number=ids, query_ids=("q 0", *view.query_ids[1:]))
    path = tmp_path / "run.trec"
    path.write_text("q%200 Q0 a%2520b 1 3.5 x\nq%200 Q0 c% 2 2.5 x\nq%200 Q0 d9 3 1.5 x\n")
    proposal = make_source({"name": "file", "path": str(path)}).propose(named, K)
    assert proposal.document[0].tolist() == [4, 5, 9]
    assert not proposal.valid[1:].any()


def test_positives_must_have_scores_where_those_of_the_file_count(view, tmp_path):
    path = tmp_path / "run.trec"
    path.write_text(LINE)
    with pytest.raises(UserError, match=r"positive.s. have no score, the first of query 'q0'"):
        score_proposal(view, make_source({"name": "file", "path": str(path), "scores": "file"}), K, "m")


@pytest.mark.parametrize("name", ["run.trec", "run.trec.gz"])
def test_a_folder_or_a_torn_file_is_told(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="not a TREC run file"):
        read_run(str(tmp_path / name))
    (tmp_path / "torn.gz").write_bytes(gzip.compress(LINE.encode() * 999)[:-9])
    with pytest.raises(UserError, match=r"torn\.gz: not a TREC run file"):
        read_run(str(tmp_path / "torn.gz"))


def test_ids_are_read_as_they_stand(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text(
        '\ufeffNA Q0 null 1 2.5 x\r\n\r\nNA\tQ0\t"a 2 2.5 x\n007 Q0 d\u00a0e 1 3e38 x\n', encoding="utf-8"
    )
    run = read_run(str(path))
    assert {query: list(part["document"]) for query, part in run.items()} == {
        "NA": ['"a', "null"],
        "007": ["d\u00a0e"],
    }


def test_runs_depend_on_a_files_content_not_on_its_path(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for path in (one, other):
        path.write_text("q0 Q0 d1 1 2.5 x\n")
    hashed = [by_content(settings_of(make_source({"name": "file", "path": str(p)}))) for p in (one, other)]
    assert hashed[0] == hashed[1]
    other.write_text("q0 Q0 d2 1 2.5 x\n")
    assert by_content(settings_of(make_source({"name": "file", "path": str(other)}))) != hashed[0]


def test_denoising_removes_what_the_retriever_prefers(view):
    whole = score_proposal(view, make_source("top-k"), K, "m")
    source = {"name": "denoised", "of": "top-k", "ranker": "retriever", "below": 0.4, "at_least": 3}
    candidates = score_proposal(view, make_source(source), K, "m")
    np.testing.assert_array_equal(candidates.document, whole.document)
    doubtful = 1 / (1 + np.exp(-whole.gap())) >= 0.4
    enough = (~doubtful).sum(axis=1) >= 3
    np.testing.assert_array_equal(candidates.valid[enough], ~doubtful[enough])
    least = np.argsort(whole.gap(), axis=1)[:, :3]
    assert (candidates.valid[~enough].sum(axis=1) == 3).all() and (~enough).any() and enough.any()
    assert np.take_along_axis(candidates.valid, least, axis=1).all()


def test_denoising_by_a_rankers_file(view, tmp_path):
    probability = np.random.default_rng(1).random((PAIRS, DOCUMENTS))
    path = run_file(tmp_path / "ranker.trec", view, probability, depth=DOCUMENTS)
    source = {"name": "denoised", "of": "top-k", "ranker": path, "below": 0.5, "at_least": 1}
    candidates = score_proposal(view, make_source(source), K, "m")
    read = np.take_along_axis(probability, candidates.document, axis=1)
    enough = (read < 0.5).any(axis=1)
    np.testing.assert_array_equal(candidates.valid[enough], (read < 0.5)[enough])


def test_denoising_by_scores_that_are_no_probabilities_is_refused(view, tmp_path):
    path = run_file(tmp_path / "ranker.trec", view, view.queries @ view.documents.T)
    with pytest.raises(UserError, match=r"ranker\.trec: a score that is no probability; write"):
        score_proposal(view, make_source({"name": "denoised", "of": "top-k", "ranker": path}), K, "m")
    (tmp_path / "ranker.trec").write_text("other Q0 d1 1 0.5 x\n")
    with pytest.raises(UserError, match="none of the queries"):
        score_proposal(view, make_source({"name": "denoised", "of": "top-k", "ranker": path}), K, "m")


@pytest.mark.parametrize("name", ["union", "subset", "denoised"])
def test_settings_make_the_same_source_again(view, tmp_path, name):
    source = make_source(source_spec(name, view, tmp_path))
    assert make_source(settings_of(source)) == source


def test_candidates_survive_their_file(view, tmp_path):
    candidates = score_proposal(view, make_source({"name": "union", "parts": ["top-k", "corpus"]}), K, "m")
    save_candidates(candidates, tmp_path / "c.npz", "k, round 1")
    read = load_candidates(tmp_path / "c.npz", "k, round 1")
    with pytest.raises(UserError, match="these are the candidates of k, round 1; delete it and run again"):
        load_candidates(tmp_path / "c.npz", "k, round 2")
    for name, value in candidates.__dict__.items():
        np.testing.assert_array_equal(value, getattr(read, name))


def test_without_texts_bm25_says_what_it_lacks(view):
    miner = Miner(make_source("bm25"), K, view.pairs, view.masked)
    with pytest.raises(UserError, match="BM25 needs the texts"):
        miner.mine(view.queries, view.documents, model="m", seed=0)
