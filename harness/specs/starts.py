"""What an encoder starts from, by its content: the weights of a folder, the revision of a hub id."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

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
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return _hashed(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files), folder)
    revision = _revision(start)
    return f"{start}@{revision}" if revision else start


@functools.cache
def _hashed(files: tuple[tuple[Path, int, int], ...], folder: Path) -> str:
    """Return a hash of names and contents; sizes and times tell when it is to be taken again."""
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


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
