"""What tuning may look at, and what it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.collections.carved import carve
from harness.collections.collection import Collection, Queries
from harness.collections.planted import build_planted
from harness.specs.settings import CollectionSettings


@pytest.fixture(scope="module")
def whole() -> Collection:
    return build_planted(topics=5, train_queries=400, dev_queries=5, test_queries=5)


def test_no_query_of_dev_or_test_is_in_it_and_none_is_trained_on_and_held_out(whole: Collection) -> None:
    carved = carve(whole, 0.25)
    assert set(carved.queries) == {"train", "dev"}
    train, dev = (set(carved.queries[split].ids) for split in ("train", "dev"))
    assert train | dev == set(whole.queries["train"].ids)
    assert not train & dev
    assert 60 < len(dev) < 140
    assert carved.documents == whole.documents


def test_held_out_queries_keep_text_labels_and_known_relevant(whole: Collection) -> None:
    before, dev = whole.queries["train"], carve(whole, 0.25).queries["dev"]
    texts = dict(zip(before.ids, before.texts, strict=True))
    assert [texts[query] for query in dev.ids] == list(dev.texts)
    assert dev.qrels == {query: before.qrels[query] for query in dev.ids}
    assert dev.known_relevant == {query: before.known_relevant[query] for query in dev.ids}


def test_what_is_held_out_depends_on_the_query_alone(whole: Collection) -> None:
    dev = set(carve(whole, 0.25).queries["dev"].ids)
    train = whole.queries["train"]
    half = train.ids[::-2]
    texts = dict(zip(train.ids, train.texts, strict=True))
    some = Queries(half, tuple(map(texts.get, half)), train.qrels, train.known_relevant)  # type: ignore[arg-type]
    assert set(carve(replace(whole, queries={"train": some}), 0.25).queries["dev"].ids) == dev & set(half)
    assert dev < set(carve(whole, 0.5).queries["dev"].ids)


def test_settings_of_collections_that_are_not_carved_are_as_they_were() -> None:
    settings = CollectionSettings(kind="pydocs", parameters={})
    assert settings.model_dump() == {"kind": "pydocs", "parameters": {}}
    carved = settings.model_copy(update={"held_out": 0.2})
    assert carved.model_dump() == {"kind": "pydocs", "parameters": {}, "held_out": 0.2}
    assert CollectionSettings(**carved.model_dump()).whole == settings
