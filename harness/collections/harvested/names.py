"""Names of the harvested collections, apart from how they are made, which takes seconds to import."""

from __future__ import annotations

from typing import Literal, get_args

HarvestName = Literal["pyreference", "pycode", "pymodules"]

NAMES: tuple[HarvestName, ...] = get_args(HarvestName)

ANSWERED: tuple[HarvestName, ...] = ("pyreference", "pycode")
"""Those whose queries have answers."""
