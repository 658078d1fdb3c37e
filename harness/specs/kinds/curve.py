"""Rows while they train."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from harness.errors import UserError
from harness.evaluation.measures import DEV_MEASURE, FIRST_MEASURES
from harness.specs.checks import MADE_BY_TRAINING, Names, placed_rows
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.shared_checks import check_primary_alone
from harness.specs.loaded import LoadedTarget
from harness.specs.run_settings import TrainedRun
from harness.specs.scale import Scale
from harness.specs.target import BM25, Measured
from harness.specs.yaml_file import YamlFile

WATCHED: tuple[Literal["train", "test"], ...] = ("train", "test")
"""Splits that a curve's runs look at if it shows one of them, so that curves of both share their runs."""


class Curve(Measured):
    """Rows while they train: what is watched, over steps and over seconds.

    Without `watched` it is what every run watches on its dev queries. With it, the runs are the curve's own,
    and look at the first documents of both training and test queries; the curve shows those of one.
    """

    kind: Literal["curve"]
    watched: Literal["train", "test"] | None = Field(
        default=None,
        description="the queries whose first documents are looked at; by default dev, more deeply",
    )

    @property
    def split(self) -> str:
        """The queries that are watched."""
        return self.watched or "dev"

    def looking(self, settings: TrainedRun) -> TrainedRun:
        """Return the settings of a row's run, with what it looks at while it trains."""
        phase = settings.phase.model_copy(update={"watched": WATCHED if self.watched else ()})
        return settings.model_copy(update={"phase": phase})

    @property
    def infers_over_queries(self) -> bool:
        """False: its intervals are over seeds."""
        return False

    @property
    def is_timed(self) -> bool:
        """True: it draws rows over seconds as well."""
        return True

    @property
    def compared_with(self) -> str:
        """The reference row, where every curve begins."""
        return next(row.name for row in self.rows if row.kind == "reference")


def _check(yaml_file: YamlFile, _: Names) -> Iterator[UserError]:
    """Check that a curve shows what is watched, and begins somewhere."""
    yield from check_primary_alone(yaml_file, (*MADE_BY_TRAINING, "reference"))
    measure = yaml_file.at(("columns", 0, "measure"))
    watched = (DEV_MEASURE,) if yaml_file.at(("watched",)) is None else FIRST_MEASURES
    if isinstance(measure, str) and measure not in watched:
        what = f"'{measure}' is not watched while a run trains"
        yield yaml_file.error(("columns", 0, "measure"), what, f"use {' or '.join(watched)}")
    references = [(place, row) for place, row in placed_rows(yaml_file) if row.get("kind") == "reference"]
    for place, row in references:
        if row.get("evaluates") == BM25 or (place, row) != references[0]:
            what = "the reference of a curve is the phase that all its rows continue, and stands once"
            yield yaml_file.error(("rows", place), what, "remove the row")
    if not references:
        fix = "add a row of `kind: reference` that `evaluates` the phase which the others continue"
        yield yaml_file.error(("rows",), "the curves begin nowhere", fix)


def _fit(yaml_file: YamlFile, loaded: LoadedTarget, _: Mapping[str, Scale]) -> Iterator[UserError]:
    """Check that all rows of a curve continue the phase where it begins."""
    recipe = loaded.trained.shared.recipe
    begin = next(row for _, row in loaded.made_rows() if row.kind == "reference")
    for place, row in loaded.made_rows():
        start = loaded.recipes[row.recipe or recipe].last.start
        if row is not begin and start != begin.phase:
            what = f"row '{row.name}' continues '{start}', the curves begin at '{begin.phase}'"
            yield yaml_file.error(("rows", place), what, "choose a recipe that continues that phase")


CURVE = Kind(Curve, _check, fit=_fit)
