"""What no run can bear is refused when a spec is read, at its key."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.scale import Scale
from harness.specs.schema import schemas
from harness.specs.tuning_library import load_tuning

from .conftest import TABLE, Broken

SPEC = "papers/trisampler/table-5.yaml"
QUICK, TAUGHT, PLANTED = "scales/scratch.yaml", "recipes/ar2-paper.yaml", "datasets/ms-pas.yaml"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("batch: 256", "batch: 1000000000", "substitutes.base/retriever.batch"),
        ("steps: 150", "steps: 9000000000", "substitutes.base/retriever.steps"),
        ("refresh: 40", "refresh: 1000000000", "substitutes.both-towers.refresh"),
        ("rate: 5.0e-4", "rate: 1.0e-320", "substitutes.base/retriever.rate"),
        ("rate: 5.0e-4", "rate: .inf", "substitutes.base/retriever.rate"),
        ("rate: 5.0e-4", "rate: .nan", "substitutes.base/retriever.rate"),
        ("rate: 1.0e-4", "rate: 1.0e-20", "substitutes.both-towers.ranker.rate"),
        ("vocabulary: 20000", "vocabulary: 1000000000", "tokens.vocabulary"),
        ("query_tokens: 32", "query_tokens: 1000000000", "tokens.query_tokens"),
        ("query_tokens: 32", "query_tokens: 2", "tokens.query_tokens"),
        ("pair_tokens: 72", "pair_tokens: 1000000000", "ranker.pair_tokens"),
        ("hidden: 384", "hidden: 384000000", "encoder.hidden"),
        ("layers: 0", "layers: 1000000000", "encoder.layers"),
        ("layers: 2", "layers: 1000000000", "ranker.layers"),
        ("intermediate: 256", "intermediate: 1000000000", "encoder.intermediate"),
        ("hidden: 384", "hidden: 385", "encoder"),
        ("heads: 1", "heads: 7", "ranker"),
        ("heads: 1", "heads: 128", "ranker"),
        ("candidates_cap: 200", "candidates_cap: 1000000000", "candidates_cap"),
        ("depth: 1000", "depth: 1000000000", "depth"),
        ("threads: 2", "threads: 1000000000", "threads"),
        ("count: 3", "count: 101", "seeds.count"),
        ("base: 100", f"base: {2**63}", "seeds.base"),
        ("continued: 200", f"continued: {2**64}", "seeds.continued"),
    ],
)
def test_a_scale_beyond_what_runs_bear(broken: Broken, old: str, new: str, key: str) -> None:
    (line,) = broken(QUICK, (old, new), scale="scratch")
    assert re.match(rf"experiments/scales/scratch\.yaml:\d+: key '{re.escape(key)}': ", line), line


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        (SPEC, ("candidates: 400", "candidates: 1000000000"), "key 'shared.candidates'"),
        (SPEC, ("negatives: 15", "negatives: 1000000000"), "key 'shared.negatives'"),
        (SPEC, ("unit: percent", "unit: percent\nseeds: 1000000000"), "key 'seeds'"),
        (SPEC, ("unit: percent", "unit: percent\nlevel: 0.9999999999999"), "key 'level'"),
        (SPEC, ("name: SimANS", "name: ''"), "key 'rows[6].name': got ''; expected a text that is not"),
        (SPEC, ("name: SimANS", f"name: '{'x' * 1000}'"), "...; expected a shorter text"),
        (SPEC, ("name: SimANS", "name: '  '"), "key 'rows[6].name': a name of blanks alone"),
        (SPEC, ("label: R@50", "label: ''"), "key 'columns[1].label'"),
        (
            SPEC,
            ("[simulation, scratch, quick]", "[simulation, scratch, scratch, quick]"),
            "'scratch' is given twice",
        ),
        (SPEC, ("sampler: simans", "sampler: {preset: simans, law: {a: 1.0e+300}}"), "sampler.law.a'"),
        (SPEC, ("sampler: top-k", "sampler: {preset: top-k, law: {temperature: 1.0e-320}}"), "temperature'"),
        (SPEC, ("name: SimANS", "negatives: 401\n    name: SimANS"), "draws 401 negatives of 400 candidates"),
        (SPEC, ("negatives: 15", "negatives: 401"), "draws 401 negatives of 400 candidates"),
        (SPEC, ("name: SimANS", "candidates: 14\n    name: SimANS"), "draws 15 negatives of 14 candidates"),
        (PLANTED, ("topics: 40", "topics: 1000000000"), "simulation.parameters.topics'"),
        (PLANTED, ("topics: 40", "topics: 100000"), "3,600,000 documents; a simulation has at most"),
        (PLANTED, ("seed: 0", f"seed: {2**63}"), "simulation.parameters.seed'"),
        (PLANTED, ("seed: 0", "seed: -1"), "simulation.parameters.seed'"),
    ],
)
def test_a_target_beyond_what_runs_bear(
    broken: Broken, file: str, change: tuple[str, str], expected: str
) -> None:
    lines = broken(file, change)
    assert all(line.startswith(f"experiments/{file}:") for line in lines)
    assert any(expected in line for line in lines), lines


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("SDCG@50", "pytrec_eval cannot compute 'SDCG@50'"),
        ("Judged@50", "pytrec_eval cannot compute 'Judged@50'"),
        ("ERR@50", "pytrec_eval cannot compute 'ERR@50'"),
        ("alpha_nDCG@50", "pytrec_eval cannot compute 'alpha_nDCG@50'"),
        ("RR(judged_only=True)@50", "msmarco cannot compute"),
        ("IPrec@2", "pytrec_eval cannot compute 'IPrec@2'"),
        ("R@0", "pytrec_eval cannot compute 'R@0'"),
        ("RBP", "pytrec_eval cannot compute 'RBP'"),
        ("NumRet", "'NumRet' is a number of things, and no share of 1"),
        ("P(rel=0)@5", "'P(rel=0)@5' counts documents that are not relevant"),
        ("MRR@50", "ir-measures writes 'MRR@50' as 'RR@50'"),
        ("(((", "unknown measure '((('"),
        ("R(rel=3)@50", "'R(rel=3)@50' counts grade 3, judgements have 2 at most at scale 'simulation'"),
        ("R(rel=99)@50", "'R(rel=99)@50' counts grade 99, judgements have 2 at most at scale 'scratch'"),
        ("AnswerHit@20", "'AnswerHit@20' reads answers, and planted has none at scale 'simulation'"),
        ("AnswerHit@20", "'AnswerHit@20' reads answers, and pydocs has none at scale 'scratch'"),
        ("AnswerHit@5000", "'AnswerHit@5000' reads 5000 documents, rankings have 1000"),
        ("R@5000", "'R@5000' reads 5000 documents, rankings have 1000 at scale 'simulation'"),
    ],
)
def test_a_measure_that_would_not_be_measured(broken: Broken, measure: str, expected: str) -> None:
    lines = broken(SPEC, ("measure: Success(rel=2)@50", f'measure: "{measure}"'))
    assert all("key 'columns[1].measure': " in line for line in lines)
    assert any(expected in line for line in lines), lines


def test_the_advice_for_another_spelling_works(library: Library) -> None:
    path = library.root / SPEC
    for written, advised in (("MRR(rel=2)@50", "RR(rel=2)@50"), ("nDCG(dcg='log2')@50", "nDCG@50")):
        text = path.read_text().replace("measure: Success(rel=2)@50", f'measure: "{written}"')
        before = path.read_text()
        path.write_text(text)
        with pytest.raises(UserError, match=re.escape(f"as '{advised}'; write that")):
            library.target(TABLE)
        path.write_text(text.replace(written, advised))
        library.target(TABLE)
        path.write_text(before)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("ERR@10", "key 'further[0].measure': pytrec_eval cannot compute 'ERR@10'"),
        ("nDCG@1001", "reads 1001 documents, rankings have 1000"),
        ("R(rel=4)@10", "counts grade 4, judgements have 2 at most"),
        ("AnswerHit@5", "reads answers, and planted has none at scale 'simulation'; take a measure of"),
    ],
)
def test_what_a_dataset_adds_is_looked_at(broken: Broken, measure: str, expected: str) -> None:
    assert any(expected in line for line in broken(PLANTED, ("measure: nDCG@10", f"measure: {measure}")))


def test_grades_of_files_are_known_when_they_are_read(library: Library) -> None:
    path = library.root / PLANTED
    document = yaml.safe_load(path.read_text())
    document["collections"] = {
        scale: {"kind": "beir", "parameters": {"folder": "mine"}} for scale in document["collections"]
    }
    path.write_text(yaml.safe_dump(document))
    spec = library.root / SPEC
    spec.write_text(spec.read_text().replace("Success(rel=2)@50", "Success(rel=6)@50"))
    assert library.target(TABLE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("start: base/ranker", "start: base/retriever")], "phase 'base/retriever' trains no ranker"),
        ([("start: base/ranker", "start: rocketqa/dual-encoder")], "unknown phase 'rocketqa/dual-encoder'"),
        (
            [
                ("phases:\n", "phases:\n  - {name: other, start: {checkpoint: x}, PIECES}\n"),
                ("start: base/retriever", "start: ar2-paper/other"),
            ],
            "the ranker stands on the scale's encoder, the retriever on the checkpoint x",
        ),
    ],
)
def test_a_teacher_that_cannot_teach(broken: Broken, changes: list[tuple[str, str]], expected: str) -> None:
    pieces = (
        "negatives: {sampler: in-batch}, loss: softmax-cross-entropy, rate: 1.0e-5, batch: 8, steps: 8, "
        "optimizer: {clip_norm: 2.0, weight_decay: 0.0}, schedule: {lr_warmup_share: 0.1}"
    )
    filled = [(old, new.replace("PIECES", pieces)) for old, new in changes]
    lines = broken(TAUGHT, *filled, target="calibration/distillation")
    assert any(line.startswith(f"experiments/{TAUGHT}:") and expected in line for line in lines), lines


@pytest.mark.parametrize("recipe", ["continue-contrastive/contrastive", "easy-then-hard/hard"])
def test_a_reference_over_a_phase_that_draws_by_a_row(broken: Broken, recipe: str) -> None:
    change = ("name: ranker\n", f"name: ranker\n    start: {recipe}\n")
    lines = broken(
        "recipes/base.yaml", change, ("    start: base/retriever\n", ""), target="calibration/distillation"
    )
    assert any("draws by a row's sampler, which a reference row does not have" in line for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("trials: 8", "trials: 1000000000", "trials"),
        ("seed: 0", f"seed: {2**32}", "optuna.seed"),
        ("step: 50", "step: 1.0e-320", "shared.candidates.step"),
        ("high: 400", "high: 1.0e+300", "shared.candidates.high"),
        ("step: 50", "step: 200", "trials"),
    ],
)
def test_a_tuning_beyond_what_a_study_bears(library: Library, old: str, new: str, key: str) -> None:
    path = library.root / "tuning/candidates-K.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=f"key '{re.escape(key)}'"):
        load_tuning(library, "candidates-K")


def test_bounds_stand_in_the_schemas() -> None:
    of_scale: dict[str, Any] = schemas()["scale"]["$defs"]
    assert of_scale["Tokens"]["properties"]["passage_tokens"]["maximum"] == 32_768
    assert of_scale["FirstSeeds"]["properties"]["base"]["maximum"] == 2**62
    assert Scale.model_json_schema()["properties"]["threads"]["maximum"] == 1024
