"""What an encoder starts from, by its content: the weights of a folder, the revision of a hub id."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.storage.files import files_hash

FRESH = "fresh"


def by_start(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of an encoder or ranker with the content of their `start` in place of its name."""
    return {**settings, "start": start_content(settings["start"])}


def start_content(start: str) -> str:
    """Return what a start stands for; the same name may be another encoder tomorrow.

    Args:
        start: ``fresh``, a local folder, or a hub id.

    Returns:
        ``fresh``; a hash of all files of the folder; or ``id@revision``, the one in the local cache, else the
        one that the hub has now, else the id alone where it cannot be reached.
    """
    if start == FRESH:
        return start
    folder = Path(start)
    if folder.is_dir():
        return files_hash(folder, sorted(path for path in folder.rglob("*") if path.is_file()))
    revision = _revision(start)
    return f"{start}@{revision}" if revision else start


def refuse_missing(start: str, what: str) -> None:
    """Refuse a checkpoint that is neither here nor on the hub, before anything is made for it.

    Args:
        start: a local folder, or a hub id.
        what: names it in the message.

    Raises:
        UserError: there is no such folder, and no such id, or the hub cannot be reached.
    """
    if not Path(start).is_dir() and _revision(start) is None:
        fix = "give a folder, or a hub id that is cached or can be reached"
        raise UserError(f"no checkpoint at '{start}'", where=what, fix=fix)


@functools.cache
def _revision(start: str) -> str | None:
    from huggingface_hub import HfApi, try_to_load_from_cache  # noqa: PLC0415  (slow, and rarely needed)

    cached = try_to_load_from_cache(start, "config.json")
    if isinstance(cached, str):
        return Path(cached).parent.name
    try:
        return HfApi().model_info(start, timeout=10).sha
    except Exception:  # whatever the hub or the network does; the name is what is left
        return None
