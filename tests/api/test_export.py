"""What is exported opens elsewhere as what was measured here."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import ir_measures
import numpy as np
import pandas as pd
import pytest

import harness
from harness.api.export import CARD, card, export_model, export_ranking
from harness.encoders.dense import Dense
from harness.encoders.dual_encoder import DualEncoder, Tower
from harness.errors import UserError
from harness.retrieval.encode import encode
from harness.specs.run_settings import RankerRun


def test_an_exported_model_embeds_as_the_run_does(opened, tmp_path):
    from sentence_transformers import SentenceTransformer

    run = opened()
    export_model(run, tmp_path / "model")
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    texts = list(run.collection.documents[:20])
    np.testing.assert_allclose(model.encode(texts), run.retriever.documents[:20], atol=1e-5)
    back = harness.load_encoder(tmp_path / "model", run.collection)
    np.testing.assert_allclose(back.documents, run.retriever.documents, atol=1e-6)


def test_an_exported_model_with_a_dense_layer_embeds_as_the_encoder_does(opened, tmp_path):
    """RobertaDot's map and LayerNorm, of a tower for queries and one for passages."""
    import torch
    from sentence_transformers import SentenceTransformer

    run = opened()
    tokens, width = run.tokens, run.encoder.query.transformer.config.hidden_size
    towers = []
    for outputs in (12, 12):
        dense = Dense(width, outputs, layer_norm=True)
        for parameter in dense.parameters():
            torch.nn.init.normal_(parameter)
        towers.append(Tower(run.encoder.query.transformer, pooling="mean", dense=dense).eval())
    vars(run)["encoder"] = DualEncoder(*towers)
    export_model(run, tmp_path / "model")
    assert 'SentenceTransformer("./passage")' in (tmp_path / "model" / CARD).read_text(encoding="utf-8")
    texts = list(run.collection.documents[:20])
    expected = encode(towers[1], tokens.documents, tokens.pad)[:20]
    opened_passages = SentenceTransformer(str(tmp_path / "model/passage"), device="cpu")
    np.testing.assert_allclose(opened_passages.encode(texts), expected, atol=1e-5)
    back = harness.load_encoder(tmp_path / "model", run.collection)
    np.testing.assert_allclose(back.documents[:20], expected, atol=1e-6)


def test_its_card_has_recipe_data_and_figures(opened, tmp_path):
    run = opened()
    export_model(run, tmp_path / "model")
    text = (tmp_path / "model" / CARD).read_text(encoding="utf-8")
    value = run.per_query.query("split == 'test' and measure == 'nDCG@10'")["value"].mean()
    assert run.run.fingerprint in text and f"{value:.4f}" in text and "a simulation" in text
    assert f"recipe: {run.settings.recipe}" in text and "trisampler: K = " in text
    assert text.startswith("---\nlibrary_name: sentence-transformers\n")


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
    with pytest.raises(UserError, match="this is there already"):
        export_model(run, tmp_path / "there")
    with pytest.raises(UserError, match="no rankings of 'tst'"):
        export_ranking(run, "tst", tmp_path / "x.trec")
    (tmp_path / "x.trec").write_text("mine")
    with pytest.raises(UserError, match="this is there already"):
        export_ranking(run, "test", tmp_path / "x.trec")
    assert (tmp_path / "x.trec").read_text() == "mine"
    with pytest.raises(UserError, match="BM25"):
        export_model(opened("BM25"), tmp_path / "bm25")
    assert not (tmp_path / "bm25").exists()
    assert json.loads((run.run.folder / "done.json").read_text())


def test_a_ranker_s_figures_are_those_of_no_retriever(opened, tmp_path):
    run = opened()
    ranker = replace(run, settings=RankerRun.model_construct())
    with pytest.raises(UserError, match="trains a ranker, and its figures are of that"):
        export_model(ranker, tmp_path / "ranker")


def test_what_a_ranker_reranked_is_not_on_the_card(opened, tmp_path):
    run = opened()
    reranked = run.per_query.assign(split=run.per_query["split"] + "-reranked", value=0.123456)
    run.__dict__["per_query"] = pd.concat([run.per_query, reranked])
    text = card(run)
    assert "reranked" not in text and "0.1235" not in text and "| test |" in text
