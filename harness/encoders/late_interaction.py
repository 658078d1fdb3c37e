"""The late-interaction ranker: scores pairs by the states that a frozen encoder makes of each text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.encoders.partial import LAST_LAYER_POOLINGS
from harness.encoders.pooling import Pooling, pool
from harness.encoders.ranker import Ranker
from harness.errors import UserError, told
from harness.storage.files import DELETE, read_object, write_json

_RANKER_JSON = "harness_ranker.json"
_NO_TOKEN = -2.0
"""In the place of a cosine where there is no token; less than any."""
_SHORTEST = 1e-12
"""Length by which a shorter vector is divided."""


@dataclass(frozen=True)
class TokenStates:
    """What a late interaction reads of the texts of a frozen encoder: the last layer's state of each token.

    Attributes:
        whole: the encoder.
    """

    whole: DualEncoder
    trains: ClassVar[Literal["late-interaction"]] = "late-interaction"

    def query_states(self) -> Callable[[Tensor, Tensor], Tensor]:
        """Return what computes the states of queries."""
        return lambda ids, mask: _last_hidden(self.whole.query, ids, mask)

    def passage_states(self) -> Callable[[Tensor, Tensor], Tensor]:
        """Return what computes the states of passages."""
        return lambda ids, mask: _last_hidden(self.whole.passage, ids, mask)


class LateInteraction(Ranker):
    """The retriever's score with maps of its own, and MaxSim over tokens, each with a learnt weight.

    The second is ColBERT's (Khattab and Zaharia 2020, equation 3): each token of the query takes the largest
    cosine with a token of the passage. Here it is the mean over the query's tokens, so that both terms are
    of one size whatever the query's length, and only the query's tokens have a map: a passage has many more,
    and its states stay as they were stored. The encoder below stays as it is, too.

    It begins as what it reads says: the maps of the pooled vectors are the retriever's heads, or leave the
    vectors as they are; that of the tokens leaves them as they are.

    Args:
        width: of a state.
        pooling: of the retriever, `cls` or `mean`.
        normalised: whether the retriever's pooled vectors have length 1.
        scale: of the retriever's scores, which those of the tokens have, too.
    """

    def __init__(self, width: int, *, pooling: Pooling, normalised: bool, scale: float) -> None:
        super().__init__()
        self.pooling, self.normalised, self.scale = pooling, normalised, scale
        self.query_vector, self.passage_vector, self.query_tokens = (_identity(width) for _ in range(3))
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, *read: Tensor) -> Tensor:
        """Score pairs, [B].

        Args:
            read: states [Q, I, H] and mask [Q, I] of queries, the query of each pair [B], and states
                [B, J, H] and mask [B, J] of passages.
        """
        query, query_mask, whose, passage, passage_mask = read
        query, passage = query.to(self.weight.dtype), passage.to(self.weight.dtype)
        query_vector = self._vector(query, query_mask, self.query_vector)
        passage_vector = self._vector(passage, passage_mask, self.passage_vector)
        of_vectors = (query_vector.index_select(0, whose) * passage_vector).sum(dim=-1)
        of_tokens = max_similarity(self.query_tokens(query), query_mask, whose, passage, passage_mask)
        return self.scale * (self.weight[0] * of_vectors + self.weight[1] * of_tokens)

    def _vector(self, states: Tensor, mask: Tensor, mapped: nn.Linear) -> Tensor:
        vector = pool((states,), mask, None, self.pooling)
        return self._of_length(mapped(self._of_length(vector)))

    def _of_length(self, vector: Tensor) -> Tensor:
        return nn.functional.normalize(vector, dim=-1) if self.normalised else vector

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save its weights, and how it reads the states of its retriever, which it does not hold."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.weights(), folder / "model.safetensors")
        said = {"pooling": self.pooling, "normalised": self.normalised, "scale": self.scale}
        write_json(folder / _RANKER_JSON, {"kind": "late-interaction", **said})

    @staticmethod
    def load(folder: Path) -> LateInteraction:
        """Load what `save` wrote.

        Raises:
            UserError: the folder is missing or corrupt.
        """
        said = read_object(folder / _RANKER_JSON, DELETE)
        with told("corrupt ranker", where=str(folder), fix=DELETE):
            weights = load_file(folder / "model.safetensors")
            width = weights["query_vector.weight"].shape[0]
            ranker = LateInteraction(
                width, pooling=said["pooling"], normalised=said["normalised"], scale=said["scale"]
            )
            ranker.load_weights(weights)
        return ranker.eval()


def holds_late_interaction(folder: Path) -> bool:
    """Return whether `LateInteraction.save` wrote a folder."""
    return (folder / _RANKER_JSON).exists()


def late_interaction_over(retriever: DualEncoder) -> LateInteraction:
    """Return a late interaction over a retriever, as it begins.

    Raises:
        UserError: the retriever has a projection or a dense layer, or pools over more than the last layer.
    """
    query, passage = retriever.query, retriever.passage
    for tower in (query, passage):
        _refuse_other(tower)
    ranker = LateInteraction(
        query.width,
        pooling=query.pooling,
        normalised=query.normalised,
        scale=query.scale * passage.scale,
    )
    for tower, mapped in ((query, ranker.query_vector), (passage, ranker.passage_vector)):
        if tower.head is not None:
            mapped.weight.data.copy_(tower.head.weight.detach())
    return ranker


def max_similarity(
    query: Tensor, query_mask: Tensor, whose: Tensor, passage: Tensor, passage_mask: Tensor
) -> Tensor:
    """Return the mean over a query's tokens of their largest cosine with a passage's, [B].

    Args:
        query: [Q, I, D] vectors of the queries' tokens.
        query_mask: [Q, I] 1 at tokens, 0 at padding.
        whose: [B] the query of each passage.
        passage: [B, J, D] vectors of the passages' tokens.
        passage_mask: [B, J].
    """
    # lengths divide the products, which are fewer numbers than the vectors
    unit = nn.functional.normalize(query, dim=-1).index_select(0, whose)
    length: Tensor = torch.linalg.vector_norm(passage, dim=-1).clamp(min=_SHORTEST)
    cosine = torch.bmm(unit, passage.transpose(1, 2)) / length[:, None]
    best = cosine.masked_fill(passage_mask[:, None] == 0, _NO_TOKEN).amax(dim=-1)
    share = query_mask.to(best.dtype).index_select(0, whose)
    return (best * share).sum(dim=1) / share.sum(dim=1)


def _identity(width: int) -> nn.Linear:
    mapped = nn.Linear(width, width, bias=False)
    mapped.weight.data.copy_(torch.eye(width))
    return mapped


def _last_hidden(tower: Tower, ids: Tensor, mask: Tensor) -> Tensor:
    """Return the states of tokens that pooling reads, [B, T, H]."""
    return tower.transformer(input_ids=ids, attention_mask=mask).last_hidden_state  # type: ignore[no-any-return]


def _refuse_other(tower: Tower) -> None:
    maps = tower.projection is not None or tower.dense is not None
    if maps or tower.pooling not in LAST_LAYER_POOLINGS:
        what = f"a late interaction over a retriever that pools by {tower.pooling}"
        what += " and projects" if maps else ""
        fix = "give the scale a cross-encoder, or an encoder that pools by cls or mean without a projection"
        raise UserError(what, where="ranker", fix=fix)
