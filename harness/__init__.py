"""Reproduction harness for negative sampling in dense retrieval."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api.encoder import load_encoder
    from harness.api.run import OpenedRun, load, load_run

__all__ = ["OpenedRun", "load", "load_encoder", "load_run"]

_PLACES = {
    "OpenedRun": "harness.api.run",
    "load": "harness.api.run",
    "load_encoder": "harness.api.encoder",
    "load_run": "harness.api.run",
}


def __getattr__(name: str) -> Any:
    """Import what is exported here when it is first asked for: it imports torch, which takes seconds."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
