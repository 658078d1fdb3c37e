"""Losses in recipes: their names, their parameters, and what they need."""

from __future__ import annotations

import json

import pytest

from harness.collections.built_in import build_collection
from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.specs.resolve import resolve

from .conftest import SHIPPED, TABLE, Broken

RECIPE = "recipes/continue-contrastive.yaml"
SHIPPED_LOSS = "loss: {name: softmax-cross-entropy, temperature: 1.0}"
LINE = f"experiments/{RECIPE}:9: "


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (
            "softmax-crossentropy",
            "loss': unknown loss 'softmax-crossentropy'; did you mean 'softmax-",
        ),
        (
            "{name: hinge, margn: 1.0}",
            "loss.margn': loss 'hinge' has no parameter 'margn'; did you mean",
        ),
        (
            "{name: softmax-cross-entropy, temperature: -1.0}",
            "loss.temperature': got -1.0; expected greater than or equal to 0.000001",
        ),
        (
            "{name: bce, chance: tanh}",
            "loss.chance': got 'tanh'; expected 'sigmoid' or 'softmax'",
        ),
        ("{name: hinge, margin: '1'}", "loss.margin': got '1'; expected a number"),
        ("{margin: 1.0}", "loss': a loss is a name, or a `name` with parameters"),
        ("7", "loss': got 7; expected keys with values"),
        ("{name: sum, parts: [bce, hinge]}", "loss': loss 'sum' lacks 'weights'; add it"),
        (
            "{name: sum, parts: [bce, hinge], weights: [1.0]}",
            "loss.weights': got [1.0]; expected",
        ),
        (
            "{name: sum, parts: [bce, hinge, triplet], weights: [1.0, 1.0]}",
            "loss': loss 'sum': 2 weights for 3 parts; give one a part",
        ),
        (
            "{name: sum, parts: [bce, hinge], weights: [1.0, -0.5]}",
            "loss.weights': got -0.5; expected greater than or equal to 0.000001",
        ),
        (
            "{name: sum, parts: [bce, {name: hinge, margin: -1.0}], weights: [1.0, 0.5]}",
            "loss.parts[1].margin': got -1.0; expected greater than or equal to 0",
        ),
        (
            "{name: sum, parts: [bce, bce], weights: [1.0, 0.5]}",
            "loss': loss 'sum': 'bce' is given twice; terms are logged by their names",
        ),
        (
            "{name: sum, parts: [bce, {name: sum, parts: [hinge, bce], weights: [1, 1]}], weights: [1, 1]}",
            "loss': loss 'sum': a sum stands inside of a sum; write its parts in this one",
        ),
        (
            "{name: sum, parts: bce, weights: [1.0, 1.0]}",
            "loss.parts': `parts` is a list of losses",
        ),
        (
            "distillation",
            "loss': loss 'distillation' needs a teacher, which this phase does not have; choose a loss",
        ),
        (
            "{name: sum, parts: [bce, adversarial-paper], weights: [1.0, 0.5]}",
            "loss': loss 'sum' needs a teacher",
        ),
    ],
)
def test_a_wrong_loss_is_told_with_its_line(broken: Broken, loss: str, expected: str) -> None:
    (line,) = broken(RECIPE, (SHIPPED_LOSS, f"loss: {loss}"))
    assert line.startswith(f"{LINE}key 'phases[0].{expected}"), line


def test_a_wrong_loss_hides_nothing_else(broken: Broken) -> None:
    lines = broken(RECIPE, (SHIPPED_LOSS, "loss: hing"), ("clip_norm: 2.0", "clip_norm: -2.0"))
    assert ["'phases[0].loss'" in lines[0], "'phases[0].optimizer.clip_norm'" in lines[1]] == [True, True]


def test_a_missing_loss_is_told_once(broken: Broken) -> None:
    (line,) = broken(RECIPE, (f"    {SHIPPED_LOSS}\n", ""))
    assert "'loss' is missing" in line


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        (None, {"name": "softmax-cross-entropy", "temperature": 1.0}),
        ("softmax-cross-entropy", {"name": "softmax-cross-entropy", "temperature": 1.0}),
        ("{name: hinge}", {"name": "hinge", "margin": 1.0}),
        (
            "{name: sum, parts: [hinge, bce], weights: [2, 0.5]}",
            {
                "name": "sum",
                "parts": [{"name": "hinge", "margin": 1.0}, {"name": "bce", "chance": "sigmoid"}],
                "weights": [2.0, 0.5],
            },
        ),
    ],
)
def test_settings_name_every_parameter(library: Library, written: str | None, resolved: dict) -> None:
    if written is not None:
        path = library.root / RECIPE
        path.write_text(path.read_text().replace(SHIPPED_LOSS, f"loss: {written}"))
    table = resolve(library, TABLE, "simulation")
    phase = table.run(table.target.rows[2], 0).phase
    assert phase is not None and phase.loss.model_dump(mode="json") == resolved
    assert list(phase.model_dump()["loss"]) == list(resolved)


def test_committed_runs_keep_their_fingerprints(library: Library) -> None:
    """What trained them is written anew, and means the same."""
    committed = SHIPPED.parent / "results/simulation/trisampler/table-5/provenance.json"
    runs = json.loads(committed.read_text(encoding="utf-8"))["runs"]
    expected = {run["row"]: run["fingerprint"] for run in runs if run["seed"] == 0}
    table = resolve(library, TABLE, "simulation")
    settings = {row.name: table.run(row, 0) for row in table.target.rows}
    of = settings["TriSampler"].collection
    collection = build_collection(of.kind, of.parameters).fingerprint
    found = {name: chain(each, collection).last for name, each in settings.items()}
    assert found == expected
