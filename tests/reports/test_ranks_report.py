"""What a reader finds in the report over ranks."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample import typed
from sample_runs import some_collection, some_runs, some_scores

from harness.collections.collection import Collection
from harness.errors import UserError
from harness.gradients.findings import findings
from harness.gradients.of_run import VERSION, RankSettings, write_gradients
from harness.gradients.statistics import Gradients
from harness.reports.cells import ReportContext
from harness.reports.kinds import REPORTS, document_of
from harness.reports.ranks.cells import RanksCells, build_ranks, check_ranks
from harness.reports.renderers.markdown import render_markdown
from harness.specs.library import Library
from harness.specs.resolve import resolve

MEASURED = RankSettings("dev", 200)
RANKS, QUERIES, GROUPS = 200, 64, 16


def gradients(fall: float) -> Gradients:
    """Lengths that fall by a factor over the ranks, in one direction."""
    generator = np.random.default_rng(0)
    shape = fall ** -np.linspace(0, 1, RANKS)
    norm = shape * generator.uniform(0.5, 1.5, (QUERIES, 1))
    group = np.arange(QUERIES) % GROUPS
    sums = np.stack([norm[group == of].sum(axis=0) for of in range(GROUPS)])
    product = np.einsum("gr,hr->rgh", sums, sums)
    return Gradients("some", norm, product, group, np.full(QUERIES, 30.0), 0)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> RanksCells:
    """Two rows, of which the means of one fall by more than an order of magnitude."""
    resolved = resolve(Library.default(), "simans/figure-1", "simulation")
    runs = some_runs(resolved, tmp_path_factory.mktemp("runs"), seeds=1)
    for run, fall in zip(runs, (4.0, 60.0), strict=True):
        write_gradients(gradients(fall), run.folder, MEASURED)
    scores = some_scores(resolved, {(run.row, run.seed): [0.5, 0.7] for run in runs})
    collection = some_collection("small", {"train": 7, "dev": 64, "test": 4}, 300)
    context = ReportContext(resolved, runs, {}, scores, {resolved.dataset: collection})
    return build_ranks(context)


def test_the_cells_say_all_that_the_measurement_depended_on(cells: RanksCells) -> None:
    assert cells.options == {
        "split": "dev", "ranks": 200, "queries": None, "wrt": "both", "loss": "simans", "contrast": "sampled",
        "groups": 16, "seed": 0, "version": VERSION,
    }  # fmt: skip


def test_a_finding_is_answered_for_each_row(cells: RanksCells) -> None:
    text = render_markdown(document_of(cells))
    (line,) = [line for line in text.splitlines() if line.startswith("| 2. The means stay")]
    assert line.count(" holds: ") == 2 and line.count("does not hold: ") == 2
    assert "gradients of the 200 negatives nearest to each of 64 dev queries" in text
    assert "| Base (reference) |      0 |        30.0 | [30.0, 30.0] |" in text


def test_cells_are_the_frames_that_were_written(cells: RanksCells) -> None:
    written = findings(gradients(4.0)).drop(columns="retriever")
    read = pd.DataFrame([of.model_dump() for of in cells.rows[0].checkpoints[0].findings])
    pd.testing.assert_frame_equal(read.fillna(np.nan), written, check_dtype=False)
    curve = cells.rows[0].checkpoints[0].curves[0]
    assert curve.statistic == "mean of norms"
    assert curve.value == pytest.approx(gradients(4.0).norm.mean(axis=0).tolist())
    assert typed(cells.as_json()) == cells


def labelled(dev: int, documents: int) -> Collection:
    """A collection whose dev queries have one labelled positive each."""
    collection = some_collection("small", {"train": 7, "dev": dev, "test": 4}, documents)
    queries = collection.queries["dev"]
    queries = replace(queries, qrels={query: {"d0": 2} for query in queries.ids})
    return replace(collection, queries={**collection.queries, "dev": queries})


def test_a_collection_that_is_too_small_is_refused_before_training() -> None:
    resolved = resolve(Library.default(), "simans/figure-1", "simulation")

    def check(dev: int, documents: int) -> None:
        check_ranks(resolved, {resolved.dataset: labelled(dev, documents)})

    with pytest.raises(UserError, match="15 dev queries have a labelled positive; bands need 16"):
        check(15, 300)
    with pytest.raises(UserError, match=r"200 ranks, and only 199 documents .* to at most 199"):
        check(16, 200)
    check(16, 201)


def test_the_csv_has_a_line_for_each_rank(cells: RanksCells) -> None:
    lines = list(csv.DictReader(io.StringIO(REPORTS["ranks"].csv(cells))))
    assert len(lines) == 2 * (4 * RANKS + 1)
    assert [int(line["rank"]) for line in lines[:3]] == [1, 2, 3]
    assert lines[4 * RANKS]["statistic"] == "mean rank of the positives" and lines[4 * RANKS]["rank"] == ""


def test_the_figure_has_each_row_and_the_same_bytes_again(cells: RanksCells, tmp_path: Path) -> None:
    for name in ("one", "two"):
        REPORTS["ranks"].draw(cells, tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    assert "Base (reference)" in text and "Uniform Sampling" in text and "Results on small" in text


def test_a_row_that_failed_is_named(cells: RanksCells) -> None:
    failed = cells.rows[0].model_copy(update={"checkpoints": [], "reason": "out of memory"})
    text = render_markdown(document_of(cells.model_copy(update={"rows": [failed, cells.rows[1]]})))
    assert "Failed: Base, out of memory." in text


def test_a_mean_that_is_noise_is_told(tmp_path: Path) -> None:
    """Gradients of queries in directions of their own: the mean of such is their trace over Q, and noise."""
    resolved = resolve(Library.default(), "simans/figure-1", "simulation")
    runs = some_runs(resolved, tmp_path, seeds=1)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(QUERIES, RANKS, 30))
    group = np.arange(QUERIES) % GROUPS
    sums = np.stack([vectors[group == of].sum(axis=0) for of in range(GROUPS)])
    product = np.einsum("grp,hrp->rgh", sums, sums)
    norm = np.linalg.norm(vectors, axis=2)
    for run in runs:
        noise = Gradients("noise", norm, product, group, np.full(QUERIES, 30.0), 0)
        write_gradients(noise, run.folder, MEASURED)
    scores = some_scores(resolved, {(run.row, run.seed): [0.5, 0.7] for run in runs})
    collection = some_collection("small", {"train": 7, "dev": 64, "test": 4}, 300)
    made = build_ranks(ReportContext(resolved, runs, {}, scores, {resolved.dataset: collection}))
    assert typed(made.as_json()) == made
    text = render_markdown(document_of(made))
    (line,) = [line for line in text.splitlines() if line.startswith("| 2. The means stay")]
    assert (
        line.count("cannot be told: no mean beyond chance (mean, greatest tenth") == 2
        and line.count(" holds: ") == 2
    )


@pytest.mark.parametrize(("of_target", "of_scale", "used"), [(None, 64, 64), (128, 64, 64), (64, 128, 64)])
def test_a_scale_caps_the_queries_and_caption_and_cells_say_so(
    tmp_path: Path, of_target: int | None, of_scale: int, used: int
) -> None:
    resolved = resolve(Library.default(), "simans/figure-1", "simulation")
    target = resolved.target.model_copy(update={"queries": of_target})
    spec = resolved.scale.spec.model_copy(update={"gradient_queries": of_scale})
    capped = replace(
        resolved,
        loaded=replace(resolved.loaded, target=target),
        scale=replace(resolved.scale, spec=spec),
    )
    runs = some_runs(resolved, tmp_path, seeds=1)
    for run in runs:
        write_gradients(gradients(4.0), run.folder, RankSettings("dev", 200, used))
    scores = some_scores(resolved, {(run.row, run.seed): [0.5, 0.7] for run in runs})
    collection = some_collection("small", {"train": 7, "dev": 200, "test": 4}, 300)
    made = build_ranks(ReportContext(capped, runs, {}, scores, {resolved.dataset: collection}))
    assert made.options["queries"] == used
    assert "nearest to each of 64 dev queries (a hashed sample)." in render_markdown(document_of(made))
