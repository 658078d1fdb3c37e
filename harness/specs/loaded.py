"""A target with everything that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from harness.errors import UserError, nearest
from harness.specs.dataset import Dataset
from harness.specs.paper import Paper
from harness.specs.reading import Reading, paper_of
from harness.specs.recipe import Phase, Recipe, phases_of
from harness.specs.samplers import SamplerChoice
from harness.specs.target import Column, Heading, Line, Measured, Row, Target, Trained, with_runs


@dataclass(frozen=True)
class LoadedTarget:
    """A target with everything that it names.

    Attributes:
        name: for example ``trisampler/table-5``.
        target: the spec, with a row for each reading where it has readings.
        written: the rows as the file has them.
        paper: its paper.
        recipes: by name, with those they start from.
        datasets: by name.
        path: of its file where commands name it by that.
        reading: in which it is made; none as its paper prints it.
    """

    name: str
    target: Target
    written: Sequence[Line]
    paper: Paper
    recipes: dict[str, Recipe]
    datasets: dict[str, Dataset]
    path: str | None = None
    reading: Reading | None = None

    @property
    def trained(self) -> Trained:
        """The spec of a target whose rows are runs; no other has what these need."""
        return cast("Trained", self.target)

    @property
    def published_recipes(self) -> Mapping[str, str]:
        """The recipes that its reading puts in the place of others at a scale that trains as published."""
        return self.reading.papers[paper_of(self.name)].published_recipes if self.reading else {}

    def made_rows(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows behind which runs of ours stand, with their positions."""
        made = {id(row) for row in with_runs(self.target.rows)}
        for place, row in enumerate(self.target.rows):
            if id(row) in made and isinstance(row, Row):
                yield place, row

    def chain(self, row: Row) -> dict[str, Phase]:
        """Return the phases that a row's run is of and depends on, by ``<recipe>/<phase>``.

        BM25 and checkpoints have none.
        """
        if not row.of_phase:
            return {}
        known, chain = phases_of(self.recipes), {}
        waiting = [row.phase or self.last_phase(row)]
        while waiting:
            name = waiting.pop(0)
            chain[name] = known[name]
            waiting += [start for start in known[name].starts if start not in chain]
        return chain

    def last_phase(self, row: Row) -> str:
        """Return the phase that a row's run is of, ``<recipe>/<phase>``."""
        name = row.recipe or self.trained.shared.recipe
        return row.phase or f"{name}/{self.recipes[name].last.name}"

    def sampler(self, row: Row, dataset: str, *, as_published: bool) -> SamplerChoice | None:
        """Return the sampler of a row on a dataset.

        Args:
            row: one of the target's.
            dataset: name of the dataset.
            as_published: whether the scale trains as published, where a row may have the paper's own.
        """
        choice = row.published_sampler.get(dataset, row.sampler) if as_published else row.sampler
        return choice if self.reading is None else self.reading.sampler(choice, dataset)

    def ranked(self, row: Row) -> bool:
        """Whether a ranker is trained by, or takes part in, the phase that a row's run is of."""
        if not row.of_phase:
            return False
        phase = phases_of(self.recipes)[self.last_phase(row)]
        return phase.trains == "ranker" or phase.ranker is not None

    @property
    def splits(self) -> set[str]:
        """The splits that the printed columns are measured on, at any of the target's scales."""
        if not isinstance(self.target, Measured):
            return set()
        if self.target.split is not None:
            return {self.target.split}
        return {
            dataset.collections[scale].measured
            for dataset in self.datasets.values()
            for scale in self.target.scales
        }

    def label(self, heading: Heading) -> str:
        """Return what a column is called; of a target with several datasets by the title of its own, too."""
        return self.label_on(heading.dataset, heading.label) if isinstance(heading, Column) else heading.label

    def label_on(self, dataset: str, label: str) -> str:
        """Return what a column is called that is measured on one of the datasets."""
        return label if len(self.target.datasets) == 1 else f"{self.datasets[dataset].title} {label}"

    def rows(self, name: str) -> list[Line]:
        """Return the row of a name, or all that a written row stands for.

        Raises:
            UserError: no such row.
        """
        rows = [row for row in self.target.rows if name in (row.name, row.written)]
        if not rows:
            known = [row.name for row in self.written]
            raise UserError(f"{self.name} has no row '{name}'", fix=nearest(name, known))
        return rows

    def row(self, name: str) -> Line:
        """Return the one row of a name; of a row with readings, the name of one reading.

        Raises:
            UserError: no such row, or several.
        """
        rows = self.rows(name)
        if len(rows) > 1:
            shown = "; ".join(f"'{one.name}'" for one in rows[:3])
            raise UserError(f"row '{name}' stands for {len(rows)}", fix=f"name one of them: {shown}, ...")
        return rows[0]
