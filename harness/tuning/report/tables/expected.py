"""The expected best of n trials of each study, with its band."""

from __future__ import annotations

from harness.reports.document import Table, TableColumn, fields
from harness.reports.text import NOTHING
from harness.tuning.report.expected_best import (
    LEVEL,
    FloatArray,
    counted,
    expected_band,
    expected_best,
    is_exact,
)
from harness.tuning.report.result import Found
from harness.tuning.report.text import axis_text, value_of

BUDGETS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def expected_table(found: Found) -> Table:
    """Return a line for each study, a column for each of some budgets; empty where no trial was drawn."""
    values = {study.row: counted(found, study) for study in found.studies}
    most = max(len(of) for of in values.values())
    if most == 0:
        return Table("Expected best against budget", (), ())
    budgets = [*(budget for budget in BUDGETS if budget < most), most]
    rows = tuple(fields([row, *_texts(found, of, budgets)]) for row, of in values.items())
    columns = (TableColumn("Study", names=True), *(TableColumn(f"n = {budget}") for budget in budgets))
    return Table("Expected best against budget", columns, rows, _caption(found))


def _texts(found: Found, values: FloatArray, budgets: list[int]) -> list[str]:
    """Return the expectation at each budget; a study with fewer trials has none beyond them."""
    if not len(values):
        return [NOTHING] * len(budgets)
    first = found.objectives[0]
    curve, *ends = (first.sign * line for line in (expected_best(values), *expected_band(values)))

    def text(budget: int) -> str:
        low, high = sorted(float(end[budget - 1]) for end in ends)
        return f"{value_of(first, curve[budget - 1])} [{value_of(first, low)}, {value_of(first, high)}]"

    return [text(budget) if budget <= len(values) else NOTHING for budget in budgets]


def _caption(found: Found) -> str:
    exact = (
        "It is what as many trials of this random search are expected to reach."
        if is_exact(found)
        else f"Trials of sampler {found.sampler} build on those before them, so this is no expectation of "
        "the search: it tells how many of the settings that it tried are good. What it reached is its "
        "history."
    )
    return (
        f"In {axis_text(found.objectives[0])}: the exact mean of the best over all subsets of n trials "
        f"(Dodge et al. 2019), with a {100 * LEVEL:g} % bootstrap over trials. {exact}"
    )
