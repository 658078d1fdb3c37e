"""Metadata say what the run folder says, and nothing else; why they stand beside the ranking."""

from __future__ import annotations

import ir_measures
import pytest
import yaml

from harness.evaluation.rankings import write_ranking
from harness.records.ir_metadata import ir_metadata, write_ir_metadata
from harness.storage.files import write_json
from tests.stores import settings_of

ENVIRONMENT = {
    "platform": "Linux-6", "commit": "c0ffee", "dirty": False, "packages": {"torch": "2.13.0", "rich": "1"},
    "hardware": {"cpu": "Some", "cores": 2, "memory_bytes": 1 << 30, "gpus": []},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A finished run with two rankings."""

    def make(row):
        write_json(tmp_path / "run/spec.json", settings_of(row).model_dump(mode="json"))
        write_json(tmp_path / "run/environment.json", ENVIRONMENT)
        write_json(tmp_path / "run/done.json", {"measures": ["nDCG@10"], "seconds": 1.5})
        for split in ("dev", "test"):
            (tmp_path / "run/rankings").mkdir(exist_ok=True)
            (tmp_path / f"run/rankings/{split}.qrels").write_text("")
        return tmp_path / "run"

    return make


def test_a_trained_run_is_told(folder):
    run = folder("TriSampler")
    write_ir_metadata(run, "reproduce trisampler/table-5", "reproduction of Table 5")
    assert sorted(path.name for path in (run / "rankings").glob("*.yaml")) == [
        "dev.ir_metadata.yaml", "test.ir_metadata.yaml"
    ]  # fmt: skip
    metadata = yaml.safe_load((run / "rankings/test.ir_metadata.yaml").read_text())
    assert metadata == ir_metadata(run, "test", "reproduce trisampler/table-5", "reproduction of Table 5")
    assert metadata["tag"] == "run" and metadata["resources"] == {"wall clock seconds": 1.5}
    assert metadata["platform"]["software"]["libraries"]["python"] == ["torch==2.13.0"]
    assert metadata["implementation"]["source"] == {"lang": "python", "commit": "c0ffee"}
    assert metadata["data"]["training data"] and metadata["data"]["test collection"]["name"] == "planted"
    assert metadata["method"]["retrieval"][0]["negatives"] == "trisampler"
    assert "actor" not in metadata


def test_a_base_is_of_no_recipe(folder):
    metadata = ir_metadata(folder("Base"), "test", "t", "g")
    assert metadata["method"]["retrieval"] == [{"name": "dual encoder", "pooling": "mean", "base seed": 100}]


def test_bm25_is_trained_on_nothing(folder):
    metadata = ir_metadata(folder("BM25"), "test", "t", "g")
    assert "training data" not in metadata["data"] and metadata["method"]["retrieval"] == [{"name": "bm25"}]


def test_ir_measures_still_fails_on_comments(tmp_path):
    """Once it does not, the metadata may move into the ranking, as ir_metadata has it."""
    write_ranking({"q": {"d": 1.0}}, tmp_path / "run.trec.gz", "tag")
    assert len(list(ir_measures.read_trec_run(str(tmp_path / "run.trec.gz")))) == 1
    commented = tmp_path / "commented.trec"
    commented.write_text("# ir_metadata.start\n# tag: tag\n# ir_metadata.end\nq Q0 d 1 1.0 tag\n")
    with pytest.raises(ValueError, match="unpack"):
        list(ir_measures.read_trec_run(str(commented)))
