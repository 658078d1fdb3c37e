"""Rankers, which score pairs of query and passage; the cross-encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from torch import Tensor, nn

from harness.collections.tokenizer import prompts, quiet
from harness.collections.tokens import TokenStore, typed_pairs, untyped_pairs
from harness.encoders.matching import begin_matching, project_words
from harness.encoders.transformer import (
    FOR_TOKENS,
    fresh_config,
    pretrained_scorer,
    refuse_no_numbers,
    scorer_of,
)
from harness.encoders.weights import StateDict, copy_weights, fingerprint_of
from harness.errors import UserError, told


class Ranker(nn.Module):
    """What gives a pair of query and passage one score: a cross-encoder, or a late interaction."""

    def forward(self, *read: Tensor) -> Tensor:
        """Score pairs, [B]; what is read of them belongs to the kind of ranker."""
        raise NotImplementedError

    def weights(self) -> StateDict:
        """Return copies of all tensors on the CPU, by name."""
        return copy_weights(self)

    def load_weights(self, weights: StateDict) -> None:
        """Load the tensors that `weights` returned."""
        self.load_state_dict(weights)

    def fingerprint(self) -> str:
        """Return a hash of the weights, 16 hex digits."""
        return fingerprint_of(self.weights())

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save it in a folder, with what its pairs are read by."""
        raise NotImplementedError


class CrossEncoder(Ranker):
    """An encoder with a head of one output over the vector of [CLS].

    The head is that of `AutoModelForSequenceClassification`: a BERT has a dense layer and tanh between the
    vector of [CLS] and the linear map. The rankers of AR2 and SimANS (AR2, equation 4) only have the linear
    map; so has one of `AutoModelForTokenClassification`, which is read at [CLS] alone, and of which
    `harness.encoders.released` makes folders. Theirs also omit the pair's last [SEP], which here is as in
    pretraining, and never pass token types, which here pass to all encoders that have several. Encoders like
    RoBERTa get one separator between query and passage, as in the released code, instead of two.

    Args:
        model: a `transformers` model for sequence classification, or for token classification, with one
            label.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    @property
    def typed(self) -> bool:
        """Whether the encoder distinguishes query and passage by token types."""
        return int(getattr(self.model.config, "type_vocab_size", 0) or 0) > 1

    @property
    def linear(self) -> bool:
        """Whether its head is a linear map of the vector of [CLS]."""
        return type(self.model).__name__.endswith(FOR_TOKENS)

    def forward(self, *read: Tensor) -> Tensor:
        """Score pairs: ids, mask and types [B, T] -> [B]."""
        ids, mask, types = read
        type_inputs = {"token_type_ids": types} if self.typed else {}
        logits = self.model(input_ids=ids, attention_mask=mask, **type_inputs).logits
        return logits.flatten(1)[:, 0]  # type: ignore[no-any-return]  # [B, 1], or [B, T, 1], [CLS] first

    def weights(self) -> StateDict:
        """Return copies of all tensors on the CPU, by name."""
        return copy_weights(self.model)

    def load_weights(self, weights: StateDict) -> None:
        """Load the tensors that `weights` returned."""
        self.model.load_state_dict(weights)

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save in a folder that `CrossEncoder` and the model's class of `transformers` open.

        With a head for sequences, that of `sentence_transformers` opens it, too.

        Args:
            folder: path of the folder, which is created if necessary.
            tokenizer: tokenizer of the token store.
            longest: maximal length of a pair in tokens.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if not self.linear:
            self.model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
        self.model.save_pretrained(folder)
        own_tokenizer = typed_pairs(tokenizer) if self.typed else untyped_pairs(tokenizer)
        own_tokenizer.model_max_length = longest
        own_tokenizer.save_pretrained(folder)

    @staticmethod
    def load(folder: Path) -> CrossEncoder:
        """Load a folder that `save` wrote, or a released cross-encoder.

        Raises:
            UserError: the folder is missing or corrupt, or has no ranker.
        """
        if not folder.is_dir():
            raise UserError("no such folder", where=str(folder), fix="give a folder that holds a ranker")
        with quiet(), told("corrupt ranker", where=str(folder), fix="delete it and train again"):
            kind = scorer_of(transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False))
            model, loading_info = kind.from_pretrained(
                folder, output_loading_info=True, trust_remote_code=False
            )
        if loading_info["missing_keys"] or model.config.num_labels != 1:
            raise UserError(
                "not a ranker: its head is missing or has several outputs",
                where=str(folder),
                fix="give a ranker's folder",
            )
        refuse_no_numbers(str(folder), model)
        return CrossEncoder(model).eval()


def build_ranker(settings: Any, *, tokens: TokenStore, words: Tensor, longest: int) -> CrossEncoder:
    """Build a cross-encoder; random weights come from torch's generator.

    Args:
        settings: the run's `harness.specs.settings.RankerSettings`.
        tokens: token store of the collection.
        words: [vocabulary, at least hidden] word vectors of the base retriever, for a fresh ranker.
        longest: maximal length of a pair in tokens.

    Raises:
        UserError: the start cannot be loaded or is not a ranker, or a fresh ranker's sizes are invalid.
    """
    if prompts(str(tokens.tokenizer_folder)):
        what = "a ranker would read the prompts that its retriever puts before texts"
        raise UserError(what, where="ranker", fix="start the retriever from a checkpoint without prompts")
    if settings.start != "fresh":
        return CrossEncoder(_with_words(settings.start, tokens.vocabulary))
    if settings.layers < 2:
        raise UserError(
            f"a fresh ranker of {settings.layers} layer(s) cannot compare two texts",
            fix="give it two or more",
        )
    config = fresh_config(
        settings,
        vocabulary=tokens.vocabulary,
        pad=tokens.pad,
        longest=longest,
        num_labels=1,
        initializer_range=settings.hidden**-0.5,
    )
    model = transformers.BertForSequenceClassification(config)
    begin_matching(model, project_words(words, tokens, settings.hidden))
    return CrossEncoder(model)


def _with_words(start: str, vocabulary: int) -> Any:
    """Return the model of a checkpoint, which has a word vector for each token id of its retriever."""
    model = pretrained_scorer(start)
    rows = model.get_input_embeddings().num_embeddings
    if rows < vocabulary:
        what = f"it has {rows} word vectors, and the tokenizer of its retriever {vocabulary} pieces"
        raise UserError(what, where=start, fix="give a ranker that reads the tokens of the retriever")
    return model
