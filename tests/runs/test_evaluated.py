"""A checkpoint evaluated by the command line: a row of the table, with exactly the values of its run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import transformers

import harness
from harness.encoders.dual_encoder import DualEncoder
from harness.errors import UserError
from harness.runs.products import opened_checkpoint
from harness.specs.library import Library
from harness.specs.resolve import resolve
from tests.place import ROWS, TARGET, Place
from tests.result_checks import check_cells, check_tables

pytestmark = pytest.mark.usefixtures("undrawn")

EVALUATED, NAME = "trisampler/evaluated", "Released"
CALL = (EVALUATED, "--scale", "simulation", "--seeds", "2")

Call = Callable[..., str]


def spec(checkpoint: str, more: str = "") -> str:
    row = (
        f"{{name: {NAME}, kind: evaluated, checkpoint: {checkpoint}, published: ['41.4', null, null]{more}}}"
    )
    return f"extends: {TARGET}\nscales: [simulation]\nrows:\n  - {{name: BM25}}\n  - {row}\n"


def write(place: Place, text: str) -> None:
    (place.root / f"experiments/papers/{EVALUATED}.yaml").write_text(text)


def results(place: Place) -> Path:
    return place.root / "results/local/simulation" / EVALUATED


def cells_of(place: Place) -> dict[str, Any]:
    return dict(json.loads((results(place) / "cells.json").read_text()))


def row_of(cells: dict[str, Any], name: str = NAME) -> dict[str, Any]:
    return next(row for row in cells["rows"] if row["name"] == name)


@pytest.fixture(scope="module")
def evaluated(made: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The final encoder of TriSampler, seed 0, evaluated beside the rows of two seeds."""
    place = made.copy(tmp_path_factory.mktemp("evaluated") / "place")
    trisampler = next(folder for folder in place.runs("continued") if "trisampler" in preset(folder))
    shutil.copytree(trisampler / "checkpoints/final", place.root / "released")
    write(place, spec("released"))
    with pytest.MonkeyPatch.context() as patch:
        assert place.call(patch, "reproduce", *CALL) == 0
    return place


def preset(folder: Path) -> str:
    return str(json.loads((folder / "spec.json").read_text())["sampler"]["preset"])


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def run(place: Place, *arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert place.call(monkeypatch, *arguments) == code
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return said.err if code else said.out

    return run


def test_it_has_exactly_the_values_of_the_run_that_it_comes_from(evaluated: Place) -> None:
    (folder,) = evaluated.runs("evaluated")
    released = json.loads((folder / "spec.json").read_text())["checkpoint"]
    assert released == {"start": "released", "pooling": None}
    own = pd.read_parquet(folder / "per_query.parquet")
    scores = pd.read_parquet(results(evaluated) / "per_query.parquet")
    keys = ["split", "measure", "query"]
    of_run = scores[(scores["row"] == "TriSampler") & (scores["seed"] == 0)].set_index(keys)["value"]
    assert set(own["split"]) == {"dev", "test"}
    assert own.set_index(keys)["value"].sort_index().equals(of_run.sort_index())


def test_it_is_one_run_whatever_the_seed(evaluated: Place, call: Call) -> None:
    planned = [run for run in json.loads(call(evaluated, "plan", *CALL, "--json")) if run["row"] == NAME]
    assert [run["seed"] for run in planned] == [0, 1]
    assert len({run["fingerprint"] for run in planned}) == len(evaluated.runs("evaluated")) == 1
    assert {run["state"] for run in planned} == {"done"} and len(planned[0]["needs"]) == 1
    assert row_of(cells_of(evaluated))["cells"][0]["reproduced"]["sd"] == 0


def test_it_stands_in_the_table_and_is_not_compared(evaluated: Place) -> None:
    cells = cells_of(evaluated)
    row = row_of(cells)
    assert (row["kind"], row["recipe"], row["sampler"]) == ("evaluated", None, None)
    assert [cell["state"] for cell in row["cells"]] == ["ok"] * len(cells["columns"])
    assert all(cell["difference"] is None for cell in row["cells"]) and row["verdict"] is None
    assert row["cells"][0]["published"]["printed"] == "41.4"
    values = [of["cells"][0]["reproduced"]["per_seed"][0] for of in (row, row_of(cells, "TriSampler"))]
    assert values[0] == values[1]
    check_tables(results(evaluated))
    check_cells(results(evaluated))
    text = (results(evaluated) / "table.md").read_text()
    assert f"| {NAME} (evaluated) " in text
    assert f"- **{NAME} (evaluated)**: The checkpoint released, measured here and not trained." in text
    lines = pd.read_csv(results(evaluated) / "table.csv")
    assert set(lines[lines["row"] == NAME]["kind"]) == {"evaluated"}


def test_a_plan_says_what_is_evaluated(evaluated: Place, call: Call) -> None:
    said = call(evaluated, "plan", *CALL)
    assert f"{NAME}: the checkpoint released, evaluated and not trained." in said


def test_a_checkpoint_that_moved_is_the_same_and_one_that_changed_is_another(
    evaluated: Place, call: Call, tmp_path: Path
) -> None:
    place = evaluated.copy(tmp_path / "place")
    (place.root / "released").rename(place.root / "moved")
    write(place, spec("moved"))

    def state() -> str:
        planned = json.loads(call(place, "plan", *CALL, "--json"))
        return str(next(run for run in planned if run["row"] == NAME)["state"])

    assert state() == "done"
    config = place.root / "moved/config.json"
    config.write_text(config.read_text() + "\n")
    assert state() == "new"


@pytest.mark.parametrize(
    ("checkpoint", "expected"),
    [
        (
            "nowhere",
            "row 'Released': no checkpoint at 'nowhere' (no such folder, and the hub ",
        ),
        ("nobody/nothing", "row 'Released': no checkpoint at 'nobody/nothing' (no such folder, "),
    ],
)
def test_a_checkpoint_that_cannot_be_had_is_one_line(
    evaluated: Place,
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    checkpoint: str,
    expected: str,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://localhost:9")
    place = evaluated.copy(tmp_path / "place")
    write(place, spec(checkpoint))
    for command in ("plan", "reproduce"):
        (line,) = [line for line in call(place, command, *CALL, code=2).splitlines() if "error" in line]
        assert expected in line


def test_a_folder_without_an_encoder_is_one_line(evaluated: Place, call: Call, tmp_path: Path) -> None:
    place = evaluated.copy(tmp_path / "place")
    (place.root / "empty").mkdir()
    write(place, spec("empty"))
    assert "error: empty: " in call(place, "reproduce", *CALL, code=2)


def test_a_checkpoint_of_transformers_says_how_it_pools_or_the_row_does(
    evaluated: Place, call: Call, tmp_path: Path
) -> None:
    place = evaluated.copy(tmp_path / "place")
    plain = place.root / "plain"
    encoder = DualEncoder.load(place.root / "released")
    config = transformers.BertConfig(**encoder.query.transformer.config.to_dict())
    transformers.BertModel(config).save_pretrained(plain)
    transformers.AutoTokenizer.from_pretrained(place.root / "released").save_pretrained(plain)
    write(place, spec("plain"))
    assert "plain: its pooling is not configured; add" in call(place, "reproduce", *CALL, code=2)
    write(place, spec("plain", ", pooling: mean"))
    call(place, "reproduce", *CALL)
    assert np.isfinite(row_of(cells_of(place))["cells"][0]["reproduced"]["mean"])


def test_texts_longer_than_it_reads_are_refused(evaluated: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(evaluated.root)
    resolved = resolve(Library(Path("experiments")), EVALUATED, "simulation")
    settings = resolved.run(resolved.loaded.rows(NAME)[0], 0)
    assert opened_checkpoint(settings).query.pooling
    tokens = settings.tokens.model_copy(update={"passage_tokens": 4096})
    with pytest.raises(UserError, match="released: passage_tokens 4096 is more than the"):
        opened_checkpoint(settings.model_copy(update={"tokens": tokens}))


@pytest.mark.slow
def test_it_is_opened_compared_and_explained(
    evaluated: Place, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(evaluated.root)
    run = harness.load(EVALUATED, row=NAME, scale="simulation")
    twin = harness.load(EVALUATED, row="TriSampler", scale="simulation")
    assert run.encoder.fingerprint() == twin.encoder.fingerprint()
    mine, other = (of.retriever.candidates("dev", k=5).document for of in (run, twin))
    assert np.array_equal(mine, other)
    with pytest.raises(UserError, match="Released is evaluated, not trained, and has no sampler"):
        _ = run.sampler
    again = harness.load_run(run.run.fingerprint)
    assert again.rankings("test").equals(twin.rankings("test"))
    said = call(
        evaluated,
        "compare",
        f"{EVALUATED}:{NAME}",
        f"{EVALUATED}:BM25",
        "--scale",
        "simulation",
        "--seeds",
        "1",
    )
    assert NAME in said
    told = " ".join(call(evaluated, "explain", EVALUATED, NAME, "--scale", "simulation", "--local").split())
    assert "released, evaluated; nothing is trained" in told and "have changed since" not in told
    shown = " ".join(call(evaluated, "runs", "show", run.run.fingerprint).split())
    assert "checkpoint released" in shown and f"simulation/{EVALUATED}: {NAME}" in shown
    assert "evalua" in call(evaluated, "runs", "list")  # as far as a narrow terminal shows it
    why = call(evaluated, "explain", "--why-retrain", run.run.fingerprint, twin.run.fingerprint)
    assert "evaluated: this link has it | has none" in why


def test_a_changed_checkpoint_is_not_opened_as_what_was_measured(
    evaluated: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = evaluated.copy(tmp_path / "place")
    (place.root / "released/config.json").write_text("{}")
    monkeypatch.chdir(place.root)
    (folder,) = place.runs("evaluated")
    with pytest.raises(UserError, match="evaluated 'released', which has changed or is gone"):
        harness.load_run(folder.name)


def test_it_is_verified(evaluated: Place, call: Call, tmp_path: Path) -> None:
    place = Place.__new__(Place)
    place.root = tmp_path
    shutil.copytree(evaluated.root / "experiments", tmp_path / "experiments")
    shutil.copytree(evaluated.root / "released", tmp_path / "released")
    shutil.copytree(results(evaluated), tmp_path / "results/simulation" / EVALUATED)
    said = call(place, "verify", EVALUATED, "--scale", "simulation", "--row", NAME)
    assert "FAIL" not in said.split("OK: every")[0] and said.count("100.0 %") >= 3


def test_the_other_rows_do_not_know_of_it(evaluated: Place, call: Call, tmp_path: Path) -> None:
    """Holm's correction is over the rows that are trained."""
    place = evaluated.copy(tmp_path / "place")
    call(place, "reproduce", TARGET, *CALL[1:])
    plain = json.loads((place.results / "cells.json").read_text())
    mine = [row for row in cells_of(evaluated)["rows"] if row["name"] != NAME]
    assert [row["cells"] for row in mine] == [row["cells"] for row in plain["rows"]]
    assert [row["name"] for row in mine] == list(ROWS)


@pytest.mark.slow
def test_a_checkpoint_by_dataset_has_figures_on_these_and_published_ones_elsewhere(
    evaluated: Place, call: Call, tmp_path: Path
) -> None:
    place = evaluated.copy(tmp_path / "place")
    columns = "  - {label: MRR@10, dataset: ms-pas, measure: RR(rel=2)@10}\n"
    columns += "  - {label: R@50, dataset: nq, measure: R(rel=2)@50}\n"
    rows = "rows:\n  - {name: Uniform Sampling, published: ['39.7', '40.0']}\n"
    rows += "  - {name: TriSampler, published: null}\n"
    rows += f"  - {{name: {NAME}, kind: evaluated, checkpoint: {{ms-pas: released}}, "
    rows += "published: ['41.4', '50.5']}\n"
    head = f"extends: {TARGET}\nscales: [simulation]\nprimary: MS MARCO passage MRR@10\n"
    write(place, f"{head}columns:\n{columns}{rows}")
    call(place, "reproduce", EVALUATED, "--scale", "simulation", "--seeds", "1", "--row", NAME)
    first, second = row_of(cells_of(place))["cells"][:2]
    assert first["state"] == "ok" and first["published"]["printed"] == "41.4"
    assert (second["state"], second["reproduced"]) == ("not-due", None)
    assert second["published"]["printed"] == "50.5"
    check_tables(results(place))
    check_cells(results(place))
    said = "Checkpoints, measured here and not trained: released on ms-pas."
    assert said in (results(place) / "table.md").read_text()
    assert json.loads(call(place, "plan", EVALUATED, "--scale", "simulation", "--json"))
