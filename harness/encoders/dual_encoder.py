"""The dual encoder: a query tower and a passage tower whose inner product is the score."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from harness.encoders.dense import Dense
from harness.encoders.layout import TowerFiles, is_tower, load_tower_files, save_tower_files
from harness.encoders.pooling import Pooling, pool
from harness.encoders.weights import copy_weights, fingerprint_of
from harness.errors import UserError


class Embedder(nn.Module):
    """What embeds the texts of one side: a tower, or the part of one that a phase trains."""

    @property
    def dimension(self) -> int:
        """Dimension of the embedding."""
        raise NotImplementedError

    @property
    def like(self) -> Tensor:
        """One of its tensors, for device and type."""
        return next(itertools.chain(self.parameters(), self.buffers()))


class Tower(Embedder):
    """A `transformers` encoder with pooling, optional normalisation and projection, and a constant scale.

    A *dense* layer of its checkpoint belongs to the pooled vector: all that follows reads what it returns. A
    *head* is a square linear map over that, trained while all below it stays as it is
    (`harness.encoders.partial`); the result has length 1 again where the pooled vector has.

    Args:
        transformer: an encoder of `transformers`.
        pooling: kind of pooling, one of those of `harness.encoders.pooling.pool`.
        idf: [vocabulary] token weights for ``idf-mean``.
        projection: output dimension of a linear map without bias after pooling; None for no projection.
        scale: factor on the embedding, whose square multiplies the inner product. With a projection it only
            scales the projection's initial weights.
        token_dropout: share of tokens to exclude from pooling during training, in [0, 1).
        normalised: whether to divide the pooled vector by its length, which makes inner products cosines.
        head: whether there is a head; it begins as the identity.
        dense: a map of the pooled vector that belongs to it, or none.
    """

    idf: Tensor | None

    def __init__(  # noqa: PLR0913 - a keyword for each piece that a checkpoint may have
        self,
        transformer: Any,
        *,
        pooling: Pooling,
        idf: Tensor | None = None,
        projection: int | None = None,
        scale: float = 1.0,
        token_dropout: float = 0.0,
        normalised: bool = False,
        head: bool = False,
        dense: Dense | None = None,
    ) -> None:
        super().__init__()
        if pooling == "idf-mean" and idf is None:
            raise UserError("pooling 'idf-mean' needs the collection's IDF weights", where="encoder")
        self.transformer = transformer
        self.pooling = pooling
        self.scale = scale
        self.token_dropout = token_dropout
        self.normalised = normalised
        self.register_buffer("idf", idf, persistent=False)
        self.dense = dense
        width = self.width
        self.head = nn.Linear(width, width, bias=False) if head else None
        if self.head is not None:
            self.head.weight.data.copy_(torch.eye(width))
        self.projection = nn.Linear(width, projection, bias=False) if projection else None
        if self.projection is not None:
            self.projection.weight.data.mul_(scale)

    @property
    def width(self) -> int:
        """Dimension H of the pooled vector, as the dense layer returns it where there is one."""
        return int(self.transformer.config.hidden_size) if self.dense is None else self.dense.outputs

    @property
    def dimension(self) -> int:
        """Dimension of the embedding."""
        return int(self.projection.out_features if self.projection else self.width)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Embed token sequences: ids and mask [B, T] -> [B, dimension]."""
        return self.above(self.vector(ids, mask))

    def vector(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return what a head reads, the pooled vector: ids and mask [B, T] -> [B, H]."""
        every_layer = self.pooling == "first-last"
        output = self.transformer(input_ids=ids, attention_mask=mask, output_hidden_states=every_layer)
        hidden = output.hidden_states if every_layer else (output.last_hidden_state,)
        weight = None if self.idf is None else self.idf[ids]
        pooled_mask = self.kept(mask) if self.training else mask
        return self.pooled(pool(tuple(hidden), pooled_mask, weight, self.pooling))

    def pooled(self, vector: Tensor) -> Tensor:
        """Return what a head reads from the mean or first vector of tokens: [B, hidden] -> [B, H]."""
        return self.of_length(vector if self.dense is None else self.dense(vector))

    def kept(self, mask: Tensor) -> Tensor:
        """Return a mask [B, T] without the tokens that a training step leaves out of pooling."""
        if self.token_dropout == 0 or self.pooling == "cls":
            return mask
        return mask * (torch.rand(mask.shape, device=mask.device) >= self.token_dropout)

    def above(self, vector: Tensor) -> Tensor:
        """Return embeddings from pooled vectors: [B, H] -> [B, dimension]."""
        if self.head is not None:
            vector = self.of_length(self.head(vector))
        return vector * self.scale if self.projection is None else self.projection(vector)

    def of_length(self, vector: Tensor) -> Tensor:
        """Divide vectors [B, H] by their length, in a tower that is normalised."""
        return nn.functional.normalize(vector, dim=-1) if self.normalised else vector

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save in a folder that `AutoModel` and `SentenceTransformer` open, with the same embeddings."""
        files = TowerFiles(
            transformer=self.transformer,
            pooling=self.pooling,
            scale=self.scale,
            token_dropout=self.token_dropout,
            idf=None if self.idf is None else self.idf.cpu(),
            projection=None if self.projection is None else self.projection.weight.detach().cpu(),
            normalised=self.normalised,
            head=None if self.head is None else self.head.weight.detach().cpu(),
            dense=self.dense,
        )
        save_tower_files(files, folder, tokenizer, longest)

    @staticmethod
    def load(folder: Path) -> Tower:
        """Load a folder that `save` wrote.

        Raises:
            UserError: the folder is missing or is not such a folder.
        """
        files = load_tower_files(folder)
        tower = Tower(
            files.transformer,
            pooling=files.pooling,
            idf=files.idf,
            projection=None if files.projection is None else files.projection.shape[0],
            scale=files.scale,
            token_dropout=files.token_dropout,
            normalised=files.normalised,
            head=files.head is not None,
            dense=files.dense,
        )
        if tower.head is not None and files.head is not None:
            tower.head.weight.data.copy_(files.head)
        if tower.projection is not None and files.projection is not None:
            tower.projection.weight.data.copy_(files.projection)
        return tower.eval()


AnyEmbedder = TypeVar("AnyEmbedder", bound=Embedder)


class TwoTowers(nn.Module, Generic[AnyEmbedder]):
    """What embeds queries and what embeds passages; where they are shared, one and the same object."""

    def __init__(self, query: AnyEmbedder, passage: AnyEmbedder) -> None:
        super().__init__()
        self.query = query
        self.passage = passage

    @property
    def shared(self) -> bool:
        """Whether the towers are shared."""
        return self.query is self.passage

    def towers(self) -> dict[str, AnyEmbedder]:
        """Return the distinct towers by name."""
        return {"shared": self.query} if self.shared else {"query": self.query, "passage": self.passage}

    def weights(self) -> dict[str, Tensor]:
        """Return copies of all tensors of the distinct towers on the CPU, by tower and name."""
        return {
            f"{name}.{key}": value
            for name, tower in self.towers().items()
            for key, value in copy_weights(tower).items()
        }

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Load the tensors that `weights` returned."""
        for name, tower in self.towers().items():
            start = f"{name}."
            tower.load_state_dict(
                {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}
            )

    def fingerprint(self) -> str:
        """Return a hash of the weights, 16 hex digits."""
        return fingerprint_of(self.weights())

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save it in a folder, with what its texts are read by."""
        raise NotImplementedError


class DualEncoder(TwoTowers[Tower]):
    """A query tower and a passage tower whose inner product is the score."""

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save shared towers in the folder, or others in `query/` and `passage/`, as `Tower.save` does."""
        for name, tower in self.towers().items():
            tower.save(folder if self.shared else folder / name, tokenizer, longest)

    @staticmethod
    def load(folder: Path) -> DualEncoder:
        """Load a folder that `save` wrote.

        Raises:
            UserError: the folder is missing or is not such a folder.
        """
        if (folder / "query").is_dir() and (folder / "passage").is_dir():
            return DualEncoder(Tower.load(folder / "query"), Tower.load(folder / "passage"))
        tower = Tower.load(folder)
        return DualEncoder(tower, tower)


def holds_encoder(folder: Path) -> bool:
    """Return whether `DualEncoder.save` wrote a folder."""
    return is_tower(folder) or (is_tower(folder / "query") and is_tower(folder / "passage"))


def tokenizer_of(folder: Path) -> Path:
    """Return the tokenizer's path in a folder that `DualEncoder.save` wrote."""
    return folder if is_tower(folder) else folder / "query"
