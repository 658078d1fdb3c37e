"""A target with everything that it names."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UserError, nearest
from harness.specs.models import Paper, Row, Target
from harness.specs.parts import Dataset, Recipe


@dataclass(frozen=True)
class LoadedTarget:
    """A target with everything that it names.

    Attributes:
        name: for example ``trisampler/table-5``.
        target: the spec.
        paper: its paper.
        recipes: by name, with those they start from.
        datasets: by name.
    """

    name: str
    target: Target
    paper: Paper
    recipes: dict[str, Recipe]
    datasets: dict[str, Dataset]

    def row(self, name: str) -> Row:
        """Return a row by name.

        Raises:
            UserError: no such row.
        """
        rows = {row.name: row for row in self.target.rows}
        if name not in rows:
            raise UserError(f"{self.name} has no row '{name}'", fix=nearest(name, rows))
        return rows[name]
