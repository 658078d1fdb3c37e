"""What a scale has for one dataset stands in the place of what it has for all."""

from __future__ import annotations

import pytest

from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import TaughtRun, TrainedRun
from harness.specs.target import with_runs

from .conftest import Broken

SIMULATION = "scales/simulation.yaml"


def on_nq(text: str) -> tuple[str, str]:
    return "substitutes:", f"datasets:\n  nq: {text}\nsubstitutes:"


def test_runs_on_a_dataset_have_what_the_scale_has_for_it(library: Library) -> None:
    path = library.root / SIMULATION
    path.write_text(path.read_text().replace(*on_nq("{tokens: {query_tokens: 9, passage_tokens: 9}}")))
    with pytest.raises(Exception, match="learns a vocabulary"):
        library.scale("simulation")
    path.write_text(path.read_text().replace("{query_tokens: 9,", "{vocabulary: 90, query_tokens: 9,"))
    resolved = resolve(library, "simans/table-2", "simulation")
    row = next(row for row in with_runs(resolved.target.rows) if row.name == "AR2+SimANS")
    lengths = {name: resolved.run(row, 0, name).tokens for name in resolved.target.datasets}  # type: ignore[attr-defined]
    assert [lengths[name].query_tokens for name in ("nq", "tqa", "ms-pas")] == [9, 16, 16]
    assert [lengths[name].vocabulary for name in ("nq", "tqa", "ms-pas")] == [90, 8000, 8000]


def test_documents_begin_with_the_encoder_of_star(library: Library) -> None:
    resolved = resolve(library, "simans/table-3", "paper")
    runs = [resolved.run(row, 0) for row in with_runs(resolved.target.rows)]
    trained = [run for run in runs if isinstance(run, TrainedRun)]
    assert {run.encoder.start for run in trained} == {"FacebookAI/roberta-base"}
    assert {(run.tokens.query_tokens, run.tokens.passage_tokens) for run in trained} == {(128, 512)}
    assert {run.own_ranker.pair_tokens for run in trained if isinstance(run, TaughtRun)} == {512}
    hardware = resolved.scale.spec.on("ms-doc").hardware
    assert hardware is not None and hardware.queries_at_once == 32
    passages = resolved.scale.spec.on("ms-pas").hardware
    assert passages is not None and passages.queries_at_once == 16


def test_an_encoder_that_a_command_names_is_that_of_all_datasets(library: Library) -> None:
    scale = Instead(encoder="somebody/encoder").in_scale(library.scale("paper"))
    assert {scale.on(name).encoder.start for name in ("nq", "ms-pas", "ms-doc")} == {"somebody/encoder"}
    assert scale.on("ms-doc").tokens.passage_tokens == 512


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{lacks: all}\n  nk: {lacks: all}", "key 'datasets.nk': unknown dataset 'nk'; did you mean 'nq'?"),
        ("{queries_at_once: 8}", "key 'datasets.nq.queries_at_once': the scale has no `hardware`; add it"),
        ("{encoder: {start: a/b, hidden: 8}}", "key 'datasets.nq.encoder.hidden': the checkpoint 'a/b' has"),
        (
            "{encoder: {start: a/b}, tokens: {vocabulary: 9, query_tokens: 9, passage_tokens: 9}}",
            "key 'datasets.nq.tokens.vocabulary': the checkpoint 'a/b' has its own vocabulary; remove it",
        ),
        ("{ranker: {reranked: 5}}", "a cross-encoder needs `pair_tokens`"),
        ("{rate: 1.0e-3}", "key 'datasets.nq.rate'"),
        (
            "{ranker: {kind: late-interaction, reranked: 5}, encoder: {layers: 0}}",
            "and this encoder has none",
        ),
    ],
)
def test_what_does_not_fit_on_a_dataset_gets_its_line(broken: Broken, text: str, expected: str) -> None:
    assert any(expected in line for line in broken(SIMULATION, on_nq(text), scale="simulation"))
