"""A collection of your own, in the layout of BEIR (Thakur et al. 2021); `layouts/beir.py` reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from harness.collections.collection import Collection
from harness.collections.layouts.assemble import Choices, assemble
from harness.collections.layouts.beir import LAYOUT, BeirLayout
from harness.collections.layouts.files import open_files


def load_beir(folder: Path | str, **choices: Unpack[Choices]) -> Collection:
    """Read a collection, with the splits that have judgements.

    Args:
        folder: folder or archive with `corpus.jsonl`, `queries.jsonl` and `qrels/`.
        choices: titles, share of dev and others, as `assemble` explains them.

    Raises:
        UserError: a file is missing, a line of one is invalid, a query is in two splits, or no query of a
            split has a relevant document.
    """
    return assemble("beir", BeirLayout(open_files(Path(folder), LAYOUT)), **choices)
