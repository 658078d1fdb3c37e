"""The numbers of parameters and of trained parameters of an encoder, from its sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.encoders.sizes import CheckpointSizes, checkpoint_sizes, has_two_towers
from harness.errors import UserError
from harness.specs.base import FRESH
from harness.specs.scale import PublishedSizes
from harness.specs.settings import EncoderSettings, RankerSettings, TokenSettings


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
        width: of a retriever's embeddings; of a ranker, its hidden vectors'.
    """

    bert: Bert
    towers: int
    parameters: int
    trained: int
    width: int


class UnknownSizesError(Exception):
    """A checkpoint is not on this machine, and its sizes are not published in the scale."""

    def __init__(self, start: str) -> None:
        self.start = start
        super().__init__(start)


def retriever_of(
    encoder: EncoderSettings,
    tokens: TokenSettings,
    published: PublishedSizes | None = None,
    phases: Sequence[str] = ("both-towers",),
) -> ModelSize:
    """Return the size of a dual encoder; a pretrained tower has a pooler that is not used.

    Args:
        encoder: its settings.
        tokens: vocabulary and longest texts of a fresh one.
        published: sizes of a checkpoint that may not be on this machine.
        phases: what it was trained in, phase by phase; by the last one it is trained now.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    fresh = encoder.start == FRESH
    longest = max(tokens.query_tokens, tokens.passage_tokens)
    bert = _fresh(encoder, tokens, longest) if fresh else bert_of_checkpoint(encoder.start, published)
    separate = encoder.towers == "separate" or (encoder.towers is None and has_two_towers(encoder.start))
    towers = 2 if separate or "query-tower" in phases else 1
    sizes = None if fresh else checkpoint_sizes(encoder.start)
    pooled = (sizes.embedding if sizes else 0) or bert.hidden
    head = pooled**2 if "head" in phases else 0
    above = pooled * (encoder.projection or 0) + head + (sizes.dense if sizes else 0)
    tower, unread = bert.body + above, 0 if fresh else bert.pooler
    parts = {"head": towers * head, "last-layer": towers * (bert.layer + above), "query-tower": tower}
    trained = parts.get(phases[-1], towers * tower)
    width = encoder.projection or pooled
    return ModelSize(bert, towers, towers * (tower + unread), trained, width)


def ranker_of(
    ranker: RankerSettings, tokens: TokenSettings, published: PublishedSizes | None = None
) -> ModelSize:
    """Return the size of a cross-encoder: a BERT with a pooler and a linear map to one score.

    Raises:
        UnknownSizesError: it starts from a checkpoint whose sizes are not known.
    """
    fresh = ranker.start == FRESH
    longest = ranker.pair_tokens
    bert = _fresh(ranker, tokens, longest) if fresh else bert_of_checkpoint(ranker.start, published)
    count = bert.body + bert.pooler + bert.hidden + 1
    return ModelSize(bert, 1, count, count, bert.hidden)


def late_interaction_parameters(width: int) -> int:
    """Return the number of parameters of a late interaction: three square maps, two weights of terms."""
    return 3 * width**2 + 2


def refuse_other_sizes(published: Mapping[str, PublishedSizes], scale: str) -> None:
    """Refuse published sizes that a checkpoint on this machine contradicts.

    Args:
        published: by start.
        scale: name of the scale that has them, for the message.

    Raises:
        UserError: one does.
    """
    for start, said in published.items():
        own = checkpoint_sizes(start)
        for key in ("hidden", "layers", "heads", "intermediate", "vocabulary") if own else ():
            there, here = getattr(own, key), getattr(said, key)
            if there != here:
                what = f"the checkpoint '{start}' has {key} {there}, and {here} is published"
                raise UserError(what, where=f"scale {scale}", fix="correct or remove its `published_sizes`")


def _fresh(settings: EncoderSettings | RankerSettings, tokens: TokenSettings, longest: int) -> Bert:
    sizes = settings.sizes
    return Bert(
        hidden=sizes.hidden,
        layers=sizes.layers,
        heads=sizes.heads,
        intermediate=sizes.intermediate,
        dropout=sizes.dropout > 0,
        vocabulary=tokens.vocabulary or 0,
        positions=longest,
    )


def checkpoint_bytes(published: PublishedSizes) -> int:
    """Return the bytes of a checkpoint's weights, from its published sizes."""
    bert = _bert(published)
    return (bert.body + bert.pooler) * 4


def bert_of_checkpoint(start: str, published: PublishedSizes | None) -> Bert:
    """Return the sizes of a checkpoint, its own where it is on this machine.

    Raises:
        UnknownSizesError: it is not, and none are published.
    """
    sizes = checkpoint_sizes(start) or published
    if sizes is None:
        raise UnknownSizesError(start)
    return _bert(sizes)


def _bert(sizes: CheckpointSizes | PublishedSizes) -> Bert:
    return Bert(
        hidden=sizes.hidden,
        layers=sizes.layers,
        heads=sizes.heads,
        intermediate=sizes.intermediate,
        dropout=sizes.dropout > 0,
        vocabulary=sizes.vocabulary,
        positions=sizes.positions,
        types=sizes.types,
    )
