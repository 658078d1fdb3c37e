"""Damaged encoder folders: one line, or the vectors that SentenceTransformer gives."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness.collections.collection import Collection, Queries
from harness.collections.tokens import learn_tokenizer
from harness.errors import HarnessError

from .test_folders import ROBERTA, TEXTS, densely, plain, sentence

VALUES: tuple[Any, ...] = (None, -1, 0, "x", 10**9, [], {}, True, 0.5)
CONTENTS = ("null", "[]", "3", '"a"', "{}", "{", "")
Damage = tuple[str, str, Callable[[Path], object]]


def damages(folder: Path) -> Iterator[Damage]:
    """Yield what can become of each file: its name, what is done, and how."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        yield name, "removed", lambda f, n=name: (f / n).unlink()
        yield name, "cut", lambda f, n=name, c=content: (f / n).write_bytes(c[: len(c) // 2])
        yield name, "not UTF-8", lambda f, n=name: (f / n).write_bytes(b"\xff\xfe{}")
        yield name, "a folder", lambda f, n=name: ((f / n).unlink(), (f / n).mkdir())
        if path.suffix != ".json":
            continue
        for text in CONTENTS:
            yield name, text, lambda f, n=name, t=text: (f / n).write_text(t)
        settings = json.loads(content)
        for key in settings if isinstance(settings, dict) and name != "tokenizer.json" else ():
            for value in VALUES:
                changed = json.dumps({**settings, key: value})
                yield name, f"{key}: {value!r}", lambda f, n=name, t=changed: (f / n).write_text(t)


@pytest.mark.parametrize("count", [24, pytest.param(300, marks=pytest.mark.slow)])
def test_a_damaged_folder_is_one_line_or_the_same_vectors(count: int, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    tokenizer = learn_tokenizer([*TEXTS, *(text.lower() for text in TEXTS)] * 3, 120)
    ids = tuple(f"d{number}" for number in range(len(TEXTS)))
    queries = {"test": Queries(("a",), ("what falls",), {}, {})}
    collection = Collection("fruit", False, ids, TEXTS, queries)
    whole = [
        sentence(plain(tmp_path / "bert", tokenizer)),
        sentence(plain(tmp_path / "roberta", tokenizer, "Roberta", **ROBERTA)),
        densely(sentence(plain(tmp_path / "dense", tokenizer), "Pooling Dense LayerNorm")),
    ]
    everything = [(folder, *damage) for folder in whole for damage in damages(folder)]
    told = 0
    for folder, name, what, damage in random.Random(0).sample(everything, count):
        shutil.rmtree(tmp_path / "damaged", ignore_errors=True)
        damaged = shutil.copytree(folder, tmp_path / "damaged")
        damage(damaged)
        try:
            vectors = harness.load_encoder(damaged, collection).documents
        except HarnessError as error:
            assert "\n" not in str(error), (name, what)
            told += 1
            continue
        try:
            expected = SentenceTransformer(str(damaged), device="cpu").encode(list(TEXTS))
        except Exception:  # at what is of no account here, such as the dimension that is said
            assert np.isfinite(vectors).all(), (name, what)
            continue
        assert np.allclose(vectors, expected, atol=1e-5), (name, what)
    assert told > count / 5
