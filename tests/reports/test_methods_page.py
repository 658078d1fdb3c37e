"""The committed page of methods is the generated one; its figure has the same bytes twice."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

from harness.negatives.presets import presets
from harness.negatives.registry import DRAWS, LAWS, SOURCES
from harness.reports.drawing import OKABE_ITO
from harness.reports.methods_figure import DASHES, draw_laws, variants
from harness.reports.methods_page import FIGURE, _table, render_page
from harness.specs.library import Library
from harness.training.losses.registry import LOSSES
from harness.training.topologies.registry import TOPOLOGIES

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(Library(CHECKOUT / "experiments"))


def test_the_committed_page_is_the_generated_one(page: str) -> None:
    committed = (CHECKOUT / "docs/methods.md").read_text(encoding="utf-8")
    assert committed == page, "run python -m harness.reports.methods_page"


def test_the_page_has_every_piece_and_every_preset(page: str) -> None:
    for name in [*SOURCES, *LAWS, *DRAWS, *TOPOLOGIES, *LOSSES]:
        assert f"\n### {name}\n" in page
    assert all(f"\n| {name} | " in page for name in presets())
    assert all(f"\nWeight: `{law.formula}`\n" in page for law in LAWS.values())
    assert all(f"\nLoss: `{loss.formula}`\n" in page for loss in LOSSES.values())
    assert FIGURE in page


def test_bars_of_a_formula_do_not_end_a_cell() -> None:
    assert _table(("a",), [("exp(-3 |gap|)",)]).splitlines()[-1] == r"| exp(-3 \|gap\|) |"


@pytest.mark.slow
def test_the_same_laws_give_the_same_bytes() -> None:
    first = draw_laws()
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "other"}):
        assert draw_laws() == first
    assert (CHECKOUT / "docs/methods.svg").is_file()


def test_every_law_has_a_panel_and_every_reading_a_line() -> None:
    text = draw_laws().decode()
    assert all(f">{name}</text>" in text for name in LAWS)
    assert list(variants("debiased")) == list("ABCDEF")
    assert all(f">{label}</text>" in text for label in variants("region"))
    assert max(len(variants(name)) for name in LAWS) <= min(len(DASHES), len(OKABE_ITO))
