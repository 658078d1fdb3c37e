from collections import Counter

import pytest

from harness.collections.collection import RELEVANT
from harness.collections.pydocs import build_pydocs
from harness.collections.pydocs.clean import Entry
from harness.collections.pydocs.clusters import (
    deduplicate,
    jaccard,
    join,
    near_same_wording,
    normalised,
    similar,
)
from harness.collections.pydocs.markup import words
from harness.collections.pydocs.packages import PACKAGES, SKIPPED, pinned_version, read_pins, source_files
from harness.collections.pydocs.see_also import NameIndex
from harness.collections.pydocs.splits import NEAR, cluster_entries, judgements, make_queries, split_of
from harness.errors import UserError

EVALUATED = ("dev", "test", "see-also")


@pytest.fixture(scope="module")
def networkx():
    return build_pydocs(packages=("networkx",))


def make(name, summary, body="one two three four five six seven eight nine ten"):
    return Entry(f"pkg:pkg.{name}", summary, body, ())


def test_built_twice_is_the_same(networkx):
    assert build_pydocs(packages=("networkx",)).fingerprint == networkx.fingerprint


def test_training_queries_have_one_labelled_positive_among_the_known_relevant(networkx):
    train = networkx.queries["train"]
    for query in train.ids:
        ((document, grade),) = train.qrels[query].items()
        assert grade == RELEVANT
        assert query == f"q:{document}"
        assert document in train.known_relevant[query]
        assert set(train.known_relevant[query]) <= set(networkx.document_ids)


def test_evaluation_queries_grade_known_relevant_2_and_their_twins_1(networkx):
    for split in EVALUATED:
        queries = networkx.queries[split]
        for query in queries.ids:
            relevant = {d for d, grade in queries.qrels[query].items() if grade == RELEVANT}
            assert relevant == set(queries.known_relevant[query])
            assert set(queries.qrels[query].values()) <= {NEAR, RELEVANT}


def test_no_query_text_occurs_twice_and_no_twin_is_in_train(networkx):
    texts = {
        split: [normalised(text) for text in queries.texts] for split, queries in networkx.queries.items()
    }
    assert max(Counter(text for split in texts.values() for text in split).values()) == 1
    train = [frozenset(text.split()) for text in texts["train"]]
    for text in texts["test"]:
        held_out = frozenset(text.split())
        assert all(jaccard(held_out, trained) < 0.8 for trained in train)


def test_judged_documents_of_a_query_are_of_its_split(networkx):
    home = {}
    for split in ("train", "dev", "test"):
        queries = networkx.queries[split]
        for query in queries.ids:
            for document in queries.known_relevant[query]:
                assert home.setdefault(document, split) == split
    see_also = networkx.queries["see-also"]
    assert all(home.get(d, "test") == "test" for query in see_also.ids for d in see_also.qrels[query])


def test_documents_hold_no_see_also_section(networkx):
    assert not any("See Also" in document for document in networkx.documents)
    assert len(set(networkx.document_ids)) == len(networkx.documents)
    assert list(networkx.document_ids) == sorted(networkx.document_ids)


def test_deduplicate_keeps_the_smallest_id_of_equal_beginnings():
    long = " ".join(f"w{at}" for at in range(128))
    entries = [make("b", "Second", long + " end"), make("a", "First", long + " other"), make("c", "Third")]
    assert [entry.id for entry in deduplicate(entries)] == ["pkg:pkg.a", "pkg:pkg.c"]


def test_near_same_wording_and_links():
    text = " ".join(f"w{at}" for at in range(40))
    entries = [
        make("a", "", text),
        make("b", "", text.replace("w20", "x")),
        make("c", "", "quite another text"),
    ]
    assert near_same_wording(entries) == [(0, 1)]
    assert join(5, [(3, 1), (4, 3)]) == [0, 1, 2, 1, 1]


def test_similar_counts_an_empty_set_as_similar_to_none():
    assert similar([{1, 2}, set(), {1, 2, 3}, set()], 0.6, rows=2) == [(0, 2)]


def test_judgements_grade_twins_lower():
    body = " ".join(f"w{at}" for at in range(30))
    entries = [
        make("a.fit", "Fit the model to data.", body),
        make("b.fit", "Fit the model to data!", " ".join(f"v{at}" for at in range(30))),
        make("c.fit", "Fit a model to data.", " ".join(f"u{at}" for at in range(30))),
        make("d.other", "Something else is done here.", body + " end"),
    ]
    groups = cluster_entries(entries)
    assert len(set(groups.split)) == 1  # one cluster: chained by summary, by name and by wording
    assert groups.summaries[0] == [0, 1]
    grades = judgements([0, 1], groups, entries)
    assert grades == {"pkg:pkg.a.fit": 2, "pkg:pkg.b.fit": 2, "pkg:pkg.c.fit": 1, "pkg:pkg.d.other": 1}
    assert len(make_queries(groups.split[0], groups, entries)) == 3


def test_split_depends_on_the_name_alone_and_has_its_share():
    counts = Counter(split_of(f"name {number}") for number in range(20_000))
    assert counts["test"] / 20_000 == pytest.approx(0.15, abs=0.01)
    assert counts["dev"] / 20_000 == pytest.approx(0.06, abs=0.01)


def test_names_resolve_in_the_nearest_scope_and_never_by_luck():
    ids = ["a:a.x.f", "a:a.y.f", "a:a._z.g", "a:a.K", "a:a.K.m", "b:b._c.h", "a:a.x.other"]
    names = NameIndex(ids)
    assert names.resolve("f", "a:a.x.other") == "a:a.x.f"
    assert names.resolve("f", "a:a.K") is None
    assert names.resolve("a.g", "a:a.x.f") == "a:a._z.g"
    assert names.resolve("b.h", "a:a.x.f") == "b:b._c.h"
    assert names.resolve("h", "a:a.x.f") is None
    assert names.resolve("m", "a:a.x.f") is None
    assert names.resolve("m", "a:a.K.n") == "a:a.K.m"
    assert names.resolve("K.m", "a:a.x.f") == "a:a.K.m"


def test_another_version_names_both(tmp_path):
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("networkx==0.1  # old\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"networkx .* is installed but 0\.1 is pinned"):
        build_pydocs(constraints, packages=("networkx",))
    with pytest.raises(UserError, match="sympy is not pinned"):
        build_pydocs(constraints, packages=("sympy",))
    with pytest.raises(UserError, match="none-such 1 is pinned but not installed"):
        pinned_version("none-such", {"none-such": "1"})
    with pytest.raises(UserError, match="file is missing"):
        read_pins(tmp_path / "none.txt")


def test_files_of_tests_and_copies_are_left_out():
    modules = [source.module for source in source_files("scipy")]
    assert len(modules) > 200
    assert modules == sorted(set(modules), key=modules.index)
    assert not any(SKIPPED.intersection(module.split(".")) for module in modules)
    assert "torch" not in PACKAGES


@pytest.mark.parametrize("split", EVALUATED)
def test_queries_are_sentences(networkx, split):
    assert all(len(words(text)) >= 4 for text in networkx.queries[split].texts)
