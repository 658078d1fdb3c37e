"""What is exported opens elsewhere as what was measured here."""

from __future__ import annotations

import gzip
import json

import ir_measures
import numpy as np
import pytest

import harness
from harness.api.export import CARD, export_model, export_ranking
from harness.errors import UserError


def test_an_exported_model_embeds_as_the_run_does(opened, tmp_path):
    from sentence_transformers import SentenceTransformer

    run = opened()
    export_model(run, tmp_path / "model")
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = list(run.collection.documents[:20])
    np.testing.assert_allclose(model.encode(texts), run.retriever.documents[:20], atol=1e-5)
    back = harness.load_encoder(tmp_path / "model", run.collection)
    np.testing.assert_allclose(back.documents, run.retriever.documents, atol=1e-6)


def test_its_card_has_recipe_data_and_figures(opened, tmp_path):
    run = opened()
    export_model(run, tmp_path / "model")
    card = (tmp_path / "model" / CARD).read_text(encoding="utf-8")
    value = run.per_query.query("split == 'test' and measure == 'nDCG@10'")["value"].mean()
    assert run.run.fingerprint in card and f"{value:.4f}" in card and "a simulation" in card
    assert f"recipe: {run.settings.recipe}" in card and "trisampler: K = " in card
    assert card.startswith("---\nlibrary_name: sentence-transformers\n")


def test_exported_rankings_give_the_table_s_figures(opened, tmp_path):
    run = opened()
    export_ranking(run, "test", tmp_path / "test.trec")
    export_ranking(run, "test", tmp_path / "test.trec.gz")
    text = (tmp_path / "test.trec").read_bytes()
    assert gzip.decompress((tmp_path / "test.trec.gz").read_bytes()) == text
    qrels = {query: dict(of) for query, of in run.collection.queries["test"].qrels.items()}
    ranking = ir_measures.read_trec_run(str(tmp_path / "test.trec"))
    measured = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, ranking)
    expected = run.per_query.query("split == 'test' and measure == 'nDCG@10'")["value"].mean()
    assert measured[ir_measures.nDCG @ 10] == pytest.approx(expected, abs=1e-9)


def test_what_cannot_be_exported_is_told(opened, tmp_path):
    run = opened()
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match="the folder is there already"):
        export_model(run, tmp_path / "there")
    with pytest.raises(UserError, match="no rankings of 'tst'"):
        export_ranking(run, "tst", tmp_path / "x.trec")
    with pytest.raises(UserError, match="BM25"):
        export_model(opened("BM25"), tmp_path / "bm25")
    assert not (tmp_path / "bm25").exists() and not (tmp_path / "x.trec").exists()
    assert json.loads((run.run.folder / "done.json").read_text())
