"""Harvested collections: one way to build them, three rules by which a file becomes pages and questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.collections.answers import documents_holding, tokens_in
from harness.collections.archive import load_collection, save_collection
from harness.collections.built_in import BUILT_IN, collection_key, departure, stand_in
from harness.collections.collection import RELEVANT, Collection
from harness.collections.harvested.build import COMMON, FEWEST_COMMON, build_harvested
from harness.collections.harvested.code import read_code
from harness.collections.harvested.modules import MOST_ASKED, read_modules
from harness.collections.harvested.names import ANSWERED, NAMES, HarvestName
from harness.collections.harvested.reference import read_reference
from harness.collections.harvested.registry import HARVESTS, REFERENCE
from harness.collections.overlap import commonest_answer, described, shared
from harness.collections.pydocs.packages import PACKAGES, SourceFile, pinned_version, read_pins
from harness.errors import UserError
from harness.storage.places import shipped

FEW: dict[HarvestName, tuple[str, ...]] = {
    "pyreference": ("jinja2",), "pycode": ("werkzeug",), "pymodules": ("joblib", "click"),
}  # fmt: skip
SOURCE = '''"""Reads and writes letters of another kind."""

class Reader:
    """Reads letters one after the other.

    {words}
    """

    def next_letter(self, sure=True):
        """Return the letter that comes after this one."""
        value = self.place + 1  # one further
        {code}
        return value

def write(text, *, twice=False):
    """Write.

    {words}
    """

def _hidden(text):
    """Return nothing that anybody may know."""
    return {code}
'''


@pytest.fixture
def file(tmp_path: Path) -> SourceFile:
    path = tmp_path / "letters.py"
    words = " ".join(f"word{n}" for n in range(60))
    path.write_text(SOURCE.format(words=words, code="+".join(f"a{n}" for n in range(30))))
    return SourceFile("transformers", "mail.letters", path)


@pytest.fixture(scope="module", params=NAMES)
def built(request: pytest.FixtureRequest) -> Collection:
    return build_harvested(request.param, packages=FEW[request.param])


def test_a_reference_page_is_answered_by_its_name(file: SourceFile) -> None:
    first, second = read_reference(file)
    assert first.id == "transformers:mail.letters.Reader" and first.text.startswith("Reader word0 word1")
    (question,) = first.questions
    assert (question.text, question.answers) == ("Reads letters one after the other.", ("Reader",))
    assert second.text.startswith("write word0") and second.questions == ()  # one word is no question


def test_a_method_is_named_with_its_class(tmp_path: Path) -> None:
    words = " ".join(f"word{n}" for n in range(60))
    text = f'class A:\n    def b(self):\n        """Do this and then that.\n\n        {words}\n        """\n'
    (tmp_path / "a.py").write_text(text)
    (page,) = read_reference(SourceFile("pkg", "pkg", tmp_path / "a.py"))
    assert page.text.startswith("A.b word0") and page.questions[0].answers == ("b", "A.b")


def test_code_is_asked_for_by_a_docstring_that_it_does_not_hold(file: SourceFile) -> None:
    (page,) = read_code(file)
    assert page.text.startswith("def next_letter(self, sure=True): value = self.place + 1")
    assert page.text.endswith("return value") and "comes after" not in page.text
    assert [(q.text, q.answers) for q in page.questions] == [
        ("Return the letter that comes after this one.", ("next_letter",))
    ]


def test_a_module_is_one_document_without_what_is_asked(file: SourceFile) -> None:
    (page,) = read_modules(file)
    assert page.id == "transformers:mail.letters"
    assert [question.text for question in page.questions] == [
        "Reads and writes letters of another kind.",
        *sorted(
            ["Reads letters one after the other.", "Return the letter that comes after this one."],
            key=[question.text for question in page.questions].index,
        ),
    ]
    assert all(question.text not in page.text for question in page.questions)
    assert page.text.startswith("mail.letters") and "next_letter(self, sure)" in page.text
    other = SourceFile("joblib", file.module, file.path)
    assert [len(page.questions) for page in read_modules(other)] == [1]
    assert "Reads letters one after the other." in next(read_modules(other)).text
    assert MOST_ASKED == 6


def test_each_question_means_one_page_of_its_split(built: Collection) -> None:
    home: dict[str, str] = {}
    for split, queries in built.queries.items():
        for query in queries.ids:
            (positive,) = queries.known_relevant[query]
            assert home.setdefault(positive, split) == split
            assert queries.qrels[query][positive] == RELEVANT
            assert split != "train" or len(queries.qrels[query]) == 1
    assert len(built.queries["train"]) > 0
    texts = [text for queries in built.queries.values() for text in queries.texts]
    assert len(set(texts)) == len(texts) and len(set(built.documents)) == len(built.documents)


def test_answers_are_rare_told_by_their_page_and_not_by_the_question(built: Collection) -> None:
    answered = [queries.answers for queries in built.queries.values()]
    if built.name not in ANSWERED:
        assert not any(answered) and commonest_answer(built) is None
        return
    for queries in built.queries.values():
        assert set(queries.answers) == set(queries.ids)
        for query, text in zip(queries.ids, queries.texts, strict=True):
            number = built.number[queries.known_relevant[query][0]]
            assert built.answer_texts.hold(number, list(map(tokens_in, queries.answers[query])))
            assert not any(tokens_in(answer) in tokens_in(text) for answer in queries.answers[query])
    share = commonest_answer(built)
    assert share is not None and share <= max(COMMON, FEWEST_COMMON / len(built.documents))
    assert COMMON < 0.05


def test_it_is_the_same_twice_and_in_an_archive(built: Collection, tmp_path: Path) -> None:
    name: HarvestName = built.name  # type: ignore[assignment]
    save_collection(built, tmp_path / "c.zip")
    assert load_collection(tmp_path / "c.zip") == built
    assert build_harvested(name, packages=FEW[name]).fingerprint == built.fingerprint
    assert (
        departure(built)
        == f"{name} has the fingerprint {built.fingerprint}, not {HARVESTS[name].fingerprint}"
    )
    assert stand_in(name, "TriviaQA") == f"{name} stands in for TriviaQA" and name in BUILT_IN


def test_packages_are_pinned_installed_and_named_once() -> None:
    pins = read_pins(shipped("constraints.txt"))
    for harvest in HARVESTS.values():
        assert len(set(harvest.packages)) == len(harvest.packages)
        assert all(pinned_version(package, pins) for package in harvest.packages)
    assert not set(PACKAGES) & set(REFERENCE) and not {"transformers"} & {*PACKAGES, *REFERENCE}


def test_a_package_in_another_version_is_refused(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("joblib==0.0.1\n")
    with pytest.raises(UserError, match=r"joblib .* is installed but 0\.0\.1 is pinned"):
        build_harvested("pymodules", constraints, ("joblib",))


def test_each_harvest_has_a_key_of_its_own() -> None:
    keys = {collection_key("harvested", {"kind": "harvested", "parameters": {"name": n}}) for n in NAMES}
    assert len(keys) == len(NAMES) and all(key.startswith("harvested-") for key in keys)


def test_documents_are_counted_by_the_answers_that_they_hold() -> None:
    texts = ["to_dict to dict", "a to_dict_all to_dict", "To", "cat"]
    assert documents_holding(texts, ["to_dict", "to", "dict to", "dog", "CAT"]) == {
        "to_dict": 2, "to": 3, "dict to": 1, "dog": 0, "CAT": 1,
    }  # fmt: skip


def test_what_collections_share_is_counted(built: Collection) -> None:
    assert shared(built, built) == (len(built.documents), sum(map(len, built.queries.values())))
    first, _, pair = described({"one": built, "other": built})
    assert first.startswith(f"one: {len(built.documents):,} documents (words ")
    assert ("% of the documents at most" in first) == (built.name in ANSWERED)
    assert pair.startswith("one and other: ") and pair.endswith("queries shared")
