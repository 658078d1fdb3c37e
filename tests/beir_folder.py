"""A tiny collection in the layout of BEIR."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = ("apple", "pear", "plum", "river", "stone", "cloud", "bread", "glass", "wheel", "horse")
SPLITS = {"train": range(50), "dev": range(50, 70), "test": range(70, 90)}


def write_folder(folder: Path, *without: str) -> Path:
    """Write documents of two words each, and queries that ask for one of them; some splits may be absent."""
    (folder / "qrels").mkdir(parents=True)
    texts = [(one, other) for one in WORDS for other in WORDS if one != other]
    documents = [{"_id": f"d{n}", "title": a, "text": b} for n, (a, b) in enumerate(texts)]
    queries = [{"_id": f"q{n}", "text": f"{b} of {a}"} for n, (a, b) in enumerate(texts)]
    for name, entries in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    for split, numbers in SPLITS.items():
        if split not in without:
            judged = "".join(f"q{n}\td{n}\t1\n" for n in numbers)
            (folder / f"qrels/{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder
