"""Statistics are those of plain numpy over the stacked gradients, and bands those of queries drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from harness.gradients.coefficients import SAMPLED, contrasted
from harness.gradients.per_rank import POSITIVES, frame_of, gradients_per_rank, measure
from harness.gradients.statistics import BY_GROUP, SQUARED, STATISTICS, Gradients, band, curves
from tests.cases import few

from .brute_force import brute_force
from .conftest import RANKS


def statistics(gradients: np.ndarray, group: np.ndarray) -> dict[str, np.ndarray]:
    """Of gradients [Q, R, P], by rank; the square of the mean is that of queries of different groups."""
    norms = np.linalg.norm(gradients, axis=2)
    products = np.einsum("qrp,srp->rqs", gradients, gradients)
    different = group[:, None] != group[None, :]
    return {
        "mean of norms": norms.mean(axis=0),
        "variance of norms": norms.var(axis=0, ddof=1),
        SQUARED: products[:, different].mean(axis=1),
        "trace of the covariance": gradients.var(axis=0, ddof=1).sum(axis=1),
    }


def test_the_frame_holds_them_raw_and_relative(double, lists_of) -> None:
    retriever = double("no layer, separate, projection")
    lists = lists_of(retriever, 5)
    inside = contrasted("sampled", lists.query, lists.document[:, 1:], 3)
    arguments = {"ranks": RANKS, "queries": 5, "wrt": "query", "groups": 2, "seed": 3}
    group = measure(retriever, **arguments).group
    expected = statistics(brute_force(retriever, lists, inside, "query", "simans", "sampled"), group)
    frame = gradients_per_rank(retriever, **arguments)
    assert list(frame["statistic"].unique()) == [*STATISTICS, POSITIVES]
    for name, values in expected.items():
        lines = frame[frame["statistic"] == name]
        assert lines["rank"].tolist() == list(range(1, RANKS + 1))
        shown = np.sqrt(np.maximum(values, 0)) if name == SQUARED else values
        np.testing.assert_allclose(lines["value"], shown, rtol=1e-8)
        np.testing.assert_allclose(lines["relative"], shown / shown.max(), rtol=1e-8)
        assert (lines["low"] <= lines["value"]).all() and (lines["value"] <= lines["high"]).all()


def test_the_mean_rank_of_the_positives_counts_negatives_alone(double) -> None:
    retriever = double("one layer, separate, cls")
    frame = gradients_per_rank(retriever, ranks=3, wrt="score")
    pairs, scores = retriever.pairs("dev"), retriever.queries("dev") @ retriever.documents.T
    ranks: dict[int, list[int]] = {}
    for (query, positive), labelled in zip(pairs.pairs, pairs.labelled, strict=True):
        negatives = np.delete(scores[query], labelled)
        ranks.setdefault(query, []).append(1 + int((negatives > scores[query, positive]).sum()))
    line = frame[frame["statistic"] == POSITIVES]
    assert line["value"].item() == pytest.approx(np.mean([np.mean(some) for some in ranks.values()]))
    assert line["low"].item() < line["value"].item() < line["high"].item()


def random_gradients(seed: int, queries: int = 160, groups: int = 16) -> tuple[np.ndarray, Gradients]:
    """Gradients [Q, 3, 40] of lengths and spreads that differ by rank, and what statistics read of them."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(queries, 3, 40)) * np.array([3.0, 1.0, 0.5])[:, None] + 0.4
    return vectors, of_vectors(vectors, np.arange(queries) % groups, seed)


def of_vectors(vectors: np.ndarray, group: np.ndarray, seed: int) -> Gradients:
    """What statistics read of gradients [Q, R, P]."""
    sums = np.stack([vectors[group == g].sum(axis=0) for g in np.unique(group)])
    product = np.einsum("grp,hrp->rgh", sums, sums)
    ranks = np.random.default_rng(seed).exponential(10, len(vectors))
    return Gradients("random", np.linalg.norm(vectors, axis=2), product, group, ranks, seed)


def test_bands_are_as_wide_as_other_queries_would_scatter() -> None:
    others = [statistics(vectors, made.group) for vectors, made in map(random_gradients, range(150))]
    several = [curves(random_gradients(seed)[1]) for seed in range(20)]
    for name in STATISTICS:
        units = 16 if name in BY_GROUP else None
        ends = [band(some.value[name], some.replicate[name], units=units) for some in several]
        width = np.mean([high - low for low, high in ends], axis=0)
        scatter = np.std([some[name] for some in others], axis=0)
        by = 1.15 if units else 1.0  # Student's t of 16
        np.testing.assert_allclose(width / (2 * 1.96 * scatter), by, atol=0.22, err_msg=name)


@pytest.mark.parametrize("length", few([0.0, 0.3, 1.0], 0.3))
def test_the_square_of_the_mean_is_unbiased_and_its_interval_covers(length: float) -> None:
    """Of gradients whose mean is known; the plug-in square would be the trace over Q too large."""
    squares, covered, repetitions = [], 0, 300
    mean = np.full(40, length / np.sqrt(40))
    for seed in range(repetitions):
        rng = np.random.default_rng(seed)
        scale = rng.gamma(4, 0.25, (160, 1, 1))  # queries differ in how much they learn
        vectors = scale * (mean + rng.normal(size=(160, 1, 40)) * np.linspace(0.02, 0.2, 40))
        some = curves(of_vectors(vectors, np.arange(160) % 16, seed))
        low, high = band(some.value[SQUARED], some.replicate[SQUARED], units=16)
        squares.append(float(some.value[SQUARED][0]))
        covered += bool(low[0] <= length**2 <= high[0])
    assert abs(np.mean(squares) - length**2) < 4 * np.std(squares) / np.sqrt(repetitions)
    assert covered / repetitions > 0.95 - 3 * np.sqrt(0.05 * 0.95 / repetitions)


def test_a_group_of_every_query_agrees_with_resampling_the_vectors() -> None:
    vectors, gradients_of_groups = random_gradients(1, 12, groups=12)
    computed = curves(gradients_of_groups)
    for name, values in statistics(vectors, gradients_of_groups.group).items():
        np.testing.assert_allclose(computed.value[name], values, rtol=1e-10)
    generator = np.random.default_rng(1)
    generator.multinomial(12, np.full(12, 1 / 12), 1000)  # those of the statistics by query
    drawn = np.repeat(np.arange(12), generator.multinomial(12, np.full(12, 1 / 12), 1000)[7])
    again = statistics(vectors[drawn], drawn)
    for name in BY_GROUP:
        np.testing.assert_allclose(computed.replicate[name][7], again[name])


def test_the_same_seed_gives_the_same_frame_and_gradients_lie_in_memory_no_more(double) -> None:
    measured = measure(double("two layers, shared, mean"), ranks=4, queries=6, groups=3, seed=5)
    assert measured.norm.shape == (6, 4) and measured.product.shape == (4, 3, 3)
    assert np.bincount(measured.group).tolist() == [2, 2, 2]
    assert frame_of(measured).equals(frame_of(measured))


def test_fifteen_negatives_are_sampled_uniformly_for_each_query() -> None:
    document = np.tile(np.arange(60), (800, 1))
    inside = contrasted("sampled", np.arange(800), document, 0)
    assert (inside.sum(axis=1) == SAMPLED).all()
    share = inside.mean(axis=0)
    assert np.abs(share - 0.25).max() < 4.5 * np.sqrt(0.25 * 0.75 / 800)
    alone = contrasted("sampled", np.arange(800)[::-1], document, 0)[::-1]
    assert (alone == inside).all()  # a query's sample does not depend on the others
