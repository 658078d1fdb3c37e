"""Fingerprints: what shares a link, and what changes one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.negatives.registry import make_law
from harness.specs.checkpoint_content import start_content
from harness.specs.fingerprints import chain, links
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import RunSettings, TrainedRun, read_run_settings
from harness.specs.target import with_runs
from harness.training.turns import RetrieverAlone

from .conftest import TABLE

COLLECTION = "0123456789abcdef"


@pytest.fixture
def runs(library: Library) -> dict[str, RunSettings]:
    table = resolve(library, TABLE, "scratch")
    return {row.name: table.run(row, 0) for row in table.target.rows}


def changed(settings: RunSettings, **values: object) -> RunSettings:
    return settings.model_copy(update=values)


def test_rows_share_base_and_first_candidates(runs: dict[str, RunSettings]) -> None:
    links = {name: chain(settings, COLLECTION) for name, settings in runs.items()}
    trained = [links[name] for name in ("Uniform Sampling", "TopK Sampling", "TriSampler", "SimANS")]
    assert len({link.tokens for name, link in links.items() if name != "BM25"}) == 1
    assert len({link.candidates for link in trained}) == 1
    assert {link.start for link in trained} == {links["Base"].last}
    assert len({link.last for link in links.values()}) == len(links)
    assert links["TriSampler"].needs() == [
        links["TriSampler"].tokens,
        links["Base"].last,
        links["TriSampler"].candidates,
    ]
    assert links["BM25"].needs() == []


def test_a_change_breaks_its_link_and_those_after(runs: dict[str, RunSettings]) -> None:
    settings = runs["TriSampler"]
    before = chain(settings, COLLECTION)
    assert settings.sampler is not None
    other_law = settings.sampler.model_copy(update={"law": make_law({"name": "simans", "a": 0.5})})
    after = chain(changed(settings, sampler=other_law), COLLECTION)
    assert (after.candidates, after.start) == (before.candidates, before.start)
    assert after.last != before.last
    after = chain(changed(settings, seed=settings.seed + 1), COLLECTION)
    assert after.candidates == before.candidates
    assert after.last != before.last
    assert settings.start is not None
    start = changed(settings.start, seed=settings.start.seed + 1)
    after = chain(changed(settings, start=start), COLLECTION)
    assert after.tokens == before.tokens
    assert (
        len({after.start, after.candidates, after.last} & {before.start, before.candidates, before.last}) == 0
    )
    assert chain(settings, "f" * 16).tokens != before.tokens


@pytest.mark.parametrize("change", [{"places": 8192}, {"precision": "bfloat16"}, {"precision": "tf32"}])
def test_bucket_size_and_precision_decide_numbers_and_so_are_hashed(
    runs: dict[str, RunSettings], change: dict[str, Any]
) -> None:
    for name in ("Base", "TriSampler"):
        settings = runs[name]
        assert isinstance(settings, TrainedRun)
        other = changed(settings, phase=settings.phase.model_copy(update=change))
        assert chain(other, COLLECTION).last != chain(settings, COLLECTION).last


def test_bucket_size_and_precision_at_their_defaults_are_as_absent(runs: dict[str, RunSettings]) -> None:
    """So that runs of before they could be written keep their names."""
    settings = runs["TriSampler"]
    assert isinstance(settings, TrainedRun)
    assert not {"places", "precision"} & settings.phase.model_dump().keys()
    assert read_run_settings(settings.model_dump_json()) == settings


def test_names_change_nothing(runs: dict[str, RunSettings]) -> None:
    settings = runs["TriSampler"]
    assert settings.sampler is not None
    renamed = changed(settings, recipe="x", sampler=settings.sampler.model_copy(update={"preset": "x"}))
    assert chain(renamed, COLLECTION) == chain(settings, COLLECTION)


def test_another_measure_trains_nothing(runs: dict[str, RunSettings]) -> None:
    settings = runs["TriSampler"]
    more = changed(settings, measures=(*settings.measures, "RR"))
    assert chain(more, COLLECTION) == chain(settings, COLLECTION)


PINNED = {
    "BM25": ["b2d6d29d838b1dae"],
    "Base": ["743429eeee14870c", "17bdd7789b0d4c0b"],
    "Uniform Sampling": ["743429eeee14870c", "17bdd7789b0d4c0b", "18c2f9e81863c53e", "c0c3a5994299c77d"],
    "TopK Sampling": ["743429eeee14870c", "17bdd7789b0d4c0b", "18c2f9e81863c53e", "b10d076b0f316bff"],
    "Debiased Sampling": ["743429eeee14870c", "17bdd7789b0d4c0b", "18c2f9e81863c53e", "867119ff564c4661"],
    "TriSampler": ["743429eeee14870c", "17bdd7789b0d4c0b", "18c2f9e81863c53e", "d748e0c7df80a2ea"],
    "SimANS": ["743429eeee14870c", "17bdd7789b0d4c0b", "18c2f9e81863c53e", "8fddcef2e29a843d"],
}


def test_the_fingerprints_of_the_shipped_table_are_pinned(library: Library) -> None:
    """They change with a version, a scale or a preset, never with how they are computed."""
    table = resolve(library, TABLE, "simulation")
    found = {row.name: chain(table.run(row, 0), COLLECTION) for row in table.target.rows}
    assert {name: [*made.needs(), made.last] for name, made in found.items()} == PINNED


def test_links_name_the_keys_that_are_hashed(runs: dict[str, RunSettings]) -> None:
    made = links(runs["TriSampler"], COLLECTION)
    assert [link.stage for link in made] == ["tokens", "base", "candidates", "run"]
    assert [link.stands_on for link in made] == [COLLECTION, *(link.fingerprint for link in made[:-1])]
    assert set(made[-1].parts) == {"sampler", "phase", "seed"}


def test_rows_taught_by_a_ranker_share_it_with_its_base_and_candidates(library: Library) -> None:
    table, plain = (resolve(library, name, "scratch") for name in (f"{TABLE}-ar2", TABLE))
    runs = {row.name: table.run(row, 0) for row in with_runs(table.target.rows)}
    made = {name: chain(run, COLLECTION) for name, run in runs.items()}
    uniform, trisampler, ranker = (made[n] for n in ("Uniform Sampling", "TriSampler", "Base, reranked"))
    stages = [stage for stage, _ in trisampler.links]
    assert stages == ["tokens", "base", "candidates", "ranker", "candidates", "run"]
    assert uniform.needs() == trisampler.needs() == [*ranker.needs(), ranker.last]
    assert trisampler.runs_below == [("base", ranker.start), ("ranker", ranker.last)]
    (row,) = with_runs(plain.loaded.rows("TriSampler"))
    contrastive = chain(plain.run(row, 0), COLLECTION)
    assert (contrastive.start, contrastive.candidates) == (trisampler.start, trisampler.candidates)
    assert contrastive.last != trisampler.last


def test_a_change_of_the_ranker_changes_those_that_it_teaches(library: Library) -> None:
    table = resolve(library, f"{TABLE}-ar2", "scratch")
    (row,) = with_runs(table.loaded.rows("TriSampler"))
    run = table.run(row, 0)
    before = chain(run, COLLECTION)
    assert run.teacher is not None and run.teacher.ranker is not None and run.co_training is not None
    smaller = run.teacher.ranker.model_copy(update={"hidden": 32})
    after = chain(changed(run, teacher=changed(run.teacher, ranker=smaller)), COLLECTION)
    assert after.last != before.last and (after.start, after.candidates) == (before.start, before.candidates)
    turns = run.co_training.model_copy(update={"turns": RetrieverAlone()})
    after = chain(changed(run, co_training=turns), COLLECTION)
    assert after.last != before.last and after.needs() == before.needs()
    assert chain(changed(run, reranked=7), COLLECTION) == before


def test_a_start_counts_by_its_content_and_not_by_its_name(
    runs: dict[str, RunSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/model.safetensors").write_bytes(b"weights")
    shutil.copytree(tmp_path / "one", tmp_path / "other")

    def fingerprint(start: str) -> str:
        encoder = runs["Base"].encoder.model_copy(update={"start": start})
        return chain(changed(runs["Base"], encoder=encoder), COLLECTION).last

    before = fingerprint(str(tmp_path / "one"))
    assert fingerprint(str(tmp_path / "other")) == before != fingerprint("fresh")
    (tmp_path / "one/model.safetensors").write_bytes(b"others.")
    assert fingerprint(str(tmp_path / "one")) != before
    revisions = {"a/b": "0123", "c/d": None}
    monkeypatch.setattr("harness.specs.checkpoint_content.revision", revisions.get)
    assert start_content("a/b") == "a/b@0123" and start_content("c/d") == "c/d"
    assert fingerprint("a/b") != fingerprint("c/d")
