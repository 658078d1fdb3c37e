"""Memory stays under its bound, and work grows with the queries."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from harness.errors import UserError
from harness.gradients.layer_gradients import LayerGradients
from harness.gradients.per_rank import measure
from harness.gradients.sums import Sums

MIB = 2**20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_stays_under_two_bounds_and_uses_what_it_may() -> None:
    bounds = [64 * MIB, 128 * MIB]
    give_back = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.analysis.gradients.peak_memory", *map(str, bounds)],
        env={**os.environ, **give_back},
        capture_output=True,
        text=True,
        check=True,
    )
    lesser, greater = (int(line) for line in done.stdout.split())
    assert 30 * MIB < lesser < bounds[0] < greater < bounds[1]


def test_memory_in_which_one_rank_does_not_fit_is_refused_with_what_it_takes(double) -> None:
    retriever = double("no layer, shared, idf")
    with pytest.raises(
        UserError, match=r"one rank needs \d\.\d MiB, and the bound is 0\.1 MiB; raise"
    ) as caught:
        measure(retriever, ranks=2, queries=3, memory=MIB // 10)
    takes = float(str(caught.value).split(" MiB")[0].split()[-1]) + 0.1
    assert measure(retriever, ranks=2, queries=3, memory=int(takes * MIB)).norm.shape == (3, 2)


def test_the_bound_on_memory_changes_no_result(double) -> None:
    retriever = double("three layers, shared, projection")
    tight, wide = (measure(retriever, ranks=20, queries=3, groups=2, memory=m) for m in (1_500_000, 2**30))
    torch.testing.assert_close(torch.from_numpy(tight.norm), torch.from_numpy(wide.norm), rtol=1e-10, atol=0)
    torch.testing.assert_close(torch.from_numpy(tight.product), torch.from_numpy(wide.product))


@pytest.mark.slow
@pytest.mark.parametrize(("contrast", "shared"), [("sampled", 16), ("all", 21), ("alone", 1)])
@pytest.mark.parametrize("memory", [2**31, 1_200_000], ids=["one chunk", "chunks"])
def test_passages_that_are_run_grow_with_the_queries_alone(
    double, monkeypatch, contrast: str, shared: int, memory: int
) -> None:
    """Each negative of each query is run once, and once more what the losses of a query share."""
    retriever, seen, chunks = double("one layer, separate, cls"), [], []

    def note(_, inputs) -> None:
        if torch.is_grad_enabled():
            seen.append(len(inputs[0]))

    products = Sums.products
    monkeypatch.setattr(Sums, "products", lambda sums: chunks.append(sums) or products(sums))
    hook = retriever.encoder.passage.register_forward_pre_hook(note)
    try:
        for queries in (2, 4, 8):
            seen.clear()
            chunks.clear()
            measure(
                retriever,
                ranks=20,
                queries=queries,
                groups=2,
                contrast=contrast,
                wrt="passage",
                memory=memory,
            )
            assert sum(seen) == queries * (20 + shared)
            assert (len(chunks) > 1) == (memory < 2**31)
    finally:
        hook.remove()


def test_what_a_query_shares_is_summed_once_however_many_chunks(double, monkeypatch) -> None:
    """Half of what is left of the bound goes to these sums, before ranks."""
    retriever, summed, chunks = double("one layer, separate, cls"), [], []
    shared, products = LayerGradients._shared, Sums.products
    monkeypatch.setattr(
        LayerGradients, "_shared", lambda of, *how: summed.append(how[1:3]) or shared(of, *how)
    )
    monkeypatch.setattr(Sums, "products", lambda sums: chunks.append(sums) or products(sums))
    measure(retriever, ranks=20, queries=16, groups=2, wrt="passage", memory=1_200_000)
    assert len(chunks) > 1
    assert len(summed) == len(set(summed)) == 16
