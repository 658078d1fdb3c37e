"""Rows that evaluate a checkpoint: what they name, and what their run is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.specs.fingerprints import Chain, chain
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import RunSettings, TaughtRun, TrainedRun, read_run_settings
from harness.specs.settings import CheckpointSettings
from harness.targets.reproduce import wanted_runs

from .conftest import TABLE, Broken

SPEC = f"papers/{TABLE}.yaml"
ROWS = "rows:\n"


def row(**more: str) -> tuple[str, str]:
    """Return the change of the spec that puts an evaluated row first."""
    keys = {"name": "Released", "kind": "evaluated", "checkpoint": "elsewhere", **more}
    return ROWS, f"{ROWS}  - {{{', '.join(f'{key}: {value}' for key, value in keys.items() if value)}}}\n"


def with_row(library: Library, checkpoint: Path, **more: str) -> Resolved:
    path = library.root / SPEC
    path.write_text(path.read_text().replace(*row(checkpoint=str(checkpoint), **more)))
    return resolve(library, TABLE, "scratch")


def run(table: Resolved, seed: int = 0, name: str = "Released") -> RunSettings:
    return table.run(table.loaded.rows(name)[0], seed)


def links(settings: RunSettings) -> Chain:
    return chain(settings, "collection")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            row(checkpoint=""),
            "key 'rows[0].kind': row 'Released' is of kind 'evaluated'; an evaluated",
        ),
        (row(kind="reference"), "a reference row `evaluates` bm25 or a phase"),
        (
            row(kind="published"),
            "an evaluated row names a `checkpoint`, a folder or hub id, no other",
        ),
        (row(sampler="simans"), "row 'Released' of kind 'evaluated' is not trained and has no sampler"),
        (row(recipe="in-batch"), "key 'rows[0].recipe': row 'Released' of kind 'evaluated' has no recipe"),
        (row(pooling="max"), "key 'rows[0].pooling': 'max' is not valid"),
        (
            row(evaluates="bm25"),
            "a reference row `evaluates` bm25 or a phase, <recipe>/<phase>; no other row does",
        ),
        (row(checkpoint="7"), "key 'rows[0].checkpoint': got 7; expected"),
        (row(checkpoint="{}"), "key 'rows[0].checkpoint': "),
        (
            row(checkpoint="{ms-pass: elsewhere}"),
            "key 'rows[0].checkpoint.ms-pass': the target has no column on dataset 'ms-pass'; did you mean",
        ),
        (
            ("sampler: trisampler", "sampler: trisampler\n    pooling: cls"),
            "key 'rows[5].pooling': row 'TriSampler' of kind 'trained' has no pooling of its own; remove it",
        ),
        (("baseline: Uniform Sampling", "baseline: Released"), "unknown row made by training 'Released'"),
    ],
)
def test_wrong_rows(broken: Broken, change: tuple[str, str], expected: str) -> None:
    lines = broken(SPEC, change)
    assert all(line.startswith(f"experiments/{SPEC}:") for line in lines)
    assert any(expected in line for line in lines), lines


@pytest.mark.parametrize("target", ["simans/figure-2a", "trisampler/figure-4", "calibration/a-a"])
def test_only_comparisons_have_such_rows(broken: Broken, target: str) -> None:
    lines = broken(f"papers/{target}.yaml", row(), target=target)
    assert any("rows[0]" in line and "made by training" in line for line in lines), lines


def test_its_run_is_the_same_whatever_the_seed(library: Library, checkpoint: Path) -> None:
    table = with_row(library, checkpoint)
    first, second = run(table), run(table, 1)
    assert first.kind == "evaluated" and not isinstance(first, TrainedRun)
    assert first.checkpoint is not None and first.checkpoint.start == str(checkpoint)
    assert first.measures == run(table, name="TriSampler").measures
    assert links(first) == links(second)
    assert [stage for stage, _ in links(first).links] == ["tokens", "evaluated"]
    assert read_run_settings(first.model_dump_json()) == first


def test_its_fingerprint_is_that_of_content(library: Library, checkpoint: Path) -> None:
    table = with_row(library, checkpoint)
    before, tokens = links(run(table)).last, links(run(table)).tokens
    moved = checkpoint.rename(checkpoint.parent / "moved")
    settings = run(table)
    assert settings.checkpoint is not None
    there = settings.checkpoint.model_copy(update={"start": str(moved)})
    assert links(settings.model_copy(update={"checkpoint": there})).last == before
    mean = there.model_copy(update={"pooling": "mean"})
    assert links(settings.model_copy(update={"checkpoint": mean})).last != before
    assert links(settings.model_copy(update={"checkpoint": mean})).tokens == tokens
    longer = settings.tokens.model_copy(update={"query_tokens": 99})
    changed = settings.model_copy(update={"tokens": longer, "checkpoint": there})
    assert links(changed).last != before and links(changed).tokens != tokens
    (moved / "model.safetensors").write_bytes(b"other weights")
    assert links(settings.model_copy(update={"checkpoint": there})).last != before


def test_a_checkpoint_by_dataset_is_measured_on_these_alone(library: Library, checkpoint: Path) -> None:
    path, changed = library.root / "papers/simans/table-2.yaml", f"{{nq: {checkpoint}}}"
    path.write_text(path.read_text().replace(*row(checkpoint=changed)))
    table = resolve(library, "simans/table-2", "simulation")
    wanted = [run for run in wanted_runs(table, 1, ["Released"]) if run.row == "Released"]
    assert [(run.dataset, run.settings.kind) for run in wanted] == [("nq", "evaluated")]
    line = table.loaded.rows("Released")[0]
    assert line.summary == f"Checkpoints, measured here and not trained: {checkpoint} on nq."
    with pytest.raises(UserError, match="simans/table-2:Released has no checkpoint on dataset 'tqa'; name"):
        table.run(line, 0, "tqa")
    alike = resolve(library, "simans/table-2", "simulation")
    assert table.run(line, 0, "nq") == alike.evaluated(
        CheckpointSettings(start=str(checkpoint), pooling=None), "nq"
    )


def test_runs_that_are_trained_are_told_as_before(library: Library, checkpoint: Path) -> None:
    table = with_row(library, checkpoint)
    assert "checkpoint" not in run(table, name="TriSampler").model_dump()
    assert run(table).model_dump()["checkpoint"] == {"start": str(checkpoint), "pooling": None}


def test_a_ranker_of_the_table_reads_nothing_of_it_again(library: Library, checkpoint: Path) -> None:
    path = library.root / SPEC
    path.write_text(path.read_text().replace(*row(checkpoint=str(checkpoint))))
    taught = resolve(library, "trisampler/table-5-ar2", "simulation")
    rows = {line.name: taught.reranks(line) for line in taught.target.rows}
    assert rows["TriSampler"] and not rows["Released"]
    assert not isinstance(run(taught), TaughtRun)
