"""What there is, and what its classes say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from harness.encoders import pooling
from harness.errors import UserError
from harness.methods.catalogue import KINDS, PIECES, Method, catalogue, methods_named
from harness.methods.parameters import MethodParameter, paragraphs
from harness.methods.uses import _methods_of_row, all_uses, uses_of
from harness.negatives.presets import presets
from harness.pieces import make_piece
from harness.specs import settings
from harness.specs.library import Library
from harness.specs.target import Row
from harness.training.losses.registry import LOSSES

LIBRARY = Library(Path(__file__).resolve().parents[2] / "experiments")
ALL = catalogue(LIBRARY)


def one(kind: str, name: str) -> Method:
    [match] = [method for method in ALL if (method.kind, method.name) == (kind, name)]
    return match


def parameter(kind: str, method: str, name: str) -> MethodParameter:
    [match] = [each for each in one(kind, method).parameters if each.name == name]
    return match


def test_every_method_has_the_keys_of_the_contract() -> None:
    lines = [method.as_json() for method in ALL]
    assert all(set(line) == {"name", "kind", "summary", "parameters", "source"} for line in lines)
    assert {line["kind"] for line in lines} == set(KINDS)
    assert all(line["summary"] and line["source"] for line in lines)
    assert len({(line["kind"], line["name"]) for line in lines}) == len(lines)
    json.dumps(lines)


def test_everything_that_a_spec_may_name_is_there() -> None:
    named = {kind: {method.name for method in ALL if method.kind == kind} for kind in KINDS}
    assert all(named[kind] == set(known) for kind, known in PIECES.items())
    assert named["sampler"] == set(presets())
    assert named["recipe"] == set(LIBRARY.names("recipes"))
    assert named["loss"] == set(LOSSES)
    assert named["encoder"] == set(get_args(settings.Pooling)) == set(get_args(pooling.Pooling))


MADE = {**PIECES, "loss": LOSSES}
MADE_BY_NAME = [m for m in ALL if m.kind in MADE and not any(each.required for each in m.parameters)]


@pytest.mark.parametrize("method", MADE_BY_NAME, ids=lambda method: f"{method.kind} {method.name}")
def test_defaults_are_those_of_the_class(method: Method) -> None:
    piece = make_piece(method.kind, MADE[method.kind], method.name)
    assert {each.name: each.default for each in method.parameters} == {
        each.name: getattr(piece, each.name) for each in method.parameters
    }


def test_parameters_carry_type_values_and_range() -> None:
    share = parameter("law", "trisampler", "transitional")
    assert (share.type, share.default, share.range, share.values) == ("number", 0.5, "> 0, <= 1", None)
    assert parameter("law", "simans", "gap").values == ("raw", "standardised", "cosine")
    assert parameter("topology", "in-batch", "hardest").type == "whole number or none"
    parts = parameter("source", "union", "parts")
    assert (parts.type, parts.required, parts.range) == ("list of sources", True, "at least 2")
    assert parameter("loss", "softmax-cross-entropy", "temperature").range == ">= 1e-06, <= 1e+06"
    assert parameter("loss", "sum", "parts").type == "list of losses"
    assert parameter("loss", "sum", "weights").type == "list of numbers"


def test_descriptions_come_from_the_class() -> None:
    assert parameter("source", "file", "scores").description.startswith("those of the current retriever")
    assert parameter("law", "blend", "hard").description.startswith("The first source of a union")
    assert parameter("law", "simans", "a").description is None


def test_paragraphs_keep_items_apart() -> None:
    def documented() -> None:
        """One line.

        Two lines
        of text:
        - an item
          of two lines
        ``b``: another.
        """

    expected = ("One line.", "Two lines of text:", "- an item of two lines", "`b`: another.")
    assert paragraphs(documented) == expected


def test_a_sampler_is_written_as_in_a_spec() -> None:
    assert parameter("sampler", "blend", "source").default == {"name": "union", "parts": ["top-k", "corpus"]}
    assert parameter("sampler", "trisampler", "law").default == "trisampler"
    written = parameter("sampler", "simans-released", "law").default_text
    assert written == "{name: simans, b_enters: added, missed: uniform}"
    assert [each.default for each in one("sampler", "queue").parameters[:3]] == [None] * 3


def test_an_alias_says_what_it_stands_for() -> None:
    alias, topology = one("topology", "cross-batch"), one("topology", "in-batch")
    assert alias.summary.startswith("alias of in-batch: all passages of the step's batch")
    assert alias.citation == "RocketQA (Qu et al. 2021), section 3.3.1"
    assert (alias.parameters, alias.text) == (topology.parameters, topology.text)
    assert topology.summary == "all passages of the batch"


def test_a_name_may_be_shared() -> None:
    assert [method.kind for method in methods_named(LIBRARY, "bm25")] == ["source", "sampler"]
    with pytest.raises(UserError, match="did you mean 'trisampler'"):
        methods_named(LIBRARY, "trisample")


def test_uses_name_specs_and_rows() -> None:
    uses = all_uses(LIBRARY)
    assert uses_of(one("law", "trisampler"), uses)["trisampler/table-5"] == ["TriSampler"]
    assert "In-batch only" not in uses_of(one("law", "uniform"), uses)["calibration/hard-negatives"]
    assert uses_of(one("topology", "in-batch"), uses)["calibration/hard-negatives"] == ["In-batch only"]
    assert "recipes/continue-contrastive" in uses_of(one("recipe", "base"), uses)
    assert "SimANS" in uses_of(one("recipe", "continue-contrastive"), uses)["trisampler/table-5"]
    assert "recipes/base" in uses_of(one("loss", "softmax-cross-entropy"), uses)
    assert "scales/scratch" in uses_of(one("encoder", "idf-mean"), uses)


def test_pieces_inside_pieces_are_used() -> None:
    row = Row.model_validate({"name": "Blend", "kind": "control", "sampler": {"preset": "blend"}})
    used = set(_methods_of_row(row, "continue-contrastive"))
    assert {("source", "union"), ("source", "top-k"), ("source", "corpus"), ("law", "blend")} <= used
