"""A pretrained encoder from a folder or hub, on any collection."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from pathlib import Path

from harness.collections.collection import Collection
from harness.collections.tokens import DONE, TokenStore, build_tokens
from harness.encoders.pooling import Pooling
from harness.encoders.pretrained import PretrainedEncoder, read_encoder, refuse_longer
from harness.errors import UserError
from harness.progress import Progress
from harness.runs.device import device
from harness.runs.retriever import Retriever
from harness.specs.checkpoint_content import start_content
from harness.storage.files import content_hash
from harness.storage.leases import lease


def load_encoder(
    start: Path | str,
    collection: Collection,
    *,
    pooling: Pooling | None = None,
    query_tokens: int | None = None,
    passage_tokens: int | None = None,
    score_scale: float = 1.0,
    tokens: Path | str | None = None,
    name: str | None = None,
) -> Retriever:
    """Open an encoder on a collection, which it reads with its own tokenizer.

    Args:
        start: a folder that the harness saved, or a folder or hub id of `SentenceTransformer` or
            `transformers`.
        collection: of the harness, or your own (`harness.collections.beir.load_beir`).
        pooling: ``mean`` or ``cls``, for a checkpoint without a pooling configuration.
        query_tokens: maximum tokens of a query, special tokens included; by default as the checkpoint has it.
        passage_tokens: maximum tokens of a passage; by default as the checkpoint has it.
        score_scale: factor on the embeddings of queries and of passages, beyond the checkpoint's own; scores
            have its square. It cannot be changed afterwards: what a retriever has embedded stays as it is.
        tokens: folder in which to cache tokens; by default they are removed with the process.
        name: name in figures; by default the last part of `start`.

    Raises:
        UserError: no encoder can be read there, it has no tokenizer of its own, its pooling is unknown,
            texts are to be longer than it can read, or the factor is no positive number.
    """
    if not 0 < score_scale < math.inf:
        raise UserError(
            f"score_scale={score_scale:g} is no positive number", where=str(start), fix="leave it out"
        )
    loaded = read_encoder(str(start), pooling)
    for tower in {loaded.encoder.query, loaded.encoder.passage}:
        tower.scale *= score_scale
    longest = {"query_tokens": query_tokens, "passage_tokens": passage_tokens}
    refuse_longer(str(start), loaded, longest)
    lengths = {key: value or loaded.longest for key, value in longest.items()}
    if None in lengths.values():
        what, fix = "it says no longest text", "add query_tokens= and passage_tokens="
        raise UserError(what, where=str(start), fix=fix)
    known = {key: int(value) for key, value in lengths.items() if value is not None}
    store = _tokens(loaded, collection, known, None if tokens is None else Path(tokens))
    return Retriever(name or Path(start).name, loaded.encoder.to(device()), collection, store)


def _tokens(
    loaded: PretrainedEncoder, collection: Collection, lengths: dict[str, int], cache: Path | None
) -> TokenStore:
    """Return the tokens of a collection, in a folder named by a hash of everything they depend on."""
    key = content_hash("tokens", collection.fingerprint, start_content(loaded.tokenizer), lengths)
    folder = cache or Path(tempfile.mkdtemp(prefix="harness-tokens-"))

    def build() -> TokenStore:
        return build_tokens(collection, folder / key, start=loaded.tokenizer, vocabulary=0, **lengths)

    if cache is None or (folder / key / DONE).exists():
        store = build()
    else:
        with lease(cache / "leases" / key, "tokens", Progress().say):
            store = build()
    if cache is None:
        weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)
    return store
