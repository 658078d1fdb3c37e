"""Specs with a ranker that cannot be: told with file, line, key and what to do."""

from __future__ import annotations

import pytest

from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve

from .conftest import Broken

TAUGHT, UNTAUGHT = "trisampler/table-5-ar2", "trisampler/table-5"
RANKER = """ranker:
  hidden: 64
  layers: 2
  heads: 1
  intermediate: 128
  dropout: 0.0
  pair_tokens: 48
  reranked: 50
"""


@pytest.mark.parametrize(
    ("target", "file", "change", "expected"),
    [
        (
            UNTAUGHT,
            "recipes/continue-contrastive.yaml",
            ("loss: ", "loss: distillation\n# "),
            "key 'phases[0].loss': loss 'distillation' needs a teacher, which this phase does not ",
        ),
        (
            TAUGHT,
            "recipes/ar2-continue.yaml",
            ("name: released-marco", "name: released-macro"),
            "key 'phases[0].ranker.turns': unknown turns 'released-macro'; did you mean 'released-marco'?",
        ),
        (
            TAUGHT,
            "scales/simulation.yaml",
            ("  pair_tokens: 48\n", ""),
            "key 'ranker': a cross-encoder needs `pair_tokens`",
        ),
        (
            TAUGHT,
            "scales/simulation.yaml",
            ("ranker:\n  hidden", "ranker:\n  kind: late-interaction\n  hidden"),
            "key 'ranker': a late interaction stands on the retriever, and has no `dropout`",
        ),
        (
            TAUGHT,
            "scales/simulation.yaml",
            ("ranker:\n  hidden", "ranker:\n  kind: bi-encoder\n  hidden"),
            "key 'ranker.kind': 'bi-encoder' is not valid",
        ),
        (
            TAUGHT,
            "scales/scratch.yaml",
            (RANKER.replace("48", "72"), "ranker:\n  kind: late-interaction\n  reranked: 50\n"),
            "key 'ranker.kind': a late interaction reads the last layer",
        ),
        (
            TAUGHT,
            "scales/simulation.yaml",
            (RANKER, ""),
            "key 'scales[0]': scale 'simulation' has no ranker, phase 'base/ranker' has one; add ",
        ),
        (
            TAUGHT,
            f"papers/{TAUGHT}.yaml",
            ("rows:\n", "rows:\n  - name: SimANS\n    sampler: {preset: simans, topology: in-batch}\n"),
            "key 'rows[0].sampler': topology 'in-batch' does not fit recipe 'ar2-continue': its ranker "
            "scores own negatives alone; choose `topology: own`",
        ),
        (
            UNTAUGHT,
            f"papers/{UNTAUGHT}.yaml",
            ("evaluates: base/retriever", "evaluates: base/rankr"),
            "key 'rows[1].evaluates': unknown phase 'base/rankr'; did you mean 'base/ranker'?",
        ),
        (
            TAUGHT,
            "recipes/ar2-continue.yaml",
            ("start: base/ranker", "start: base/rankr"),
            "key 'phases[0].ranker.start': unknown phase 'base/rankr'; did you mean 'base/ranker'?",
        ),
    ],
)
def test_a_ranker_that_cannot_be_is_refused(
    broken: Broken, library: Library, target: str, file: str, change: tuple[str, str], expected: str
) -> None:
    (line,) = broken(file, change, target=target)
    place, _, said = line.partition(": ")
    name, _, number = place.rpartition(":")
    assert said.startswith(expected), said
    key = expected.split("'")[1].rpartition(".")[2].partition("[")[0]
    text = (library.root.parent / name).read_text().splitlines()[int(number) - 1]
    assert text.strip().removeprefix("- ").startswith((key, "[")), text


@pytest.fixture
def taught(library: Library) -> Resolved:
    return resolve(library, TAUGHT, "simulation")


def test_the_primary_measure_stands_a_second_time_reranked(taught: Resolved, library: Library) -> None:
    columns = {column.label: column for column in taught.columns}
    added = columns["MRR@10 reranked"]
    assert (added.measure, added.split) == (columns["MRR@10"].measure, "test-reranked")
    assert not added.published and taught.printed[-1].label == "R@1k"
    labels = [column.label for column in resolve(library, UNTAUGHT, "simulation").columns]
    assert labels == [label for label in columns if label != added.label]
