"""The dual encoder: a query tower and a passage tower whose inner product is the score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.encoders.layout import TowerFiles, is_tower, load_tower_files, save_tower_files
from harness.encoders.pooling import Pooling, pool
from harness.encoders.weights import copy_weights, fingerprint_of
from harness.errors import UserError


class Tower(nn.Module):
    """A `transformers` encoder with pooling, optional normalisation and projection, and a constant scale.

    Args:
        transformer: an encoder of `transformers`.
        pooling: kind of pooling, one of those of `harness.encoders.pooling.pool`.
        idf: [vocabulary] token weights for ``idf-mean``.
        projection: output dimension of a linear map without bias after pooling; None for no projection.
        scale: factor on the embedding, whose square multiplies the inner product. With a projection it only
            scales the projection's initial weights.
        token_dropout: share of tokens to exclude from pooling during training, in [0, 1).
        normalised: whether to divide the pooled vector by its length, which makes inner products cosines.
    """

    idf: Tensor | None

    def __init__(
        self,
        transformer: Any,
        *,
        pooling: Pooling,
        idf: Tensor | None = None,
        projection: int | None = None,
        scale: float = 1.0,
        token_dropout: float = 0.0,
        normalised: bool = False,
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
        width = transformer.config.hidden_size
        self.projection = nn.Linear(width, projection, bias=False) if projection else None
        if self.projection is not None:
            self.projection.weight.data.mul_(scale)

    @property
    def dimension(self) -> int:
        """Dimension of the embedding."""
        return int(self.projection.out_features if self.projection else self.transformer.config.hidden_size)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Embed token sequences: ids and mask [B, T] -> [B, dimension]."""
        every_layer = self.pooling == "first-last"
        output = self.transformer(input_ids=ids, attention_mask=mask, output_hidden_states=every_layer)
        hidden = output.hidden_states if every_layer else (output.last_hidden_state,)
        weight = None if self.idf is None else self.idf[ids]
        pooled_mask = mask
        if self.training and self.token_dropout > 0 and self.pooling != "cls":
            pooled_mask = mask * (torch.rand(mask.shape, device=mask.device) >= self.token_dropout)
        embedding = pool(tuple(hidden), pooled_mask, weight, self.pooling)
        if self.normalised:
            embedding = nn.functional.normalize(embedding, dim=-1)
        return embedding * self.scale if self.projection is None else self.projection(embedding)

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
        )
        if tower.projection is not None and files.projection is not None:
            tower.projection.weight.data.copy_(files.projection)
        return tower.eval()


class DualEncoder(nn.Module):
    """A query tower and a passage tower; shared towers are one and the same object."""

    def __init__(self, query: Tower, passage: Tower) -> None:
        super().__init__()
        self.query = query
        self.passage = passage

    @property
    def shared(self) -> bool:
        """Whether the towers are shared."""
        return self.query is self.passage

    def towers(self) -> dict[str, Tower]:
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
