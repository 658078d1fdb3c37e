"""Damaged input of each layout: one line with its place and what to do, and nothing written."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.collections.built_in import build_own
from harness.errors import UserError
from tests import published

Damage = Callable[[Path], Path | None]
"""Damages a folder; returns what is read in its place, if that is something else."""


def replaced(name: str, before: str, after: str) -> Damage:
    def damage(folder: Path) -> None:
        text = (folder / name).read_text()
        assert before in text
        (folder / name).write_text(text.replace(before, after, 1))

    return damage


def gone(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()

    return damage


def holding(name: str, content: bytes) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def cut(name: str) -> Damage:
    """Make a gzip file of one, and cut it in its middle."""

    def damage(folder: Path) -> None:
        whole = gzip.compress((folder / name).read_bytes())
        (folder / f"{name}.gz").write_bytes(whole[: len(whole) // 2])
        (folder / name).unlink()

    return damage


def flipped(folder: Path) -> Path:
    """Turn a byte in the middle of an archive's first member."""
    archive = published.packed(folder, ".zip")
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith("corpus.jsonl"))
        at = opened.getinfo(name).header_offset + 150
    content = bytearray(archive.read_bytes())
    content[at] ^= 255
    archive.write_bytes(bytes(content))
    return archive


def leaving(name: str) -> Damage:
    def damage(folder: Path) -> Path:
        archive = published.packed(folder, ".zip")
        with zipfile.ZipFile(archive, "a") as opened:
            opened.writestr(name, "x")
        return archive

    return damage


def linking(folder: Path) -> Path:
    archive = folder.with_name("linked.tar.gz")
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(folder, "mine")
        info = tarfile.TarInfo("mine/extra.tsv")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
        opened.addfile(info)
    return archive


def short(folder: Path) -> Path:
    archive = published.packed(folder, ".tar.gz")
    archive.write_bytes(archive.read_bytes()[:-200])
    return archive


def no_archive(folder: Path) -> Path:
    path = folder.with_name("mine.zip")
    path.write_bytes(b"<html>404</html>")
    return path


def both_ways(folder: Path) -> None:
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(b""))


def other_columns(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([{"id": "d0", "text": "x"}])
    pq.write_table(table, folder / "corpus/corpus-00000-of-00002.parquet")


def half_grades(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([{"query-id": "q0", "corpus-id": "d0", "score": 0.5}])
    pq.write_table(table, folder / "data/train-00000-of-00001.parquet")


def scoreless(folder: Path) -> None:
    (folder / "qrels.train.tsv").unlink()
    (folder / "train_ce_0.tsv").write_text("q0\ta\td0\td1 0.5\n")


JSON = "retriever/biencoder-nq-train.json"
CASES: dict[str, tuple[str, Damage, str]] = {
    "gzip that is cut": ("beir", cut("corpus.jsonl"), "corpus.jsonl.gz: cannot be read, or is damaged"),
    "plain and gzip": ("beir", both_ways, "corpus.jsonl.gz is there, too; keep one of them"),
    "a byte of an archive": ("beir", flipped, "corpus.jsonl: cannot be read, or is damaged"),
    "above the folder": ("beir", leaving("../../evil.sh"), "member '../../evil.sh' is outside of its folder"),
    "from the root": ("beir", leaving("/etc/passwd"), "member '/etc/passwd' is outside of its folder"),
    "a link": ("beir", linking, "member 'mine/extra.tsv' is no file; do not trust this archive"),
    "an archive that is cut": ("beir", short, "mine.tar.gz: cannot be read, or is damaged"),
    "no archive": ("beir", no_archive, "mine.zip: cannot be read, or is damaged (File is not a zip file)"),
    "not UTF-8": (
        "msmarco",
        holding("collection.tsv", b"d0\t\xff\n"),
        "collection.tsv:1: not UTF-8 at byte 4",
    ),
    "a tab too many": (
        "msmarco",
        replaced("collection.tsv", "d3\t", "d3\tx\t"),
        "collection.tsv:4: 3 fields, not 2",
    ),
    "no text": (
        "msmarco",
        replaced("queries.train.tsv", "q3\t", "q3 "),
        "queries.train.tsv:4: 1 fields, not 2",
    ),
    "an id twice": (
        "msmarco",
        replaced("collection.tsv", "d3\t", "d2\t"),
        "collection.tsv:4: id 'd2' occurs twice",
    ),
    "an empty collection": (
        "msmarco",
        holding("collection.tsv", b""),
        "collection.tsv: is empty; MS MARCO is",
    ),
    "no judgement": (
        "msmarco",
        replaced("qrels.train.tsv", "q3\t0\td3\t1", "q3\td3"),
        "qrels.train.tsv:4: not a",
    ),
    "an unknown document": (
        "msmarco",
        replaced("qrels.train.tsv", "d3", "d99"),
        "qrels.train.tsv:4: document 'd99' is not in collection.tsv; add it, drop the line, or set",
    ),
    "no passages": ("dpr", gone("psgs_w100.tsv"), "psgs_w100.tsv: file is missing; DPR's files are"),
    "no header": ("dpr", replaced("psgs_w100.tsv", "id\ttext\ttitle\n", ""), "psgs_w100.tsv:1: a passage"),
    "an open quote": ("dpr", replaced("psgs_w100.tsv", 'apple"\tapple', "apple\tapple"), "psgs_w100.tsv:"),
    "broken JSON": (
        "dpr",
        replaced(JSON, '"question": "no positive"', '"question": "no'),
        f"{JSON}, record 25",
    ),
    "a JSON object": ("dpr", holding(JSON, b'{"question": 1}'), f"{JSON}: no JSON list; write [{{"),
    "a cut JSON list": ("dpr", holding(JSON, b'[{"question": "a"'), f"{JSON}, record 1: ends too early"),
    "a JSON list of texts": ("dpr", holding(JSON, b'["a"]'), f"{JSON}, record 1: no JSON object"),
    "answers that would run": (
        "dpr",
        replaced("qas/nq-test.qa.csv", "['stone']", "__import__('os').getcwd()"),
        "nq-test.qa.csv:3: no list of answers; write a question and a list",
    ),
    "two datasets": (
        "dpr",
        holding("qas/tqa-test.qa.csv", b"a\t['b']\n"),
        "files of several datasets: nq, tqa",
    ),
    "lists without scores": ("simans", scoreless, "train_ce_0.tsv:1: 'd0' is no pair; write documents and"),
    "queries missing": ("simans", gone("dev.query.txt"), "dev.query.txt: file is missing; the release of"),
    "no parquet": (
        "parquet",
        holding("corpus/corpus-00001-of-00002.parquet", b"PAR1"),
        "no parquet, or damaged",
    ),
    "other columns": ("parquet", other_columns, "corpus-00000-of-00002.parquet: column '_id' is missing"),
    "half a grade": ("parquet", half_grades, "row 1: score '0.5' is no whole number; write one"),
}


@pytest.mark.parametrize("case", CASES)
def test_damage_is_one_line_and_nothing_is_written(case: str, tmp_path: Path) -> None:
    kind, damage, line = CASES[case]
    folder = getattr(published, kind)(tmp_path / "mine")
    place = damage(folder) or folder
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as refused:
        build_own(kind, {"folder": str(place), "titles": True})
    assert line in str(refused.value) and "\n" not in str(refused.value)
    assert str(tmp_path) in str(refused.value) and refused.value.fix
    assert sorted(tmp_path.rglob("*")) == before


def test_a_json_list_of_many_records_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.collections.layouts import tables
    from harness.collections.layouts.files import open_files

    records = [{"n": n, "text": "ä" * (n % 40)} for n in range(200)]
    (tmp_path / "list.json").write_text(json.dumps(records, ensure_ascii=False, indent=1))
    monkeypatch.setattr(tables, "_CHUNK", 7)
    read = [record for _, record in tables.json_records(open_files(tmp_path, ""), "list.json")]
    assert read == records
    assert list(tables.json_records(_files(tmp_path, b"[]"), "list.json")) == []


def _files(folder: Path, content: bytes):
    from harness.collections.layouts.files import open_files

    (folder / "list.json").write_bytes(io.BytesIO(content).getvalue())
    return open_files(folder, "")
