import ast

import pytest

from harness.collections.pydocs.clean import FEWEST_WORDS, MOST_WORDS, clean, first_sentence
from harness.collections.pydocs.harvest import Docstring, read_docstrings
from harness.collections.pydocs.markup import dedent, plain_inline, words
from harness.collections.pydocs.packages import SourceFile
from harness.errors import UserError

PROSE = "It walks over every edge of the given graph and adds up all the weights that it finds there; "
PROSE += "parallel edges count once for each of them, and loops count twice. "


def entry(text):
    return clean(Docstring("pkg", "pkg.mod.thing", text))


def test_summary_is_the_query_and_the_rest_is_the_document():
    cleaned = entry(f"Return the total weight of a graph. {PROSE}\n\n    {PROSE}")
    assert cleaned.summary == "Return the total weight of a graph."
    assert cleaned.body == (PROSE + PROSE).strip()
    assert cleaned.id == "pkg:pkg.mod.thing"


def test_sections_rulers_versions_and_doctest_output_are_dropped():
    cleaned = entry(
        f"""Return the total weight of a graph.

        {PROSE}

        .. versionadded:: 1.2
            With a remark on it.

        Parameters
        ----------
        graph : Graph
            What to weigh.

        Examples
        --------
        >>> import pkg
        >>> weigh(graph)  # doctest: +SKIP
        12345
        """
    )
    assert cleaned.body == PROSE + "graph : Graph What to weigh. weigh(graph)"


def test_see_also_leaves_the_document_and_gives_descriptions():
    cleaned = entry(
        f"""Return the total weight of a graph.

        {PROSE}

        See Also
        --------
        pkg.size : Number of edges,
            loops included.
        first, second : Two at once do not serve.
        bare

        Notes
        -----
        Loops count twice.
        """
    )
    assert cleaned.see_also == (("pkg.size", "Number of edges, loops included."),)
    assert cleaned.body == PROSE + "Loops count twice."


@pytest.mark.parametrize(
    "text",
    [
        f"Return the %(klass)s of a graph.\n\n{PROSE}",
        f"Return the {{klass}} of a graph.\n\n{PROSE}",
        "Return the total weight of a graph.\n\nToo short.",
        "",
    ],
)
def test_templates_and_short_documents_are_dropped(text):
    assert entry(text) is None


def test_a_placeholder_on_its_own_line_is_dropped_alone():
    assert entry(f"Return the weight of a graph.\n\n{PROSE}\n\n    %(after_notes)s\n").body == PROSE.strip()


@pytest.mark.parametrize("first", ["Weigh.", "graph : Graph What to weigh."])
def test_what_is_no_summary_makes_no_query(first):
    assert entry(f"{first}\n\n{PROSE}").summary == ""


def test_a_signature_above_the_summary_is_skipped():
    cleaned = entry(f"weigh(graph, *, loops=True)\n\n    Return the weight of a graph.\n\n    {PROSE}")
    assert cleaned.summary == "Return the weight of a graph."


def test_documents_are_truncated():
    assert len(entry("Return the weight of a graph.\n\n" + PROSE * 40).body.split()) == MOST_WORDS
    assert FEWEST_WORDS < MOST_WORDS >= 128


@pytest.mark.parametrize(
    ("paragraph", "sentence"),
    [
        ("Draw it, e.g. A line. Then stop.", "Draw it, e.g. A line."),
        ("Wait for 2.5 seconds. Then stop.", "Wait for 2.5 seconds."),
        ("No full stop here", "No full stop here"),
    ],
)
def test_first_sentence(paragraph, sentence):
    assert first_sentence(paragraph)[0] == sentence


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        (":class:`~pkg.Thing` and ``x``", "pkg.Thing and x"),
        (":ref:`the guide <guide>`, see [1]_", "the guide, see"),
        (":math:`a < b` holds [atlas]_", "a < b holds"),
        ("*args and **kwargs are *both* kept", "*args and **kwargs are both kept"),
        ("`a page <https://example.org>`_", "a page"),
        ("x * y * z", "x * y * z"),
    ],
)
def test_plain_inline(marked, plain):
    assert plain_inline(marked) == plain


def test_dedent_does_not_mind_whether_the_compiler_already_did():
    raw = 'def f():\n    """First.\n\n    Second.\n        Deeper.\n    """\n'
    text = ast.get_docstring(ast.parse(raw).body[0], clean=False)
    stripped = "First.\n\nSecond.\n    Deeper.\n"
    assert [line for line in dedent(text) if line] == [line for line in dedent(stripped) if line]


def test_words_are_lower_cased():
    assert words("The k-th Value_1!") == ["the", "k", "th", "value_1"]


SOURCE = '''
class Thing:
    """A thing."""

    def method(self):
        """Do it."""

        def local():
            """Local."""

    def _private(self):
        """Hidden."""

    def __init__(self):
        """Begin."""

if True:
    def branch():
        """First branch."""
else:
    def branch():
        """Second branch."""

add_newdoc("pkg._core", "array", """An array.""")
add_newdoc("pkg._core", "array", ("shape", """Its shape."""))
add_newdoc("pkg._core", "late", made_at_run_time)
raise SystemExit("never run")
'''


def test_docstrings_are_read_without_running_the_file(tmp_path):
    path = tmp_path / "mod.py"
    path.write_text(SOURCE, encoding="utf-8")
    docstrings = {d.name: d.text for d in read_docstrings(SourceFile("pkg", "pkg.mod", path))}
    assert docstrings == {
        "pkg.mod.Thing": "A thing.",
        "pkg.mod.Thing.method": "Do it.",
        "pkg.mod.Thing.__init__": "Begin.",
        "pkg.mod.branch": "First branch.",
        "pkg._core.array": "An array.",
        "pkg._core.array.shape": "Its shape.",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [(b'"""x"""\n\ndef f(:\n', "mod.py:3: does not parse"), (b'"""\xff"""', "not UTF-8")],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, content, message):
    path = tmp_path / "mod.py"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_docstrings(SourceFile("pkg", "pkg.mod", path))
