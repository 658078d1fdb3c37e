"""A store whose folders look like those of runs, made without training."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from harness.specs.fingerprints import VERSION, chain_of, links
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.run_settings import RunSettings
from harness.storage.store import Store

COLLECTION = "0123456789abcdef"
TABLE = "trisampler/table-5"
EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def store_at(root: Path) -> Store:
    """A store with one collection."""
    (root / "collections").mkdir(parents=True)
    with zipfile.ZipFile(root / "collections/planted-0.zip", "w") as archive:
        archive.writestr("collection.json", json.dumps({"fingerprint": COLLECTION}))
    return Store(root)


def settings_of(row: str, seed: int = 0, scale: str = "simulation") -> RunSettings:
    """The settings of a shipped row."""
    table = resolve(Library(EXPERIMENTS), TABLE, scale)
    return table.run(table.loaded.rows(row)[0], seed)


def put(
    store: Store,
    settings: RunSettings,
    versions: Mapping[str, int] = VERSION,
    *,
    collection: str = COLLECTION,
    done: bool = True,
) -> Path:
    """Write the folder of a run, with the file of its candidates and the folder of its tokens."""
    found = links(settings, collection, versions)
    made = chain_of(found)
    folder = store.run(made.last)
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(settings.model_dump(mode="json")))
    (folder / "links.json").write_text(json.dumps([asdict(link) for link in found]))
    if done:
        (folder / "done.json").write_text(json.dumps({"seconds": 1.5, "finished": 1.0, "drawn": 0}))
    store.tokens(made.tokens).mkdir(parents=True, exist_ok=True)
    (store.tokens(made.tokens) / "tokens.npz").write_bytes(b"tokens")
    if made.candidates:
        store.candidates(made.candidates).parent.mkdir(exist_ok=True)
        store.candidates(made.candidates).write_bytes(b"candidates")
    return folder
