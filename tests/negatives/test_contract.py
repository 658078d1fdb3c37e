"""Every law, draw and preset passes the contract."""

from __future__ import annotations

import pytest

from harness.negatives.presets import presets
from harness.negatives.registry import DRAWS, LAWS, make_draw, make_law
from harness.negatives.sampler import Sampler

from .contract import N, SamplerContract
from .test_laws import FORMULAS

DRAWING = [preset for preset in presets().values() if preset.source is not None]


class TestLaws(SamplerContract):
    @pytest.fixture(params=FORMULAS)
    def sampler(self, request):
        parameters, _ = FORMULAS[request.param]
        return Sampler(make_law(request.param.split()[0], parameters), make_draw("without-replacement"), N)


class TestDraws(SamplerContract):
    @pytest.fixture(params=[*sorted(DRAWS), "released-union shuffled"])
    def sampler(self, request):
        name, *truncation = request.param.split()
        draw = {"name": name, **({"truncation": truncation[0]} if truncation else {})}
        return Sampler(make_law("simans"), make_draw(draw), N)


class TestPresets(SamplerContract):
    @pytest.fixture(params=DRAWING, ids=lambda preset: preset.name)
    def sampler(self, request):
        return Sampler(make_law(request.param.law), make_draw(request.param.draw), N)


def test_every_law_has_a_formula_to_be_tested_against():
    assert {name.split()[0] for name in FORMULAS} == set(LAWS)
