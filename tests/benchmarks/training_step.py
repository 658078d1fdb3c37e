"""A training step: the trainer here, against that of sentence-transformers, on the same texts and model.

    python -m tests.benchmarks.training_step [--write]        needs the extra `bench`

Queries with a positive and 15 negatives each, in-batch negatives over all passages, dropout 0.1, AdamW, one
thread. Both read the same checkpoint and texts; the peer tokenises in its steps, as it does for its users,
and this trainer draws negatives and logs in its own. No passage is in two lists of a batch: here it would be
embedded once, which says nothing of a step. Beside the ratio stands that of padded places: the
batch padded whole over the buckets of the trainer here.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
import transformers

from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore
from harness.encoders.dual_encoder import DualEncoder
from harness.negatives.candidates import Candidates
from harness.negatives.mining import Miner
from harness.negatives.registry import make_draw, make_law
from harness.negatives.sampler import Sampler
from harness.records.run_folder import RunFolder
from harness.retrieval.encode import length_buckets
from harness.training.batches import labelled_pairs
from harness.training.losses.registry import make_loss
from harness.training.phase_inputs import Drawn, Negatives
from harness.training.protocols import PLACES
from harness.training.topologies.registry import make_topology
from harness.training.trainer import Trainer
from tests.benchmarks.made import LONGEST, checkpoint, collection, read
from tests.benchmarks.paired import Line, in_turn, tell

NEGATIVES, CANDIDATES, STEPS, ROUNDS = 15, 30, 4, 5
SIZES = {"words of 384": (384, 0, 32), "BERT of 2 x 128": (128, 2, 32), "MiniLM's size, 6 x 384": (384, 6, 4)}
"""Model -> width, layers, queries of a batch."""
KINDS = ("pydocs", "ms-marco")
ASKED = {"words of 384": 2.2, "BERT of 2 x 128": 1.8}
PACKAGES = ("torch", "transformers", "sentence-transformers", "datasets", "accelerate")


def made_for(queries: int, kind: str) -> Collection:
    """Queries, each with documents enough of its own."""
    return collection(queries * (1 + CANDIDATES), queries, kind)


def drawn(made: Collection) -> Negatives:
    """Negatives drawn uniformly from fixed candidates, in-batch; each query has documents of its own."""
    count, width = len(made.queries["train"]), CANDIDATES
    document = count + np.arange(count * width).reshape(count, width)
    ones = np.ones((count, width), dtype=np.float32)
    first = Candidates(
        query=np.arange(count),
        positive=np.arange(count),
        document=document,
        score=ones,
        positive_score=ones[:, 0],
        positive_retrieved=np.ones(count, dtype=bool),
        positive_similarity=ones,
        valid=np.ones(document.shape, dtype=bool),
        origin=np.zeros(document.shape, dtype=np.int8),
        query_norm=ones[:, 0],
        positive_norm=ones[:, 0],
        document_norm=ones,
        model="benchmark",
    )
    sampler = Sampler(make_law("uniform"), make_draw("without-replacement"), NEGATIVES)
    return Negatives(make_topology("in-batch"), "labelled", Drawn(sampler, cast("Miner", None), first))


@contextmanager
def counted_steps(spent: list[float]) -> Iterator[None]:
    """Within the block, note the CPU seconds of each step of the trainer here."""
    right = Trainer._step

    def counted(trainer: Trainer, step: int) -> None:
        begin = time.process_time()
        right(trainer, step)
        spent.append(time.process_time() - begin)

    Trainer._step = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        Trainer._step = right  # type: ignore[method-assign]


def ours(made: Collection, tokens: TokenStore, encoder: DualEncoder, batch: int) -> float:
    """CPU seconds of a step of the trainer here, the median but for the first."""
    phase = SimpleNamespace(
        steps=STEPS, batch=batch, learning_rate=1e-5, weight_decay=0.01, lr_warmup_share=0.0, clip_norm=1.0,
        refresh=None, places=PLACES, precision="float32",
    )  # fmt: skip
    spent: list[float] = []
    with tempfile.TemporaryDirectory() as folder, counted_steps(spent):
        loss, writer = make_loss("softmax-cross-entropy"), RunFolder(Path(folder))
        Trainer(
            *(encoder, tokens, tokens, labelled_pairs(made), "continued", phase, loss, 3),
            *(writer, drawn(made)),
        ).run()
    return float(np.median(spent[1:]))


class Clock(transformers.TrainerCallback):
    """Notes when steps of the peer end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.ends: list[float] = []
        self._clock = clock

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note the time."""
        self.ends.append(self._clock())


def theirs(made: Collection, start: Path, batch: int, on: str = "cpu") -> float:
    """Seconds of a step of the peer, from the end of one to the end of the next, the median.

    On a CPU they are those of the process, in float32; on a GPU those of the wall, in bfloat16.
    """
    import sentence_transformers as st
    from datasets import Dataset
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer import modules

    pairs, negatives = labelled_pairs(made).pairs[: batch * STEPS], drawn(made).drawn
    assert negatives is not None
    chosen = negatives.first.document[: len(pairs), :NEGATIVES]
    columns = {
        "anchor": [made.queries["train"].texts[query] for query in pairs[:, 0]],
        "positive": [made.documents[number] for number in pairs[:, 1]],
        **{f"negative_{place}": [made.documents[n] for n in chosen[:, place]] for place in range(NEGATIVES)},
    }
    words = modules.Transformer(str(start), max_seq_length=LONGEST)
    pooling = modules.Pooling(words.get_word_embedding_dimension(), "mean")
    model = st.SentenceTransformer(modules=[words, pooling], device=on)
    gpu = on != "cpu"
    clock = Clock(time.perf_counter if gpu else time.process_time)
    with tempfile.TemporaryDirectory() as folder:
        arguments = st.SentenceTransformerTrainingArguments(
            output_dir=folder, per_device_train_batch_size=batch, max_steps=STEPS, learning_rate=1e-5,
            weight_decay=0.01, report_to="none", use_cpu=not gpu, bf16=gpu, save_strategy="no",
            logging_strategy="no", disable_tqdm=True,
        )  # fmt: skip
        loss = MultipleNegativesRankingLoss(model, scale=1.0, similarity_fct=st.util.dot_score)
        data = Dataset.from_dict(columns)
        st.SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=data, loss=loss, callbacks=[clock]
        ).train()
    return float(np.median(np.diff(clock.ends)))


def places(tokens: TokenStore, batch: int) -> float:
    """Token places of batches of passages padded whole, over those of buckets."""
    rng, whole, cut = np.random.default_rng(2), 0, 0
    for _ in range(20):
        length = tokens.documents.lengths[rng.integers(0, len(tokens.documents), batch * (1 + NEGATIVES))]
        whole += len(length) * int(length.max())
        cut += sum(len(rows) * int(length[rows[0]]) for rows in length_buckets(length, PLACES))
    return whole / cut


def compared(name: str, kind: str) -> Line:
    """Return the line of a model on texts of some lengths."""
    width, layers, batch = SIZES[name]
    made = made_for(batch * STEPS, kind)
    with tempfile.TemporaryDirectory() as folder:
        start = checkpoint(Path(folder) / "start", width, layers)
        tokens, encoder = read(made, start, Path(folder) / "tokens")
        padded = places(tokens, batch)
        pairs = in_turn(
            lambda: ours(made, tokens, encoder, batch), lambda: theirs(made, start, batch), ROUNDS
        )
    least = max(ASKED.get(name, 0.0) if kind == "pydocs" else 0.0, 0.9 * padded)
    return Line.of(
        f"{name}, {batch} queries of 16 passages, lengths of {kind}", "sentence-transformers' trainer", pairs,
        asked=round(least, 2), note=f"padded places {padded:.2f}",
    )  # fmt: skip


def main() -> None:
    """Print the ratios."""
    torch.set_num_threads(1)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    lines = [compared(name, kind) for name in SIZES for kind in KINDS]
    tell("training_step", "A training step", lines, PACKAGES)


if __name__ == "__main__":
    main()
