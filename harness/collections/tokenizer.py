"""The tokenizer of a checkpoint, as `SentenceTransformer` opens it; a checkpoint's own code never runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers
from tokenizers import normalizers

from harness.collections.checkpoint_place import located
from harness.errors import UserError, told
from harness.storage.files import read_json

SENTENCE_CONFIGS = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
)
"""Names of the file in which `SentenceTransformer` keeps the settings of an encoder, newest first."""

WHOLE = "give a whole checkpoint: config.json, weights and tokenizer"

PROMPTS = "config_sentence_transformers.json"
"""Name of the file in which `SentenceTransformer` keeps what it puts before texts."""

LFS = b"version https://git-lfs"
"""How a file begins that stands for one which git-lfs has not fetched."""


transformers.utils.logging.disable_progress_bar()


@contextmanager
def quiet() -> Iterator[None]:
    """Let `transformers` print no report of what it loads: it would go through our progress bar.

    What matters of it is told as an error.
    """
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(before)


def load_tokenizer(start: str) -> Any:
    """Load the tokenizer of a local folder or a hub id; it lower-cases if the checkpoint says so.

    Raises:
        UserError: there is no tokenizer, or the hub cannot be reached.
    """
    refuse_pointers(start)
    folder = located(start)
    with quiet(), told("no tokenizer could be loaded", where=start, fix=WHOLE):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if sentence_config(start).get("do_lower_case"):
        _lower(tokenizer, start)
    tokenizer.prompts = prompts(start)  # an encoder that is saved with this tokenizer says them again
    return tokenizer


def prompts(start: str) -> dict[str, str]:
    """Return what a checkpoint puts before texts: by ``query`` and ``document``, as far as it puts anything.

    Raises:
        UserError: what it says is not read here.
    """
    said = an_object(checkpoint_json(start, PROMPTS) or {}, start, PROMPTS).get("prompts") or {}
    if not isinstance(said, dict) or not all(isinstance(text, str | None) for text in said.values()):
        raise UserError(f"`prompts` in {PROMPTS} are no texts by name", where=start, fix="correct them")
    other = sorted(name for name in ("passage", "corpus") if said.get(name) and not said.get("document"))
    if other:
        what = f"it has a prompt for `{other[0]}` and none for `document`, as which documents are encoded"
        raise UserError(what, where=start, fix=f"name it `document` in {PROMPTS}")
    return {name: said[name] for name in ("query", "document") if said.get(name)}


def sentence_config(start: str) -> dict[str, Any]:
    """Return the settings that `SentenceTransformer` keeps beside an encoder; empty if there are none.

    Raises:
        UserError: the file is no JSON object.
    """
    for name in SENTENCE_CONFIGS:
        content = checkpoint_json(start, name)
        if content is not None:
            return an_object(content, start, name)
    return {}


def an_object(content: Any, start: str, name: str) -> dict[str, Any]:
    """Return the content of a JSON file of a checkpoint, which is an object.

    Raises:
        UserError: it is not.
    """
    if not isinstance(content, dict):
        raise UserError(f"{name} holds no settings", where=start, fix="write an object, {...}, or delete it")
    return content


def checkpoint_json(start: str, name: str) -> Any:
    """Return the content of a checkpoint's JSON file; None if there is no such file."""
    path = Path(located(start)) / name
    return read_json(path) if path.exists() else None


def refuse_pointers(start: str) -> None:
    """Refuse a folder in which a file still stands for one of git-lfs.

    Raises:
        UserError: there is one.
    """
    for path in sorted(Path(located(start)).iterdir()):
        if path.is_file() and path.stat().st_size < 1024 and path.read_bytes().startswith(LFS):
            what = f"{path.name} stands for a file that git-lfs has not fetched"
            raise UserError(what, where=start, fix="run `git lfs pull` there")


def _lower(tokenizer: Any, start: str) -> None:
    """Lower-case before everything else, unless the tokenizer does so by itself."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        what = "do_lower_case is set for a tokenizer that cannot be told to"
        raise UserError(what, where=start, fix="lower-case the texts, and set it to false")
    before = backend.normalizer
    if before is None:
        backend.normalizer = normalizers.Lowercase()
    elif before.normalize_str("A") != "a":
        backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), before])
