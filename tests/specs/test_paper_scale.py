"""At the scale of the papers runs have what papers print, and else what their scripts run, by dataset."""

from __future__ import annotations

from typing import Any

import pytest

from harness.pieces import settings_of
from harness.specs.describe import render_show
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RankerRun, TaughtRun, TrainedRun
from harness.specs.scale_notes import scale_notes
from harness.specs.settings import RankerSettings
from harness.specs.target import with_runs

from .conftest import SHIPPED, breaking

LIBRARY = Library(SHIPPED)

ERNIE, LARGE, ROBERTA = (
    "nghuyong/ernie-2.0-base-en",
    "nghuyong/ernie-2.0-large-en",
    "FacebookAI/roberta-base",
)
PRINTED = "SimANS, appendix D"
SCRIPT = "SimXNS at 0163380, train_*_AR2.sh"
TABLE_8 = "AR2, Table 8"
STAR = "SimANS, appendix D: STAR's parameters; DRhard at 15e2235"
K_AND_N = "TriSampler, Experimental Settings"

SIMANS = [
    # dataset, key, value, source
    ("nq", "a", 0.5, PRINTED),
    ("nq", "b", 1.0, PRINTED),
    ("nq", "K", 100, "SimANS, section 4.1"),
    ("nq", "n", 15, PRINTED),
    ("nq", "rate", 1e-5, PRINTED),
    ("nq", "batch", 64, PRINTED),
    ("nq", "steps", 30000, SCRIPT),
    ("nq", "refresh", 2000, SCRIPT),
    ("nq", "ranker rate", 1e-6, TABLE_8),
    ("nq", "turns", ("released-wiki", 0.25), SCRIPT),
    ("nq", "query", 32, TABLE_8),
    ("nq", "passage", 128, TABLE_8),
    ("nq", "at once", 8, SCRIPT),
    ("nq", "encoder", ERNIE, PRINTED),
    ("nq", "ranker", LARGE, "AR2, section 4.2"),
    ("tqa", "a", 0.5, PRINTED),
    ("tqa", "b", 0.0, PRINTED),
    ("tqa", "K", 100, "SimANS, section 4.1"),
    ("tqa", "n", 15, PRINTED),
    ("tqa", "rate", 5e-6, PRINTED),
    ("tqa", "batch", 64, PRINTED),
    ("tqa", "steps", 10000, SCRIPT),
    ("tqa", "refresh", 2000, SCRIPT),
    ("tqa", "ranker rate", 1e-6, TABLE_8),
    ("tqa", "turns", ("released-wiki", 0.25), SCRIPT),
    ("tqa", "query", 32, TABLE_8),
    ("tqa", "passage", 128, TABLE_8),
    ("tqa", "at once", 8, SCRIPT),
    ("tqa", "encoder", ERNIE, PRINTED),
    ("tqa", "ranker", LARGE, "AR2, section 4.2"),
    ("ms-pas", "a", 0.5, PRINTED),
    ("ms-pas", "b", 0.0, PRINTED),
    ("ms-pas", "K", 100, "SimANS, section 4.1"),
    ("ms-pas", "n", 15, PRINTED),
    ("ms-pas", "rate", 5e-6, PRINTED),
    ("ms-pas", "batch", 256, PRINTED),
    ("ms-pas", "steps", 60000, SCRIPT),
    ("ms-pas", "refresh", 5000, SCRIPT),
    ("ms-pas", "ranker rate", 5e-7, TABLE_8),
    ("ms-pas", "turns", ("released-marco", 0.1), SCRIPT),
    ("ms-pas", "query", 32, TABLE_8),
    ("ms-pas", "passage", 128, TABLE_8),
    ("ms-pas", "at once", 16, SCRIPT),
    ("ms-pas", "encoder", ERNIE, PRINTED),
    ("ms-pas", "ranker", LARGE, "AR2, section 4.2"),
    ("ms-doc", "a", 0.5, PRINTED),
    ("ms-doc", "b", 0.0, PRINTED),
    ("ms-doc", "K", 100, "SimANS, section 4.1"),
    ("ms-doc", "n", 15, PRINTED),
    ("ms-doc", "rate", 5e-6, PRINTED),
    ("ms-doc", "batch", 256, PRINTED),
    ("ms-doc", "steps", 40000, SCRIPT),
    ("ms-doc", "refresh", 5000, SCRIPT),
    ("ms-doc", "ranker rate", 1e-6, SCRIPT),
    ("ms-doc", "turns", ("released-marco", 0.2), SCRIPT),
    ("ms-doc", "query", 128, SCRIPT),
    ("ms-doc", "passage", 512, SCRIPT),
    ("ms-doc", "at once", 32, SCRIPT),
    ("ms-doc", "encoder", ROBERTA, STAR),
    ("ms-doc", "ranker", ROBERTA, SCRIPT),
]
"""AR2+SimANS as it is trained on."""

AR2 = [
    # dataset, phase, key, value, source
    ("nq", "dpr/retriever", "rate", 1e-5, TABLE_8),
    ("tqa", "dpr/retriever", "rate", 1e-5, TABLE_8),
    ("ms-pas", "dpr/retriever", "rate", 1e-4, TABLE_8),
    ("nq", "dpr/retriever", "batch", 128, TABLE_8),
    ("tqa", "dpr/retriever", "batch", 128, TABLE_8),
    ("ms-pas", "dpr/retriever", "batch", 64, TABLE_8),
    ("nq", "ar2/ranker", "rate", 1e-5, TABLE_8),
    ("nq", "ar2/ranker", "steps", 2000, TABLE_8),
    ("nq", "ar2/ranker", "batch", 64, TABLE_8),
    ("tqa", "ar2/ranker", "steps", 2000, TABLE_8),
    ("tqa", "ar2/ranker", "batch", 64, TABLE_8),
    ("ms-pas", "ar2/ranker", "steps", 4000, TABLE_8),
    ("ms-pas", "ar2/ranker", "batch", 256, TABLE_8),
    ("nq", "ar2/rounds", "rate", 1e-5, TABLE_8),
    ("tqa", "ar2/rounds", "rate", 1e-5, TABLE_8),
    ("ms-pas", "ar2/rounds", "rate", 5e-6, TABLE_8),
    ("nq", "ar2/rounds", "ranker rate", 1e-6, TABLE_8),
    ("tqa", "ar2/rounds", "ranker rate", 1e-6, TABLE_8),
    ("ms-pas", "ar2/rounds", "ranker rate", 5e-7, TABLE_8),
    ("nq", "ar2/rounds", "batch", 64, TABLE_8),
    ("ms-pas", "ar2/rounds", "batch", 64, TABLE_8),
    ("nq", "ar2/rounds", "steps", 20000, "AR2, Table 7; 15,000 and 5,000 in Table 8"),
    ("ms-pas", "ar2/rounds", "steps", 20000, TABLE_8),
    ("nq", "ar2/rounds", "refresh", 2000, "AR2, section 4.2: 10 rounds of 1,500 and 500"),
    ("tqa", "ar2/rounds", "K", 100, "AR2, section 4.2"),
    ("tqa", "ar2/rounds", "n", 15, TABLE_8),
]
"""AR2 before that, phase by phase."""

TRISAMPLER = {"nq": 200, "tqa": 200, "ms-pas": 400, "ms-doc": 400}
"""K of TriSampler, Experimental Settings."""


def resolved_on(dataset: str) -> Resolved:
    return resolve(LIBRARY, "simans/table-3" if dataset == "ms-doc" else "simans/table-2", "paper")


def continued(dataset: str, name: str = "AR2+SimANS") -> TaughtRun:
    resolved = resolved_on(dataset)
    row = next(row for row in with_runs(resolved.target.rows) if row.name == name)
    run = resolved.run(row, 0, dataset)
    assert isinstance(run, TaughtRun)
    return run


def told(run: TrainedRun) -> dict[str, Any]:
    """Return what the transcription names of a run."""
    law = settings_of(run.sampler.law)
    values = {"K": run.sampler.candidates, "n": run.sampler.negatives, "a": law.get("a"), "b": law.get("b")}
    values |= {"query": run.tokens.query_tokens, "passage": run.tokens.passage_tokens}
    values |= {"rate": run.phase.learning_rate, "batch": run.phase.batch, "steps": run.phase.steps}
    values |= {"refresh": run.phase.refresh, "encoder": run.encoder.start}
    if isinstance(run, TaughtRun):
        turns = settings_of(run.co_training.turns)
        values["turns"] = turns["name"], turns["share"]
        values["ranker rate"] = run.co_training.learning_rate
        assert isinstance(run.own_ranker.ranker, RankerSettings)
        values["ranker"] = run.own_ranker.ranker.start
    return values


@pytest.mark.parametrize("dataset", ["nq", "tqa", "ms-pas", "ms-doc"])
def test_simans_is_planned_as_it_was_trained(dataset: str) -> None:
    hardware = resolved_on(dataset).scale.spec.on(dataset).hardware
    assert hardware is not None and hardware.gpus == 8
    values = told(continued(dataset)) | {"at once": hardware.queries_at_once}
    expected = {key: value for name, key, value, _ in SIMANS if name == dataset}
    assert {key: values[key] for key in expected} == expected and len(expected) == 15


@pytest.mark.parametrize("dataset", ["nq", "tqa", "ms-pas"])
def test_ar2_is_planned_as_it_was_trained(dataset: str) -> None:
    rounds = continued(dataset).start
    assert isinstance(rounds, TaughtRun) and isinstance(rounds.teacher, RankerRun)
    runs = {"dpr/retriever": rounds.start, "ar2/ranker": rounds.teacher, "ar2/rounds": rounds}
    for name, phase, key, value, source in AR2:
        if name == dataset:
            assert told(runs[phase])[key] == value, (phase, key, source)


@pytest.mark.parametrize("dataset", TRISAMPLER)
def test_trisampler_draws_from_the_candidates_that_it_prints(dataset: str) -> None:
    target = "trisampler/table-3" if dataset == "ms-doc" else "trisampler/table-2"
    resolved = resolve(LIBRARY, target, "paper")
    (row,) = (row for row in with_runs(resolved.target.rows) if row.name.replace(" ", "") == "AR2+TriSampler")
    run = resolved.run(row, 0, dataset)
    assert isinstance(run, TaughtRun) and run.sampler.draws == (TRISAMPLER[dataset], 15)
    simans = continued(dataset)
    assert told(run) | {"K": 100, "a": 0.5, "b": told(simans)["b"]} == told(simans)
    assert run.phase == simans.phase and run.start.phase == simans.start.phase  # its paper prints no others


OF_AR2 = {
    "simans/figure-1": "Uniform Sampling",
    "simans/figure-2a": "SimANS: a 0.5",
    "simans/figure-5": "SimANS",
    "simans/table-6": "AR2+SimANS",
    "simans/table-7": "AR2+SimANS: negatives 15",
    "trisampler/figure-1": "Triangular region",
    "trisampler/figure-3": "TriSampler: negatives 15",
    "trisampler/figure-4": "SimANS",
    "trisampler/table-4": "TriSampler",
    "trisampler/table-5": "TriSampler",
    "trisampler/table-6": "AR2+SimANS",
}
"""Target -> a row of its, which elsewhere continues a base run on labels alone."""


@pytest.mark.parametrize("name", OF_AR2)
def test_rows_continue_ar2_as_published_and_the_base_run_elsewhere(name: str) -> None:
    small, paper = (resolve(LIBRARY, name, scale) for scale in ("simulation", "paper"))
    for resolved, phase, start in ((small, "contrastive", "retriever"), (paper, "continued", "rounds")):
        rows = {row.name: row for row in with_runs(resolved.target.rows)}
        run = resolved.run(rows[OF_AR2[name]], 0)
        assert (run.phase_name, run.below["start"].phase_name) == (phase, start)
        references = [row for row in rows.values() if row.kind == "reference" and row.phase]
        assert all(resolved.run(row, 0) == run.below["start"] for row in references)
    assert any("labels alone" in note for note in scale_notes(small))
    assert not any("labels alone" in note for note in scale_notes(paper))


def test_the_b_of_nq_is_told_where_it_is_trained() -> None:
    note = "AR2+SimANS on Natural Questions, as published: simans, b = 1.0."
    assert note in scale_notes(resolve(LIBRARY, "simans/table-2", "paper"))
    assert note not in scale_notes(resolve(LIBRARY, "simans/table-2", "quick"))


def test_what_is_another_as_published_is_shown() -> None:
    captions = {name: str(render_show(LIBRARY.target(name)).caption) for name in SHOWN}
    assert {name: caption.partition("\n")[0] for name, caption in captions.items()} == SHOWN


SHOWN = {
    "simans/table-7": (
        "As published: recipe continue-ar2; AR2+SimANS on Natural Questions: simans, b = 1.0."
    ),
    "simans/table-6": "As published: recipe continue-ar2.",
    "calibration/a-a": "",
}
"""Target -> first line below what `harness show` prints of it, where that is not a note."""


SAMPLER = "    published_sampler: {nq: {preset: simans, law: {b: 1.0}}}"


@pytest.mark.parametrize(
    ("target", "change", "expected"),
    [
        ("simans/table-2", (SAMPLER, SAMPLER.replace("nq", "nk")), "the target has no dataset 'nk'"),
        ("simans/table-2", (SAMPLER, SAMPLER.replace("b:", "c:")), "published_sampler.nq.law.c"),
        ("simans/table-2", (SAMPLER, "    published_recipe: ar2"), "published_recipe': unknown key"),
        (
            "simans/table-6",
            ("published_recipe: continue-ar2", "published_recipe: ar2"),
            "has negatives of its",
        ),
        (
            "trisampler/figure-4",
            ("published_recipe: continue-ar2", "published_recipe: nil"),
            "unknown recipe",
        ),
        (
            "simans/figure-2a",
            ("    values: [{at: 0.0}", f"{SAMPLER}\n    values: [{{at: 0.0}}"),
            "a row of a sweep has the values of its sampler that are varied; remove it",
        ),
        (
            "simans/table-2",
            ("    evaluates: dpr/retriever\n", f"    evaluates: dpr/retriever\n{SAMPLER}\n"),
            "row 'DPR' of kind 'reference' has no sampler; remove it",
        ),
    ],
)
def test_what_cannot_be_as_published_gets_its_line(
    shipped: Library, target: str, change: tuple[str, str], expected: str
) -> None:
    lines = breaking(shipped)(f"papers/{target}.yaml", change, target=target)
    assert any(expected in line for line in lines), lines
