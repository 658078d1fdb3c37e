"""Pieces in settings: read back as they were written, also without their files, and known to editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from harness.negatives.registry import make_source
from harness.pieces import PieceError
from harness.specs.schema import schemas
from harness.specs.settings import CoTraining, SamplerSettings
from harness.training.losses.registry import make_loss
from harness.training.turns import RankerFirst

RUN = "q Q0 d 1 1.0 x\n"
SUM = {"name": "sum", "parts": ["hinge", {"name": "distillation", "temperature": 2}], "weights": [1, 0.5]}


def sampler(source: Any) -> dict[str, Any]:
    return {
        "preset": "uniform",
        "source": source,
        "law": {"name": "simans", "a": 1},
        "draw": {"name": "best"},
        "topology": {"name": "own"},
        "mask": "labelled",
        "candidates": 10,
        "negatives": 2,
    }


def test_nested_pieces_survive_their_file() -> None:
    inner = {"name": "denoised", "ranker": "retriever", "of": {"name": "union", "parts": ["top-k", "corpus"]}}
    settings = SamplerSettings(**sampler(make_source({"name": "subset", "of": inner, "keep": 3})))
    assert settings.drawn_from.of.of.parts[1] == make_source("corpus")
    again = SamplerSettings.model_validate_json(settings.model_dump_json())
    assert again == settings
    assert again.law.a == 1.0
    rates = {"learning_rate": None, "weight_decay": None, "lr_warmup_share": None, "clip_norm": None}
    part = CoTraining(turns=RankerFirst(share=0.5), loss=make_loss(SUM), **rates)
    assert CoTraining.model_validate_json(part.model_dump_json()) == part
    assert part.model_dump()["loss"]["parts"][1]["temperature"] == 2.0


def test_settings_of_a_run_are_read_where_its_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "ranked.trec"
    path.write_text(RUN)
    choice = {"name": "union", "parts": ["top-k", {"name": "file", "path": str(path)}]}
    text = SamplerSettings(**sampler(make_source(choice))).model_dump_json()
    path.unlink()
    assert SamplerSettings.model_validate_json(text).model_dump_json() == text
    with pytest.raises(PieceError, match="there is no file") as caught:
        make_source(choice)
    assert caught.value.place == ("parts", 1)


@pytest.mark.parametrize(
    "law", [{"name": "simanz"}, {"name": "simans", "a": -1.0}, {"name": "simans", "c": 1}]
)
def test_settings_refuse_a_wrong_piece(law: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SamplerSettings(**{**sampler(make_source("top-k")), "law": law})


def test_pieces_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RankerFirst().share = 0.3


SCHEMAS = schemas()
LOSS, SOURCE = ("recipe", "Phase", "loss"), ("target", "SamplerChoice", "source")


@pytest.mark.parametrize(
    ("place", "written", "right"),
    [
        (LOSS, "hinge", True),
        (LOSS, "hing", False),
        (LOSS, SUM, True),
        (LOSS, {"name": "hinge", "margin": -1}, False),
        (LOSS, {"name": "hinge", "margn": 1}, False),
        (
            LOSS,
            {"name": "sum", "parts": ["hinge", {"name": "bce", "chance": "coin"}], "weights": [1, 1]},
            False,
        ),
        (LOSS, {"margin": 1}, False),
        (SOURCE, {"count": "retrieved"}, True),
        (SOURCE, {"count": "returned"}, False),
        (SOURCE, {"name": "subset", "of": {"name": "subset", "of": "top-k"}}, True),
        (SOURCE, {"name": "subset", "of": {"name": "subset", "of": "top-l"}}, False),
    ],
)
def test_editors_know_the_parameters(place: tuple[str, str, str], written: Any, right: bool) -> None:
    file, model, key = place
    whole = SCHEMAS[file]
    schema = {"$defs": whole["$defs"], **whole["$defs"][model]["properties"][key]}
    assert Draft202012Validator(schema).is_valid(written) is right
    a = whole["$defs"]["law.simans"]["properties"]["b_enters"]
    assert a["enum"] == ["subtracted", "added"]
    assert a["description"].startswith("the paper subtracts b")
