"""Pairs of rows that a comparison names beside its baseline."""

from __future__ import annotations

import pytest

from harness.specs.kinds.comparison import Comparison
from harness.specs.library import Library

from .conftest import TABLE, Broken

SPEC = f"papers/{TABLE}.yaml"
KEY = "compare:\n"
QUOTED = "rows:\n  - {name: Quoted, kind: published, published: ['1.0', null, null]}\n"


def pairs(*written: str) -> tuple[str, str]:
    """Return the change that names other pairs below the baseline, the first one in line 14 of the file."""
    shipped = "  - [TriSampler, SimANS]\n  - [TriSampler, Debiased Sampling]\n"
    return f"{KEY}{shipped}", f"{KEY}{''.join(f'  - {pair}{chr(10)}' for pair in written)}"


def test_pairs_are_of_rows_of_any_kind_with_runs(library: Library) -> None:
    path = library.root / SPEC
    named = pairs("[TriSampler, SimANS]", "[Base, TriSampler]", "[BM25, Uniform Sampling]")
    path.write_text(path.read_text().replace(*named))
    target = library.target(TABLE).target
    assert isinstance(target, Comparison)
    assert target.compare == [
        ["TriSampler", "SimANS"], ["Base", "TriSampler"], ["BM25", "Uniform Sampling"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["[TriSampler, SimAN]"], "14: key 'compare[0][1]': unknown row 'SimAN'; did you mean 'SimANS'?"),
        (["[SimANS, SimANS]"], "14: key 'compare[0]': row 'SimANS' is compared with itself; name two rows"),
        (
            ["[TriSampler, SimANS]", "[SimANS, TriSampler]"],
            "15: key 'compare[1]': 'SimANS' and 'TriSampler' are compared twice; keep one",
        ),
        (
            ["[Quoted, TriSampler]"],
            "14: key 'compare[0][0]': row 'Quoted' of kind 'published' has no runs to be compared; name",
        ),
        (
            ["[TriSampler, Uniform Sampling]"],
            "14: key 'compare[0]': row 'TriSampler' is compared with the baseline anyway; remove it",
        ),
        (["[TriSampler]"], "14: key 'compare[0]': a pair is [row, row], got 1"),
        (["[TriSampler, SimANS, BM25]"], "14: key 'compare[0]': a pair is [row, row], got 3"),
        (["TriSampler"], "14: key 'compare[0]': got 'TriSampler'; expected a list"),
        (["[TriSampler, 7]"], "14: key 'compare[0][1]': got 7; expected a text"),
    ],
)
def test_wrong_pairs(broken: Broken, written: list[str], expected: str) -> None:
    (line,) = broken(SPEC, ("rows:\n", QUOTED), pairs(*written))
    assert line.startswith(f"experiments/{SPEC}:{expected}"), line


@pytest.mark.parametrize("table", [TABLE, "trisampler/table-5-ar2"])
def test_what_the_paper_claims_of_its_sampler_is_tested(library: Library, table: str) -> None:
    target = library.target(table).target
    assert isinstance(target, Comparison)
    assert target.compare == [["TriSampler", "SimANS"], ["TriSampler", "Debiased Sampling"]]


def test_other_kinds_have_no_pairs(broken: Broken) -> None:
    (line,) = broken(
        "papers/trisampler/table-5-readings.yaml",
        ("focus: TriSampler\n", f"focus: TriSampler\n{KEY}  - [TriSampler, SimANS]\n"),
        target="trisampler/table-5-readings",
    )
    assert "key 'compare': unknown key" in line
