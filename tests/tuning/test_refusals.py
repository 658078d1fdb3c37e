"""What a user sees of a wrong tuning spec: a line for each error, with file, line, key and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.tuning_library import load_tuning
from tests.cases import first
from tests.place import CHECKOUT

SPEC = """\
title: A tuning
citation: Ours
target: trisampler/table-5
objectives: [{measure: "RR(rel=2)@10"}]
held_out: 0.2
trials: 4
optuna: {sampler: tpe, pruner: median}
shared:
  learning_rate: {low: 1.0e-4, high: 3.0e-3, log: true}
studies:
  - row: TriSampler
    space:
      law.a: {low: 0.0, high: 2.0}
      law.angle: {choices: ["off", eq4]}
      law.degrees: {low: 20.0, high: 90.0, when: {law.angle: eq4}}
    first:
      - {law.a: 0.25}
"""
A = "law.a: {low: 0.0, high: 2.0}"
LEARNING = "learning_rate: {low: 1.0e-4, high: 3.0e-3, log: true}"
ROW = "row: TriSampler\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    root = tmp_path_factory.mktemp("specs") / "experiments"
    shutil.copytree(CHECKOUT / "experiments", root)
    return Library(root)


def refused(library: Library, *changes: tuple[str, str]) -> list[str]:
    text = SPEC
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    (library.root / "tuning/s.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        load_tuning(library, "s")
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_it_is_sound_as_it_is(library: Library) -> None:
    (library.root / "tuning/s.yaml").write_text(SPEC)
    assert load_tuning(library, "s").studies[0].row == "TriSampler"


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    first(10, [
        ("trials: 4", "trails: 4", 6, "key 'trails': unknown key; did you mean 'trials'?"),
        ("trials: 4", "trials: 4\nencoder: fresh", 7, "'encoder' belongs to the scale"),
        ("law.a: {low: 0.0", "law.alpha: {low: 0.0", 13, "law 'trisampler' has no parameter 'alpha'"),
        (A, "law: {low: 0.0, high: 2.0}", 13, "row 'TriSampler': no tuning can vary it"),
        (LEARNING, "batch: {low: 8, high: 64, int: true}", 9, "key 'shared.batch': row 'TriSampler': no "),
        ("law.a: {low: 0.0", "law.a: {low: -1.0", 13, "got -1.0; expected greater than or equal to 0"),
        ('["off", eq4]', '["off", eq5]', 14, "expected 'off', 'eq4' or 'apex'"),
        (A, "law.a: {low: 2.0, high: 2.0}", 13, "the range from 2 to 2 is empty; make `high` larger"),
        (A, "law.a: {low: 0.0, high: 2.0, step: 3.0}", 13, "a step of 3 is wider than the range, 2"),
        (A, "law.a: {low: 0.0, high: 2.0, step: 0.3}", 13, "steps of 0.3 from 0 do not meet 2"),
        (A, "law.a: {low: 0.0, high: 2.0, log: true}", 13, "a logarithmic range begins above 0"),
        (A, "law.a: {low: 0.5}", 13, "a parameter has `low` and `high`, or `choices`"),
        (A, "law.a: {choices: []}", 13, "no choices; list some"),
        (A, "law.a: {choices: [0.25, 0.25]}", 13, "0.25 is listed twice"),
        (A, "law.a: {low: 0, high: 2, choices: [1.0]}", 13, "a range and choices; keep one of the two"),
        ("{law.angle: eq4}}", "{law.angel: eq4}}", 15, "this space has no parameter 'law.angel' above it"),
        ("{law.angle: eq4}}", "{law.angle: apex}}", 15, "'law.angle' is never 'apex'"),
        ("{law.angle: eq4}}", "{law.a: 0.5}}", 15, "'law.a' is a range; a condition is on"),
        ("- {law.a: 0.25}", "- {law.a: 2.5}", 17, "2.5 lies outside the space"),
        ("- {law.a: 0.25}", "- {law.b: 0.25}", 17, "the space has no such parameter; did you mean 'law.a'?"),
        ("- {law.a: 0.25}", '- {law.angle: "off", law.degrees: 60.0}', 17, "it does not apply where"),
        (LEARNING, "learning_rate: {low: 1.0e-4, high: 5.0e-4}", 9, "'simulation', 0.001, lies outside"),
        ("@10\"}]", "@10\", split: test}]", 4, "split 'test' is reported by"),
        ("@10\"}]", "@10\", split: dev}]", 4, "split 'dev' is reported by trisampler/figure-4"),
        ("@10\"}]", "@10\", split: trian}]", 4, "there is no split 'trian'; remove the key"),
        ("RR(rel=2)@10", "MRR@@10", 4, "unknown measure 'MRR@@10'"),
        ("RR(rel=2)@10", "AnswerHit@5", 4, "answers, and the collection at scale 'simulation' has none"),
        ("RR(rel=2)@10", "R(rel=2)@50", 7, "the measure during training is RR(rel=2)@10"),
        ("@10\"}]", "@10\"}, {cost: seconds}]", 7, "two objectives have no curve by which"),
        ("pruner: median", "pruner: media", 7, "'media' is not valid; did you mean 'median'?"),
        ("sampler: tpe", "sampler: grid", 7, "the space of 'TriSampler' is no grid"),
        (LEARNING, "steps: {low: 10, high: 150, int: true}", 7, "trials of different `steps`"),
        (ROW, "row: TriSamplr\n", 11, "has no row 'TriSamplr'; did you mean 'TriSampler'?"),
        (ROW, "row: BM25\n", 11, "row 'BM25' of kind 'reference' is not trained"),
        ("table-5", "table-55", 3, "unknown target 'trisampler/table-55'"),
    ]),
)  # fmt: skip
def test_it_is_refused_with_file_line_and_fix(
    library: Library, old: str, new: str, line: int, expected: str
) -> None:
    lines = refused(library, (old, new))
    assert any(f"experiments/tuning/s.yaml:{line}: " in one and expected in one for one in lines), lines


def test_a_law_that_needs_what_its_source_lacks_is_refused(library: Library, tmp_path: Path) -> None:
    table, run = library.root / "papers/trisampler/table-5.yaml", tmp_path / "run.trec"
    run.touch()
    sampler = f"{{preset: simans, source: {{name: file, path: {run}, scores: file}}}}"
    text = table.read_text()
    table.write_text(text.replace("sampler: simans", f"sampler: {sampler}"))
    lines = refused(
        library,
        (ROW, "row: SimANS\n"),
        ('law.angle: {choices: ["off", eq4]}', "law.gap: {choices: [raw, cosine]}"),
        ("      law.degrees: {low: 20.0, high: 90.0, when: {law.angle: eq4}}\n", ""),
    )
    table.write_text(text)
    (one,) = lines
    assert one.startswith("experiments/tuning/s.yaml:14: key 'studies[0].space.law.gap'")
    assert "at 'cosine', law 'simans' needs embeddings of documents" in one


def test_a_grid_smaller_than_its_trials_is_refused(library: Library) -> None:
    lines = refused(
        library,
        ("sampler: tpe", "sampler: grid"),
        (LEARNING, "learning_rate: {choices: [3.0e-4, 1.0e-3]}"),
        (A, "law.a: {choices: [0.25]}"),
        ("{low: 20.0, high: 90.0,", "{choices: [30.0, 60.0],"),
        ("trials: 4", "trials: 7"),
    )
    what = "key 'trials': the grid of 'TriSampler' has 6 settings; lower `trials` to 6"
    assert lines == [f"experiments/tuning/s.yaml:6: {what}"]


def test_a_row_that_draws_nothing_is_refused(library: Library) -> None:
    lines = refused(library, ("trisampler/table-5", "calibration/every-sampler"), (ROW, "row: in-batch\n"))
    assert lines[0].endswith("row 'in-batch' draws no negatives; name a row that does")


def test_an_unknown_tuning_is_refused(library: Library) -> None:
    with pytest.raises(UserError, match="unknown tuning 'simans-ab'; did you mean 'simans-a-b'"):
        load_tuning(library, "simans-ab")
