"""The zero-shot row where heads are trained, against `SentenceTransformer` on the same checkpoint."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from harness.collections.tokens import learn_tokenizer
from tests.beir_folder import WORDS, write_folder
from tests.encoders.test_folders import plain, sentence
from tests.place import CHECKOUT, Place, edit

SCRIPT = CHECKOUT / "experiments/scripts/zero_shot.py"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with a small checkpoint and a folder of documents, some longer than it may read."""
    place = Place(tmp_path_factory.mktemp("place"))
    texts = (place.root / "experiments/scales").glob("*.yaml")
    tokenizer = learn_tokenizer([*(path.read_text() for path in texts), *WORDS], 400)
    sentence(plain(place.root / "small", tokenizer, max_position_embeddings=64))
    write_folder(place.root / "mine")
    return place


def zero_shot(place: Place, monkeypatch: pytest.MonkeyPatch, *collections: str, **more: Any) -> Any:
    def change(spec: dict[str, Any]) -> None:
        spec["encoder"] = {"start": "small", "towers": "separate", "score_scale": 4.5}
        spec["tokens"] = {"query_tokens": 32, "passage_tokens": 48, **more}
        spec["substitutes"]["base/retriever"]["steps"] = 0
        spec["substitutes"]["both-towers"]["trains"] = "head"

    edit(place.root / "experiments/scales/simulation.yaml", change)
    monkeypatch.chdir(place.root)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    return runpy.run_path(str(SCRIPT), run_name="imported")["compared"](collections, "simulation")


@pytest.mark.parametrize(
    ("collections", "cut"),
    [((), {}), ((), {"query_tokens": 5, "passage_tokens": 9}), (("beir:mine",), {"query_tokens": 5})],
    ids=["whole", "cut", "a folder"],
)
def test_the_zero_shot_row_has_the_figure_of_sentence_transformer(
    place: Place, monkeypatch: pytest.MonkeyPatch, collections: tuple[str, ...], cut: dict[str, int]
) -> None:
    row, other = zero_shot(place, monkeypatch, *collections, **cut)
    assert 0.01 < other < 0.99
    assert row == pytest.approx(other, abs=1e-4)
