"""The numbers of parameters and of trained parameters of an encoder, from its sizes."""

from __future__ import annotations

from dataclasses import dataclass

from harness.specs.settings import EncoderSettings, RankerSettings, TokenSettings

POSITIONS = 512
"""Positions of a pretrained BERT or ERNIE 2.0; a fresh encoder has as many as its longest sequence."""

TYPES = {"nghuyong/ernie-2.0-base-en": 4, "nghuyong/ernie-2.0-large-en": 4}
"""Hub id -> number of token types of checkpoints that have more than BERT's two."""


@dataclass(frozen=True)
class Bert:
    """Sizes of a BERT, and the resulting numbers of parameters.

    Attributes:
        hidden: width of the hidden vectors.
        layers: number of layers.
        heads: number of attention heads.
        intermediate: width of the feed-forward layers.
        dropout: whether there is any dropout.
        vocabulary: number of token ids.
        positions: number of position embeddings.
        types: number of token types.
    """

    hidden: int
    layers: int
    heads: int
    intermediate: int
    dropout: bool
    vocabulary: int
    positions: int
    types: int = 2

    @property
    def embeddings(self) -> int:
        """Parameters of the embeddings of words, positions and types, and of their normalisation."""
        return (self.vocabulary + self.positions + self.types + 2) * self.hidden

    @property
    def layer(self) -> int:
        """Parameters of one layer: four maps of attention, two of feed-forward, two normalisations."""
        attention = 4 * (self.hidden + 1) * self.hidden
        feed_forward = (self.hidden + 1) * self.intermediate + (self.intermediate + 1) * self.hidden
        return attention + feed_forward + 2 * 2 * self.hidden

    @property
    def pooler(self) -> int:
        """Parameters of the dense layer on the first token's vector."""
        return (self.hidden + 1) * self.hidden

    @property
    def body(self) -> int:
        """Parameters of embeddings and layers."""
        return self.embeddings + self.layers * self.layer


@dataclass(frozen=True)
class ModelSize:
    """The size of a retriever or a ranker.

    Attributes:
        bert: sizes of one tower.
        towers: number of distinct towers.
        parameters: number of parameters of all towers.
        trained: number of parameters with a gradient, and hence with moments.
    """

    bert: Bert
    towers: int
    parameters: int
    trained: int


def retriever_of(encoder: EncoderSettings, tokens: TokenSettings) -> ModelSize:
    """Return the size of a dual encoder; a pretrained tower has a pooler that is not used."""
    longest = max(tokens.query_tokens, tokens.passage_tokens)
    bert = _bert(encoder, tokens.vocabulary, longest)
    towers = 1 if encoder.towers == "shared" else 2
    trained = bert.body + bert.hidden * (encoder.projection or 0)
    unread = 0 if encoder.start == "fresh" else bert.pooler
    return ModelSize(bert, towers, towers * (trained + unread), towers * trained)


def ranker_of(ranker: RankerSettings, tokens: TokenSettings) -> ModelSize:
    """Return the size of a cross-encoder: a BERT with a pooler and a linear map to one score."""
    bert = _bert(ranker, tokens.vocabulary, ranker.pair_tokens)
    count = bert.body + bert.pooler + bert.hidden + 1
    return ModelSize(bert, 1, count, count)


def _bert(sizes: EncoderSettings | RankerSettings, vocabulary: int, longest: int) -> Bert:
    return Bert(
        hidden=sizes.hidden,
        layers=sizes.layers,
        heads=sizes.heads,
        intermediate=sizes.intermediate,
        dropout=sizes.dropout > 0,
        vocabulary=vocabulary,
        positions=longest if sizes.start == "fresh" else POSITIONS,
        types=TYPES.get(sizes.start, 2),
    )
