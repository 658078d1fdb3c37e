"""What a tuning wrote is read by its path; what is wrong with it is told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.specs.library import Library

from .conftest import Broken

TEXT = """\
title: A confirmation
kind: confirmation
citation: Tuning small
tuning: small
target: trisampler/table-5
seed_shift: 500
seeds: 3
columns:
- {label: MRR@10, dataset: ms-pas, measure: RR(rel=2)@10}
primary: MRR@10
baseline: Uniform Sampling
scales: [simulation]
shared: {recipe: continue-contrastive, candidates: 400, negatives: 15}
notes: [D15]
rows:
- {name: Uniform Sampling, kind: trained, sampler: uniform}
- name: SimANS
  kind: control
  sampler: simans
  overrides: {learning_rate: 0.001}
"""


def error_of(library: Library, path: Path, *changes: tuple[str, str]) -> list[str]:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        library.target(str(path))
    assert caught.value.exit_code == 2
    return [line.removeprefix(f"{path.as_posix()}:") for line in str(caught.value).splitlines()]


def test_it_is_read_with_the_register_of_the_tuned_paper(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(TEXT)
    loaded = library.target(str(path))
    assert (loaded.name, loaded.path) == ("tuning/small/confirmation", str(path))
    assert "D15" in {note.id for note in loaded.paper.notes}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "learning_rate: 0.001",
            "learning_rat: 0.001",
            "20: key 'rows[1].overrides.learning_rat': no tuning can vary it; did you mean",
        ),
        ("learning_rate: 0.001", "steps: -1", "20: key 'rows[1].overrides.steps': got -1"),
        (
            "learning_rate: 0.001",
            "encoder: {}",
            "20: key 'rows[1].overrides.encoder': got keys with values",
        ),
        (
            "trisampler/table-5",
            "trisampler/table-55",
            "5: key 'target': unknown target 'trisampler/table-55'",
        ),
        ("tuning: small", "tuning: ../small", "4: key 'tuning': '../small' is no name of a tuning"),
        ("[simulation]", "[simulatio]", "12: key 'scales[0]': unknown scale 'simulatio'"),
        ("notes: [D15]", "notes: [D99]", "14: key 'notes[0]': the paper's register has no note 'D99'"),
        ("kind: control", "kind: published", "18: key 'rows[1].kind': a target of kind 'confirmation'"),
        (
            "kind: control",
            "kind: control\n  minus: Uniform Samplin",
            "19: key 'rows[1].minus': unknown row 'Uniform Samplin'; did you mean 'Uniform Sampling'?",
        ),
        (
            "kind: control",
            "kind: control\n  minus: SimANS",
            "19: key 'rows[1].minus': row 'SimANS' is compared with itself",
        ),
        ("seed_shift: 500\n", "", "1: 'seed_shift' is missing"),
    ],
)
def test_errors_have_file_and_line(library: Library, tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(line.startswith(said) for line in error_of(library, tmp_path / "target.yaml", (old, new)))


def test_a_temperature_needs_a_loss_that_has_one(library: Library, tmp_path: Path) -> None:
    changes = ("learning_rate: 0.001", "temperature: 0.5"), ("continue-contrastive", "ar2-paper")
    (line,) = error_of(library, tmp_path / "target.yaml", *changes)
    assert line.startswith("20: key 'rows[1].overrides.temperature': loss 'sum' has no parameter")


def test_other_targets_are_no_files(library: Library, tmp_path: Path) -> None:
    table = library.root / "papers/trisampler/table-5.yaml"
    with pytest.raises(
        UserError, match=r"table-5.yaml:4: key 'kind': .*'comparison' is not read by its path"
    ):
        library.target(str(table))
    with pytest.raises(UserError, match=r"nowhere/target.yaml: cannot be read"):
        library.target(str(tmp_path / "nowhere/target.yaml"))
    (library.root / "papers/trisampler/confirmed.yaml").write_text(TEXT)
    with pytest.raises(UserError, match=r"confirmed.yaml:2: key 'kind': what a tuning wrote is no target"):
        library.target("trisampler/confirmed")


def test_a_papers_table_overrides_nothing(broken: Broken) -> None:
    change = "    sampler: simans\n", "    sampler: simans\n    overrides: {learning_rate: 0.001}\n"
    (line,) = broken("papers/trisampler/table-5.yaml", change)
    assert "key 'rows[6].overrides': unknown key" in line
