"""A late interaction scores as its formula says, learns by its gradient, and begins as its retriever."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness.encoders.build import build_dual_encoder
from harness.encoders.dual_encoder import DualEncoder
from harness.encoders.late_interaction import (
    LateInteraction,
    TokenStates,
    late_interaction_over,
    max_similarity,
)
from harness.encoders.partial import prepared
from harness.errors import UserError
from harness.retrieval.rerank import rerank_scores
from harness.retrieval.states import FrozenTexts, States
from harness.training.checkpoints import load_ranker, save_final
from harness.training.forward import Passing
from harness.training.forward_ranker import score_lists

WIDTH = 6
ENCODER = {
    "start": "fresh", "hidden": 8, "layers": 1, "heads": 1, "intermediate": 8, "dropout": 0.0,
    "token_dropout": 0.0, "pooling": "mean", "projection": None, "towers": "separate", "score_scale": 3.0,
}  # fmt: skip


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def texts() -> FrozenTexts:
    """Five documents and three queries of different lengths."""
    return FrozenTexts(
        states([4, 1, 3, 7, 2], 1), {split: states([2, 3, 1], 2) for split in ("train", "dev")}, 0
    )


def states(lengths: list[int], seed: int) -> States:
    offset = np.concatenate([[0], np.cumsum(lengths)])
    return States(drawn(int(offset[-1]), WIDTH, seed=seed).numpy().astype(np.float16), offset)


def ranker(**changes: object) -> LateInteraction:
    """A late interaction whose maps are no identities."""
    made = LateInteraction(
        WIDTH, **{"pooling": "mean", "normalised": True, "scale": 20.0, **changes}
    ).double()
    for seed, parameter in enumerate(made.parameters()):
        parameter.data.add_(0.3 * drawn(*parameter.shape, seed=seed + 5))
    return made


def by_hand(of: LateInteraction, query: torch.Tensor, passage: torch.Tensor) -> torch.Tensor:
    """The score of one pair, token by token: states [I, H] and [J, H]."""

    def unit(vector: torch.Tensor) -> torch.Tensor:
        return vector / vector.norm()

    tokens = [unit(state) for state in passage]
    best = [max(unit(of.query_tokens.weight @ state) @ token for token in tokens) for state in query]
    vectors = (
        unit(of.query_vector.weight @ unit(query.mean(0))),
        unit(of.passage_vector.weight @ unit(passage.mean(0))),
    )
    return of.scale * (of.weight[0] * (vectors[0] @ vectors[1]) + of.weight[1] * sum(best) / len(best))


@pytest.mark.parametrize("places", [1, 4096])
def test_lists_score_and_learn_as_the_formula_says_pair_by_pair(places: int) -> None:
    of, read = ranker(), texts()
    query, passage = np.array([2, 0]), np.array([[3, 3, 1], [0, 2, 4]])
    scores = score_lists(of, read, query, passage, pair_tokens=0, passing=Passing(places=places))
    expected = torch.stack(
        [
            torch.stack([by_hand(of, one(read.queries["train"], q), one(read.documents, d)) for d in row])
            for q, row in zip(query, passage, strict=True)
        ]
    )
    torch.testing.assert_close(scores, expected)
    weigh = drawn(2, 3, seed=9)
    own = torch.autograd.grad((scores * weigh).sum(), list(of.parameters()))
    theirs = torch.autograd.grad((expected * weigh).sum(), list(of.parameters()))
    for gradient, other in zip(own, theirs, strict=True):
        torch.testing.assert_close(gradient, other)


def one(of: States, row: int) -> torch.Tensor:
    return torch.from_numpy(of.flat[of.offset[row] : of.offset[row + 1]].astype(np.float64))


def test_the_gradient_is_that_of_finite_differences() -> None:
    query, passage = drawn(2, 3, WIDTH, seed=1).requires_grad_(), drawn(3, 4, WIDTH, seed=2).requires_grad_()
    masks = torch.tensor([[1, 1, 0], [1, 1, 1]]), torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]])
    whose = torch.tensor([1, 0, 1])

    def similarity(query: torch.Tensor, passage: torch.Tensor) -> torch.Tensor:
        return max_similarity(query, masks[0], whose, passage, masks[1])

    assert torch.autograd.gradcheck(similarity, (query, passage))


def test_reranking_gives_missing_documents_no_score_and_others_that_of_training() -> None:
    of, read = ranker().eval(), texts()
    documents = np.array([[0, 3], [4, -1], [-1, 2]])
    scores = rerank_scores(of, read, "dev", documents, pair_tokens=0)
    assert np.isneginf(scores).tolist() == (documents < 0).tolist()
    expected = score_lists(of, read, np.arange(3), np.abs(documents), pair_tokens=0).detach().numpy()
    there = documents >= 0
    np.testing.assert_allclose(scores[there], expected[there], rtol=1e-6)


def encoder(**changes: object) -> DualEncoder:
    torch.manual_seed(0)
    settings = SimpleNamespace(**ENCODER | changes)
    return build_dual_encoder(
        settings, vocabulary=50, pad=0, idf=np.ones(50, dtype=np.float32), longest=12
    ).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("headed", [False, True])
def test_it_begins_as_the_score_of_its_retriever_beside_that_of_the_tokens(
    pooling: str, headed: bool
) -> None:
    retriever = encoder(pooling=pooling)
    if headed:
        retriever = prepared(retriever, "head")
        for tower in (retriever.query, retriever.passage):
            tower.head.weight.data.add_(0.1 * torch.randn(8, 8))
    ids = torch.randint(1, 50, (4, 7))
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2, [1] * 2 + [0] * 5, [1] * 7])
    of, read = late_interaction_over(retriever), TokenStates(retriever)
    with torch.no_grad():
        states = read.query_states()(ids, mask), read.passage_states()(ids.flip(0), mask.flip(0))
        pairs = states[0], mask, torch.arange(4), states[1], mask.flip(0)
        tokens = of.scale * max_similarity(*pairs)
        expected = (retriever.query(ids, mask) * retriever.passage(ids.flip(0), mask.flip(0))).sum(-1)
        torch.testing.assert_close(of(*pairs), expected + tokens)


@pytest.mark.parametrize(
    ("changes", "said"), [({"pooling": "idf-mean"}, "idf-mean"), ({"projection": 4}, "projects")]
)
def test_a_retriever_that_its_states_do_not_hold_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        late_interaction_over(encoder(**changes))


def test_a_saved_one_is_the_same_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    of, read, every = ranker(pooling="cls", normalised=False).float(), texts(), np.tile(np.arange(5), (3, 1))
    folder = tmp_path / "checkpoints" / "final"
    folder.parent.mkdir()
    save_final(of, folder, None, 0)
    again = load_ranker(folder)
    assert again.fingerprint() == of.fingerprint()
    scores = [rerank_scores(each, read, "dev", every, pair_tokens=0) for each in (of, again)]
    np.testing.assert_array_equal(*scores)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-3])
    with pytest.raises(UserError):
        load_ranker(folder)
