"""A table on a collection in another layout than BEIR's, by one command; what is the same trains once."""

from __future__ import annotations

import shutil

import pytest
import yaml

from tests import published
from tests.collections.test_ir import Provider, provider, zipped
from tests.smallest import SmallestPlace
from tests.targets.test_every_target import KINDS

__all__ = ["provider"]  # a fixture

TARGET = KINDS["comparison"]
ANSWERS = "trisampler/answers"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallestPlace:
    place = SmallestPlace(tmp_path_factory.mktemp("layouts"))
    columns = [{"label": "R@5", "dataset": "nq", "measure": "AnswerHit@5"}]
    spec = {"extends": TARGET, "scales": ["simulation"], "primary": "R@5", "columns": columns}
    rows = yaml.safe_load((place.root / f"experiments/papers/{TARGET}.yaml").read_text())["rows"]
    spec["rows"] = [{"name": row["name"], "published": None} for row in rows if row.get("published")]
    (place.root / f"experiments/papers/{ANSWERS}.yaml").write_text(yaml.safe_dump(spec))
    return place


def made(place: SmallestPlace, target: str, collection: str) -> tuple[str, str]:
    """Make a table; return what is printed and the table."""
    said = place.say("reproduce", target, "--scale", "simulation", "--collection", collection)
    assert (said.code, [line for line in said.lines if line and "docs_iter" not in line]) == (0, [])
    tables = (place.root / "results/local/own").glob(f"*/simulation/{target}/table.md")
    return said.out, max(tables, key=lambda path: path.stat().st_mtime_ns).read_text()


@pytest.mark.slow
def test_the_same_content_in_another_layout_is_not_trained_again(
    place: SmallestPlace, provider: Provider
) -> None:
    folder = published.beir(place.root / "nfcorpus")
    first, table = made(place, TARGET, "beir:nfcorpus")
    assert "Trained 0 runs" not in first and "on beir/nfcorpus" in table
    provider.served["nfcorpus.zip"] = zipped(folder)
    shutil.rmtree(folder)
    published.parquet(place.root / "parquet")
    for collection in ("beir:nfcorpus.zip", "parquet:parquet", "ir:beir/nfcorpus"):
        printed, table = made(place, TARGET, collection)
        assert "Trained 0 runs" in printed
        kind, _, name = collection.partition(":")
        assert f"on {kind}/{name.removesuffix('.zip')}" in table


@pytest.mark.slow
def test_a_table_is_made_of_answers_where_nothing_is_judged(place: SmallestPlace) -> None:
    published.dpr(place.root / "nq")
    _, table = made(place, ANSWERS, "dpr:nq")
    assert "nDCG@10" not in table and "R@5" in table
    assert "Queries of test have answers and no judgements; AnswerHit is their measure." in table
    refused = place.say("reproduce", TARGET, "--scale", "simulation", "--collection", "dpr:nq")
    assert refused.code == 2
    (line,) = refused.lines
    assert "measure answers (AnswerHit), or a split with judgements" in line
