"""An encoder from anywhere, over any collection."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from harness.analysis.retriever import Retriever
from harness.collections.collection import Collection
from harness.collections.tokens import TokenStore, build_tokens
from harness.encoders.anywhere import FromAnywhere, read_encoder, refuse_longer
from harness.encoders.pooling import Pooling
from harness.runs.stages import device
from harness.specs.checkpoint_content import start_content
from harness.storage.files import content_hash


def load_encoder(
    start: Path | str,
    collection: Collection,
    *,
    pooling: Pooling | None = None,
    query_tokens: int | None = None,
    passage_tokens: int | None = None,
    tokens: Path | str | None = None,
    name: str | None = None,
) -> Retriever:
    """Open an encoder on a collection, which it reads with its own tokenizer.

    Args:
        start: a folder that the harness saved, or a folder or hub id of `SentenceTransformer` or
            `transformers`.
        collection: of the harness, or your own (`harness.collections.beir.load_beir`).
        pooling: ``mean`` or ``cls``, of a checkpoint that does not say it.
        query_tokens: longest query, special tokens included; as the checkpoint says by default.
        passage_tokens: longest passage, likewise.
        tokens: folder in which tokens are kept for the next time; by default they go with the process.
        name: what figures call it; the last part of `start` by default.

    Raises:
        UserError: no encoder can be read there, its tokenizer is not its own, it does not say how it pools,
            or texts are to be longer than it can read.
    """
    found = read_encoder(str(start), pooling)
    longest = {"query_tokens": query_tokens, "passage_tokens": passage_tokens}
    refuse_longer(str(start), found, longest)
    lengths = {key: value or found.longest for key, value in longest.items()}
    store = _tokens(found, collection, lengths, None if tokens is None else Path(tokens))
    return Retriever(name or Path(start).name, found.encoder.to(device()), collection, store)


def _tokens(
    found: FromAnywhere, collection: Collection, lengths: dict[str, int], kept: Path | None
) -> TokenStore:
    """Return the tokens of a collection; where they are kept, a hash of all they depend on names them."""
    key = content_hash("tokens", collection.fingerprint, start_content(found.tokenizer), lengths)
    folder = kept or Path(tempfile.mkdtemp(prefix="harness-tokens-"))
    store = build_tokens(collection, folder / key, start=found.tokenizer, vocabulary=0, **lengths)
    if kept is None:
        weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)
    return store
