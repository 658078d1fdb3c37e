"""Recipes as lists of phases: chains of any length, and substitutes for published numbers."""

from __future__ import annotations

import json

import pytest

from harness.errors import SpecErrors, UserError
from harness.specs.library import Library
from harness.specs.phase_numbers import Numbers, lacking, published, used
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import BaseRun, ContinuedRun, RunSettings, read_run_settings
from harness.specs.scale import Substitute

from .conftest import TABLE, Broken

RECIPE, SCALE = "recipes/continue-contrastive.yaml", "scales/simulation.yaml"
LONG = """\
# harness plan trisampler/table-5 --scale simulation
# yaml-language-server: $schema=../schema/recipe.json
summary: Uniform negatives first, then those of the row.
citation: a test
phases:
  - name: easy
    start: base/retriever
    negatives: {sampler: uniform, candidates: 30, negatives: 3}
    loss: softmax-cross-entropy
    optimizer: {clip_norm: 2.0, weight_decay: 0.0}
    schedule: {lr_warmup_share: 0.1}
    refresh: never
  - name: hard
    start: long/easy
    negatives: row
    loss: softmax-cross-entropy
    optimizer: {clip_norm: 2.0, weight_decay: 0.0}
    schedule: {lr_warmup_share: 0.1}
"""


@pytest.fixture
def long(library: Library) -> Resolved:
    """Table 5 under a recipe of two phases over a base."""
    (library.root / "recipes/long.yaml").write_text(LONG)
    spec = library.root / f"papers/{TABLE}.yaml"
    spec.write_text(spec.read_text().replace("recipe: continue-contrastive", "recipe: long"))
    return resolve(library, TABLE, "simulation")


def row(resolved: Resolved, name: str, seed: int = 0) -> RunSettings:
    return resolved.run(resolved.loaded.row(name), seed)  # type: ignore[arg-type]


def test_a_chain_has_a_run_for_each_phase(long: Resolved) -> None:
    hard = row(long, "TriSampler")
    easy = hard.start
    assert isinstance(easy, ContinuedRun) and isinstance(easy.start, BaseRun)
    assert (hard.recipe, easy.recipe, easy.start.recipe) == ("long", "long", "base")
    assert easy.sampler is not None and hard.sampler is not None
    assert (easy.sampler.preset, easy.sampler.candidates, easy.sampler.negatives) == ("uniform", 30, 3)
    assert (hard.sampler.preset, hard.sampler.candidates, hard.sampler.negatives) == ("trisampler", 50, 15)
    assert easy.phase is not None and hard.phase is not None
    assert easy.phase.refresh is None and hard.phase.refresh == 50
    assert row(long, "SimANS").start == easy


def test_seeds_of_all_phases_differ(long: Resolved) -> None:
    seeds = [
        run.seed
        for seed in range(3)
        for hard in [row(long, "TriSampler", seed)]
        for run in (hard, hard.start, hard.start.start)
    ]
    assert len(set(seeds)) == len(seeds) == 9


def test_a_row_has_k_and_n_of_its_own(library: Library) -> None:
    spec = library.root / f"papers/{TABLE}.yaml"
    spec.write_text(
        spec.read_text().replace(
            "sampler: trisampler\n", "sampler: trisampler\n    candidates: 20\n    negatives: 7\n"
        )
    )
    table = resolve(library, TABLE, "simulation")
    own, other = row(table, "TriSampler").sampler, row(table, "SimANS").sampler
    assert own is not None and other is not None
    assert (own.candidates, own.negatives) == (20, 7)
    assert (other.candidates, other.negatives) == (50, 15)


def test_the_narrower_substitute_wins_key_by_key(library: Library) -> None:
    scale = library.scale("simulation")
    base = library.recipe("base").phases[0]
    assert published(base, "ms-pas") == Numbers(1e-4, 64, 23575, None, None)
    assert used(scale, "base/retriever", base, "ms-pas") == Numbers(3e-3, 32, 200, None, None)
    path = library.root / SCALE
    path.write_text(path.read_text().replace("base/retriever: {rate: 3.0e-3, ", "base/retriever: {"))
    narrower = used(library.scale("simulation"), "base/retriever", base, "ms-pas")
    assert narrower == Numbers(1e-3, 32, 200, None, None)


def test_paper_scale_uses_what_was_published_for_the_dataset(library: Library) -> None:
    scale, phase = library.scale("paper"), library.recipe("ar2-paper").last
    assert used(scale, "ar2-paper/co-training", phase, "nq") == Numbers(1e-5, 64, 20000, 2000, 1e-6)
    assert used(scale, "ar2-paper/co-training", phase, "ms-pas") == Numbers(5e-6, 64, 20000, 2000, 5e-7)


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        (
            SCALE,
            ("  both-towers: {rate: 1.0e-3, ", "  both-towers: {"),
            "key 'scales[0]': phase 'continue-contrastive/contrastive' has no substitute for `rate` at scale "
            "'simulation' on dataset 'ms-pas'; add them to scales/simulation.yaml, below `substitutes`, for",
        ),
        (RECIPE, ("negatives: row", "negatives: {sampler: trisamplr}"), "did you mean 'trisampler'?"),
        (RECIPE, ("name: contrastive", "name: Contrastive"), "key 'phases[0].name'"),
        (RECIPE, ("start: base/retriever", "trains: ranker"), "a ranker is trained on what a retriever"),
    ],
)
def test_a_phase_that_cannot_be_is_refused(
    broken: Broken, file: str, change: tuple[str, str], expected: str
) -> None:
    assert any(expected in line for line in broken(file, change))


def test_paper_scale_refuses_what_was_not_published(library: Library) -> None:
    recipe = library.root / RECIPE
    recipe.write_text(recipe.read_text().replace("rate: {ms-pas: 5.0e-6, ", "rate: {"))
    spec = library.root / f"papers/{TABLE}.yaml"
    spec.write_text(spec.read_text().replace("[simulation, scratch, quick]", "[paper]"))
    with pytest.raises(
        SpecErrors, match=r"has no published `rate` on dataset 'ms-pas'; add them to recipes/"
    ):
        library.target(TABLE)


def test_a_circle_of_recipes_is_refused(library: Library) -> None:
    (library.root / "recipes/long.yaml").write_text(LONG.replace("base/retriever", "round/round"))
    other = LONG.partition("  - name: hard")[0].replace("name: easy", "name: round")
    (library.root / "recipes/round.yaml").write_text(other.replace("base/retriever", "long/hard"))
    with pytest.raises(SpecErrors) as caught:
        library.recipes(["long"])
    assert "'round/round' and 'long/hard' start from each other; break the circle" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            RECIPE,
            "summary: x\ncitation: y\nstart: in-batch\nnegatives: drawn\nloss: bce\n",
            "list of `phases`",
        ),
        (
            SCALE,
            "summary: x\nlearning_rate: {warm_up: 1.0e-3, continued: 1.0e-4}\nsteps: {}\n",
            "`substitutes`",
        ),
    ],
)
def test_a_file_of_the_old_form_gets_one_line(library: Library, file: str, text: str, expected: str) -> None:
    (library.root / file).write_text(text)
    with pytest.raises(UserError) as caught:
        resolve(library, TABLE, "simulation")
    (line,) = str(caught.value).splitlines()
    assert expected in line and f"experiments/{file}:" in line


def test_a_row_of_the_old_form_gets_one_line(broken: Broken) -> None:
    (line,) = broken(f"papers/{TABLE}.yaml", ("evaluates: base/retriever", "evaluates: warm-up"))
    assert "a row evaluates a phase, <recipe>/<phase>, not 'warm-up'; for example base/retriever" in line


def test_papers_of_the_old_place_get_one_line(library: Library) -> None:
    (library.root / "papers/simans").rename(library.root / "simans")
    with pytest.raises(UserError, match=r"the targets of a paper stand below papers/; move its folder to"):
        Library(library.root)


def test_settings_of_a_chain_survive_their_file(long: Resolved) -> None:
    settings = row(long, "TriSampler")
    assert read_run_settings(json.dumps(settings.model_dump(mode="json"))) == settings


def test_a_substitute_may_have_a_rate_by_dataset(library: Library) -> None:
    scale, phase = library.scale("quick"), library.recipe("continue-contrastive").last
    rates = {name: used(scale, "x", phase, name).rate for name in library.names("datasets")}
    assert rates == {"ms-pas": 3e-4, "nq": 1e-4, "tqa": 1e-3, "ms-doc": 3e-4}
    assert lacking(scale, "x", phase, "another") == ["rate"]


def test_a_narrower_rate_by_dataset_leaves_the_others_to_the_wider_one(library: Library) -> None:
    scale, phase = library.scale("quick"), library.recipe("continue-contrastive").last
    substitutes = {**scale.substitutes, "x": Substitute(rate={"nq": 5e-5})}
    narrowed = scale.model_copy(update={"substitutes": substitutes})
    rates = {name: used(narrowed, "x", phase, name).rate for name in ("nq", "tqa")}
    assert rates == {"nq": 5e-5, "tqa": 1e-3}
