"""Every loss passes the contract, and is what its paper prints."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from harness.training.losses.adversarial_released import EPSILON
from harness.training.losses.registry import LOSSES, make_loss
from harness.training.losses.scores import Scores
from harness.training.losses.sum import total_and_terms

from .loss_contract import LossContract, close, gradient, some

AR2 = {"name": "sum", "parts": ["adversarial-paper", "distillation"], "weights": [0.5, 2.0]}

VARIANTS = {
    "softmax-cross-entropy": [{}, {"temperature": 0.3}],
    "bce": [{}, {"chance": "softmax"}],
    "hinge": [{}, {"margin": 0.2}],
    "triplet": [{}, {"over": "violating", "margin": 0.4}],
    "pairwise-logistic": [{}, {"weight": "reciprocal-rank"}, {"over": "pairs"}],
    "debiased-contrastive": [
        {},
        {"floor": "positive"},
        {"floor": "positive", "tau_plus": 0.6, "temperature": 1.0},
        {"tau_plus": 0.0},
    ],
    "distillation": [
        {},
        {"divergence": "soft-cross-entropy", "temperature": 2.0},
        {"divergence": "soft-cross-entropy", "epsilon": 1e-7},
    ],
    "adversarial-paper": [{}, {"tau": 2.0}],
    "adversarial-released": [{}, {"batch": "mean"}],
    "sum": [
        {key: value for key, value in AR2.items() if key != "name"},
        {"parts": ["bce", "hinge"], "weights": [1, 0.5]},
    ],
}
GIVEN = [{"name": name, **parameters} for name, found in VARIANTS.items() for parameters in found]


def written(given: dict) -> str:
    return " ".join(str(value) for value in given.values())


class TestLosses(LossContract):
    @pytest.fixture(params=GIVEN, ids=written)
    def loss(self, request):
        return make_loss(request.param)


def test_every_loss_is_under_the_contract():
    assert set(VARIANTS) == set(LOSSES)


LIST = Scores(
    torch.tensor([[0.7, 1.9, -0.4, 0.2]], dtype=torch.float64),
    torch.tensor([0]),
    torch.tensor([[1.2, 2.1, -1.0, 0.4]], dtype=torch.float64),
)
"""One query, its positive first."""


def of_list(given: dict | str) -> tuple[float, Tensor]:
    loss = make_loss(given)
    return loss(LIST).item(), gradient(loss, LIST)[0]


def test_softmax_cross_entropy_is_equations_2_and_3_of_trisampler():
    """The loss is -log p+; with respect to the scores its gradient is p+ - 1, and p- of each negative."""
    p = LIST.scores[0].softmax(dim=0)
    value, found = of_list("softmax-cross-entropy")
    assert value == pytest.approx(-p[0].log().item())
    close(found, torch.cat([p[:1] - 1, p[1:]]))
    _, warm = of_list({"name": "softmax-cross-entropy", "temperature": 0.5})
    sharp = (LIST.scores[0] / 0.5).softmax(dim=0)
    close(warm, torch.cat([sharp[:1] - 1, sharp[1:]]) / 0.5)


def test_bce_judges_each_passage_by_itself():
    s, p = LIST.scores[0], LIST.scores[0].softmax(dim=0)
    value, found = of_list("bce")
    chance = s.sigmoid()
    assert value == pytest.approx(-(chance[0].log() + (1 - chance[1:]).log().sum()).item() / 4)
    close(found, (chance - torch.tensor([1.0, 0, 0, 0])) / 4)
    value, _ = of_list({"name": "bce", "chance": "softmax"})
    assert value == pytest.approx(-(p[0].log() + (1 - p[1:]).log().sum()).item() / 4)


def test_bce_over_softmax_keeps_its_digits_where_a_negative_has_nearly_all_weight():
    scores = torch.tensor([[0.0, 60.0, 0.0]], dtype=torch.float64)
    value = make_loss({"name": "bce", "chance": "softmax"})(Scores(scores, torch.tensor([0])))
    rest = 2 * torch.tensor(-60.0, dtype=torch.float64).exp()
    assert value.item() == pytest.approx((60.0 - rest.log().item()) / 3, rel=1e-12)


def test_hinge_and_triplet_by_hand():
    assert of_list("hinge")[0] == pytest.approx((2.2 + 0.0 + 0.5) / 3)
    assert of_list("triplet")[0] == pytest.approx(2.2)
    assert of_list({"name": "triplet", "over": "violating"})[0] == pytest.approx((2.2 + 0.5) / 2)
    assert of_list({"name": "hinge", "margin": 0.0})[0] == pytest.approx(1.2 / 3)
    assert of_list("triplet")[1].tolist() == [-1.0, 1.0, 0.0, 0.0]


def test_pairwise_logistic_weighs_by_reciprocal_rank():
    pairs = (1 + (LIST.scores[0, 1:] - LIST.scores[0, 0]).exp()).log()
    assert of_list("pairwise-logistic")[0] == pytest.approx(pairs.mean().item())
    weights = torch.tensor([1 / 2, 1 / 2 - 1 / 4, 1 / 2 - 1 / 3], dtype=torch.float64)
    weighted = {"name": "pairwise-logistic", "weight": "reciprocal-rank"}
    assert of_list(weighted)[0] == pytest.approx((weights * pairs).mean().item())


def test_queries_of_many_pairs_count_more_only_where_pairs_are_averaged():
    scores = torch.tensor([[0.0, 1.0, 1.0, 1.0], [0.0, -1.0, -torch.inf, -torch.inf]], dtype=torch.float64)
    given = Scores(scores, torch.tensor([0, 0]))
    many, one = torch.tensor([1.0, -1.0]).exp().log1p().tolist()
    assert make_loss("pairwise-logistic")(given).item() == pytest.approx((many + one) / 2)
    over = {"name": "pairwise-logistic", "over": "pairs"}
    assert make_loss(over)(given).item() == pytest.approx((3 * many + one) / 4)


def test_debiased_contrastive_is_chuangs_estimator():
    tau, t, e = 0.1, 0.5, (LIST.scores[0] / 0.5).exp()
    g = (e[1:].mean() - tau * e[0]) / (1 - tau)
    assert g > torch.tensor(-1 / t).exp()
    assert of_list("debiased-contrastive")[0] == pytest.approx(-(e[0] / (e[0] + 3 * g)).log().item())
    plain = {"name": "debiased-contrastive", "tau_plus": 0.0, "temperature": 1.0}
    assert of_list(plain)[0] == pytest.approx(of_list("softmax-cross-entropy")[0])


def test_the_debiased_estimate_does_not_fall_below_its_floor():
    given = Scores(torch.tensor([[0.9, -0.8, -0.9]], dtype=torch.float64), torch.tensor([0]))
    e, t = (given.scores[0] / 0.5).exp(), 0.5
    at_cosine = -(e[0] / (e[0] + 2 * torch.tensor(-1 / t).exp())).log()
    loss = make_loss("debiased-contrastive")
    assert loss(given).item() == pytest.approx(at_cosine.item())
    assert gradient(loss, given)[0, 0] < 0 and (gradient(loss, given)[0, 1:] == 0).all()
    at_positive = make_loss({"name": "debiased-contrastive", "floor": "positive"})(given)
    assert at_positive.item() == pytest.approx(torch.tensor(2 * torch.e ** (-2 / t)).log1p().item())


def test_distillation_is_zero_at_the_teacher_and_pulls_towards_it():
    same = replace(LIST, teacher=LIST.scores + 3.0)
    assert make_loss("distillation")(same).item() == pytest.approx(0.0, abs=1e-15)
    ranker, p = LIST.teacher[0].softmax(dim=0), LIST.scores[0].softmax(dim=0)
    value, found = of_list("distillation")
    assert value == pytest.approx((ranker * (ranker / p).log()).sum().item())
    close(found, p - ranker)
    soft, same_gradient = of_list({"name": "distillation", "divergence": "soft-cross-entropy"})
    assert soft == pytest.approx(-(ranker * p.log()).sum().item())
    close(same_gradient, found)
    released = {"name": "distillation", "divergence": "soft-cross-entropy", "epsilon": 1e-7}
    assert of_list(released)[0] == pytest.approx(-(ranker * (p + 1e-7).log()).sum().item(), rel=1e-14)


@pytest.mark.parametrize("name", ["hinge", "triplet", "pairwise-logistic", "debiased-contrastive"])
def test_a_query_without_negatives_adds_nothing(name):
    scores = torch.tensor([[0.3, -torch.inf], [-torch.inf, -2.0]], dtype=torch.float64)
    given = Scores(scores, torch.tensor([0, 1]))
    assert make_loss(name)(given).item() == 0.0
    assert (gradient(make_loss(name), given) == 0).all()


class TestAdversarial:
    """Where the released term departs from the paper's, by analytic gradients with respect to the scores."""

    ranker = LIST.teacher[0]
    reward = (ranker[0] - ranker).sigmoid().log()

    def test_the_paper_weighs_negatives_by_the_retriever(self):
        """Equation 9's gradient at a negative is p (r - sum p r), p over negatives alone; equation 10."""
        p, r = LIST.scores[0, 1:].softmax(dim=0), self.reward[1:]
        value, found = of_list("adversarial-paper")
        assert value == pytest.approx((p * r).sum().item())
        close(found[1:], p * (r - (p * r).sum()))

    def test_the_papers_term_has_no_say_over_the_positive(self):
        value, found = of_list("adversarial-paper")
        assert found[0] == 0.0
        higher = LIST.scores + torch.tensor([[5.0, 0.0, 0.0, 0.0]])
        assert make_loss("adversarial-paper")(replace(LIST, scores=higher)).item() == value

    def test_the_released_term_is_cross_entropy_to_targets_that_are_not_normalised(self):
        """Targets are w = log(1 + exp(D - D+)), log 2 of the positive; the gradient is p sum w - w.

        1e-7 inside the logarithms moves both by less than a part in a million here.
        """
        p, w = LIST.scores[0].softmax(dim=0), (self.ranker - self.ranker[0]).exp().log1p()
        assert w[0].item() == pytest.approx(torch.log(torch.tensor(2.0)).item())
        value, found = of_list("adversarial-released")
        assert value == pytest.approx(-(w * p.log()).sum().item(), rel=1e-5)
        torch.testing.assert_close(found, p * w.sum() - w, rtol=1e-5, atol=1e-6)

    def test_the_released_term_has_its_epsilon_in_both_logarithms(self):
        p, r = LIST.scores[0].softmax(dim=0), ((self.ranker[0] - self.ranker).sigmoid() + EPSILON).log()
        assert EPSILON == 1e-7
        expected = (r * (p + EPSILON).log()).sum().item()
        assert of_list("adversarial-released")[0] == pytest.approx(expected, rel=1e-14)

    def test_only_the_released_term_raises_a_positive_that_stands_too_low(self):
        low = replace(LIST, scores=torch.tensor([[-3.0, 1.9, -0.4, 0.2]], dtype=torch.float64))
        assert gradient(make_loss("adversarial-released"), low)[0, 0] < 0
        assert gradient(make_loss("adversarial-paper"), low)[0, 0] == 0

    def test_the_two_pull_a_light_negative_in_opposite_directions(self):
        """At the negative that the ranker takes for the positive: the paper's pull falls with its weight p,
        the released one's grows, for it is pulled to its target whatever the retriever says."""
        faint = replace(LIST, scores=torch.tensor([[0.7, -6.0, -0.4, 0.2]], dtype=torch.float64))
        paper = gradient(make_loss("adversarial-paper"), faint)[0, 1]
        released = gradient(make_loss("adversarial-released"), faint)[0, 1]
        assert -0.01 < paper < 0 and released < -1.0

    def test_its_weight_beside_a_mean_grows_with_the_batch_as_released(self):
        given = some()
        parts = {"name": "sum", "parts": ["adversarial-released", "distillation"], "weights": [0.5, 0.5]}
        _, terms = total_and_terms(make_loss(parts), given)
        mean = make_loss({"name": "adversarial-released", "batch": "mean"})(given)
        close(terms["adversarial-released"], len(given.scores) * mean)


def test_terms_come_without_their_weights():
    given = some()
    total, terms = total_and_terms(make_loss(AR2), given)
    assert list(terms) == ["adversarial-paper", "distillation"]
    close(total, 0.5 * terms["adversarial-paper"] + 2.0 * terms["distillation"])
    close(terms["distillation"], make_loss("distillation")(given))
    total, terms = total_and_terms(make_loss("bce"), given)
    assert terms == {"bce": total}


def test_softmax_cross_entropy_is_torchs_to_the_bit():
    """Runs from before there were other losses are not trained again."""
    scores = torch.randn(64, 90, generator=torch.Generator().manual_seed(3)) * 4
    target = torch.arange(64)
    expected = torch.nn.functional.cross_entropy(scores / 0.7, target)
    found = make_loss({"name": "softmax-cross-entropy", "temperature": 0.7})(Scores(scores, target))
    assert torch.equal(found, expected)
