"""Pieces of a Markdown report."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate


def section(title: str, body: str) -> str:
    """Return a titled section, or nothing where there is nothing to say."""
    return f"## {title}\n\n{body}" if body else ""


def pipe_table(header: Sequence[str], lines: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a pipe table.

    Args:
        header: names of the columns.
        lines: its lines.
        left: how many columns hold names; the others hold figures and stand to the right.
    """
    align = ["left"] * left + ["right"] * (len(header) - left)
    safe = [[_escape(value) for value in line] for line in lines]
    headers = [_escape(name) for name in header]
    return tabulate(safe, headers, tablefmt="pipe", colalign=align, disable_numparse=True)


def _escape(text: str) -> str:
    """Keep a pipe inside a cell from ending it."""
    return text.replace("|", "\\|")
