"""One tiny collection, written in each layout in which collections are published."""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

WORDS = ("apple", "pear", "plum", "river", "stone", "cloud", "bread")
TEXTS = [(one, other) for one in WORDS for other in WORDS if one != other]
DOCUMENTS = [{"_id": f"d{n}", "title": a, "text": f'the "{b}" of {a}'} for n, (a, b) in enumerate(TEXTS)]
QUERIES = [{"_id": f"q{n}", "text": f"{b} of {a}"} for n, (a, b) in enumerate(TEXTS)]
SPLITS = {"train": range(24), "dev": range(24, 32), "test": range(32, 42)}
HEADER = "query-id\tcorpus-id\tscore\n"


def beir(folder: Path) -> Path:
    """Write it in BEIR's layout."""
    write(folder / "corpus.jsonl", "".join(json.dumps(entry) + "\n" for entry in DOCUMENTS))
    write(folder / "queries.jsonl", "".join(json.dumps(entry) + "\n" for entry in QUERIES))
    for split, numbers in SPLITS.items():
        write(folder / f"qrels/{split}.tsv", HEADER + "".join(f"q{n}\td{n}\t1\n" for n in numbers))
    return folder


def msmarco(folder: Path) -> Path:
    """Write it as MS MARCO's passages, with the large dev set beside the small one."""
    write(folder / "collection.tsv", rows((d["_id"], d["text"]) for d in DOCUMENTS))
    for split, numbers in SPLITS.items():
        name = "dev.small" if split == "dev" else split
        _msmarco_split(folder, f"queries.{name}.tsv", f"qrels.{name}.tsv", numbers)
    _msmarco_split(folder, "queries.dev.tsv", "qrels.dev.tsv", range(24, 25))
    return folder


def documents(folder: Path) -> Path:
    """Write it as MS MARCO's documents."""
    fields = ((d["_id"], "https://a.example", d["title"], d["text"]) for d in DOCUMENTS)
    write(folder / "msmarco-docs.tsv", rows(fields))
    for split, numbers in SPLITS.items():
        names = (f"msmarco-doc{split}-queries.tsv", f"msmarco-doc{split}-qrels.tsv")
        _msmarco_split(folder, *names, numbers)
    return folder


def _msmarco_split(folder: Path, queries: str, qrels: str, numbers: range) -> None:
    write(folder / queries, rows((QUERIES[n]["_id"], QUERIES[n]["text"]) for n in numbers))
    write(folder / qrels, "".join(f"q{n}\t0\td{n}\t1\n" for n in numbers))


def simans(folder: Path) -> Path:
    """Write it as SimANS released its passages."""
    write(folder / "para.txt", rows((d["_id"], d["text"]) for d in DOCUMENTS))
    write(folder / "para.title.txt", rows((d["_id"], d["title"]) for d in DOCUMENTS))
    for split, numbers in SPLITS.items():
        write(folder / f"{split}.query.txt", rows((f"q{n}", QUERIES[n]["text"]) for n in numbers))
        write(folder / f"qrels.{split}.tsv", rows((f"q{n}", f"d{n}") for n in numbers))
    return folder


def dpr(folder: Path) -> Path:
    """Write it as DPR's files: positives to train on and for one dev question, answers to measure with."""
    passages = [("id", "text", "title")]
    for n, d in enumerate(DOCUMENTS):
        quoted = d["text"].replace('"', '""')
        passages.append((str(n), f'"{quoted}"', d["title"]))
    write(folder / "psgs_w100.tsv", rows(passages))
    records = [
        {
            "question": QUERIES[n]["text"],
            "answers": [TEXTS[n][1]],
            "positive_ctxs": [{"passage_id": str(n)}, {"passage_id": str(n + 1)}],
            "negative_ctxs": [],
            "hard_negative_ctxs": [{"passage_id": "0"}],
        }
        for n in range(25)
    ]
    unlabelled = {"question": "no positive", "answers": ["x"], "positive_ctxs": []}
    write(folder / "retriever/biencoder-nq-train.json", json.dumps([*records[:24], unlabelled], indent=4))
    write(folder / "retriever/biencoder-nq-dev.json", json.dumps(records[24:]))
    for split in ("dev", "test"):
        asked = ((QUERIES[n]["text"], repr([TEXTS[n][1]])) for n in SPLITS[split])
        write(folder / f"qas/nq-{split}.qa.csv", rows(asked))
    return folder


def parquet(folder: Path) -> Path:
    """Write it as a data set of the hub, documents in two parts and judgements with numbers for grades."""
    tables = {
        "corpus/corpus-00000-of-00002.parquet": DOCUMENTS[:20],
        "corpus/corpus-00001-of-00002.parquet": DOCUMENTS[20:],
        "queries/queries-00000-of-00001.parquet": QUERIES,
    }
    for split, numbers in SPLITS.items():
        name = "validation" if split == "dev" else split
        judged = [{"query-id": f"q{n}", "corpus-id": f"d{n}", "score": 1.0} for n in numbers]
        tables[f"data/{name}-00000-of-00001.parquet"] = judged
    for name, entries in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(entries), folder / name)
    return folder


WRITERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "beir": ("beir", beir),
    "msmarco": ("msmarco", msmarco),
    "documents": ("msmarco", documents),
    "simans": ("simans", simans),
    "parquet": ("parquet", parquet),
}
"""What is written -> the kind that reads it, and what writes it; ids of queries are the same in all."""


def rows(fields: object) -> str:
    """Return lines with tabs between fields."""
    return "".join("\t".join(row) + "\n" for row in fields)  # type: ignore[attr-defined]


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def packed(folder: Path, ending: str) -> Path:
    """Return an archive of a folder, beside it; with ``.gz`` the folder itself, with all its texts gzip."""
    if ending == ".gz":
        for path in [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet"]:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        return folder
    target = folder.with_name(folder.name + ending)
    if ending == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder.parent))
            archive.writestr(f"__MACOSX/{folder.name}/._corpus.jsonl", "x")
    else:
        with tarfile.open(target, "w:gz") as archive:
            archive.add(folder, folder.name)
    return target
