"""Encoders of which a phase trains a part, over states that the frozen part has computed once.

======================  ================================  ==================================
phase trains            states of a text                  what is trained over them
======================  ================================  ==================================
``head``                its pooled vector [1, H]          a square map over it, of each tower
``last-layer``          input of the last layer [T, H]    that layer and all above it
``query-tower``         a passage's embedding [1, dim]    the query tower, which reads tokens
======================  ================================  ==================================

States are computed without dropout, as a frozen encoder embeds.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.encoders.dual_encoder import DualEncoder, Embedder, Tower, TwoTowers
from harness.encoders.frozen import Frozen
from harness.encoders.pooling import pool
from harness.errors import UserError, told
from harness.storage.files import DELETE, read_object, write_json

StatesOf = Callable[[Tensor, Tensor], Tensor]
"""From ids and mask [B, T] to states, [B, 1, H] or [B, T, H]."""

LAST_LAYER_POOLINGS = ("cls", "mean")
"""Poolings that read the output of the last layer alone."""

_PART_JSON = "harness_part.json"


class PartialEncoder(TwoTowers[Embedder]):
    """The part of a dual encoder that a phase trains; what it trains is the encoder's own weights.

    Args:
        whole: the dual encoder, as `prepared` returns it.
        trains: which part.
    """

    def __init__(self, whole: DualEncoder, trains: Frozen) -> None:
        query = _part(whole.query, trains, "query")
        super().__init__(query, query if whole.shared else _part(whole.passage, trains, "passage"))
        self.trains = trains
        self._whole = [whole]  # in a list, so that torch does not count the frozen weights as its own

    @property
    def whole(self) -> DualEncoder:
        """The dual encoder, frozen part and all."""
        return self._whole[0]

    def query_states(self) -> StatesOf | None:
        """Return what computes the states of queries; none where the part reads their tokens."""
        return None if self.trains == "query-tower" else _states(self.whole.query, self.trains)

    def passage_states(self) -> StatesOf:
        """Return what computes the states of passages."""
        return _states(self.whole.passage, self.trains)

    def save(self, folder: Path, tokenizer: Any, longest: int) -> None:
        """Save the weights of the part alone; `read` needs the encoder that it is of."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.weights(), folder / "model.safetensors")
        write_json(folder / _PART_JSON, {"trains": self.trains})

    def read(self, folder: Path) -> None:
        """Load the weights that `save` wrote.

        Raises:
            UserError: the folder is missing, corrupt, or holds another part.
        """
        trains = read_object(folder / _PART_JSON).get("trains")
        if trains != self.trains:
            raise UserError(f"it holds a {trains}, not a {self.trains}", where=str(folder), fix=DELETE)
        with told("corrupt part of an encoder", where=str(folder), fix=DELETE):
            self.load_weights(load_file(folder / "model.safetensors"))


def whole_of(encoder: TwoTowers[Any]) -> DualEncoder:
    """Return the dual encoder that an encoder is, or is a part of."""
    if isinstance(encoder, PartialEncoder):
        return encoder.whole
    if not isinstance(encoder, DualEncoder):
        raise TypeError(f"neither an encoder nor a part of one: {type(encoder).__name__}")
    return encoder


def holds_part(folder: Path) -> bool:
    """Return whether `PartialEncoder.save` wrote a folder."""
    return (folder / _PART_JSON).exists()


def prepared(encoder: DualEncoder, trains: Frozen) -> DualEncoder:
    """Return an encoder of which a part can be trained, frozen weights shared with the given one.

    A head is added to towers without one. A query tower that is trained by itself is a copy of a shared one.

    Raises:
        UserError: its last layer is to be trained, and embeds by more than the states that enter it.
    """
    if trains == "last-layer":
        for tower in encoder.towers().values():
            _refuse_insufficient(tower)
    if trains == "head":
        query = _with_head(encoder.query)
        return DualEncoder(query, query if encoder.shared else _with_head(encoder.passage))
    if trains == "query-tower" and encoder.shared:
        return DualEncoder(copy.deepcopy(encoder.query), encoder.passage)
    return encoder


def _with_head(tower: Tower) -> Tower:
    """Return a tower with a head of its own over the same frozen weights."""
    headed = Tower(
        tower.transformer,
        pooling=tower.pooling,
        idf=tower.idf,
        token_dropout=tower.token_dropout,
        normalised=tower.normalised,
        scale=tower.scale,
        head=True,
        dense=tower.dense,
    )
    headed.projection = tower.projection
    headed.to(tower.like.device).train(tower.training)
    if headed.head is not None and tower.head is not None:
        headed.head.load_state_dict(tower.head.state_dict())
    return headed


def _part(tower: Tower, trains: Frozen, side: Literal["query", "passage"]) -> Embedder:
    if trains == "head":
        return HeadOf(tower)
    if trains == "last-layer":
        return LastLayerOf(tower)
    return tower if side == "query" else FrozenTower(tower)


def _states(tower: Tower, trains: Frozen) -> StatesOf:
    if trains == "head":
        return lambda ids, mask: tower.vector(ids, mask).unsqueeze(1)
    if trains == "last-layer":
        return lambda ids, mask: _entering_last_layer(tower, ids, mask)
    return lambda ids, mask: tower(ids, mask).unsqueeze(1)


class HeadOf(Embedder):
    """The head of a tower; its states are pooled vectors."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.head = tower.head
        self._above = tower.above
        self._dimension = tower.dimension

    @property
    def dimension(self) -> int:
        """Dimension of the embedding."""
        return self._dimension

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Embed states: [B, 1, H] -> [B, dimension]."""
        return self._above(states[:, 0])


class FrozenTower(Embedder):
    """A tower that is not trained at all; its states are its embeddings."""

    place: Tensor

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self._dimension = tower.dimension
        self.register_buffer("place", tower.like.new_zeros(0), persistent=False)

    @property
    def dimension(self) -> int:
        """Dimension of the embedding."""
        return self._dimension

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return the embeddings that the states are: [B, 1, dimension] -> [B, dimension]."""
        return states[:, 0]


class LastLayerOf(Embedder):
    """The last layer of a tower's transformer and all above it; its states enter that layer.

    Raises:
        UserError: the tower has no layers that can be found.
    """

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.layer = last_layer_of(tower.transformer)
        self.dense, self.head, self.projection = tower.dense, tower.head, tower.projection
        self._transformer = [_above_states(tower.transformer)]
        self._tower = [tower]

    @property
    def dimension(self) -> int:
        """Dimension of the embedding."""
        return self._tower[0].dimension

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Embed states: [B, T, H], mask [B, T] -> [B, dimension]."""
        tower = self._tower[0]
        hidden = self._transformer[0](inputs_embeds=states, attention_mask=mask).last_hidden_state
        pooled_mask = tower.kept(mask) if self.training else mask
        pooled = pool((hidden,), pooled_mask, None, tower.pooling)
        return tower.above(tower.pooled(pooled))


def _refuse_insufficient(tower: Tower) -> None:
    if not last_layer_suffices(tower):
        what = f"the last layer of a {type(tower.transformer).__name__} that pools by {tower.pooling}"
        fix = "train a head, or both towers"
        raise UserError(f"{what} cannot be told from the layers below it", where="encoder", fix=fix)


def last_layer_suffices(tower: Tower) -> bool:
    """Whether the last layer and all above it give a tower's embeddings from the states that enter it.

    It is tried on two texts. In T5, for one, the first layer computes what all others read beside the states.
    """
    if tower.pooling not in LAST_LAYER_POOLINGS or not tower.transformer.config.num_hidden_layers:
        return False
    device, training = tower.like.device, tower.training
    ids = torch.arange(1, 13, device=device).reshape(2, 6)
    mask = torch.tensor([[1] * 6, [1] * 4 + [0] * 2], device=device)
    try:
        with torch.no_grad():
            expected, states = tower.eval()(ids, mask), _entering_last_layer(tower, ids, mask)
            hidden = _above_states(tower.transformer)(inputs_embeds=states, attention_mask=mask)
            pooled = tower.pooled(pool((hidden.last_hidden_state,), mask, None, tower.pooling))
            return torch.allclose(tower.above(pooled), expected, rtol=1e-4, atol=1e-5)
    except (UserError, TypeError, AttributeError, LookupError, ValueError, RuntimeError):
        return False  # another architecture than this is written for
    finally:
        tower.train(training)


def last_layer_of(transformer: Any) -> nn.Module:
    """Return the last layer of a transformer.

    Raises:
        UserError: its layers cannot be found, or it has none.
    """
    return layers_of(transformer)[1][-1]


def layers_of(
    transformer: Any, *, where: str = "encoder", fix: str = "train a head, or both towers"
) -> tuple[str, nn.ModuleList]:
    """Return the layers of a transformer, and the name of their list.

    Args:
        transformer: an encoder of `transformers`.
        where: who asks, for the error.
        fix: what they can do instead.

    Raises:
        UserError: its layers cannot be found, or it has none.
    """
    count = transformer.config.num_hidden_layers
    for name, module in transformer.named_modules() if count else ():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return name, module
    what = f"the {count} layers of a {type(transformer).__name__} cannot be found" if count else "no layers"
    raise UserError(what, where=where, fix=fix)


def _entering_last_layer(tower: Tower, ids: Tensor, mask: Tensor) -> Tensor:
    """Return the hidden states that enter the last layer, [B, T, H]."""
    entered: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        entered.append(inputs[0])

    hook = last_layer_of(tower.transformer).register_forward_pre_hook(keep)
    try:
        tower.transformer(input_ids=ids, attention_mask=mask)
    finally:
        hook.remove()
    return entered[0]


def _above_states(transformer: Any) -> Any:
    """Return a transformer that reads the states of the last layer in the place of word vectors.

    Its modules are the given one's, so that masks and the like are those of the library.
    """
    name, layers = layers_of(transformer)
    above = _shallow(transformer)
    above._modules["embeddings"] = _Given()
    *path, last = name.split(".")
    place = above
    for step in path:
        place._modules[step] = _shallow(place._modules[step])
        place = place._modules[step]
    place._modules[last] = nn.ModuleList([layers[-1]])
    above.config = copy.copy(transformer.config)
    above.config.num_hidden_layers = 1
    return above


def _shallow(module: Any) -> Any:
    """Return a module of the same submodules, of which some can be replaced."""
    copied = copy.copy(module)
    copied._modules = dict(module._modules)
    return copied


class _Given(nn.Module):
    """Returns the word vectors that it is given."""

    def forward(self, *args: Any, inputs_embeds: Tensor, **more: Any) -> Tensor:
        return inputs_embeds
