"""Statistics are those of plain numpy over the stacked gradients, and bands those of queries drawn anew."""

from __future__ import annotations

import numpy as np
import pytest

from harness.gradients.coefficients import SAMPLED, contrasted
from harness.gradients.per_rank import POSITIVES, frame_of, gradients_per_rank, measure
from harness.gradients.statistics import BY_GROUP, STATISTICS, Gradients, band, curves

from .brute_force import brute_force
from .conftest import RANKS


def statistics(gradients: np.ndarray) -> dict[str, np.ndarray]:
    """Of gradients [Q, R, P], by rank."""
    norms = np.linalg.norm(gradients, axis=2)
    return {
        "mean of norms": norms.mean(axis=0),
        "variance of norms": norms.var(axis=0, ddof=1),
        "norm of the mean": np.linalg.norm(gradients.mean(axis=0), axis=1),
        "trace of the covariance": gradients.var(axis=0, ddof=1).sum(axis=1),
    }


def test_the_frame_holds_them_raw_and_relative(double, lists_of) -> None:
    retriever = double("no layer, separate, projection")
    lists = lists_of(retriever, 5)
    inside = contrasted("sampled", lists.query, lists.document[:, 1:], 3)
    expected = statistics(brute_force(retriever, lists, inside, "query", "simans", "sampled"))
    frame = gradients_per_rank(retriever, ranks=RANKS, queries=5, wrt="query", groups=2, seed=3)
    assert list(frame["statistic"].unique()) == [*STATISTICS, POSITIVES]
    for name, values in expected.items():
        lines = frame[frame["statistic"] == name]
        assert lines["rank"].tolist() == list(range(1, RANKS + 1))
        np.testing.assert_allclose(lines["value"], values, rtol=1e-8)
        np.testing.assert_allclose(lines["relative"], values / values.max(), rtol=1e-8)
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


def random_gradients(seed: int, queries: int, groups: int = 16) -> tuple[np.ndarray, Gradients]:
    """Gradients [Q, 3, 40] of lengths and spreads that differ by rank, and what statistics read of them."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(queries, 3, 40)) * np.array([3.0, 1.0, 0.5])[:, None] + 0.4
    group = np.arange(queries) % groups
    sums = np.stack([vectors[group == g].sum(axis=0) for g in range(groups)])
    product = np.einsum("grp,hrp->rgh", sums, sums)
    ranks = rng.exponential(10, queries)
    return vectors, Gradients("random", np.linalg.norm(vectors, axis=2), product, group, ranks, seed)


def test_bands_are_as_wide_as_other_queries_would_scatter() -> None:
    others = [statistics(random_gradients(seed, 160)[0]) for seed in range(150)]
    several = [curves(random_gradients(seed, 160)[1]) for seed in range(20)]
    for name in STATISTICS:
        ends = [band(some.value[name], some.replicate[name]) for some in several]
        width = np.mean([high - low for low, high in ends], axis=0)
        scatter = np.std([some[name] for some in others], axis=0)
        np.testing.assert_allclose(width / (2 * 1.96 * scatter), 1.0, atol=0.2, err_msg=name)


def test_a_group_of_every_query_agrees_with_resampling_the_vectors() -> None:
    vectors, gradients_of_groups = random_gradients(1, 12, groups=12)
    computed = curves(gradients_of_groups)
    for name, values in statistics(vectors).items():
        np.testing.assert_allclose(computed.value[name], values, rtol=1e-10)
    generator = np.random.default_rng(1)
    generator.multinomial(12, np.full(12, 1 / 12), 1000)  # those of the statistics by query
    again = statistics(np.repeat(vectors, generator.multinomial(12, np.full(12, 1 / 12), 1000)[7], axis=0))
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
