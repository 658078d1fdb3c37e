"""What `harness evaluate` finds: a system's means beside those of other rows, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.collections.collection import Collection
from harness.evaluation.comparison import CellBlock
from harness.specs.resolve import ResolvedColumn
from harness.systems.measuring import Measuring
from harness.systems.system import System


@dataclass(frozen=True)
class Cell:
    """A figure of a row in a column.

    Attributes:
        figure: ``mean``, ``sd``, ``per_seed`` and intervals, fractions; none where the row has no values.
        minus: the system's mean minus the row's, with intervals, paired over queries; none where the row has
            no values for the same queries of the same collection.
        published: the figure that a paper prints.
    """

    figure: CellBlock | None
    minus: CellBlock | None = None
    published: dict[str, Any] | None = None


@dataclass(frozen=True)
class SystemRow:
    """A row, the system's or another one.

    Attributes:
        name: in the table.
        kind: of a row of a target; of the system, ``evaluated``.
        cells: a cell each column.
        source: where its values come from.
        seeds: number of its seeds.
        is_system: whether it is the system's.
        is_baseline: whether others are compared with it in the target's table.
    """

    name: str
    kind: str
    cells: Sequence[Cell]
    source: str
    seeds: int
    is_system: bool = False
    is_baseline: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as programs read it."""
        own = {"name": self.name, "kind": self.kind, "source": self.source, "seeds": self.seeds}
        cells = [
            {"reproduced": of.figure, "published": of.published}
            | ({} if self.is_system else {"system_minus_row": of.minus})
            for of in self.cells
        ]
        return own | {"system": self.is_system, "baseline": self.is_baseline, "cells": cells}


@dataclass(frozen=True)
class MeasuredOn:
    """A collection on which a system was measured.

    Attributes:
        measuring: with split and measures.
        collection: that served it.
        fingerprint: of the run of a checkpoint; none of a run file.
    """

    measuring: Measuring
    collection: Collection
    fingerprint: str | None

    def as_json(self) -> dict[str, Any]:
        """Return it as programs read it."""
        return {
            "dataset": self.measuring.dataset,
            "collection": self.collection.name,
            "fingerprint": self.collection.fingerprint,
            "simulation": self.collection.simulation,
            "documents": len(self.collection.documents),
            "split": self.measuring.split,
            "queries": len(self.collection.queries[self.measuring.split]),
            "run": self.fingerprint,
        }


@dataclass(frozen=True)
class EvaluateResult:
    """A system's row, and those beside it.

    Attributes:
        system: that was measured.
        on: what the command names: a target, or a collection.
        scale: of the target; none of a collection.
        measured: collections, one a dataset.
        columns: of all datasets.
        rows: the system's and others, in the order of the target; the system's comes last.
        unit: in which the target prints its figures.
        level: confidence of the intervals.
        remarks: what a reader must know, a sentence each.
        made: number of runs that were made.
    """

    system: System
    on: str
    scale: str | None
    measured: Sequence[MeasuredOn]
    columns: Sequence[ResolvedColumn]
    rows: Sequence[SystemRow]
    unit: str
    level: float
    remarks: Sequence[str]
    made: int = field(default=0)

    @property
    def own(self) -> SystemRow:
        """The row of the system."""
        return next(row for row in self.rows if row.is_system)

    @property
    def baseline(self) -> SystemRow | None:
        """The row that others are compared with; none of a collection, or where it is not there."""
        return next((row for row in self.rows if row.is_baseline), None)

    def as_json(self) -> dict[str, Any]:
        """Return it as programs read it; figures are fractions."""
        columns = [
            {key: of.model_dump()[key] for key in ("label", "dataset", "measure", "split")}
            for of in self.columns
        ]
        return {
            "system": self.system.as_json(),
            "on": self.on,
            "scale": self.scale,
            "measured": [of.as_json() for of in self.measured],
            "level": self.level,
            "columns": columns,
            "rows": [row.as_json() for row in self.rows],
            "remarks": list(self.remarks),
        }
