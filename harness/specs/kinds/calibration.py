"""A row compared with itself, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from harness.errors import UserError
from harness.specs.checks import Names
from harness.specs.kinds.kind import Kind, PlainRow
from harness.specs.kinds.shared_checks import check_primary_alone
from harness.specs.target import Measured, Row
from harness.specs.yaml_file import YamlFile


class Side(Row):
    """One side of a pair that differ in the seeds of continued training alone.

    Attributes:
        side_of: name of the row as written.
        pair: number of the pair, from 1.
        side: which of the two.
    """

    side_of: str
    pair: int
    side: Literal["A", "B"]

    @property
    def written(self) -> str:
        """Name of the row as the file has it."""
        return self.side_of

    @property
    def seed_shift(self) -> tuple[int, int]:
        """What is added to the scale's first seeds, of the base run and of continued training.

        Where a scale's seeds begin at B and C, pair p and seed s (from 0) have the base B + 1000 p + s for
        both sides, and continue it with C + 1000 p + s for side A, C + 1000 p + 500 + s for side B. With our
        B = 100 and C = 200, no two of all these are the same below 100 seeds, and none is a seed of a table.
        """
        return 1000 * self.pair, 1000 * self.pair + (500 if self.side == "B" else 0)


class Calibration(Measured):
    """A row compared with itself, pair by pair: what intervals cover where the true difference is 0."""

    kind: Literal["calibration"]
    pairs: Annotated[PositiveInt, Field(le=500)]


def _check(yaml_file: YamlFile, _: Names) -> Iterator[UserError]:
    yield from check_primary_alone(yaml_file)
    rows = yaml_file.at(("rows",))
    if isinstance(rows, list) and len(rows) > 1:
        what = f"a calibration compares one row with itself, here are {len(rows)}"
        yield yaml_file.error(("rows", 1), what, "keep one")


def _plain_rows(yaml_file: YamlFile, target: Calibration) -> Iterator[PlainRow]:
    """Yield the one row of a calibration as both sides of each pair."""
    written, name = yaml_file.at(("rows", 0)), target.rows[0].name
    for pair in range(1, target.pairs + 1):
        for side in ("A", "B"):
            data = {**written, "name": f"{name}: pair {pair}, side {side}"}
            yield PlainRow(0, data, Side, {"side_of": name, "pair": pair, "side": side})


CALIBRATION = Kind(Calibration, _check, _plain_rows, counted="sides")
