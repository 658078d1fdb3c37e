"""What every loss keeps: a class of tests that each of them passes.

A test class derives from `LossContract` and gives the fixture `loss`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from harness.training.losses.loss import Loss
from harness.training.losses.scores import Scores

QUERIES, PASSAGES = 5, 7
INFINITY = float("inf")


class LossContract:
    """Tests over the fixture `loss`."""

    def test_the_gradient_is_that_of_finite_differences(self, loss: Loss) -> None:
        given = some()

        def value(scores: Tensor) -> Tensor:
            return loss(replace(given, scores=scores.masked_fill(given.masked, -INFINITY)))

        finite = given.scores.masked_fill(given.masked, 0.0).requires_grad_()
        assert torch.autograd.gradcheck(value, finite, eps=1e-6, atol=1e-7, rtol=1e-6)
        assert gradient(loss, given).abs().max() > 1e-3

    def test_masked_passages_have_no_gradient_and_no_say(self, loss: Loss) -> None:
        """Also where a whole row of negatives is masked, and whatever the teacher says of them."""
        given = some()
        bare = given.scores.clone()
        bare[1] = -INFINITY
        bare[1, given.target[1]] = 0.5
        given = replace(given, scores=bare)
        found = gradient(loss, given)
        assert torch.isfinite(found).all() and (found[given.masked] == 0).all()
        for other in (-INFINITY, 50.0):
            teacher = given.teacher.masked_fill(given.masked, other)
            assert loss(replace(given, teacher=teacher)) == loss(given)

    def test_the_order_of_passages_changes_nothing(self, loss: Loss) -> None:
        given = some()
        order = torch.stack([torch.randperm(PASSAGES, generator=generator(row)) for row in range(QUERIES)])
        target = (order == given.target[:, None]).long().argmax(dim=1)
        shuffled = Scores(given.scores.gather(1, order), target, given.teacher.gather(1, order))
        close(loss(shuffled), loss(given))
        close(gradient(loss, shuffled), gradient(loss, given).gather(1, order))

    def test_masked_columns_change_nothing(self, loss: Loss) -> None:
        given = some()
        empty = torch.full((QUERIES, 3), -INFINITY, dtype=torch.float64)
        wider = Scores(
            torch.cat([empty, given.scores, empty], dim=1),
            given.target + 3,
            torch.cat([empty, given.teacher, empty], dim=1),
        )
        close(loss(wider), loss(given))
        close(gradient(loss, wider)[:, 3:-3], gradient(loss, given))

    def test_a_shift_of_a_querys_scores_changes_nothing_where_it_is_said_so(self, loss: Loss) -> None:
        given = some()
        shift = torch.linspace(-3.0, 2.0, QUERIES, dtype=torch.float64)[:, None]
        moved = loss(replace(given, scores=given.scores + shift))
        assert torch.isclose(moved, loss(given), rtol=1e-12) == loss.shift_free
        if loss.shift_free:
            assert gradient(loss, given).sum(dim=1).abs().max() < 1e-12

    def test_a_shift_of_the_teachers_scores_changes_nothing(self, loss: Loss) -> None:
        given = some()
        close(loss(replace(given, teacher=given.teacher + 4.0)), loss(given))

    def test_a_teacher_is_read_where_it_is_needed_and_never_trained(self, loss: Loss) -> None:
        given = some()
        teacher = given.teacher.clone().requires_grad_()
        scores = given.scores.clone().requires_grad_()
        loss(replace(given, scores=scores, teacher=teacher)).backward()
        assert teacher.grad is None
        if loss.needs_teacher:
            assert loss(replace(given, teacher=-given.teacher)) != loss(given)
            with pytest.raises(ValueError, match="needs a teacher"):
                loss(replace(given, teacher=None))
        else:
            assert loss(replace(given, teacher=None)) == loss(given)

    @pytest.mark.parametrize("scale", [1e4, -1e4])
    def test_extreme_scores_are_defined(self, loss: Loss, scale: float) -> None:
        for others in (-1.0, 0.0, 1.0):
            scores = torch.full((2, 4), others * scale)
            scores[:, 0] = scale
            scores[1, 3] = -INFINITY
            teacher = -scores.masked_fill(scores.isneginf(), 0.0)
            given = Scores(scores, torch.tensor([0, 0]), teacher)
            assert torch.isfinite(loss(given))
            assert torch.isfinite(gradient(loss, given)).all()

    def test_a_batch_twice_over_has_the_same_loss_or_twice_its_sum(self, loss: Loss) -> None:
        given = some()
        twice = Scores(given.scores.repeat(2, 1), given.target.repeat(2), given.teacher.repeat(2, 1))
        factor = 2 if getattr(loss, "batch", "mean") == "sum" else 1
        close(loss(twice), factor * loss(given))
        assert loss(given).shape == ()


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some() -> Scores:
    """Scores in float64 without ties; the positive stands anywhere, some negatives are masked."""
    scores = 1.5 * torch.randn(QUERIES, PASSAGES, dtype=torch.float64, generator=generator(0))
    teacher = 1.5 * torch.randn(QUERIES, PASSAGES, dtype=torch.float64, generator=generator(1))
    target = torch.tensor([0, 3, 6, 2, 2])
    masked = torch.rand(QUERIES, PASSAGES, generator=generator(2)) < 0.3
    masked = masked.scatter(1, target[:, None], False)
    assert masked.any(dim=1).sum() > 2 and not masked.all(dim=1).any()
    return Scores(scores.masked_fill(masked, -INFINITY), target, teacher)


def gradient(loss: Loss, given: Scores) -> Tensor:
    """Gradient with respect to the scores, the masked ones among them, [B, P]."""
    scores = given.scores.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(replace(given, scores=scores)), scores)
    return found


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
