"""Time, disk and memory of each stage over collections of growing size: what grows, and how fast.

    python -m tests.benchmarks.scaling 50000 500000 2000000 --write

Passages of 60 tokens and 10,000 training queries, all of random words; an encoder of one layer, width 64; the
200 nearest passages of each query as candidates; a thousand queries searched to depth 100; five steps of
training with a refresh among them. Each stage runs in a process of its own over what the stages before left.
Memory is the peak of anonymous memory, without mapped files, which the system drops where it needs room.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tabulate import tabulate

TOKENS, QUERIES, SEARCHED, K, NEGATIVES, WIDTH, DEPTH = 60, 10_000, 1_000, 200, 15, 64, 100
WORDS = 20_000
FURTHER = (8_841_823, 21_015_324)
"""Passages of MS MARCO and of Wikipedia, as DPR cuts it."""

RESULT = Path("results/benchmarks/scaling/stages.json")


@dataclass(frozen=True)
class Spent:
    """What a stage took.

    Attributes:
        passages: of the collection.
        stage: its name.
        seconds: by the clock.
        disk: bytes that it left.
        memory: bytes of anonymous memory at the peak, those of an interpreter with its libraries included.
    """

    passages: int
    stage: str
    seconds: float
    disk: int
    memory: int


def generate(folder: Path, passages: int) -> None:
    """Write a collection in the layout of BEIR; query i has passage i as its positive."""
    rng = np.random.default_rng(0)
    words = np.array([str(number) for number in range(WORDS)])
    (folder / "qrels").mkdir(parents=True)

    def text(length: int) -> str:
        return " ".join(words[rng.integers(0, WORDS, length)])

    with (folder / "corpus.jsonl").open("w") as stream:
        for number in range(passages):
            stream.write(json.dumps({"_id": f"p{number}", "title": "", "text": text(TOKENS - 2)}) + "\n")
    with (folder / "queries.jsonl").open("w") as stream:
        for number in range(QUERIES + 2 * SEARCHED):
            stream.write(json.dumps({"_id": f"q{number}", "text": text(10)}) + "\n")
    of = {"train": (0, QUERIES), "dev": (QUERIES, SEARCHED), "test": (QUERIES + SEARCHED, SEARCHED)}
    for split, (begin, count) in of.items():
        lines = [f"q{number}\tp{number}\t1\n" for number in range(begin, begin + count)]
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))


def prepare(place: Path) -> None:
    """Read the collection, and write it as runs read it."""
    from harness.collections.archive import save_collection
    from harness.collections.built_in import build_collection

    made = build_collection("beir", {"folder": str(place / "beir"), "titles": True})
    save_collection(made, place / "collection.zip")


def tokenise(place: Path) -> None:
    """Cut all texts into tokens."""
    from harness.collections.archive import load_collection
    from tests.benchmarks.made import checkpoint, read

    start = checkpoint(place / "start", WIDTH, 1, words=WORDS)
    read(load_collection(place / "collection.zip"), start, place / "tokens")


def _reader(place: Path) -> Any:
    from harness.collections.tokens import load_tokens
    from harness.encoders.build import build_dual_encoder
    from harness.retrieval.encode import Reader

    store = load_tokens(place / "tokens")
    settings = SimpleNamespace(
        start=str(place / "start"), pooling="mean", projection=None, towers="shared", score_scale=1.0,
        token_dropout=0.0,
    )  # fmt: skip
    sizes = {"vocabulary": store.vocabulary, "pad": store.pad, "idf": store.idf, "longest": 128}
    return Reader(build_dual_encoder(settings, **sizes), store)


def encode(place: Path) -> None:
    """Embed all passages, and the training queries."""
    reader = _reader(place)
    np.save(place / "passages.npy", reader.documents())
    np.save(place / "queries.npy", reader.queries("train"))


def _embedded(place: Path) -> tuple[Any, Any]:
    return np.load(place / "queries.npy"), np.load(place / "passages.npy", mmap_mode="r")


def _miner(place: Path) -> tuple[Any, Any]:
    from harness.collections.archive import load_collection
    from harness.negatives.mining import Miner
    from harness.negatives.registry import make_source
    from harness.training.batches import labelled_pairs

    collection = load_collection(place / "collection.zip")
    pairs = labelled_pairs(collection)
    ids = collection.queries["train"].ids
    masked = pairs.masked("labelled")
    return pairs, Miner(make_source("top-k"), K, pairs.pairs, masked, ids, collection.number)


def mine(place: Path) -> None:
    """Find and score the candidates of all training pairs, and write them."""
    from harness.negatives.mining import save_candidates

    _, miner = _miner(place)
    save_candidates(miner.mine(*_embedded(place), model="benchmark", seed=0), place / "candidates.npz", "b")


def search(place: Path) -> None:
    """Rank the passages for the queries of dev, and measure."""
    from harness.collections.archive import load_collection
    from harness.evaluation.measures import evaluate
    from harness.evaluation.rankings import make_ranking, write_ranking
    from harness.retrieval.search import exact_search

    collection = load_collection(place / "collection.zip")
    asked = _reader(place).queries("dev")
    hits = exact_search(asked, _embedded(place)[1], DEPTH)
    ranking = make_ranking(collection.queries["dev"].ids, collection.document_ids, *hits)
    write_ranking(ranking, place / "dev.trec.gz", tag="benchmark")
    evaluate(ranking, collection.queries["dev"].qrels, ["nDCG@10", "R@100"])


def train(place: Path) -> None:
    """Train five steps, with a refresh before the third: all passages are embedded and mined again."""
    from harness.negatives.mining import load_candidates
    from harness.negatives.registry import make_draw, make_law
    from harness.negatives.sampler import Sampler
    from harness.records.run_folder import RunFolder
    from harness.training.losses.registry import make_loss
    from harness.training.phase_inputs import Drawn, Negatives
    from harness.training.topologies.registry import make_topology
    from harness.training.trainer import Trainer

    pairs, miner = _miner(place)
    reader = _reader(place)
    phase = SimpleNamespace(
        steps=5, batch=32, learning_rate=1e-5, weight_decay=0.01, lr_warmup_share=0.0, clip_norm=1.0,
        refresh=3, places=8192, precision="float32",
    )  # fmt: skip
    sampler = Sampler(make_law("simans"), make_draw("without-replacement"), NEGATIVES)
    drawn = Drawn(sampler, miner, load_candidates(place / "candidates.npz", "b"))
    negatives = Negatives(make_topology("in-batch"), "labelled", drawn)
    loss, writer = make_loss("softmax-cross-entropy"), RunFolder(place / "run")
    texts = reader.texts
    Trainer(reader.encoder, texts, texts, pairs, "continued", phase, loss, 3, writer, negatives).run()


STAGES: dict[str, Callable[[Path], None]] = {
    "prepare": prepare, "tokenise": tokenise, "encode": encode, "mine": mine, "search": search,
    "train, one refresh": train,
}  # fmt: skip


def measured(place: Path, passages: int, stage: str) -> Spent:
    """Run a stage in a process of its own."""
    before, begin = _bytes(place), time.monotonic()
    call = [sys.executable, "-m", "tests.benchmarks.scaling", "--stage", stage, "--place", str(place)]
    process, memory = subprocess.Popen(call, env=os.environ | {"HARNESS_STORE": str(place / "store")}), 0
    while process.poll() is None:
        memory = max(memory, _anonymous(process.pid))
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{stage} over {passages:,} passages failed")
    return Spent(passages, stage, round(time.monotonic() - begin, 1), _bytes(place) - before, memory)


def table(every: list[Spent]) -> str:
    """Return what stages took, and how memory grows from the last size but one to the last, in Markdown."""
    sizes = sorted({spent.passages for spent in every})
    of = {(spent.stage, spent.passages): spent for spent in every}
    rows = []
    for stage in STAGES:
        row = {"stage": stage}
        for size in sizes:
            one = of[stage, size]
            row[f"{size:,}"] = f"{one.seconds:,.0f} s, {one.disk / 1e6:,.0f} MB, {one.memory / 2**30:.2f} GiB"
        before, last = (of[stage, size] for size in sizes[-2:])
        slope = max(0.0, (last.memory - before.memory) / (last.passages - before.passages))
        row["memory a passage"] = f"{slope:,.0f} B"
        row |= {f"at {n / 1e6:.1f} million": f"{(last.memory + slope * (n - last.passages)) / 2**30:.1f} GiB"
                for n in FURTHER}  # fmt: skip
        rows.append(row)
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def _anonymous(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    of = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(of[0]) * 1024 if of else 0


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("passages", type=int, nargs="*")
    parser.add_argument("--place", type=Path, required=True, help="folder for what stages leave")
    parser.add_argument("--stage", choices=STAGES)
    parser.add_argument("--write", action="store_true")
    of = parser.parse_args()
    if of.stage:
        STAGES[of.stage](of.place)
        return
    found = {}
    for passages in of.passages:
        place = of.place / str(passages)
        if not (place / "beir").exists():
            generate(place / "beir", passages)
        for stage in STAGES:
            note = place / "spent" / f"{stage}.json"
            if not note.exists():  # a measurement that was cut off goes on where it was
                spent = measured(place, passages, stage)
                note.parent.mkdir(exist_ok=True)
                note.write_text(json.dumps(asdict(spent)))
            spent = Spent(**json.loads(note.read_text()))
            found[passages, stage] = spent
            print(f"{passages:>9,} {stage:20} {spent.seconds:8.1f} s {spent.disk / 1e6:9.1f} MB "
                  f"{spent.memory / 2**30:6.2f} GiB", flush=True)  # fmt: skip
    if len(of.passages) > 1:
        print(table(list(found.values())))
    if of.write:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps([asdict(spent) for spent in found.values()], indent=1) + "\n")


if __name__ == "__main__":
    main()
