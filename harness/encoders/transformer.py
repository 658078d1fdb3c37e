"""The `transformers` models of encoders: fresh ones, and those of a folder or the hub."""

from __future__ import annotations

from typing import Any, Protocol

import torch
import transformers

from harness.errors import UserError


class Sizes(Protocol):
    """The sizes of a fresh encoder, as in `harness.specs.settings.EncoderSettings`."""

    @property
    def hidden(self) -> int: ...  # noqa: D102
    @property
    def layers(self) -> int: ...  # noqa: D102
    @property
    def heads(self) -> int: ...  # noqa: D102
    @property
    def intermediate(self) -> int: ...  # noqa: D102
    @property
    def dropout(self) -> float: ...  # noqa: D102


def fresh_config(sizes: Sizes, *, vocabulary: int, pad: int, longest: int, **more: Any) -> Any:
    """Return the configuration of a BERT.

    Args:
        sizes: width, number and dropout of its layers.
        vocabulary: number of token ids.
        pad: id of the padding token.
        longest: length of the longest sequence in tokens.
        **more: further entries of the configuration.
    """
    return transformers.BertConfig(
        vocab_size=vocabulary,
        pad_token_id=pad,
        max_position_embeddings=longest,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        hidden_dropout_prob=sizes.dropout,
        attention_probs_dropout_prob=sizes.dropout,
        **more,
    )


def fresh_transformer(config: Any) -> Any:
    """Return a BERT with random weights from torch's generator.

    Position and type embeddings start at zero: random ones add a component that all passages share, which a
    small encoder has too few steps to unlearn.
    """
    model = transformers.BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        model.embeddings.position_embeddings.weight.zero_()
        model.embeddings.token_type_embeddings.weight.zero_()
    return model


def pretrained_transformer(start: str) -> Any:
    """Load an encoder from a local folder or a hub id.

    Raises:
        UserError: there is no encoder, or the hub cannot be reached.
    """
    return open_pretrained(transformers.AutoModel, start)


def pretrained_scorer(start: str) -> Any:
    """Load an encoder with one output from a local folder or a hub id; a missing head is random.

    Raises:
        UserError: there is no encoder, its head has several outputs, or the hub cannot be reached.
    """
    config = open_pretrained(transformers.AutoConfig, start)
    headed = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    if headed and config.num_labels != 1:
        raise UserError(
            f"a head of {config.num_labels} outputs", where=start, fix="give a ranker, which has one"
        )
    return open_pretrained(transformers.AutoModelForSequenceClassification, start, num_labels=1)


def open_pretrained(kind: Any, start: str, **more: Any) -> Any:
    """Load a pretrained object through an auto class of `transformers`.

    Raises:
        UserError: it cannot be loaded.
    """
    try:
        return kind.from_pretrained(start, **more)
    except (OSError, ValueError) as error:
        raise UserError(
            "no encoder could be loaded",
            where=start,
            fix="give a local folder or a hub id that you can reach",
        ) from error
