"""The ranker: a cross-encoder that reads query and passage at once and gives the pair one score."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Protocol

import transformers
from torch import Tensor, nn

from harness.collections.tokens import TokenStore, typed_pairs
from harness.encoders.matching import begin_matching, project_words
from harness.encoders.transformer import Sizes, fresh_config, pretrained_scorer
from harness.encoders.weights import StateDict, copy_weights, fingerprint_of
from harness.errors import UserError


class Ranker(nn.Module):
    """An encoder with a head of one output, as `AutoModelForSequenceClassification` makes it.

    The head is the encoder's own: a BERT has a dense layer and tanh between the vector of [CLS] and the
    linear map. AR2's and SimANS' rankers (AR2, equation 4) have the linear map alone. They also leave out the
    pair's last [SEP] and never pass token types; here both are as the encoder was pretrained. An encoder of
    RoBERTa's kind is given one separator between query and passage, as in the released code, not two.

    Args:
        model: a `transformers` model for sequence classification with one label.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    @property
    def typed(self) -> bool:
        """Whether the encoder tells query from passage by token types."""
        return int(getattr(self.model.config, "type_vocab_size", 0) or 0) > 1

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Score pairs: ids, mask and types [B, T] -> [B]."""
        type_inputs = {"token_type_ids": types} if self.typed else {}
        return self.model(input_ids=ids, attention_mask=mask, **type_inputs).logits[:, 0]  # type: ignore[no-any-return]

    def weights(self) -> StateDict:
        """Return a copy of every tensor by name, on the CPU."""
        return copy_weights(self.model)

    def load_weights(self, weights: StateDict) -> None:
        """Take the tensors that `weights` returned."""
        self.model.load_state_dict(weights)

    def fingerprint(self) -> str:
        """Return a hash of the weights, 16 hex digits."""
        return fingerprint_of(self.weights())

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save so that `AutoModelForSequenceClassification` and `CrossEncoder` give the same scores.

        Args:
            folder: made if it is not there.
            tokenizer: of the token store.
            longest: tokens of a pair at most.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
        self.model.save_pretrained(folder)
        own_tokenizer = typed_pairs(tokenizer) if self.typed else copy.deepcopy(tokenizer)
        own_tokenizer.model_max_length = longest
        own_tokenizer.save_pretrained(folder)

    @staticmethod
    def load(folder: Path) -> Ranker:
        """Load a folder written by `save`, or a released cross-encoder.

        Raises:
            UserError: the folder is missing, corrupt, or holds no ranker.
        """
        if not folder.is_dir():
            raise UserError("no such folder", where=str(folder), fix="give a folder that holds a ranker")
        try:
            model, loading_info = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, output_loading_info=True
            )
        except Exception as error:
            raise UserError(
                f"corrupt ranker ({error})", where=str(folder), fix="delete it and train again"
            ) from error
        if loading_info["missing_keys"] or model.config.num_labels != 1:
            raise UserError(
                "no ranker: its head is missing or has several outputs",
                where=str(folder),
                fix="give a ranker's folder",
            )
        return Ranker(model).eval()


class Start(Sizes, Protocol):
    """What a ranker starts from, and its sizes where it is fresh."""

    @property
    def start(self) -> str: ...  # noqa: D102


def build_ranker(settings: Start, *, tokens: TokenStore, words: Tensor, longest: int) -> Ranker:
    """Make a ranker; random weights come from torch's generator.

    Args:
        settings: ``fresh``, a local folder or a hub id; and the sizes of a fresh one, of two layers at least.
        tokens: of the collection.
        words: [vocabulary, at least hidden] word vectors of the warm retriever, for a fresh one.
        longest: tokens of a pair at most.

    Raises:
        UserError: what it starts from cannot be loaded or is no ranker, or the sizes do not fit.
    """
    if settings.start != "fresh":
        return Ranker(pretrained_scorer(settings.start))
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
    return Ranker(model)
