"""Every target by its name, and every verb on every kind of target, made and not made yet, with MLflow."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from harness.analysis.registry import ANALYSES
from harness.specs.library import Library
from harness.storage.files import read_json
from tests.cases import few
from tests.result_checks import check_cells, check_tables
from tests.smallest import SmallestPlace
from tests.stores import EXPERIMENTS
from tests.tuning.conftest import NAME, TINY

pytestmark = pytest.mark.usefixtures("undrawn")

SCALE = ("--scale", "simulation")
KINDS = {
    "comparison": "trisampler/table-5",
    "readings": "trisampler/table-5-readings",
    "calibration": "calibration/a-a",
    "statistics": "simans/table-1",
    "sweep": "simans/table-7",
    "cost": "trisampler/table-6",
    "curve": "trisampler/figure-4",
    "ranks": "simans/figure-1",
    "distributions": "simans/figure-5",
}
CONFIRMATION = f"results/local/simulation/tuning/{NAME}/target.yaml"
ALL_KINDS = [*KINDS, "confirmation"]
TEACHER = "trisampler/table-5-ar2"


def tiny_tuning(place: SmallestPlace) -> None:
    (place.root / "experiments/tuning").mkdir()
    text = yaml.safe_dump({**TINY, "trials": 2}, sort_keys=False)
    (place.root / f"experiments/tuning/{NAME}.yaml").write_text(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    """A place with a comparison, made and published; `ready` makes what else a test asks for."""
    place = SmallestPlace(tmp_path_factory.mktemp("made"))
    tiny_tuning(place)
    make(place, KINDS["comparison"])
    return place


def ready(place: SmallestPlace, kind: str) -> tuple[str, list[str]]:
    """Return the target of a kind, made if it is not yet, and its rows."""
    if kind != "confirmation":
        if not (place.root / "results/simulation" / KINDS[kind]).exists():
            make(place, KINDS[kind])
    elif not (place.root / CONFIRMATION).exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harness.tuning.target.SEEDS", 2)
            said = place.say("tune", NAME, *SCALE, "--confirm")
            assert said.code == 0, said.err
    return named(place, kind)


@pytest.fixture(scope="module")
def unmade(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    """A place where nothing is made but a confirmation's spec."""
    place = SmallestPlace(tmp_path_factory.mktemp("unmade"))
    tiny_tuning(place)
    return place


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    """A place whose targets have all their rows."""
    return SmallestPlace(tmp_path_factory.mktemp("whole"), rows=None)


CANNOT_BE_TRAINED = {
    "calibration/every-recipe": ("RocketQA",),
    "simans/table-5": ("RocketQA", "RocketQA+SimANS", "RocketQA+Uniform"),
}
"""Targets with rows of which the trainer lacks a part -> those rows."""


def make(place: SmallestPlace, target: str) -> None:
    """Make a target, and copy its results to those that are published."""
    said = place.say("reproduce", target, *SCALE)
    assert "Trained " in said.out, said.err
    if target in CANNOT_BE_TRAINED and place.whole:
        failed = CANNOT_BE_TRAINED[target]
        told = f"error: {target}: {len(failed)} row(s) failed: {', '.join(failed)}"
        assert said.code == 1 and said.lines[-1] == told, said.err
    else:
        assert said.code == 0 and said.lines == []  # nothing is missing in MLflow
    folder = place.root / "results/local/simulation" / target
    check_tables(folder)
    check_cells(folder)
    shutil.copytree(folder, place.root / "results/simulation" / target, dirs_exist_ok=True)


def named(place: SmallestPlace, kind: str) -> tuple[str, list[str]]:
    """Return the target of a kind and the rows that it has at a scale, written out."""
    target = CONFIRMATION if kind == "confirmation" else KINDS[kind]
    path = str(place.root / target) if kind == "confirmation" else target
    return target, [row.name for row in Library(place.root / "experiments").target(path).target.rows]


@pytest.mark.slow  # a minute and a half
@pytest.mark.parametrize("target", Library(EXPERIMENTS).targets())
def test_every_listed_target_is_made_with_all_its_rows(whole: SmallestPlace, target: str) -> None:
    make(whole, target)
    planned = json.loads(whole.say("plan", target, *SCALE, "--json").out)
    assert {run["state"] for run in planned if run["row"] not in CANNOT_BE_TRAINED.get(target, ())} <= {
        "done"
    }
    told = whole.say("sync", target, *SCALE)
    assert told.code == 0 and ("not begun" in told.out) == (target in CANNOT_BE_TRAINED)
    assert "Trained 0 runs" in whole.say("reproduce", target, *SCALE).out
    verified = whole.say("verify", target, *SCALE, "--store", "store")  # but the rows that failed
    assert verified.code == 0 and "FAIL" not in verified.out.partition("OK: every")[0], verified.out


@pytest.mark.parametrize("kind", few(ALL_KINDS, "comparison", "statistics", "ranks"))
def test_every_verb_on_a_target_that_is_made(made: SmallestPlace, kind: str) -> None:
    target, rows = ready(made, kind)
    for call in (
        ("show", target), ("show", target, "--json"), ("plan", target, *SCALE), ("sync", target, *SCALE),
    ):  # fmt: skip
        said = made.say(*call)
        assert said.code == 0 and said.out and said.lines == [], (call, said.err)
    if kind != "confirmation":
        verified = made.say("verify", target, *SCALE, "--store", "store")
        assert verified.code == 0, verified.out
    explained = [made.say("explain", target, row, *SCALE, "--local") for row in rows]
    assert {said.code for said in explained} == {2 if kind in {"ranks", "distributions"} else 0}
    for call in (
        ("plan", target, *SCALE, "--json"), ("explain", target),
        ("explain", target, rows[0], "nothing", *SCALE, "--local"), ("report", target, "--publish"),
        ("compare", f"{target}:{rows[0]}", f"{target}:{rows[-1]}", *SCALE),
        ("verify", target, *SCALE, "--row", "nobody"), ("tune", target, *SCALE), ("methods", target),
        ("runs", "show", target), ("runs", "rm", target, "--yes"),
        ("explain", "--why-retrain", target, target),
    ):  # fmt: skip
        made.say(*call).check()
    for said in explained:
        said.check()


@pytest.mark.parametrize("kind", few(ALL_KINDS, "comparison", "statistics"))
@pytest.mark.parametrize("analysis", few(ANALYSES, "gradients", "geometry"))
def test_every_analysis_of_a_target_that_is_made(made: SmallestPlace, kind: str, analysis: str) -> None:
    target, rows = ready(made, kind)
    few_queries = ("--with", "queries=4", "--with", "ranks=5") if analysis == "gradients" else ()
    made.say("analyse", analysis, target, *SCALE, *few_queries).check()
    made.say("analyse", analysis, target, *SCALE, "--row", rows[0], *few_queries).check()


@pytest.mark.parametrize("kind", few(KINDS, "comparison", "statistics"))
def test_every_verb_on_a_target_that_is_not_made_yet(unmade: SmallestPlace, kind: str) -> None:
    target, rows = named(unmade, kind)
    for call in (("show", target), ("plan", target, *SCALE), ("sync", target, *SCALE)):
        said = unmade.say(*call)
        assert said.code == 0 and said.out and said.lines == [], (call, said.err)
    for call in (
        ("plan", target, *SCALE, "--json"), ("explain", target), ("explain", target, rows[0], *SCALE),
        ("explain", target, rows[0], *SCALE, "--local"), ("report", target),
        ("report", target, "--publish"), ("verify", target, *SCALE),
        *(("analyse", name, target, *SCALE) for name in ANALYSES),
        ("analyse", "geometry", target, *SCALE, "--row", rows[0]),
        ("compare", f"{target}:{rows[0]}", f"{target}:{rows[-1]}", *SCALE), ("runs", "show", target),
    ):  # fmt: skip
        unmade.say(*call).check()


def test_every_verb_on_a_store_that_is_empty(unmade: SmallestPlace) -> None:
    for call in (
        ("list",), ("list", "--json"), ("methods",), ("doctor",), ("tune", "--list"), ("runs", "list"),
        ("runs", "gc"), ("report", "--all"), ("show", CONFIRMATION), ("plan", CONFIRMATION, *SCALE),
        ("compare", "abc", "def"), ("runs", "show", "abc"), ("search", "samplers"),
    ):  # fmt: skip
        said = unmade.say(*call)
        (said.code == 1 and call == ("doctor",)) or said.check()


def test_curves_of_training_and_of_test_queries_share_their_runs(made: SmallestPlace) -> None:
    make(made, "simans/figure-3")
    told = made.say("reproduce", "simans/figure-3-test", *SCALE, "--publish")
    assert told.code == 0 and "Trained 0 runs" in told.out, told.err
    check_cells(made.root / "results/simulation/simans/figure-3-test")
    train, test = (
        read_json(made.root / f"results/simulation/simans/{name}/cells.json")
        for name in ("figure-3", "figure-3-test")
    )
    assert [cells["columns"][0]["split"] for cells in (train, test)] == ["train", "test"]
    for cells in (train, test):
        points = [[point["step"] for point in row["points"]] for row in cells["rows"]]
        assert points == [[0, 2, 4]] * 2 and cells["begin"]["name"] == "AR2"
        begins = {row["points"][0]["mean"] for row in cells["rows"]}
        assert begins == {cells["begin"]["per_seed"][0]}


def test_results_of_which_rows_were_left_out_are_verified(made: SmallestPlace) -> None:
    other = "trisampler/figure-1"
    assert made.say("reproduce", other, *SCALE, "--row", "Base", "--publish").code == 0
    verified = made.say("verify", other, *SCALE, "--store", "store")
    assert verified.code == 0 and "FAIL" not in verified.out.partition("OK: every")[0], verified.out
    rows = [row.name for row in Library(made.root / "experiments").target(other).target.rows]
    made_rows = read_json(made.root / f"results/simulation/{other}/provenance.json")["runs"]
    absent = next(row for row in rows if row not in {run["row"] for run in made_rows})
    left_out = made.say("verify", other, *SCALE, "--row", absent)
    left_out.check()
    assert left_out.code == 2 and "these rows have no committed scores; name one of" in left_out.err


def test_results_with_a_column_that_few_rows_have_are_verified(made: SmallestPlace) -> None:
    make(made, TEACHER)
    verified = made.say("verify", TEACHER, *SCALE, "--store", "store")
    assert verified.code == 0, verified.out
    lines = [line for line in verified.out.splitlines() if "MRR@10 reranked" in line]
    assert {line.partition("  ")[0] for line in lines} == {"Base, reranked", "Uniform Sampling"}
    assert all(line.endswith("OK") for line in lines)


LONG = "y" * 1000
ODD_OPTIONS = [
    *(("--with", f"visits={value}") for value in ("[", "", "nan", "1e999", "-1", "0", "9" * 300, "&a *a")),
    *(("--with", text) for text in ("=3", "nothing=1", LONG, "", "visits", "shown=0", "visits=\n")),
    *(("--seed", value) for value in ("-1", "x", "", "1000000000", "9" * 30)),
    *(("--row", value) for value in ("", "nobody", LONG, "a\nb")),
    *(("--scale", value) for value in ("", "nothing", "../scratch", LONG, "a\nb")),
    ("--dataset", "nothing"), ("--nothing", "1"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_OPTIONS, ids=lambda odd: " ".join(odd)[:30])
def test_an_odd_value_of_an_option_is_one_line(made: SmallestPlace, odd: tuple[str, str]) -> None:
    scale = () if odd[0] == "--scale" else SCALE
    said = made.say("analyse", "geometry", KINDS["comparison"], *scale, *odd)
    said.check()
    assert said.code == 2


@pytest.mark.parametrize(
    "call",
    [
        *(("plan", KINDS["comparison"], *SCALE, "--seeds", n) for n in ("0", "-1", "1000000000", "x", "")),
        *(("verify", KINDS["comparison"], *SCALE, "--store", path) for path in ("file", "file/x", LONG)),
        *(("plan", path) for path in (LONG, f"{LONG}.yaml", "nothing.yaml", "file", ".", "")),
        *(("compare", path, path) for path in (LONG, "file", "nothing/x")),
        ("explain", "--why-retrain", LONG, LONG),
        ("tune", NAME, *SCALE, "--workers", "1000000000"),
        ("tune", NAME, *SCALE, "--trials", "0"),
        ("tune", NAME, *SCALE, "--storage", "file"),
        ("tune", NAME, *SCALE, "--storage", "nothing://x"),
        ("runs", "gc", "--days", "nan"),
        ("runs", "gc", "--days", "-1"),
    ],
    ids=lambda call: " ".join(call)[:60],
)
def test_an_odd_argument_is_one_line(made: SmallestPlace, call: tuple[str, ...]) -> None:
    (made.root / "file").write_text("x")
    said = made.say(*call)
    said.check()
    assert said.code == 2
