"""Datasets as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.errors import UserError
from harness.evaluation.measures import check_measure
from harness.specs.base import Name, Spec
from harness.specs.collection_choice import CollectionChoice


def _measurable(measure: str) -> str:
    try:
        check_measure(measure)
    except UserError as error:
        raise ValueError(str(error)) from error
    return measure


def _distinct(further: list[FurtherMeasure]) -> list[FurtherMeasure]:
    labels = [of.label for of in further]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ValueError(f"'{twice}' is given twice; give each its own label")
    return further


class FurtherMeasure(Spec):
    """A measure that every table of the dataset carries beside the printed ones."""

    label: Name
    measure: Annotated[str, AfterValidator(_measurable)]


class Dataset(Spec):
    """experiments/datasets/<dataset>.yaml."""

    title: Name
    titles: Literal[False] = Field(description="built-in collections have none; others say it themselves")
    collections: dict[str, CollectionChoice]
    further: Annotated[list[FurtherMeasure], AfterValidator(_distinct)] = Field(default=[])
    remarks: list[str] = Field(default=[], description="printed below each table of its runs")
