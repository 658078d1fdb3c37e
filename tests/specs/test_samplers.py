"""Samplers in specs: pieces and their parameters, and combinations that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.negatives.presets import presets
from harness.negatives.registry import DRAWS, LAWS, SOURCES, make_draw, make_source
from harness.specs.fingerprints import chain
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.settings import SamplerSettings
from harness.training.topologies.registry import TOPOLOGIES, make_topology

from .conftest import SHIPPED, TABLE, Broken

SPEC = "papers/trisampler/table-5.yaml"
PLACE = "key 'rows[5].sampler"


def chosen(sampler: str) -> tuple[str, str]:
    return "sampler: trisampler", f"sampler: {sampler}"


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        (
            "{preset: doc-sim, source: {name: file, path: RUN, scores: file}}",
            f"{PLACE}.source': law 'doc-sim' needs embeddings of documents, which source 'file' does not "
            "have; use `scores: model`",
        ),
        (
            "{preset: trisampler, source: {name: subset, of: {name: file, path: RUN, scores: file}}}",
            "law 'trisampler' needs embeddings of documents, which source 'subset' does not have",
        ),
        (
            "{preset: debiased, law: {reading: F}, source: {name: file, path: RUN, scores: file}}",
            "law 'debiased' needs embeddings",
        ),
        (
            "{preset: simans, law: {gap: cosine}, source: {name: file, path: RUN, scores: file}}",
            "law 'simans' needs embeddings",
        ),
        (
            "{preset: uniform, source: {name: denoised, of: top-k}}",
            f"{PLACE}.source': source 'denoised' lacks 'ranker'; add it",
        ),
        (
            "{preset: denoised, source: {ranker: cross-encoder}}",
            f"{PLACE}.source': source 'denoised': no ranker 'cross-encoder'; give `retriever` or a TREC run",
        ),
        (
            "{preset: denoised, source: {of: {name: file, path: RUN, scores: file}}}",
            "the retriever did not score these candidates",
        ),
        (
            "{preset: queue, topology: {length: 0}}",
            f"{PLACE}.topology.length': got 0; expected greater than 0",
        ),
        ("{preset: queue, topology: {momentum: 1.0}}", f"{PLACE}.topology.momentum': got 1.0; expected less"),
        (
            "{preset: uniform, topology: {name: in-batch, hardest: 0}}",
            f"{PLACE}.topology.hardest': got 0; expected greater than 0",
        ),
        (
            "{preset: blend, source: top-k}",
            f"{PLACE}.source': law 'blend' needs a union of two sources, got 'top-k'; for example",
        ),
        (
            "{preset: uniform, source: previous}",
            f"{PLACE}.source': 'previous' alone has no candidates in round 0",
        ),
        (
            "{preset: in-batch, topology: own}",
            f"{PLACE}.topology': nothing is drawn and nothing is shared; name a `source`",
        ),
        ("{preset: uniform, source: topk}", f"{PLACE}.source': unknown source 'topk'; did you mean 'top-k'?"),
        ("{preset: uniform, topology: inbatch}", f"{PLACE}.topology': unknown topology 'inbatch'"),
        (
            "{preset: uniform, source: {count: found}}",
            f"{PLACE}.source.count': got 'found'; expected 'kept' or 'retrieved'",
        ),
        (
            "{preset: uniform, source: {name: union, parts: [top-k, {name: subset, of: bm52}]}}",
            f"{PLACE}.source.parts[1].of': unknown source 'bm52'; did you mean 'bm25'?",
        ),
        ("{preset: uniform, source: {name: union, parts: [top-k]}}", f"{PLACE}.source.parts': got"),
        (
            "{preset: uniform, source: {name: union, parts: top-k}}",
            "`parts` is a list of sources, got 'top-k'",
        ),
        (
            "{preset: uniform, source: {name: union, parts: [top-k, {name: file, path: RUN, scores: file}]}}",
            "'file' has its own scores; a union",
        ),
        (
            "{preset: uniform, source: {name: file, path: none.trec}}",
            "there is no file 'none.trec'; give a TREC run",
        ),
        (
            "{preset: uniform, source: {depth: 3}}",
            f"{PLACE}.source.depth': source 'top-k' has no parameter 'depth'",
        ),
        (
            "{preset: simans-released, draw: {truncation: by-set}}",
            f"{PLACE}.draw.truncation': got 'by-set'; expected 'set-order' or 'shuffled'",
        ),
        (
            "{preset: rank-window, law: {first: 0.9, last: 0.5}}",
            f"{PLACE}.law': law 'rank-window': 'first' (0.9) must lie below 'last' (0.5)",
        ),
    ],
)
def test_impossible_samplers_are_refused(broken: Broken, tmp_path: Path, sampler: str, expected: str) -> None:
    run = tmp_path / "run.trec"
    run.write_text("q Q0 d 1 1.0 x\n")
    lines = broken(SPEC, chosen(sampler.replace("RUN", str(run))))
    assert any(expected in line for line in lines), lines
    assert all(line.startswith(f"experiments/{SPEC}:") for line in lines)


def settings(library: Library, sampler: str) -> SamplerSettings:
    spec = library.root / SPEC
    spec.write_text(spec.read_text().replace(*chosen(sampler)))
    resolved = resolve(library, TABLE, "scratch")
    found = resolved.run(resolved.loaded.rows("TriSampler")[0], 0).sampler
    assert found is not None
    return found


def test_parameters_alone_change_the_presets_piece(library: Library) -> None:
    found = settings(library, "{preset: uniform, source: {count: retrieved}, topology: in-batch, draw: best}")
    assert found.source == make_source({"name": "top-k", "count": "retrieved"})
    assert found.topology == make_topology("in-batch")
    assert found.draw == make_draw("best")


def test_another_name_replaces_the_piece(library: Library) -> None:
    found = settings(library, "{preset: queue, topology: {name: in-batch, hardest: 2}, source: bm25}")
    assert found.topology == make_topology({"name": "in-batch", "hardest": 2})
    assert found.source == make_source("bm25")


@pytest.mark.parametrize(
    "sampler",
    [
        "{preset: uniform, topology: TOPOLOGY}",
        "{preset: uniform, topology: {name: TOPOLOGY, hardest: 3}}",
        "{preset: in-batch-hardest, topology: {name: TOPOLOGY}, source: bm25}",
        "{preset: queue, topology: {name: TOPOLOGY}, source: bm25}",
    ],
)
def test_cross_batch_is_in_batch_under_another_name(library: Library, sampler: str) -> None:
    path = library.root / SPEC
    text, found = path.read_text(), []
    for topology in ("in-batch", "cross-batch"):
        old, new = chosen(sampler.replace("TOPOLOGY", topology))
        path.write_text(text.replace(old, new))
        resolved = resolve(library, TABLE, "scratch")
        run = resolved.run(resolved.loaded.rows("TriSampler")[0], 0)
        found.append((run.model_dump(), chain(run, "c")))
    assert found[0] == found[1]
    assert found[1][0]["sampler"]["topology"]["name"] == "in-batch"


def test_runs_know_the_content_of_files(library: Library, tmp_path: Path) -> None:
    one, other = tmp_path / "one.trec", tmp_path / "other.trec"
    one.write_text("q Q0 d 1 1.0 x\n")
    other.write_text("q Q0 d 1 1.0 x\n")
    settings(library, f"{{preset: uniform, source: {{name: file, path: {one}}}}}")
    resolved = resolve(library, TABLE, "scratch")
    run = resolved.run(resolved.loaded.rows("TriSampler")[0], 0)
    assert run.sampler is not None and run.sampler.source is not None
    moved = run.sampler.model_copy(
        update={"source": run.sampler.source.model_copy(update={"path": str(other)})}
    )
    elsewhere = run.model_copy(update={"sampler": moved})
    assert chain(run, "c") == chain(elsewhere, "c")
    other.write_text("q Q0 e 1 1.0 x\n")
    assert chain(run, "c").candidates != chain(elsewhere, "c").candidates


def test_a_queue_is_refused_where_the_document_tower_would_not_learn(library: Library) -> None:
    scale = library.root / "scales/scratch.yaml"
    scale.write_text(
        scale.read_text().replace("  pooling: idf-mean", "  pooling: idf-mean\n  towers: separate")
    )
    with pytest.raises(UserError, match="row 'queue' has a queue, scale 'scratch' has separate towers"):
        library.target("calibration/every-sampler")


def test_every_piece_stands_in_a_preset_or_can_be_chosen() -> None:
    """What no preset uses is a composition or a choice of its own; the list is short and known."""
    used = {"law": set(), "draw": set(), "topology": set()}  # type: ignore[var-annotated]
    for preset in presets().values():
        for kind, names in used.items():
            names.add(getattr(preset, kind)["name"])
    assert used["law"] == set(LAWS)
    assert set(DRAWS) == used["draw"]
    assert set(TOPOLOGIES) - used["topology"] == {"cross-batch"}
    assert {"top-k", "union", "file", "previous"} <= set(SOURCES)


@pytest.mark.parametrize(("target", "readings"), [("every-sampler", False), ("every-reading", True)])
def test_targets_run_every_preset(target: str, readings: bool) -> None:
    rows = Library(SHIPPED).target(f"calibration/{target}").target.rows
    named = [row.sampler.preset for row in rows if row.sampler]
    wanted = [preset.name for preset in presets().values() if (preset.reading_of is not None) == readings]
    assert named == (["uniform", *wanted] if readings else wanted)
    assert all(row.name == row.sampler.preset for row in rows if row.sampler)
