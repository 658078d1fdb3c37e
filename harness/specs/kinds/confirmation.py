"""What tuning writes: rows with tuned settings, to be trained with fresh seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from harness.errors import UserError, nearest
from harness.pieces import PieceError
from harness.specs.checks import Names, placed_rows
from harness.specs.kinds.comparison import Comparison
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.shared_checks import check_made, check_one_dataset
from harness.specs.loaded import LoadedTarget
from harness.specs.run_settings import TrainedRun
from harness.specs.runs import RowDraws, Runs, Seeds
from harness.specs.samplers import Parameter
from harness.specs.scale import Scale
from harness.specs.settings import CollectionSettings
from harness.specs.target import Row
from harness.specs.varied import varied
from harness.specs.yaml_file import YamlFile


def _is_name(value: str) -> str:
    if not re.fullmatch(r"\w[\w-]*", value):
        raise ValueError(f"'{value}' is no name of a tuning; letters, digits, - and _ alone")
    return value


class Tuned(Row):
    """A row with what was tuned for it: `overrides`, by the keys of a tuning, of `harness.specs.varied`.

    They change the row's own phase and negatives alone, whoever owns their keys elsewhere; the runs that it
    stands on are those of other rows. It is compared with the row that `minus` names, of the papers' settings
    or of tuned ones as it is itself; a row without one is not compared.
    """

    overrides: dict[str, Parameter] = Field(default={})
    minus: str | None = None

    def tuned(self, settings: TrainedRun) -> TrainedRun:
        """Return the settings of the row's run with what was tuned.

        Raises:
            PieceError: the run has no such parameter, or it cannot have such a value.
        """
        return varied(settings, self.overrides) if self.overrides else settings


class Confirmation(Comparison):
    """The papers' settings and the best of a tuning, with seeds that no trial used.

    It is no target of a paper: `harness tune NAME --confirm` writes it beside the tuning's results, and it
    is named by the path of its file.

    Attributes:
        tuning: name of the tuning.
        target: whose rows were tuned, from which all else is taken.
        seed_shift: added to the first seeds of the scale, of base runs and of continued training.
    """

    kind: Literal["confirmation"]  # type: ignore[assignment]
    tuning: Annotated[str, AfterValidator(_is_name)]
    target: str
    seed_shift: Annotated[PositiveInt, Field(le=2**61)]
    rows: list[Tuned] = Field(min_length=1)  # type: ignore[assignment]

    @property
    def name(self) -> str:
        """Its name among the results; below the tuning's, so that one folder holds all of a tuning."""
        return f"tuning/{self.tuning}/confirmation"

    @property
    def minus(self) -> dict[str, str]:
        """Row -> the row that it is compared with, of the papers' settings or of tuned ones as it is."""
        return {row.name: row.minus for row in self.rows if row.minus}

    @property
    def added_to_seeds(self) -> int:
        """What is added to the scale's first seeds: no trial used those."""
        return self.seed_shift

    @property
    def settings_are_tuned(self) -> bool:
        """True: no commit froze them."""
        return True


def _check(yaml_file: YamlFile, _: Names) -> Iterator[UserError]:
    yield from check_one_dataset(yaml_file)
    yield from check_made(yaml_file)
    yield from _check_minus(yaml_file)


def _check_minus(yaml_file: YamlFile) -> Iterator[UserError]:
    """Check that rows are compared with other rows of the file."""
    names = [row["name"] for _, row in placed_rows(yaml_file) if isinstance(row.get("name"), str)]
    for place, row in placed_rows(yaml_file):
        other, here = row.get("minus"), ("rows", place, "minus")
        if isinstance(other, str) and other == row.get("name"):
            yield yaml_file.error(here, f"row '{other}' is compared with itself", "name another row")
        elif isinstance(other, str) and other not in names:
            yield yaml_file.error(here, f"unknown row '{other}'", nearest(other, names))


def _fit(yaml_file: YamlFile, loaded: LoadedTarget, scales: Mapping[str, Scale]) -> Iterator[UserError]:
    """Check that what was tuned for a row is there to be set, and can be set so."""
    target = loaded.trained
    nowhere = CollectionSettings(kind="not-available", parameters={})
    for place, row in loaded.made_rows():
        name = row.recipe or target.shared.recipe
        tuned = isinstance(row, Tuned) and row.overrides and row.sampler
        for scale in (scales[name] for name in target.scales if tuned):
            if scale.ranker is None and loaded.ranked(row):
                continue  # reported with the scale
            runs = Runs(scale, loaded.recipes, target.datasets[0], nowhere, ())
            draws = RowDraws(row.sampler, row.under(target.shared))
            phase = f"{name}/{loaded.recipes[name].last.name}"
            try:
                row.tuned(runs.run(phase, Seeds(0, 0, 0), draws))
            except PieceError as error:
                yield yaml_file.error(("rows", place, "overrides", *error.place), error.what, error.fix)


CONFIRMATION = Kind(Confirmation, _check, fit=_fit)
