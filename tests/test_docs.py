"""What the pages tell to do is done here."""

from __future__ import annotations

import importlib.util
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml
from scipy import stats

from harness.methods.catalogue import methods_named
from harness.negatives import presets as presets_module
from harness.negatives.registry import LAWS, make_draw, make_law, make_source
from harness.negatives.sampler import Sampler
from harness.specs.library import Library
from harness.specs.samplers import sampler_settings
from harness.specs.target import Row
from tests.place import Place

from .negatives.conftest import fresh_noise, make_candidates, repeated
from .negatives.contract import N, SamplerContract

CHECKOUT = Path(__file__).parents[1]
ADDING = (CHECKOUT / "docs/adding-a-sampler.md").read_text(encoding="utf-8")
SCRIPTS = CHECKOUT / "experiments/scripts"
NAME = "positive-margin"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type:
    """The law and the preset of the page, registered while the test runs."""
    law, preset, _ = blocks(ADDING, "python")
    piece = loaded(law, tmp_path / "positive_margin.py", monkeypatch).PositiveMargin
    made = eval(preset, vars(presets_module))  # noqa: S307 (our own page)
    monkeypatch.setitem(LAWS, NAME, piece)
    monkeypatch.setattr(presets_module, "_PRESETS", (*presets_module._PRESETS, made))
    return piece


def loaded(code: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def test_the_example_is_not_part_of_the_project() -> None:
    assert NAME not in LAWS


def test_the_law_of_the_page_draws_by_its_test_line(added: type) -> None:
    score, positive, draws = np.array([2.0, 1.0, 0.5, 0.0, -0.5, -1.5]), 0.8, 20_000
    line = blocks(ADDING, "python")[2]
    formulas = eval(f"{{{line}}}", {"np": np, "GAP": score - positive})  # noqa: S307 (our own page)
    parameters, weight = formulas[NAME]
    candidates = repeated(make_candidates(score, [positive]), draws)
    sampler = Sampler(make_law(NAME, parameters), make_draw("without-replacement"), 1)
    count = np.bincount(sampler(candidates, fresh_noise(draws)).column[:, 0], minlength=6)
    assert count[weight == 0].sum() == 0
    assert stats.chisquare(count[weight > 0]).pvalue > 1e-4


class TestTheLawOfThePage(SamplerContract):
    """It keeps what every law keeps."""

    @pytest.fixture
    def sampler(self, added: type) -> Sampler:
        return Sampler(make_law(NAME, {}), make_draw("without-replacement"), N)


def test_the_row_of_the_page_resolves_to_the_preset(added: type) -> None:
    [row] = yaml.safe_load(blocks(ADDING, "yaml")[0])
    settings = sampler_settings(Row.model_validate(row).sampler, candidates=200, negatives=15)
    assert settings.law == make_law(NAME, {"margin": 1.0})
    assert settings.source == make_source("top-k")


def test_harness_methods_tells_of_the_law_of_the_page(added: type) -> None:
    law, sampler = methods_named(Library(CHECKOUT / "experiments"), NAME)
    assert (law.kind, sampler.kind) == ("law", "sampler")
    assert law.formula == added.formula
    assert law.parameters[0].description == "in inner products, so that it goes with the encoder."


def test_the_pieces_and_paths_of_the_page_are_there() -> None:
    paths = re.findall(r"`((?:harness|tests)/[\w/.-]+)`", ADDING)
    assert len(paths) > 6
    missing = [path for path in paths if not (CHECKOUT / path).exists()]
    assert missing == ["harness/negatives/laws/positive_margin.py"]


def test_the_snippet_of_the_readme_runs(made: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    [snippet] = blocks((CHECKOUT / "README.md").read_text(encoding="utf-8"), "python")
    monkeypatch.chdir(made.root)
    for name in ("HARNESS_STORE", "HARNESS_EXPERIMENTS"):
        monkeypatch.delenv(name, raising=False)
    quick = 'scale="quick"'
    assert quick in snippet
    *lines, last = snippet.replace(quick, 'scale="simulation"').strip().splitlines()
    known: dict = {}
    exec("\n".join(lines), known)  # noqa: S102 (our own page)
    drawn = eval(last, known)  # noqa: S307
    assert drawn.shape == (len(known["run"].candidates.query), 15)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_scripts_find_what_they_import(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(script.parent)  # as `python SCRIPT` does
    assert "main" in runpy.run_path(str(script), run_name="imported")
