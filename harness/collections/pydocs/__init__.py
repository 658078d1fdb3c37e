"""``pydocs``: real text built in, the docstrings of the project's own pinned dependencies."""

from harness.collections.pydocs.build import build_pydocs, pins_of

__all__ = ["build_pydocs", "pins_of"]
