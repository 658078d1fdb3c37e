"""What an encoder starts from, by its content: the weights of a folder, the revision of a hub id."""

from __future__ import annotations

from typing import Any

from harness.collections.checkpoint_place import PACKAGED, local_folder, revision
from harness.specs.base import FRESH
from harness.storage.files import files_hash


def by_start(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of an encoder or ranker with the content of their `start` in place of its name."""
    return {**settings, "start": start_content(settings["start"])}


def start_content(start: str) -> str:
    """Return what a start stands for; the same name may be another encoder tomorrow.

    Args:
        start: ``fresh``, a local folder, or a hub id.

    Returns:
        ``fresh``; a hash of all files of the folder; of a hub id that a package holds too, ``id@hash`` of its
        weights; of another one ``id@revision``, the one in the local cache, else the one of the hub now,
        else the id alone where it cannot be reached.
    """
    if start == FRESH:
        return start
    folder = local_folder(start)
    if folder is not None:
        return files_hash(folder, sorted(path for path in folder.rglob("*") if path.is_file()))
    if start in PACKAGED:
        return f"{start}@{PACKAGED[start].sha256}"
    known = revision(start)
    return f"{start}@{known}" if known else start
