"""A target in a reading: other samplers, recipes and K under the same rows and published figures."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.negatives.presets import presets
from harness.specs.library import Library
from harness.specs.reading import named
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RankerRun, TaughtRun, TrainedRun, starts
from harness.specs.samplers import SamplerChoice
from harness.specs.settings import RankerSettings
from harness.specs.target import Row, with_runs
from harness.targets.choice import choose

from .conftest import SHIPPED

LIBRARY = Library(SHIPPED)
READ = [name for name in LIBRARY.in_all_readings() if "@" in name]
MINE = """title: as I have it
citation: A notebook
papers: {simans: {candidates: {nq: 50}}}
samplers:
  simans: {nq: {preset: simans, law: {a: 2.0}}}
"""

RELEASED = {
    "nq": ("simans-released", 100, {"a": 0.5, "b": 1.0, "b_enters": "added", "missed": "uniform"}),
    "tqa": ("simans-released", 100, {"a": 0.5, "b": 0.0, "b_enters": "added", "missed": "uniform"}),
    "ms-pas": ("simans-released-ms-pas", 200, {"shape": "laplace", "a": 3.0, "missed": "last"}),
}
"""SimANS' scripts at 0163380: sampler, K, and the parameters of its law."""

TURNS = {"nq": ("released-wiki", 0.25), "tqa": ("released-wiki", 0.25), "ms-pas": ("released-marco", 0.1)}
"""Their turns of the ranker: 500 of 2,000 steps, and 500 of 5,000."""


def row_of(resolved: Resolved, name: str) -> Row:
    return next(row for row in with_runs(resolved.target.rows) if row.name == name)


def test_a_name_has_a_target_and_perhaps_a_reading() -> None:
    assert named("simans/table-2") == ("simans/table-2", None)
    assert named("simans/table-2@released") == ("simans/table-2", "released")
    assert named("simans/table-2@") == ("simans/table-2", None)


@pytest.mark.parametrize("scale", ["quick", "paper"])
@pytest.mark.parametrize("dataset", RELEASED)
def test_simans_samples_as_its_code_does(dataset: str, scale: str) -> None:
    resolved = resolve(LIBRARY, "simans/table-2@released", scale)
    run = resolved.run(row_of(resolved, "AR2+SimANS"), 0, dataset)
    assert isinstance(run, TaughtRun)
    preset, k, law = RELEASED[dataset]
    assert (run.sampler.preset, run.sampler.candidates, run.sampler.negatives) == (preset, k, 15)
    assert law.items() <= run.sampler.law.model_dump().items()
    assert run.sampler.drawn_from.model_dump() == {"name": "top-k", "count": "retrieved"}
    assert (run.co_training.turns.name, run.co_training.turns.share) == TURNS[dataset]  # type: ignore[union-attr]


def test_the_control_draws_from_the_same_passages_and_differs_in_the_law_alone() -> None:
    resolved = resolve(LIBRARY, "simans/table-2@released", "quick")
    for dataset in RELEASED:
        runs = [resolved.run(row_of(resolved, name), 0, dataset) for name in ("AR2+SimANS", "AR2+Uniform")]
        one, other = (run for run in runs if isinstance(run, TaughtRun))
        assert (one.sampler.source, one.sampler.candidates) == (
            other.sampler.source,
            other.sampler.candidates,
        )
        assert one.start == other.start and one.teacher == other.teacher
        assert one.co_training == other.co_training and one.phase == other.phase


@pytest.mark.parametrize(
    ("target", "row"),
    [("simans/table-2@released", "AR2+SimANS"), ("trisampler/table-2@released-start", "AR2 + TriSampler")],
)
@pytest.mark.parametrize("dataset", RELEASED)
def test_as_published_ar2_is_the_released_one(target: str, row: str, dataset: str) -> None:
    resolved = resolve(LIBRARY, target, "paper")
    run, ar2 = (resolved.run(row_of(resolved, name), 0, dataset) for name in (row, "AR2"))
    assert isinstance(run, TaughtRun) and isinstance(ar2, TaughtRun)
    assert run.start == run.teacher == ar2 and ar2.phase.steps == 0 < run.phase.steps
    assert ar2.start.encoder.start == f"released/simans/{dataset}/retriever"
    assert isinstance(ar2.teacher, RankerRun) and isinstance(ar2.teacher.ranker, RankerSettings)
    assert ar2.teacher.ranker.start == f"released/simans/{dataset}/ranker"
    uniform = resolved.run(row_of(resolved, "AR2+Uniform"), 0, dataset)
    assert isinstance(uniform, TaughtRun) and uniform.start == ar2


def test_the_base_of_a_table_is_the_released_ar2_too() -> None:
    resolved = resolve(LIBRARY, "trisampler/table-5@released-start", "paper")
    base = resolved.run(row_of(resolved, "Base"), 0)
    assert starts(base) == {f"released/simans/ms-pas/{what}" for what in ("retriever", "ranker")}
    drawn = resolved.run(row_of(resolved, "TriSampler"), 0)
    assert isinstance(drawn, TaughtRun) and drawn.start == base and drawn.sampler.preset == "trisampler"


@pytest.mark.parametrize("scale", ["simulation", "quick"])
def test_elsewhere_ar2_is_trained_as_its_code_trains_it(scale: str) -> None:
    resolved = resolve(LIBRARY, "simans/table-2@released", scale)
    run = resolved.run(row_of(resolved, "AR2"), 0, "nq")
    assert run.recipe == "released-ar2" and not any(start.startswith("released/") for start in starts(run))
    with pytest.raises(UserError) as caught:
        resolve(LIBRARY, "trisampler/table-2@released-start", scale)
    assert str(caught.value) == (
        f"reading 'released-start' changes nothing of trisampler/table-2 at scale '{scale}'; name "
        "trisampler/table-2 alone, or a scale that trains as published"
    )


def test_a_reading_of_published_recipes_alone_leaves_out_what_it_does_not_change() -> None:
    choice = choose(LIBRARY, "paper", ["trisampler"], reading="released-start")
    assert "trisampler/table-2@released-start" in choice.targets
    assert choice.left_out["trisampler/table-3"] == "reading 'released-start' changes nothing"
    with pytest.raises(UserError, match="none of these targets is made at scale 'simulation'"):
        choose(LIBRARY, "simulation", ["trisampler"], reading="released-start")


def test_ar2_trains_as_its_code_does() -> None:
    resolved = resolve(LIBRARY, "ar2/table-1@released", "paper")
    run = resolved.run(row_of(resolved, "AR2-G"), 0, "nq")
    assert isinstance(run, TaughtRun)
    parts = [part["name"] for part in run.phase.loss.model_dump()["parts"]]
    assert parts == ["adversarial-released", "distillation"]
    assert run.phase.loss.model_dump()["weights"] in ([0.5, 0.5], (0.5, 0.5))
    assert run.phase.steps == 32000 and run.sampler.preset == "uniform-retrieved"
    printed = resolve(LIBRARY, "ar2/table-1", "paper")
    paper = printed.run(row_of(printed, "AR2-G"), 0, "nq")
    assert isinstance(paper, TrainedRun) and paper.phase.steps == 20000


@pytest.mark.parametrize("name", READ)
def test_rows_columns_and_published_figures_are_those_of_the_paper(name: str) -> None:
    read, printed = LIBRARY.target(name), LIBRARY.target(named(name)[0])
    assert read.name == name and printed.name in LIBRARY.targets()
    assert [row.name for row in read.target.rows] == [row.name for row in printed.target.rows]
    assert [row.published for row in read.target.rows] == [row.published for row in printed.target.rows]
    assert read.target.headings == printed.target.headings
    assert read.target.title.startswith(printed.target.title) and read.target.title != printed.target.title


def test_what_a_row_changes_in_the_law_stays_changed() -> None:
    swept = resolve(LIBRARY, "simans/figure-2a@released", "quick")
    runs = [swept.run(row, 0) for row in with_runs(swept.target.rows) if row.sampler]
    laws = [run.sampler.law.model_dump() for run in runs if isinstance(run, TrainedRun)]
    assert len({law["a"] for law in laws}) > 2 and {law["b_enters"] for law in laws} == {"added"}


def test_a_row_is_said_to_be_read() -> None:
    resolved = resolve(LIBRARY, "simans/table-2@released", "quick")
    note = row_of(resolved, "AR2+SimANS").summary
    assert note == (
        "As the released code has it: simans-released, b = 1.0 on Natural Questions; simans-released on "
        "TriviaQA; simans-released-ms-pas on MS MARCO passage."
    )
    assert row_of(resolved, "AR2+Uniform").summary == "As the released code has it: uniform-retrieved."
    assert any("as their released code does" in remark for remark in resolved.target.remarks)
    assert resolved.call == "simans/table-2@released --scale quick"


def test_every_reading_of_shipped_targets_is_of_a_paper_with_code() -> None:
    assert {named(name)[0].partition("/")[0] for name in READ if name.endswith("@released")} == {
        "simans",
        "ar2",
    }
    for choices in LIBRARY.reading("released").spec.samplers.values():
        assert {choice.preset for choice in choices.values()} <= set(presets())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "trisampler/table-2@released",
            "changes nothing of trisampler/table-2; name trisampler/table-2 alone",
        ),
        ("simans/table-1@released", "changes nothing of simans/table-1; name simans/table-1 alone"),
        ("simans/table-2@realesed", "unknown reading 'realesed'; did you mean 'released'?"),
        ("simans/table-2@", "no reading is named; write simans/table-2, or simans/table-2@READING"),
        ("simans/tabel-2@released", "unknown target 'simans/tabel-2'"),
    ],
)
def test_a_name_that_means_nothing_gets_one_line(name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        LIBRARY.target(name)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_reading_of_ones_own_is_a_file(shipped: Library) -> None:
    (shipped.root / "readings/mine.yaml").write_text(MINE)
    with pytest.raises(UserError, match="changes nothing of simans/table-6"):  # which is of MS MARCO alone
        shipped.target("simans/table-6@mine")
    resolved = resolve(shipped, "simans/table-2@mine", "quick")
    runs = [resolved.run(row_of(resolved, "AR2+SimANS"), 0, name) for name in resolved.target.datasets]
    drawn = [
        (run.sampler.law.model_dump()["a"], run.sampler.candidates)
        for run in runs
        if isinstance(run, TrainedRun)
    ]
    assert drawn == [(2.0, 50), (0.5, 100), (0.5, 100)]
    assert shipped.readings_of("simans/table-2") == ["mine", "released"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("papers: {simans:", "papers: {simens:", "unknown paper 'simens'"),
        ("{nq: 50}", "{nqq: 50}", "unknown dataset 'nqq'"),
        ("simans: {nq: {preset: simans,", "simons: {nq: {preset: simans,", "unknown sampler 'simons'"),
        ("preset: simans,", "preset: simons,", "unknown sampler 'simons'"),
        ("law: {a: 2.0}", "law: {aa: 2.0}", "aa"),
        ("samplers:", "recipes: {ar2: ar22}\nsamplers:", "unknown recipe 'ar22'"),
        ("title: as I have it", "titel: as I have it", "titel"),
    ],
)
def test_a_wrong_reading_is_told_with_file_and_line(shipped: Library, old: str, new: str, said: str) -> None:
    path = shipped.root / "readings/mine.yaml"
    path.write_text(MINE.replace(old, new))
    with pytest.raises(UserError) as caught:
        shipped.target("simans/table-2@mine")
    assert said in str(caught.value) and "readings/mine.yaml:" in str(caught.value)


def test_papers_are_made_in_a_reading_where_it_changes_them() -> None:
    choice = choose(LIBRARY, "simulation", ["simans", "trisampler/table-2"][:1], reading="released")
    assert all(name.endswith("@released") for name in choice.targets)
    assert "simans/table-2@released" in choice.targets
    assert choice.left_out["simans/table-1"] == "reading 'released' changes nothing"
    assert choose(LIBRARY, "simulation", ["simans"], reading="paper") == choose(
        LIBRARY, "simulation", ["simans"]
    )
    one = choose(LIBRARY, "simulation", ["simans/table-2"], reading="released")
    assert one == choose(LIBRARY, "simulation", ["simans/table-2@released"])


@pytest.mark.parametrize("name", ["simans/table-2@released", "results/tuning/x.yaml"])
def test_a_target_is_made_in_one_reading(name: str) -> None:
    with pytest.raises(UserError, match="is made in one reading; leave the option out"):
        choose(LIBRARY, "simulation", [name], reading="released")


def test_a_reading_leaves_other_samplers_as_they_are() -> None:
    reading = LIBRARY.reading("released").spec
    other = SamplerChoice(preset="trisampler")
    assert reading.sampler(other, "nq") is other and reading.sampler(None, "nq") is None


def test_k_that_a_reading_does_not_name_stays_as_it_is_written(shipped: Library) -> None:
    path = shipped.root / "papers/simans/table-2.yaml"
    path.write_text(
        path.read_text().replace("candidates: 100", "candidates: {nq: 100, tqa: 100, ms-pas: 100}")
    )
    (shipped.root / "readings/mine.yaml").write_text(MINE.replace("{candidates: {nq: 50}}", "{}"))
    assert (
        shipped.target("simans/table-2@mine").trained.shared
        == shipped.target("simans/table-2").trained.shared
    )


@pytest.mark.parametrize(
    ("choice", "target", "said"),
    [
        ("uniform", "simans/figure-2a", "law 'uniform' has no parameter"),
        ("{preset: trisampler, law: {a: 1.0}}", "simans/figure-2b", "law 'trisampler' has no parameter 'b'"),
        (
            "in-batch",
            "simans/table-2",
            "'in-batch' draws nothing, and row 'AR2+SimANS' trains on what is drawn",
        ),
    ],
)
def test_what_a_row_cannot_have_is_told_with_file_and_line(
    shipped: Library, choice: str, target: str, said: str
) -> None:
    text = MINE.replace("{preset: simans, law: {a: 2.0}}", choice)
    (shipped.root / "readings/mine.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        shipped.target(f"{target}@mine")
    first = str(caught.value).splitlines()[0]
    assert said in first and first.startswith("experiments/readings/mine.yaml:5:")


def test_the_reading_of_the_paper_is_the_target_itself() -> None:
    read = resolve(LIBRARY, "simans/table-2@paper", "quick")
    assert read.name == "simans/table-2" and read.loaded.reading is None
