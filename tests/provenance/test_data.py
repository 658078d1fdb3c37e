"""`harness data`: what it lists, shows, prepares and compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.cli.application import main
from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.sources import source_of
from tests import published
from tests.place import CHECKOUT


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command in an empty folder; return its exit code and what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("HARNESS_EXPERIMENTS", str(CHECKOUT / "experiments"))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("HARNESS_DATA", raising=False)

    def told(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["harness", "data", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(ended.value.code or 0), printed.out or printed.err.splitlines()[-1]

    return told


def test_layouts_and_datasets_are_listed_with_the_counts_of_the_papers(told) -> None:
    code, text = told("list")
    assert code == 0
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("msmarco:PATH MS MARCO's passages") for line in lines)
    both = "SimANS (EMNLP 2022), Table 1; TriSampler (AAAI 2024), Table 1"
    assert f"nq Natural Questions 58,880 8,757 3,610 21,015,324 {both} ir:dpr-w100/natural-questions" in lines
    assert f"ms-pas MS MARCO passage 502,939 6,980 - 8,841,823 {both} ir:msmarco-passage" in lines
    listed = {of["name"]: of for of in json.loads(told("list", "--json")[1])}
    assert listed["tqa"]["published"][0]["test"] == 11313 and listed["dpr"]["kind"] == "layout"
    assert {"ms-pas", "ms-doc", "nq", "tqa", "beir", "ir"} <= set(listed)


def test_a_collection_is_shown_with_what_was_dropped(told, tmp_path: Path) -> None:
    folder = published.dpr(tmp_path / "nq")
    (folder / "LICENSE.txt").write_text("free")
    code, text = told("show", "dpr:nq")
    assert code == 0
    lines = text.splitlines()
    assert lines[0].startswith("dpr/nq, fingerprint ")
    assert "train: 24 queries, 24 judgements, 24 with answers" in lines
    assert "test: 10 queries, 0 judgements, 10 with answers, measured" in lines
    assert "dataset of the papers: nq" in lines and "see nq/LICENSE.txt" in lines
    assert "dropped: 1 questions without a positive passage, which no file judges" in lines
    shown = json.loads(told("show", "dpr:nq", "--json")[1])
    assert shown["queries"] == {"train": 24, "dev": 8, "test": 10} and shown["prepared"] is None


def test_a_dataset_of_the_papers_is_shown_without_its_files(told) -> None:
    code, text = told("show", "nq")
    assert code == 0 and "58,880 train, 8,757 dev, 3,610 test, 21,015,324 documents: SimANS" in text
    assert "licence: CC BY-SA 3.0" in text and "`harness data show ir:dpr-w100/natural-questions`" in text


def test_what_is_prepared_is_found_and_compared(told, tmp_path: Path) -> None:
    folder = published.beir(tmp_path / "mine")
    assert told("verify", "beir:mine") == (
        0,
        "beir/mine, compared with nothing prepared and no table: no paper counts it\n",
    )
    code, text = told("prepare", "beir:mine", "--json")
    prepared = json.loads(text)
    collection = load_beir(folder, titles=True)
    assert (code, prepared["fingerprint"]) == (0, collection.fingerprint)
    assert load_collection(Path(prepared["path"])).fingerprint == collection.fingerprint
    assert "compared with what is prepared" in told("verify", "beir:mine")[1]
    save_collection(load_beir(folder), Path(prepared["path"]))
    code, text = told("verify", "beir:mine")
    assert code == 1 and text.startswith(f"checksum: {load_beir(folder).fingerprint} prepared, ")


def test_counts_are_compared_with_the_tables_of_the_papers(told, tmp_path: Path) -> None:
    published.msmarco(tmp_path / "MSMARCO_passage")
    code, text = told("verify", "msmarco:MSMARCO_passage", "--json")
    differences = json.loads(text)["differences"]
    assert code == 1 and len(differences) == 3
    assert differences[1].startswith("dev queries: 8 here, 6,980 in SimANS (EMNLP 2022), Table 1")
    published.beir(tmp_path / "mine")
    code, text = told("verify", "tqa=beir:mine")
    assert code == 1 and "test queries: 10 here, 11,313 in" in text and "tables of TriviaQA" in text


def test_what_cannot_be_shown_is_one_line(told) -> None:
    assert told("show", "mine")[1].startswith(
        "error: mine: 'mine' names no kind of collection; write beir:PATH"
    )
    assert "did you mean 'beir'?" in told("show", "bier:mine")[1]
    assert (
        "no table of the papers counts 'x'; name one of ms-doc, ms-pas, nq, tqa"
        in told("verify", "x=beir:m")[1]
    )
    code, line = told("prepare", "beir:nowhere")
    assert code == 2 and "nowhere: no such folder" in line


def test_a_source_is_known_by_the_name_of_the_collection() -> None:
    assert source_of("beir/scifact/test") == source_of("SciFact") is not None
    assert source_of("msmarco-passage/dev") is not None and source_of("mine") is None
