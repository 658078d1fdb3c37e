"""Scales whose encoder or ranker starts from a checkpoint, which says its sizes and its pooling itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from harness.collections.released import RELEASED
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import BaseRun, RankerRun, TaughtRun, read_run_settings, starts
from harness.specs.settings import EncoderSettings, RankerSettings

from .conftest import TABLE, Broken

SCALE = "scales/simulation.yaml"
ENCODER = """  hidden: 64
  layers: 1
  heads: 2
  intermediate: 128
  dropout: 0.1
  pooling: mean
"""
VOCABULARY = ("vocabulary: 8000, ", "")


def started(library: Library, encoder: str = "  start: some/encoder\n", ranker: str | None = None) -> None:
    path = library.root / SCALE
    text = path.read_text().replace(*VOCABULARY).replace(ENCODER, encoder)
    spec = yaml.safe_load(text)
    if ranker is not None:
        spec["ranker"] = {"start": ranker, "pair_tokens": 48, "reranked": 50}
    path.write_text(yaml.safe_dump(spec))


def run(library: Library, name: str = "TriSampler", target: str = TABLE) -> Any:
    resolved = resolve(library, target, "simulation")
    return resolved.run(resolved.loaded.rows(name)[0], 0)


def base(of: Any) -> BaseRun:
    return of if isinstance(of, BaseRun) else base(of.start)


def test_settings_hold_what_a_scale_puts_on_top_of_a_checkpoint(library: Library) -> None:
    started(library, "  start: some/encoder\n  score_scale: 4.5\n  token_dropout: 0.1\n")
    settings = base(run(library))
    assert settings.encoder.model_dump() == {
        "start": "some/encoder", "token_dropout": 0.1, "projection": None, "towers": None,
        "score_scale": 4.5,
    }  # fmt: skip
    assert settings.tokens.model_dump() == {"query_tokens": 16, "passage_tokens": 48}
    assert read_run_settings(settings.model_dump_json()) == settings
    assert starts(run(library)) == {"some/encoder"}


def test_pooling_and_towers_are_settings_where_a_scale_gives_them(library: Library) -> None:
    started(library, "  start: some/encoder\n  pooling: cls\n  towers: separate\n")
    encoder = base(run(library)).encoder
    assert (encoder.pooling, encoder.towers) == ("cls", "separate")


def test_a_ranker_has_sizes_of_its_own(library: Library) -> None:
    started(library, ranker="some/ranker")
    taught = run(library, target="trisampler/table-5-ar2")
    assert isinstance(taught, TaughtRun) and isinstance(taught.teacher, RankerRun)
    assert taught.teacher.ranker.model_dump() == {"start": "some/ranker", "pair_tokens": 48}
    assert starts(taught) == {"some/encoder", "some/ranker"}


def test_a_phase_starts_from_a_checkpoint_of_its_own(library: Library) -> None:
    path = library.root / "recipes/base.yaml"
    spec = yaml.safe_load(path.read_text())
    spec["phases"][0]["start"] = {"checkpoint": "some/other", "pooling": "cls"}
    path.write_text(yaml.safe_dump(spec))
    settings = base(run(library))
    assert settings.encoder.start == "some/other" and settings.encoder.hidden is None
    assert settings.encoder.pooling == "cls" and settings.tokens.vocabulary is None


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("  hidden: 64", "key 'encoder.hidden': the checkpoint 'some/encoder' has its own hidden; remove it"),
        ("  layers: 1", "key 'encoder.layers': the checkpoint 'some/encoder' has its own layers; remove it"),
        ("  dropout: 0.1", "write its sizes below `published_sizes`"),
        ("  heads: 2", "key 'encoder.heads'"),
        ("  intermediate: 128", "key 'encoder.intermediate'"),
    ],
)
def test_sizes_beside_a_checkpoint_are_refused(broken: Broken, key: str, expected: str) -> None:
    change = (ENCODER, f"  start: some/encoder\n{key}\n")
    (line,) = broken(SCALE, VOCABULARY, change, scale="simulation")
    assert line.startswith(f"experiments/{SCALE}:7: ") and expected in line


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (((ENCODER, "  start: some/encoder\n"),), ":4: key 'tokens.vocabulary': the checkpoint 'some/enc"),
        ((VOCABULARY,), ":4: key 'tokens': a fresh encoder learns a vocabulary; add `vocabulary`"),
        (
            (("ranker:\n", "ranker:\n  start: some/ranker\n"),),
            "key 'ranker.hidden': the checkpoint 'some/ranker' has its own hidden; remove it",
        ),
        (
            ((ENCODER, ENCODER + "  published_sizes: {hidden: 8, layers: 1, heads: 1, intermediate: 8, "
            "dropout: 0.0, vocabulary: 9}\n"),),
            "key 'encoder.published_sizes': a fresh model has the sizes that this scale gives it; write them",
        ),
    ],
)  # fmt: skip
def test_what_a_start_does_not_go_with(
    broken: Broken, changes: tuple[tuple[str, str], ...], expected: str
) -> None:
    lines = broken(SCALE, *changes, scale="simulation")
    assert any(expected in line for line in lines), lines


def test_settings_with_sizes_beside_a_checkpoint_are_none() -> None:
    sizes = {"hidden": 8, "layers": 2, "heads": 1, "intermediate": 8, "dropout": 0.0}
    with pytest.raises(ValueError, match="a checkpoint has its own sizes"):
        RankerSettings(start="some/ranker", pair_tokens=8, **sizes)
    with pytest.raises(ValueError, match="a fresh model needs all of its sizes"):
        EncoderSettings(token_dropout=0.0, pooling="cls", hidden=8)
    with pytest.raises(ValueError, match="a fresh encoder needs a pooling and towers"):
        EncoderSettings(token_dropout=0.0, **sizes)
    with pytest.raises(ValueError, match="some/ranker has sizes of its own"):
        _ = RankerSettings(start="some/ranker", pair_tokens=8).sizes


def test_runs_from_when_sizes_stood_beside_a_checkpoint_are_read(library: Library) -> None:
    started(library)
    settings = base(run(library))
    old = settings.model_dump(mode="json")
    old["encoder"] |= {"hidden": 64, "layers": 1, "heads": 2, "intermediate": 128, "dropout": 0.1}
    assert read_run_settings(json.dumps(old)) == settings


def test_shipped_scales_say_what_they_said(library: Library) -> None:
    for name in ("scratch", "simulation"):
        dump = library.scale(name).model_dump()
        assert "published_sizes" not in dump["encoder"] and dump["tokens"]["vocabulary"] > 0
    assert set(library.scale("paper").published_sizes) - RELEASED.keys() == {
        "nghuyong/ernie-2.0-base-en",
        "nghuyong/ernie-2.0-large-en",
        "FacebookAI/roberta-base",
    }
