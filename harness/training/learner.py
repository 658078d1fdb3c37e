"""A model that takes steps: its optimizer, and a learning rate over its own steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from harness.encoders.dual_encoder import TwoTowers
from harness.encoders.ranker import Ranker
from harness.retrieval.ranks import ALONE, Ranks
from harness.retrieval.timeline import part
from harness.training.not_finite import finite_norm
from harness.training.protocols import Rates
from harness.training.schedule import adamw, linear_schedule


@dataclass
class Learner:
    """A model with its optimizer.

    Attributes:
        name: as errors call it.
        model: whose parameters are changed.
        rates: learning rate, decay, clipping.
        steps: that the schedule of the learning rate is made for; after them it is 0.
        ranks: that share its steps.
    """

    name: str
    model: TwoTowers[Any] | Ranker
    rates: Rates
    steps: int
    ranks: Ranks = ALONE
    optimizer: torch.optim.AdamW = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = adamw(self.model, self.rates.learning_rate, self.rates.weight_decay)

    def update(self, loss: Tensor, own_step: int) -> dict[str, float]:
        """Take a step down a loss.

        Args:
            loss: scalar.
            own_step: how many steps it took before.

        Returns:
            ``loss``, ``learning_rate`` and ``gradient_norm``, before clipping.

        Raises:
            NotFiniteError: the loss or its gradient is not finite; nothing is changed.
        """
        rate = self.rates.learning_rate * linear_schedule(own_step, self.steps, self.rates.lr_warmup_share)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        with part("backward"):
            loss.backward()  # type: ignore[no-untyped-call]
        self.ranks.add_gradients(self.model.parameters())
        with part("optimizer"):
            norm = finite_norm(loss, self.model.named_parameters(), where=self.name)
            nn.utils.clip_grads_with_norm_(self.model.parameters(), self.rates.clip_norm, norm)
            self.optimizer.step()
        return {"loss": loss.item(), "learning_rate": rate, "gradient_norm": norm.item()}
