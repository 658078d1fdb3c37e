"""All losses by name."""

from __future__ import annotations

from typing import Annotated, Any

from harness.pieces import AnyOf, classes_by_name, make_piece
from harness.training.losses.adversarial_paper import AdversarialPaper
from harness.training.losses.adversarial_released import AdversarialReleased
from harness.training.losses.bce import BCE
from harness.training.losses.debiased_contrastive import DebiasedContrastive
from harness.training.losses.distillation import Distillation
from harness.training.losses.hinge import Hinge
from harness.training.losses.loss import Loss
from harness.training.losses.pairwise_logistic import PairwiseLogistic
from harness.training.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from harness.training.losses.sum import Sum
from harness.training.losses.triplet import Triplet

LOSSES: dict[str, type[Loss]] = classes_by_name(
    SoftmaxCrossEntropy,
    BCE,
    Hinge,
    Triplet,
    PairwiseLogistic,
    DebiasedContrastive,
    Distillation,
    AdversarialPaper,
    AdversarialReleased,
    Sum,
)

AnyLoss = Annotated[Loss, AnyOf("loss", LOSSES)]


def make_loss(choice: Any) -> Loss:
    """Return a loss from a name, or from a name with parameters.

    Raises:
        PieceError: something is wrong with it.
    """
    return make_piece("loss", LOSSES, choice)
