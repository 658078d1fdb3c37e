"""Collections of a store, as runs use them."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from harness.collections.planted import build_planted
from harness.progress import Progress
from harness.runs.collections import Collections
from harness.runs.run import Workshop
from harness.specs.settings import CollectionSettings
from harness.storage.store import Store

SMALL = {
    "topics": 4, "intents_per_topic": 2, "documents_per_intent": 3, "train_queries": 40, "dev_queries": 4,
    "test_queries": 4, "confusability": 0.5, "label_rate": 1.0, "seed": 0,
}  # fmt: skip
PYDOCS = CollectionSettings(kind="pydocs", parameters={})
CARVED = PYDOCS.model_copy(update={"held_out": 0.2})


@pytest.fixture
def collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collections:
    """Those of an empty store, where a small simulation stands for the one that takes long to build."""
    monkeypatch.setattr("harness.collections.built_in.build_pydocs", lambda: build_planted(**SMALL))
    return Collections(Workshop(Store(tmp_path), Progress()))


@pytest.mark.parametrize("settings", [PYDOCS, CARVED])
def test_what_takes_long_to_build_is_said_first_and_once(collections, capsys, settings) -> None:
    for _ in range(2):
        collections.get(settings)
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("building the collection pydocs first, once for this store: ")


def test_what_is_built_at_once_or_found_is_not_said(collections, capsys) -> None:
    collections.get(CollectionSettings(kind="planted", parameters=SMALL))
    assert capsys.readouterr().err == ""
    collections.get(PYDOCS)
    capsys.readouterr()
    Collections(collections.workshop).get(PYDOCS)
    assert capsys.readouterr().err == ""


def test_what_is_not_used_next_is_forgotten_and_found_again(collections) -> None:
    planted = CollectionSettings(kind="planted", parameters=SMALL)
    kept, dropped = collections.get(PYDOCS), weakref.ref(collections.get(planted))
    collections.keep_only([PYDOCS, CARVED])
    gc.collect()
    assert dropped() is None and collections.get(PYDOCS) is kept
    assert collections.get(planted).fingerprint == collections.get(planted).fingerprint
    collections.keep_only([])
    assert collections.get(PYDOCS) is not kept
