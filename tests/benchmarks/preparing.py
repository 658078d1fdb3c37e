"""Preparing a collection: its lines read, cut into tokens, and both written, over `datasets` doing so.

    python -m tests.benchmarks.preparing [--write]

The same file of JSON lines and the same fast tokenizer, which uses one thread, in one process each. Ours
checks ids and judgements, writes texts that can be mapped, and tokens with document frequencies; the peer
loads the lines, maps the tokenizer over them in batches, and saves. Its cache is empty in each round.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from harness.collections.archive import load_collection, save_collection
from harness.collections.beir import load_beir
from harness.collections.tokenizer import load_tokenizer
from harness.collections.tokens import build_tokens
from tests.benchmarks import scaling
from tests.benchmarks.made import LONGEST, QUERY, checkpoint
from tests.benchmarks.paired import Line, in_turn, seconds, tell

PASSAGES, QUERIES, ROUNDS = 50_000, 1000, 3
PACKAGES = ("datasets", "tokenizers", "transformers")


def ours(folder: Path, start: Path) -> None:
    """Prepare the collection as a run does."""
    with tempfile.TemporaryDirectory() as left:
        save_collection(load_beir(folder), Path(left) / "collection.zip")
        collection = load_collection(Path(left) / "collection.zip")
        lengths = {"query_tokens": QUERY, "passage_tokens": LONGEST}
        build_tokens(collection, Path(left) / "tokens", start=str(start), vocabulary=0, **lengths)


def theirs(folder: Path, start: Path) -> None:
    """Prepare its passages with the peer."""
    import datasets

    datasets.disable_progress_bars()
    tokenizer = load_tokenizer(str(start))

    def cut(some: dict[str, Any]) -> dict[str, Any]:
        of = tokenizer(some["text"], truncation=True, max_length=LONGEST, return_attention_mask=False)
        return {"input_ids": of["input_ids"]}

    with tempfile.TemporaryDirectory() as cache:
        read = datasets.load_dataset(
            "json", data_files=str(folder / "corpus.jsonl"), split="train", cache_dir=cache
        )
        read.map(cut, batched=True).save_to_disk(str(Path(cache) / "saved"))


def main() -> None:
    """Print the ratio."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    scaling.QUERIES, scaling.SEARCHED = QUERIES, QUERIES // 10
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "collection"
        scaling.generate(folder, PASSAGES)
        start = checkpoint(Path(place) / "start", 32, 0, words=scaling.WORDS)
        pairs = in_turn(
            lambda: seconds(lambda: ours(folder, start)),
            lambda: seconds(lambda: theirs(folder, start)),
            ROUNDS,
        )
    case = f"{PASSAGES:,} passages of {scaling.TOKENS} tokens"
    tell("preparing", "Preparing a collection", [Line.of(case, "datasets", pairs, asked=1.0)], PACKAGES)


if __name__ == "__main__":
    main()
