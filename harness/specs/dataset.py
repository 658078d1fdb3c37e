"""Datasets as pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.specs.base import Name, Spec
from harness.specs.collection_choice import CollectionChoice


class FurtherMeasure(Spec):
    """A measure that every table of the dataset carries beside the printed ones."""

    label: Name
    measure: str


class Dataset(Spec):
    """experiments/datasets/<dataset>.yaml."""

    title: Name
    titles: Literal[False] = Field(description="built-in collections have none; a beir one says it itself")
    collections: dict[str, CollectionChoice]
    further: list[FurtherMeasure] = Field(default=[])
