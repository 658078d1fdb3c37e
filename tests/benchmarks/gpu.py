"""What only a GPU can show, as one command that writes JSON, a step at a time.

    python -m tests.benchmarks.gpu --out gpu.json [--only NAME] [--device cpu --tiny]

Each step takes less than ten minutes and is left out where the file has it already; what has not run is null.
Steps: float32 against the CPU and resuming bit for bit; two ranks on one card; training against the rate of a
product of matrices, and against sentence-transformers; encoding and exact search of a million passages; draws
and the memory of a share of a step. ``--device cpu --tiny`` runs all of them at a size that says nothing, to
show that the script works. NCCL with several cards is not looked at: it refuses two ranks on one.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import transformers

from harness.collections.tokens import Ragged
from harness.encoders.dual_encoder import Tower
from harness.encoders.flops import matrix_rate, model_flops
from harness.encoders.precision import products
from harness.negatives.candidates import Candidates
from harness.negatives.noise import Noise
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.retrieval import search
from harness.retrieval.encode import encode
from harness.retrieval.ranks import ALONE, Deal, Ranks
from harness.storage.files import write_json
from harness.training.checkpoints import latest_checkpoint
from harness.training.forward import Passing, embed
from harness.training.schedule import adamw
from tests.benchmarks.made import checkpoint
from tests.benchmarks.training_step import made_for, theirs
from tests.training.conftest import Bench

LENGTH, NEGATIVES = 128, 15


@dataclass(frozen=True)
class Size:
    """How large the steps are: as a paper trains, or so small that nothing is said by it."""

    width: int = 768
    layers: int = 12
    queries: int = 64
    passages: int = 1_000_000
    asked: int = 10_000
    top: int = 200
    rows: int = 503_000
    candidates: int = 400
    steps: int = 10


TINY = Size(width=32, layers=1, queries=2, passages=60, asked=10, top=5, rows=20, candidates=30, steps=2)

Result = dict[str, Any]


def tower(size: Size, device: torch.device, dropout: float = 0.1) -> Tower:
    """A BERT of random weights."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30_522, hidden_size=size.width, num_hidden_layers=size.layers,
        num_attention_heads=max(1, size.width // 64), intermediate_size=4 * size.width,
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    return Tower(transformers.BertModel(config, add_pooling_layer=False), pooling="mean").to(device)


def texts(count: int, seed: int = 0) -> Ragged:
    """Texts of the longest length."""
    flat = np.random.default_rng(seed).integers(1000, 30_000, count * LENGTH).astype(np.int32)
    return Ragged(flat, np.arange(count + 1) * LENGTH)


def wait(device: torch.device) -> None:
    """Wait for what the device has been asked to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], object], device: torch.device, times: int) -> float:
    """Wall seconds of one call, the median after two that do not count."""
    took = []
    for _ in range(times + 2):
        wait(device)
        begin = time.perf_counter()
        work()
        wait(device)
        took.append(time.perf_counter() - begin)
    return float(np.median(took[2:]))


def gradient(device: torch.device, ranks: Ranks = ALONE, size: Size = TINY) -> tuple[float, torch.Tensor]:
    """Loss and gradient of an in-batch step in float32, without dropout."""
    model, passing = tower(size, device, dropout=0.0).train(), Passing(places=256, deal=Deal(ranks))
    queries, passages = (embed(model, texts(6, seed), np.arange(6), 0, passing=passing) for seed in (1, 2))
    target = torch.arange(6, device=device)
    loss = torch.nn.functional.cross_entropy(queries @ passages.T, target)
    loss.backward()
    ranks.add_gradients(model.parameters())
    flat = torch.cat([p.grad.reshape(-1) for p in model.parameters() if p.grad is not None])
    return loss.item(), flat.cpu()


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Length of the difference over that of the other."""
    return float((one - other).norm() / other.norm())


def same_as_cpu(device: torch.device, size: Size) -> Result:
    """Loss and gradient on the device against the CPU; a run that stops against one that does not."""
    there, here = gradient(device), gradient(torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "bench")
        whole, stopped = (
            trained(bench, Path(folder) / name, device, stop) for name, stop in (("a", None), ("b", 11))
        )
    return {
        "loss_relative": abs(there[0] - here[0]) / here[0],
        "gradient_relative": apart(there[1], here[1]),
        "resumed_bit_for_bit": all(torch.equal(whole[name], stopped[name]) for name in whole),
        "allow_tf32": torch.backends.cuda.matmul.allow_tf32,
    }


class Stop(Exception):
    """A run is stopped here."""


def trained(bench: Bench, folder: Path, device: torch.device, stop: int | None) -> dict[str, torch.Tensor]:
    """Weights of a small run with refreshes, which may stop on its way and go on."""
    torch.use_deterministic_algorithms(True, warn_only=True)

    def advance(done: int) -> None:
        if done == stop:
            raise Stop

    for halted in (True, False) if stop else (False,):
        trainer = bench.trainer(folder, bench.encoder(seed=1).to(device))
        trainer.advance = advance if halted else lambda done: None
        try:
            trainer.run()
        except Stop:
            assert latest_checkpoint(folder / "checkpoints") is not None
    return {name: weight.cpu() for name, weight in trainer.encoder.weights().items()}


def two_ranks(device: torch.device, size: Size) -> Result:
    """The gradient of two ranks on one card, over gloo, against that of one."""
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_rank, (str(device), folder), nprocs=2)
        shared = torch.load(Path(folder) / "0.pt", weights_only=True)
    return {"gradient_relative": apart(shared, gradient(device)[1])}


def _rank(number: int, device: str, folder: str) -> None:
    store = dist.FileStore(str(Path(folder) / "store"), 2)
    dist.init_process_group("gloo", store=store, rank=number, world_size=2)
    torch.save(gradient(torch.device(device), Ranks.here())[1], Path(folder) / f"{number}.pt")
    dist.barrier()
    dist.destroy_process_group()


def training(device: torch.device, size: Size) -> Result:
    """FLOPs utilisation of a step by bucket, kept or computed again, eager or compiled; and the peer."""
    count = size.queries * (1 + NEGATIVES)
    rate, lines = matrix_rate(device, "bfloat16"), []
    for places in (4096, 16_384, 65_536):
        for recompute in (False, True):
            for compiled in (False, True):
                lines.append(_step(device, size, count, places, recompute, compiled) | {"matrix_rate": rate})
    peer = None
    if all(map(importlib.util.find_spec, ("sentence_transformers", "datasets", "accelerate"))):
        peer = _peer(device, size)
    return {"steps": lines, "sentence_transformers_seconds": peer}


def _peer(device: torch.device, size: Size) -> float:
    """Seconds of a step of sentence-transformers' trainer, on texts of the same lengths."""
    made = made_for(size.queries * 4, "longest")
    with tempfile.TemporaryDirectory() as folder:
        start = checkpoint(Path(folder) / "start", size.width, size.layers)
        return theirs(made, start, size.queries, device.type)


def _step(
    device: torch.device, size: Size, count: int, places: int, recompute: bool, compiled: bool
) -> Result:
    line: Result = {"places": places, "recompute": recompute, "compiled": compiled}
    model = tower(size, device).train()
    if compiled:
        model.transformer.compile(dynamic=True)
    optimizer, read = adamw(model, 1e-5, 0.01), texts(count)
    passing = Passing(places=places, precision="bfloat16", deal=Deal(recompute=recompute))

    def step() -> None:
        with products("bfloat16"):
            embedded = embed(model, read, np.arange(count), 0, passing=passing)
            target = torch.arange(0, count, 1 + NEGATIVES, device=device)
            loss = torch.nn.functional.cross_entropy(embedded[target] @ embedded.T, target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    try:
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        took = seconds(step, device, size.steps)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        return line | {"error": str(error).splitlines()[0], "seconds": None, "mfu": None}
    needed = model_flops(model, read.lengths, trains=True)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    mfu = needed / took / matrix_rate(device, "bfloat16")
    return line | {"seconds": took, "mfu": mfu, "peak_bytes": peak}


def encoding(device: torch.device, size: Size) -> Result:
    """Encoding of passages against the matrix rate; exact search of all by torch, faiss, and faiss-gpu."""
    few = max(8, size.passages // 20)
    model, read = tower(size, device), texts(few)
    took = seconds(lambda: encode(model, read, 0), device, 1)
    rng = np.random.default_rng(0)
    documents = rng.standard_normal((size.passages, size.width), dtype=np.float32)
    queries = rng.standard_normal((size.asked, size.width), dtype=np.float32)
    found, times = {}, {}
    for name in ("torch", "faiss", "faiss-gpu"):
        asked = queries if name != "faiss" else queries[: max(1, size.asked // 50)]
        begin = time.perf_counter()
        try:
            os.environ[search.ENGINE] = name
            found[name] = search.exact_search(asked, documents, size.top)[1]
        except Exception as error:  # what an engine meets is its result
            times[name] = str(error).splitlines()[0]
            continue
        finally:
            del os.environ[search.ENGINE]
        times[name] = time.perf_counter() - begin
    same = {
        name: float((numbers == found["torch"][: len(numbers)]).mean()) for name, numbers in found.items()
    }
    needed = model_flops(model, read.lengths, trains=False)
    return {
        "passages": few,
        "passages_per_second": few / took,
        "mfu_float32": needed / took / matrix_rate(device, "float32"),
        "search_seconds": times,
        "same_places_as_torch": same,
    }


def draws(device: torch.device, size: Size) -> Result:
    """Seconds of a round's draws, and the memory of the step of one card of eight."""
    rng, shape = np.random.default_rng(0), (size.rows, size.candidates)
    score, ones = rng.normal(70, 2, shape).astype(np.float32), np.ones(shape, dtype=np.float32)
    rows = Candidates(
        query=np.arange(size.rows), positive=np.full(size.rows, 10**8),
        document=rng.integers(0, 8_000_000, shape), score=score, positive_score=score.max(axis=1) - 1,
        positive_retrieved=np.ones(size.rows, dtype=bool), positive_similarity=score,
        valid=np.ones(shape, dtype=bool), origin=np.zeros(shape, dtype=np.int8), query_norm=ones[:, 0],
        positive_norm=ones[:, 0], document_norm=ones, model="benchmark",
    )  # fmt: skip
    sampler = Sampler(make_law("simans", {"a": 0.5}), make_draw("without-replacement"), NEGATIVES)
    begin = time.perf_counter()
    sampler(rows, Noise(1, 0, np.zeros(size.rows, dtype=np.int64)))
    took = time.perf_counter() - begin
    share = _step(device, size, max(1, size.queries // 2) * (1 + NEGATIVES), 4096, True, False)
    return {"draw_seconds": took, "share": share}


STEPS: dict[str, Callable[[torch.device, Size], Result]] = {
    "same_as_cpu": same_as_cpu,
    "two_ranks": two_ranks,
    "training": training,
    "encoding_and_search": encoding,
    "draws_and_memory": draws,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the steps that the file lacks."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gpu")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; what it has is not run again")
    parser.add_argument("--only", choices=STEPS, action="append", help="only this step; may be repeated")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="at sizes that say nothing")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("error: no GPU is here; --device cpu --tiny shows that the script works")
        return 2
    device, size = torch.device(given.device), TINY if given.tiny else Size()
    about = {"device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu", "tiny": given.tiny}
    content: Result = {"about": about | {"torch": torch.__version__}, **dict.fromkeys(STEPS)}
    if given.out.exists():
        content |= json.loads(given.out.read_text(encoding="utf-8"))
    for name, step in STEPS.items():
        if content[name] is None and name in (given.only or STEPS):
            begin = time.perf_counter()
            content[name] = step(device, size) | {"wall_seconds": round(time.perf_counter() - begin, 1)}
            write_json(given.out, content)
            print(f"{name}: {json.dumps(content[name])}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
