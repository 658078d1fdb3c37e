"""What a command gives in the place of collection and encoder: how it is written, and what it changes."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from harness.collections.built_in import build_own
from harness.errors import UserError
from harness.specs.fingerprints import chain
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.specs.resolve import Resolved, resolve
from harness.specs.run_settings import TrainedRun
from harness.specs.scale_notes import scale_notes
from tests import published
from tests.beir_folder import write_folder
from tests.place import CHECKOUT

TARGET = "trisampler/table-5"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
SPECS = CHECKOUT / "experiments"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "mine")


def resolved(*collections: str, encoder: str | None = None, target: str = TARGET) -> Resolved:
    return resolve(Library(SPECS, Instead.parse(collections, encoder)), target, "quick")


@pytest.mark.parametrize(
    ("text", "collections"),
    [
        ("beir:mine", {"": ("beir", "mine")}),
        ("nq=beir:mine", {"nq": ("beir", "mine")}),
        ("beir:a=b", {"": ("beir", "a=b")}),
        ("ms-pas=msmarco:/data/x y:z", {"ms-pas": ("msmarco", "/data/x y:z")}),
        ("ir:beir/scifact/test", {"": ("ir", "beir/scifact/test")}),
        ("nq=dpr:nq.tar.gz", {"nq": ("dpr", "nq.tar.gz")}),
    ],
)
def test_a_collection_is_written_with_its_kind(text: str, collections: dict[str, tuple[str, str]]) -> None:
    given = Instead.parse([text], None)
    assert {name: (of.kind, of.place) for name, of in given.collections.items()} == collections
    assert shlex.split(given.options) == ["--collection", text]


@pytest.mark.parametrize(
    ("texts", "encoder", "told"),
    [
        (
            ["mine"],
            None,
            "--collection mine: 'mine' names no kind of collection; write beir:PATH, or DATASET=beir:PATH",
        ),
        (["beir:"], None, "'beir:' names no kind of collection"),
        (
            ["trec:mine"],
            None,
            "'trec' is no kind of collection that a command names; (one of: beir, dpr, ",
        ),
        (
            ["msmacro:mine"],
            None,
            "; did you mean 'msmarco'? (one of: beir, dpr, ir, msmarco, ",
        ),
        (["nq=beir:a", "nq=beir:b"], None, "two collections for nq; leave one out"),
        ([], " ", "--encoder: no encoder is named; name a folder or a hub id"),
        ([], "~nobody-of-that-name/x", "begins with the home of nobody"),
    ],
)
def test_what_is_written_otherwise_is_one_line(texts: list[str], encoder: str | None, told: str) -> None:
    with pytest.raises(UserError) as refused:
        Instead.parse(texts, encoder)
    assert told in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("collections", "target", "told"),
    [
        (["nq=beir:mine"], TARGET, f"{TARGET} has no dataset 'nq'"),
        (["beir:a", "ms-pas=beir:b"], TARGET, f"{TARGET} has one dataset, ms-pas; name one collection"),
        (["beir:mine"], "trisampler/table-1", "trisampler/table-1 counts the datasets of the paper"),
        (
            ["beir:nowhere"],
            TARGET,
            "no such folder; a collection is a folder with corpus.jsonl, queries.jsonl",
        ),
    ],
)
def test_what_does_not_fit_the_target_is_one_line(collections: list[str], target: str, told: str) -> None:
    with pytest.raises(UserError) as refused:
        resolved(*collections, target=target)
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_a_collection_serves_the_dataset_and_nothing_of_the_paper_is_left(mine: Path) -> None:
    built_in, own = resolved(), resolved(f"beir:{mine}")
    assert own.collection().kind == "beir" and own.collection().parameters["folder"] == str(mine)
    assert own.measured() == "test" and own.clusters() is None
    assert built_in.clusters() == "positive"
    assert not any(row.published for row in own.target.rows)
    assert {row.kind for row in own.target.rows}.isdisjoint({"published", "unavailable"})
    assert not any(column.published for column in own.columns)
    notes = [note["id"] for note in built_in.notes()], [note["id"] for note in own.notes()]
    assert "D15" in notes[0] and notes[1] == [name for name in notes[0] if name not in {"D14", "D15"}]
    assert own.target.title == f"{built_in.target.title}, on beir/mine"


def test_the_table_says_on_what_it_was_made(mine: Path) -> None:
    notes = scale_notes(resolved(f"beir:{mine}", encoder=MINILM))
    assert notes[0].startswith(f"A table of your own on beir/mine, measured on test; encoder: {MINILM}. ")
    assert "Titles: on; a title stands before each passage." in notes
    assert "encoder: that of scale quick, " in scale_notes(resolved(f"beir:{mine}"))[0]
    assert "your own" not in " ".join(scale_notes(resolved()))


def test_without_test_queries_it_is_measured_on_dev(tmp_path: Path) -> None:
    own = resolved(f"beir:{write_folder(tmp_path / 'mine', 'test', 'dev')}")
    assert own.measured() == "dev"
    assert "Measured on dev: the same queries that are watched while runs train." in scale_notes(own)


def test_an_encoder_brings_its_own_sizes(mine: Path) -> None:
    built_in, own = resolved(), resolved(f"beir:{mine}", encoder=MINILM)
    before, after = built_in.scale.spec.encoder, own.scale.spec.encoder
    assert after.start == MINILM
    assert after.model_fields_set <= {"start", "towers", "score_scale", "token_dropout"}
    assert (after.towers, after.score_scale) == (before.towers, before.score_scale)
    run = own.run(own.loaded.row("TriSampler"), 0)  # type: ignore[arg-type]
    assert isinstance(run, TrainedRun)
    assert resolved().scale.spec.encoder == before


def test_a_commit_that_froze_other_settings_is_not_claimed(mine: Path) -> None:
    hashes = {
        resolved(*given, encoder=encoder).settings_hash()
        for given in ([], [f"beir:{mine}"])
        for encoder in (None, "another/encoder")
    }
    assert len(hashes) == 4


def test_the_call_carries_the_options(mine: Path) -> None:
    own = resolved(f"ms-pas=beir:{mine}", encoder=MINILM)
    assert own.call == f"{TARGET} --scale quick --collection beir:{mine} --encoder {MINILM}"


def test_places_are_of_folders_and_encoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one/mine", "other/mine", "odd name; ü", ".."):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    given = (["beir:one/mine"], ["beir:other/mine"], ["beir:odd name; ü"], ["a=beir:one/mine", "b=beir:.."])
    starts = (None, MINILM, "one/mine")
    places = [Instead.parse(texts, start).place for texts in given for start in starts]
    assert len(set(places)) == len(places)
    assert all(place.startswith("own/") and place.count("/") == 1 for place in places)
    assert all(letter.isascii() and (letter.isalnum() or letter in "-_./") for letter in "".join(places))
    ways = ("one/mine", "one/../one/mine", tmp_path / "one/mine")
    assert {Instead.parse([f"beir:{path}"], None).place for path in ways} == {places[0]}
    assert places[0].startswith("own/mine-")


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """Specs with a target over two datasets, `trisampler/both`."""
    shutil.copytree(SPECS, tmp_path / "experiments")
    (tmp_path / "experiments/papers/trisampler/both.yaml").write_text(
        f"extends: {TARGET}\nscales: [quick]\nprimary: Natural Questions R@50\ncolumns:\n"
        "  - {label: MRR@10, dataset: ms-pas, measure: RR(rel=2)@10}\n"
        "  - {label: R@50, dataset: ms-pas, measure: Success(rel=2)@50}\n"
        "  - {label: R@50, dataset: nq, measure: Success(rel=2)@50}\n"
    )
    return tmp_path / "experiments"


def test_of_several_datasets_each_may_have_a_collection(both: Path, mine: Path) -> None:
    other = write_folder(mine.parent / "other/mine", "test")
    given = {
        "nq alone": [f"nq=beir:{mine}"],
        "both": [f"nq=beir:{mine}", f"ms-pas=beir:{other}"],
    }
    labels, measured = {}, {}
    for name, texts in given.items():
        own = resolve(Library(both, Instead.parse(texts, None)), "trisampler/both", "quick")
        labels[name] = [column.label for column in own.printed], own.primary.label
        measured[name] = [own.measured(dataset) for dataset in own.target.datasets]
        assert own.target.title.endswith(f", {own.instead.text}")
    assert labels["nq alone"] == (
        ["MS MARCO passage MRR@10", "MS MARCO passage R@50", "mine R@50"], "mine R@50",
    )  # fmt: skip
    assert labels["both"] == (
        ["mine (ms-pas) MRR@10", "mine (ms-pas) R@50", "mine (nq) R@50"], "mine (nq) R@50",
    )  # fmt: skip
    assert measured == {"nq alone": ["test", "test"], "both": ["dev", "test"]}
    with pytest.raises(UserError) as refused:
        resolve(Library(both, Instead.parse(["beir:mine"], None)), "trisampler/both", "quick")
    told = "trisampler/both has several datasets: ms-pas, nq; write --collection ms-pas=beir:mine, or another"
    assert told in str(refused.value)


def test_the_same_collection_of_the_one_dataset_has_one_place(mine: Path) -> None:
    assert resolved(f"beir:{mine}").instead == resolved(f"ms-pas=beir:{mine}").instead


def test_a_run_has_one_name_in_whichever_layout_its_collection_is(tmp_path: Path) -> None:
    written = {kind: writer(tmp_path / kind / "mine") for kind, (_, writer) in published.WRITERS.items()}
    names = set()
    for kind in ("beir", "parquet", "simans"):
        own = resolved(f"{kind}:{written[kind]}")
        settings = own.run(own.loaded.row("TriSampler"), 0)  # type: ignore[arg-type]
        collection = build_own(kind, settings.collection.parameters)
        names.add(chain(settings, collection.fingerprint).last)
        assert own.target.title.endswith(f", on {kind}/mine") and own.measured() == "test"
        assert f"A table of your own on {kind}/mine, measured on test" in scale_notes(own)[0]
    assert len(names) == 1


def test_ms_marco_is_measured_on_the_small_dev_set(tmp_path: Path) -> None:
    folder = published.msmarco(tmp_path / "marco")
    for name in ("queries.test.tsv", "qrels.test.tsv"):
        (folder / name).unlink()
    own = resolved(f"msmarco:{folder}")
    assert own.measured() == "dev"
    assert len(build_own("msmarco", own.collection().parameters).queries["dev"]) == 8


def test_places_of_other_kinds_than_beir_have_their_kind(mine: Path) -> None:
    texts = (f"beir:{mine}", f"parquet:{mine}", "ir:beir/scifact", "ir:beir/nfcorpus")
    places = {Instead.parse([text], None).place for text in texts}
    assert len(places) == 4 and any(place.startswith("own/beir_scifact-") for place in places)
