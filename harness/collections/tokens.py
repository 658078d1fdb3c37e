"""Tokens of a collection, by a learnt or pretrained tokenizer, stored once and memory-mapped."""

from __future__ import annotations

import copy
import itertools
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from harness.collections.collection import Collection
from harness.collections.texts import chunks
from harness.collections.tokenizer import PROMPTS, load_tokenizer
from harness.errors import UserError
from harness.storage.arrays import array_written
from harness.storage.checksums import check_folder
from harness.storage.disk import space_for
from harness.storage.files import atomic_folder, read_object, write_json

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
Text = str | tuple[str, str]
"""A text, or title and text that are read as a pair."""

DONE = "done.json"
DOCUMENTS_AT_ONCE = 10_000
"""Documents whose distinct tokens are counted at once."""

TYPES = "token_type_ids"
_NAMES = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))


class Sequences(Protocol):
    """Sequences of different lengths that an embedder reads: of tokens, or of states that stand for them."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each, [count]."""
        ...

    def padded(self, rows: npt.NDArray[np.int64], pad: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Return some of them, [len(rows), longest, ...], and their mask [len(rows), longest]."""
        ...


class Texts(Protocol):
    """What an encoder reads of a collection: its tokens, or states that stand for some of them."""

    @property
    def documents(self) -> Sequences:
        """One sequence for each document."""
        ...

    @property
    def queries(self) -> Mapping[str, Sequences]:
        """Split -> one sequence for each query."""
        ...

    @property
    def pad(self) -> int:
        """Id of the padding token."""
        ...


@dataclass(frozen=True)
class Ragged:
    """Token sequences of different lengths, concatenated.

    Attributes:
        flat: [sum of lengths] int32 token ids.
        offset: [count + 1] int64 start of each sequence in `flat`, and the end of the last one.
    """

    flat: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offset) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each sequence in tokens, [count]."""
        return np.diff(self.offset)

    def padded(
        self, rows: npt.NDArray[np.int64], pad: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return token ids and attention mask of some sequences, both int64 [len(rows), longest sequence]."""
        place, mask = places_of(self.offset, rows)
        ids = np.full(mask.shape, pad, dtype=np.int64)
        ids[mask] = self.flat[place[mask]]
        return ids, mask.astype(np.int64)


def places_of(
    offset: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return where some of several concatenated sequences lie, [len(rows), longest], and which places count.

    Args:
        offset: [count + 1] start of each sequence, and the end of the last one.
        rows: numbers of the sequences.
    """
    begin, length = offset[rows], offset[rows + 1] - offset[rows]
    place = np.arange(int(length.max(initial=1)))
    return begin[:, None] + place, place[None, :] < length[:, None]


@dataclass(frozen=True)
class TokenStore:
    """Tokens of documents and queries, and their tokenizer.

    Attributes:
        documents: one sequence for each document.
        queries: split -> one sequence for each query.
        idf: [vocabulary] log(N / document frequency) for IDF-weighted pooling; 0 for special tokens.
        tokenizer_folder: folder of the tokenizer, in the layout of `transformers`.
        vocabulary: number of token ids.
        pad: id of the padding token.
    """

    documents: Ragged
    queries: dict[str, Ragged]
    idf: npt.NDArray[np.float32]
    tokenizer_folder: Path
    vocabulary: int
    pad: int


def learn_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Learn lower-cased byte-pair pieces and return a `transformers` tokenizer.

    Equal texts yield equal pieces. Learning word pieces is not reproducible: the library breaks ties by the
    order of a randomly seeded hash table, which changes all results that depend on the tokens.
    """
    pieces = Tokenizer(models.BPE(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, min_frequency=2, special_tokens=list(SPECIAL), show_progress=False
    )
    pieces.train_from_iterator(texts, trainer)
    pieces.post_processor = _template(pieces, passage_type=0)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, **_NAMES)


def typed_pairs(tokenizer: Any) -> Any:
    """Return a tokenizer with token types for pairs; a learnt one has none."""
    if TYPES in tokenizer.model_input_names:
        return copy.deepcopy(tokenizer)
    pieces = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    pieces.post_processor = _template(pieces, passage_type=1)
    inputs = [*tokenizer.model_input_names, TYPES]
    return transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, model_input_names=inputs, **_NAMES)


def untyped_pairs(tokenizer: Any) -> Any:
    """Return a tokenizer without token types, for an encoder that has none."""
    own = copy.deepcopy(tokenizer)
    if TYPES in own.model_input_names:
        own.model_input_names = [name for name in own.model_input_names if name != TYPES]
        own.init_kwargs["model_input_names"] = own.model_input_names  # which is what it saves
    return own


def build_tokens(
    collection: Collection,
    folder: Path,
    *,
    start: str,
    vocabulary: int,
    query_tokens: int,
    passage_tokens: int,
) -> TokenStore:
    """Tokenise a collection into a folder, unless the folder is complete.

    Args:
        collection: collection whose documents and queries to tokenise.
        folder: folder of the arrays; it has `done.json` once it is complete.
        start: ``fresh`` to learn pieces from documents and training queries; else a checkpoint.
        vocabulary: size of the learnt vocabulary.
        query_tokens: maximal length of a query in tokens, including special ones.
        passage_tokens: maximal length of a passage in tokens, including special ones.
    """
    if (folder / DONE).exists():
        return load_tokens(folder)
    if start == "fresh":
        texts = itertools.chain(collection.documents, collection.queries["train"].texts)
        tokenizer = learn_tokenizer(texts, vocabulary)
    else:
        tokenizer = load_tokenizer(start)
    prompts: dict[str, str] = {} if start == "fresh" else tokenizer.prompts
    size = _least_bytes(collection)
    with space_for("the token store", folder.parent, size), atomic_folder(folder) as beside:
        tokenizer.save_pretrained(beside / "tokenizer")
        if prompts:
            write_json(beside / "tokenizer" / PROMPTS, {"prompts": prompts})
        cut = _Cut(tokenizer, passage_tokens, prompts.get("document", ""))
        read = collection.documents if collection.titles_are == "joined" else collection.title_pairs()
        documents = cut.saved(read, beside, "documents")
        cut = _Cut(tokenizer, query_tokens, prompts.get("query", ""))
        for split, queries in collection.queries.items():
            cut.saved(queries.texts, beside, f"queries-{split}")
        idf = inverse_document_frequency(documents, len(tokenizer), tokenizer.all_special_ids)
        np.save(beside / "idf.npy", idf)
        summary = {
            "tokens": folder.name,
            "splits": sorted(collection.queries),
            "vocabulary": len(tokenizer),
            "pad": tokenizer.pad_token_id,
        }
        write_json(beside / DONE, summary)
    return load_tokens(folder)


def _least_bytes(collection: Collection) -> int:
    """Return what a token store takes at least: an offset and the two special tokens of each text."""
    texts = len(collection.documents) + sum(map(len, collection.queries.values()))
    return texts * (8 + 2 * 4)


@dataclass(frozen=True)
class _Cut:
    """Cuts texts into tokens, some thousands at a time.

    Attributes:
        tokenizer: fast, of `transformers`.
        longest: tokens of a text, at most.
        prompt: what is put before each text.
    """

    tokenizer: Any
    longest: int
    prompt: str

    def saved(self, texts: Iterable[Text], folder: Path, name: str) -> Ragged:
        """Write the tokens of texts as two arrays, and return them mapped."""
        lengths = array("q")
        with array_written(folder / f"{name}.flat.npy", np.int32) as write:
            for some in chunks(texts):
                tokens = self._tokens(some)
                lengths.extend(map(len, tokens))
                write(np.fromiter(itertools.chain.from_iterable(tokens), np.int32))
        offset = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(np.frombuffer(lengths, dtype=np.int64), out=offset[1:])
        np.save(folder / f"{name}.offset.npy", offset)
        return _load_ragged(folder, name)

    def _tokens(self, texts: list[Text]) -> list[list[int]]:
        pairs = [text if isinstance(text, tuple) else (text, None) for text in texts]
        first = [self.prompt + text for text, _ in pairs]
        second = [text for _, text in pairs] if pairs[0][1] is not None else None
        read = self.tokenizer(
            first,
            second,
            truncation=True,
            max_length=self.longest,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        tokens: list[list[int]] = read["input_ids"]
        return tokens


def load_tokens(folder: Path) -> TokenStore:
    """Open a token store, with memory-mapped arrays.

    Raises:
        UserError: a file is missing or corrupt, or the tokens are those of another name.
    """
    check_folder(folder)
    fix = f"delete the folder {folder} and run again"
    summary = read_object(folder / DONE, fix)
    name = summary.get("tokens", folder.name)  # older ones do not say it
    if name != folder.name:
        raise UserError(f"these are the tokens of {name}", where=str(folder), fix=fix)
    return TokenStore(
        documents=_load_ragged(folder, "documents"),
        queries={split: _load_ragged(folder, f"queries-{split}") for split in summary["splits"]},
        idf=_load_array(folder / "idf.npy"),
        tokenizer_folder=folder / "tokenizer",
        vocabulary=summary["vocabulary"],
        pad=summary["pad"],
    )


def inverse_document_frequency(
    documents: Ragged, vocabulary: int, special: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Return log(N / df) of each token id, with df at least 1; 0 for special tokens."""
    frequency = np.zeros(vocabulary, dtype=np.int64)
    for begin in range(0, len(documents), DOCUMENTS_AT_ONCE):
        offset = documents.offset[begin : begin + DOCUMENTS_AT_ONCE + 1]
        owner = np.repeat(np.arange(len(offset) - 1), np.diff(offset))
        pairs = np.sort(owner * vocabulary + documents.flat[offset[0] : offset[-1]])
        distinct = pairs[np.diff(pairs, prepend=-1) != 0]
        frequency += np.bincount(distinct % vocabulary, minlength=vocabulary)
    idf = np.log(len(documents) / np.maximum(frequency, 1)).astype(np.float32)
    idf[list(special)] = 0.0
    return idf


def _template(pieces: Tokenizer, passage_type: int) -> Any:
    """Return the post-processor that adds BERT's special tokens to texts and pairs."""
    return processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair=f"[CLS] $A [SEP] $B:{passage_type} [SEP]:{passage_type}",
        special_tokens=[(name, pieces.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )


def _load_ragged(folder: Path, name: str) -> Ragged:
    return Ragged(_load_array(folder / f"{name}.flat.npy"), _load_array(folder / f"{name}.offset.npy"))


def _load_array(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"corrupt cache file ({error})",
            where=str(path),
            fix=f"delete the folder {path.parent} and run again",
        ) from error
