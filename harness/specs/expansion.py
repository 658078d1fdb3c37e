"""Plain rows: a row that stands for several, by its readings or in pairs with itself, is written out."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import SpecErrors, UserError
from harness.specs.checks import Names, check_target
from harness.specs.kinds.kind import PlainRow
from harness.specs.kinds.registry import KINDS
from harness.specs.loading import in_order, try_parse
from harness.specs.target import Target
from harness.specs.yaml_file import Location, YamlFile

SAMPLER = ("sampler",)


@dataclass(frozen=True)
class ExpandedFile(YamlFile):
    """A file with its rows written out; errors point to where the user wrote them."""

    written: YamlFile
    rows: tuple[PlainRow, ...]

    def where(self, location: Location) -> str:
        """Return file and line of the key that the user wrote."""
        return self.written.where(self._written(location))

    def error(self, location: Location, what: str, fix: str | None = None) -> UserError:
        """Return an error that points to the key that the user wrote."""
        return self.written.error(self._written(location), what, fix)

    def _written(self, location: Location) -> Location:
        """Return the written place; of a value that a reading or a point chose, where it was chosen."""
        if location[:1] != ("rows",) or len(location) == 1:
            return location
        row, below = self.rows[int(location[1])], location[2:]
        for start, place in row.places.items():
            if below[: len(start)] == start:
                inside = below[len(start) :] if start[:1] != SAMPLER else ()
                return ("rows", row.place, *place, *inside)
            if len(below) > 1 and start[: len(below)] == below:
                return ("rows", row.place, *place)
        return ("rows", row.place, *below)


def expand(yaml_file: YamlFile, target: Target, library: Names) -> tuple[YamlFile, Target]:
    """Return the file and the target with plain rows; both as they are where no row stands for several.

    Args:
        yaml_file: the target's file.
        target: the target, sound as it is written.
        library: knows the names of recipes, datasets and scales.

    Raises:
        SpecErrors: paths or values that no sampler has.
    """
    rows = tuple(KINDS[target.kind].plain_rows(yaml_file, target))
    if not rows:
        return yaml_file, target
    data = {**yaml_file.data, "rows": [row.data for row in rows]}
    expanded = ExpandedFile(yaml_file.path, data, yaml_file.lines, yaml_file, rows)
    parsed, errors = try_parse(expanded, type(target), "row")
    errors += check_target(expanded, library)
    if parsed is None or errors:
        raise SpecErrors(in_order(errors))
    made = [plain.model(**dict(row), **plain.more) for row, plain in zip(parsed.rows, rows, strict=True)]
    return expanded, target.model_copy(update={"rows": made})
