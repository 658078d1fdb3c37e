"""What `harness methods` prints."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from harness.methods.describe import _bar, list_methods, render_list, render_methods, show_methods
from harness.specs.library import Library

LIBRARY = Library(Path(__file__).resolve().parents[2] / "experiments")


def printed(what: RenderableType, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(what)
    return console.file.getvalue()


def test_the_list_names_every_method_once_a_kind() -> None:
    text = printed(render_list(LIBRARY), width=300)
    for method in list_methods(LIBRARY):
        assert f"{method['name']} " in text
        assert method["source"] in text
    assert "…" not in printed(render_list(LIBRARY))


def test_a_law_is_shown_with_formula_docstring_parameters_plot_and_uses() -> None:
    text = printed(render_methods(LIBRARY, "score"))
    for words in (
        "score (law)",
        "Weight: exp(s- / t)",
        "since raw inner products can be negative",
        "temperature",
        ">= 1e-06",
        "+4  1.000",
        "s(q, d+) = s(d+, d-) = 8",
        "trisampler/table-5 (TopK Sampling)",
    ):
        assert words in " ".join(text.split()) or words in text


@pytest.mark.slow
def test_a_sampler_is_shown_with_pieces_and_chances() -> None:
    text = printed(render_methods(LIBRARY, "nearest-k"))
    assert "chance to be among 15" in text
    assert "law       simans" in text
    assert "Used by: calibration/every-sampler (nearest-k)" in text


def test_a_loss_is_shown_with_formula_and_uses() -> None:
    text = " ".join(printed(render_methods(LIBRARY, "softmax-cross-entropy")).split())
    assert "Loss: -log p+, p = softmax(s / t); s+ is s(q, d+)" in text
    assert "Weight" not in text
    assert "recipes/continue-contrastive" in text.partition("Used by: ")[2]


def test_what_draws_nothing_has_no_plot() -> None:
    text = printed(render_methods(LIBRARY, "queue"))
    assert "queue (topology)" in text and "queue (sampler)" in text
    assert "s- - s+" not in text


@pytest.mark.slow
def test_programs_get_the_contract_and_more() -> None:
    law, sampler = show_methods(LIBRARY, "uniform")
    assert (law["kind"], sampler["kind"]) == ("law", "sampler")
    assert law["formula"] == "1"
    assert "Uniform Sampling" in law["used_by"]["trisampler/table-5"]
    json.dumps([law, sampler])


@pytest.mark.parametrize(("share", "bar"), [(0.0, ""), (1.0, "█" * 28), (0.5, "█" * 14), (1 / 224, "▏")])
def test_bars_are_as_long_as_their_share(share: float, bar: str) -> None:
    assert _bar(share) == bar
