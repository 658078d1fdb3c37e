"""What a user sees of a wrong spec: a line for each thing wrong, with file, line, key and nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.owners import OWNERS
from harness.specs.resolve import resolve
from harness.specs.schema import schemas

from .conftest import TABLE, Broken

SPEC = "papers/trisampler/table-5.yaml"
SECOND = ("sampler: trisampler", "sampler: {preset: trisampler, law: {CHANGE}}")


def parameters(text: str) -> tuple[str, str]:
    return SECOND[0], SECOND[1].replace("CHANGE", text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("sampler: trisampler", "sampler: trisampelr"),
            "key 'rows[5].sampler': unknown sampler 'trisampelr'; did you mean 'trisampler'?",
        ),
        (
            ("sampler: trisampler", "sampler: {preset: top-k, mask: labeled}"),
            "key 'rows[5].sampler.mask': unknown mask 'labeled'; did you mean 'labelled'?",
        ),
        (
            ("sampler: trisampler", "sampler: {preset: top-k, draw: bets}"),
            "key 'rows[5].sampler.draw': unknown draw 'bets'; did you mean 'best'?",
        ),
        (("sampler: trisampler", "sampler: 7"), "key 'rows[5].sampler': got 7; expected keys with values"),
        (
            ("sampler: trisampler", "sampler: trisampler\n    recipe: base"),
            "recipe 'base' has negatives of its own, and no use for a row's sampler",
        ),
        (("    sampler: trisampler\n", ""), "key 'rows[5]': row 'TriSampler' has no sampler"),
        (parameters("transitionl: 0.5"), "has no parameter 'transitionl'; did you mean 'transitional'?"),
        (parameters("a: '0.5'"), "key 'rows[5].sampler.law.a': got '0.5'; expected a number"),
        (parameters("a: true"), "key 'rows[5].sampler.law.a': got True; expected a number"),
        (parameters("a: -1"), "key 'rows[5].sampler.law.a': got -1; expected greater than or equal to 0"),
        (
            ("scales: [simulation, scratch, quick]", "scales: [quik]"),
            "key 'scales[0]': unknown scale 'quik'; did you mean 'quick'?",
        ),
        (
            ("scales: [simulation, scratch, quick]", "scales: scratch"),
            "key 'scales': got 'scratch'; expected a list",
        ),
        (
            ("scales: [simulation, scratch, quick]", "scales: []"),
            "key 'scales': got a list; expected a list that is not empty",
        ),
        (
            ("recipe: continue-contrastive", "recipe: continue-contrastiv"),
            "unknown recipe 'continue-contrastiv'; did you mean 'continue-contrastive'?",
        ),
        (
            ("recipe: continue-contrastive", "recipe: base"),
            "recipe 'base' has negatives of its own, and no use for a row's sampler",
        ),
        (
            ("dataset: ms-pas", "dataset: ms-pass"),
            "key 'columns[0].dataset': unknown dataset 'ms-pass'; did you mean 'ms-pas'?",
        ),
        (("Success(rel=2)@50", "Recal@50"), "key 'columns[1].measure': unknown measure 'Recal@50'"),
        (("label: R@50", "label: MRR@10"), "key 'columns[1].label': 'MRR@10' is given twice"),
        (("primary: MRR@10", "primary: MRR"), "key 'primary': unknown column 'MRR'; did you mean 'MRR@10'?"),
        (
            ("baseline: Uniform Sampling", "baseline: Uniform"),
            "unknown row made by training 'Uniform'; did you mean 'Uniform Sampling'?",
        ),
        (("baseline: Uniform Sampling", "baseline: BM25"), "unknown row made by training 'BM25'"),
        (("name: TriSampler", "name: SimANS"), "key 'rows[6].name': 'SimANS' is given twice"),
        (
            ("notes: [D15", "notes: [D51"),
            "key 'notes[0]': the paper's register has no note 'D51'; did you mean 'D5",
        ),
        (("title: ", "titel: "), "key 'titel': unknown key; did you mean 'title'?"),
        (("title: ", "titel: "), "'title' is missing"),
        (("kind: comparison", "kind: comparision"), "key 'kind': 'comparision' is not valid"),
        (("candidates: 400", "candidates: 0"), "key 'shared.candidates': got 0; expected greater than 0"),
        (("negatives: 15", "negatives: 1.5"), "key 'shared.negatives': got 1.5; expected a whole number"),
        (('"39.7"', "39.7"), "key 'rows[2].published[0]': got 39.7; expected a text; write it in quotes"),
        (('"39.7"', '"39,7"'), "key 'rows[2].published[0]': got '39,7'; expected a number as printed"),
        (('"39.7"', '"nan"'), "expected a number as printed"),
        (('"39.7", ', ""), "key 'rows[2].published': 2 published figures for 3 columns"),
        (("    evaluates: bm25\n", ""), "a reference row `evaluates` bm25 or a phase, <recipe>/<phase>"),
        (
            ("kind: control\n", "kind: control\n    evaluates: bm25\n"),
            "a reference row `evaluates` bm25 or a phase, <recipe>/<phase>",
        ),
    ],
)
def test_wrong_target(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken(SPEC, change)
    assert all(line.startswith(f"experiments/{SPEC}:") for line in lines)
    assert any(expected in line for line in lines), lines


def test_line_is_that_of_the_key(broken: Broken, library: Library) -> None:
    text = (library.root / SPEC).read_text().splitlines()
    number = next(n for n, line in enumerate(text, start=1) if "sampler: trisampler" in line)
    (line,) = broken(SPEC, ("sampler: trisampler", "sampler: trisampelr"))
    assert line.startswith(f"experiments/{SPEC}:{number}: ")


def test_all_errors_of_a_file_at_once_in_order(broken: Broken) -> None:
    lines = broken(
        SPEC,
        ("unit: percent", "unit: per cent"),
        ("scales: [simulation, scratch, quick]", "scales: [simulation, quik]"),
        ("candidates: 400", "candidates: many"),
        ('"39.7", ', ""),
        ('"40.6"', "40.6"),
        ("sampler: trisampler", "sampler: {preset: trisampler, law: {a: [1], b: 2}}"),
        ("    sampler: simans", "    sampler: simams\n    steps: 4"),
    )
    keys = [line.split("key '")[1].split("'")[0] for line in lines]
    assert keys == [
        "unit", "scales[1]", "shared.candidates", "rows[2].published", "rows[3].published[0]",
        "rows[5].sampler.law.a", "rows[5].sampler.law.b", "rows[6].sampler", "rows[6].steps",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "change", "owner", "other"),
    [
        (SPEC, ("kind: control\n", "kind: control\n    steps: 30\n"), "recipe", "row"),
        (SPEC, ("negatives: 15", "negatives: 15\n  temperature: 2.0"), "recipe", "row"),
        (SPEC, ("negatives: 15", "negatives: 15\n  titles: true"), "dataset", "row"),
        ("recipes/base.yaml", ("    loss:", "    dropout: 0.3\n    loss:"), "scale", "recipe"),
        ("recipes/base.yaml", ("    loss:", "    sampler: top-k\n    loss:"), "row", "recipe"),
        ("datasets/ms-pas.yaml", ("titles:", "loss: x\ntitles:"), "recipe", "dataset"),
    ],
)
def test_key_of_another_owner_names_both(
    broken: Broken, file: str, change: tuple[str, str], owner: str, other: str
) -> None:
    (line,) = broken(file, change)
    assert f"belongs to the {owner} (" in line
    assert f"is set here by the {other}" in line


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("threads: 2", "threads: two"), "key 'threads': got 'two'; expected a whole number"),
        (("heads: 4", "heads: 7"), "key 'encoder': hidden 384 is no multiple of heads 7"),
        (("rate: 5.0e-4", "rate: 5e-4"), "such as 5.0e-4"),
        (("rate: 5.0e-4", "rate: {ms-pas: 5e-4}"), "such as 5.0e-4"),
        (
            ("rate: 5.0e-4", "rate: {ms-pas: 5.0e-4, nqq: 5.0e-4}"),
            "did you mean 'nq'?",
        ),
        (("rate: 5.0e-4", "rate: {ms-pas: -5.0e-4}"), "greater than"),
        (("threads: 2", "threads: 2\nrefresh: 3"), "write it below `substitutes`"),
        (("both-towers: {", "both-tower: {"), "did you mean 'both-towers'?"),
        (("base/retriever: {", "base/retreiver: {"), "neither what a phase trains nor a phase"),
        (("threads: 2", "threads: 2\nloss: x"), "'loss' belongs to the recipe"),
        (("dropout: 0.1", "dropout: .nan"), "key 'encoder.dropout'"),
        (("pooling: idf-mean", "pooling: idf"), "did you mean 'idf-mean'?"),
    ],
)
def test_wrong_scale(broken: Broken, change: tuple[str, str], expected: str) -> None:
    (line,) = broken("scales/scratch.yaml", change, scale="scratch")
    assert line.startswith("experiments/scales/scratch.yaml:")
    assert expected in line


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        (
            "recipes/continue-contrastive.yaml",
            ("start: base/retriever", "start: base/retreiver"),
            "key 'phases[0].start': unknown phase 'base/retreiver'; did you mean 'base/retriever'?",
        ),
        (
            "recipes/continue-contrastive.yaml",
            ("start: base/retriever", "start: continue-contrastive/contrastive"),
            "'continue-contrastive/contrastive' and 'continue-contrastive/contrastive' start from each other",
        ),
        ("datasets/ms-pas.yaml", ("topics: 40", "topicz: 40"), "unknown key; did you mean 'topics'?"),
        (
            "datasets/ms-pas.yaml",
            ("confusability: 0.6", "confusability: 1.6"),
            "got 1.6; expected less than 1",
        ),
        (
            "datasets/ms-pas.yaml",
            ("kind: pydocs", "kind: planted"),
            "key 'collections.scratch': 'parameters' is missing",
        ),
        (
            "datasets/ms-pas.yaml",
            ("kind: pydocs", "kind: bier"),
            "key 'collections.scratch.kind': 'bier' is not valid; did you mean 'beir'?",
        ),
        (
            "datasets/ms-pas.yaml",
            ("kind: pydocs", "parameters: {}"),
            "key 'collections.scratch': 'kind' is missing",
        ),
        (
            "datasets/ms-pas.yaml",
            ("kind: pydocs", "kind: beir\n    parameters: {folder: scifact, title: true}"),
            "key 'collections.scratch.parameters.title': unknown key; did you mean 'titles'?",
        ),
        (
            "datasets/ms-pas.yaml",
            ("kind: pydocs", "kind: beir\n    parameters: {titles: true}"),
            "'folder' is missing (from HARNESS_DATA, or else from the working folder)",
        ),
        (
            "datasets/ms-pas.yaml",
            ("scratch:\n", "quack:\n"),
            "dataset 'ms-pas' has no collection at scale 'scratch'",
        ),
        ("datasets/ms-pas.yaml", ("titles: false", "titles: true"), "key 'titles': true is not valid"),
        ("papers/trisampler/paper.yaml", ("severity: low", "severity: tiny"), "'tiny' is not valid"),
    ],
)
def test_wrong_file_that_a_target_names(
    broken: Broken, file: str, change: tuple[str, str], expected: str
) -> None:
    assert any(expected in line for line in broken(file, change))


def test_errors_of_two_named_files_come_together(broken: Broken, library: Library) -> None:
    paper = library.root / "papers/trisampler/paper.yaml"
    paper.write_text(paper.read_text().replace("severity: low", "severity: tiny", 1))
    lines = broken("recipes/base.yaml", ("clip_norm: 2.0", "clip_norm: -1.0"))
    assert [line.split(":")[0] for line in lines] == [
        "experiments/papers/trisampler/paper.yaml",
        "experiments/recipes/base.yaml",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: [1, 2", ":1:"),
        ("a: 1\n b: 2", "table-5.yaml:2:3: broken YAML"),
        ("title: x\ntitle: y", "table-5.yaml:2: key 'title' is given twice, also in line 1"),
        ("1: x", "table-5.yaml:1: key '1' is no text"),
        ("rows: &a [*a]", "an alias inside of itself"),
        ("title: !!python/object/apply:os.getcwd []", "table-5.yaml:1"),
        ("title: \x07", "special characters are not allowed"),
        ("", "must hold keys and values"),
        ("- a\n- b", "must hold keys and values"),
    ],
)
def test_broken_yaml(library: Library, text: str, expected: str) -> None:
    (library.root / SPEC).write_text(text)
    with pytest.raises(UserError) as caught:
        library.target(TABLE)
    assert expected in str(caught.value)


def test_file_that_is_no_utf8(library: Library) -> None:
    (library.root / SPEC).write_bytes(b"title: \xff\xfe")
    with pytest.raises(UserError, match=r"table-5\.yaml: cannot be read"):
        library.target(TABLE)


def test_unknown_names(library: Library) -> None:
    with pytest.raises(
        UserError, match=r"unknown target 'trisampler/tabel-5'; did you mean 'trisampler/table-5'"
    ):
        library.target("trisampler/tabel-5")
    with pytest.raises(UserError, match=r"unknown target 'trisamplr/table-5'; did you mean"):
        library.target("trisamplr/table-5")
    with pytest.raises(UserError, match=r"unknown target '\.\./recipes/base'"):
        library.target("../recipes/base")
    with pytest.raises(UserError, match=r"unknown scale 'quik'; did you mean 'quick'"):
        resolve(library, TABLE, "quik")
    with pytest.raises(UserError, match=r"has no scale 'scratch'"):
        resolve(library, "calibration/hard-negatives", "scratch")
    with pytest.raises(UserError, match=r"unknown recipe 'bsae'; did you mean 'base'"):
        library.recipe("bsae")
    with pytest.raises(UserError, match=r"unknown dataset 'nk'; did you mean 'nq'"):
        library.dataset("nk")
    with pytest.raises(UserError, match=r"has no row 'Trisampler'; did you mean 'TriSampler'"):
        library.target(TABLE).rows("Trisampler")


def test_missing_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_EXPERIMENTS", str(tmp_path / "nowhere"))
    with pytest.raises(
        UserError, match="no such folder of specs; run in the checkout, or set HARNESS_EXPERIMENTS"
    ):
        Library.default()


@pytest.mark.parametrize("content", ["notes.txt", "papers/one.pdf", "recipes/mine.yaml"])
def test_an_unrelated_folder_of_that_name_is_not_taken_for_ours(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unrelated = tmp_path / "experiments" / content
    unrelated.parent.mkdir(parents=True)
    unrelated.touch()
    monkeypatch.delenv("HARNESS_EXPERIMENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert TABLE in Library.default().targets()
    monkeypatch.setenv("HARNESS_EXPERIMENTS", "experiments")
    with pytest.raises(UserError, match="experiments: this folder holds no paper; name a folder with"):
        Library.default()


def test_specs_are_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library
) -> None:
    monkeypatch.delenv("HARNESS_EXPERIMENTS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Library.default().root == Path("experiments")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert TABLE in Library.default().targets()
    monkeypatch.setenv("HARNESS_EXPERIMENTS", str(library.root))
    assert Library.default().root == library.root


@pytest.mark.parametrize(
    ("title", "what"),
    [
        ('"a\\e[31m"', r"a text has the character \x1b, which is no letter"),
        ('"a\\ud800"', r"a text has the character \ud800, which is no letter"),
        ('"a\\u202eb"', r"a text has the character \u202e, which is no letter"),
        ('"a\\0"', r"a text has the character \x00, which is no letter"),
        ('"a\\nb"', "key 'title': a name has a line break; write it on one line"),
        ("|\n  a\n  b", "key 'title': a name has a line break; write it on one line"),
    ],
)
def test_what_is_no_letter_is_refused_where_it_stands(tmp_path: Path, title: str, what: str) -> None:
    from harness.specs.loading import parse
    from harness.specs.paper import Paper
    from harness.specs.yaml_file import read_yaml

    path = tmp_path / "paper.yaml"
    path.write_text(f"code: x\ncitation: y\ntitle: {title}\n")
    with pytest.raises(UserError) as raised:
        parse(read_yaml(path), Paper, "paper")
    assert str(raised.value).startswith(f"{path}:3: {what}")


def test_a_hint_names_a_file_in_which_the_key_may_stand():
    """Else following the advice is refused."""
    of_files = schemas()
    for key, owner in OWNERS.items():
        file = "target" if owner == "row" else owner
        assert key in _keys(of_files[file]), f"{key} of the {owner}"


def _keys(schema):
    """The names of all properties of a JSON schema, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(_keys, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties")
    return {*(own if isinstance(own, dict) else ())}.union(*map(_keys, schema.values()))
