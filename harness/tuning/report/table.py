"""The document of a search: what was found for each row, and how far that can be trusted."""

from __future__ import annotations

from harness.reports.document import Block, Document, Figure, filled, noted
from harness.tuning.report.figures.contour import with_contour
from harness.tuning.report.notes import notes_of
from harness.tuning.report.result import Found
from harness.tuning.report.tables.confirmation import confirmation_tables
from harness.tuning.report.tables.expected import expected_table
from harness.tuning.report.tables.front import front_table
from harness.tuning.report.tables.importance import Importances, importance_table
from harness.tuning.report.tables.studies import studies_table
from harness.tuning.report.text import axis_text, made_on


def search_document(found: Found, importances: Importances) -> Document:
    """Return the whole report.

    Args:
        found: the search.
        importances: of each study and objective.
    """
    blocks = filled(
        studies_table(found),
        *confirmation_tables(found),
        Figure("history", "Each trial in its order with the best so far, a panel a study."),
        Figure("expected_best", "The best value against the number of trials, all studies together."),
        expected_table(found),
        *_fronts(found),
        importance_table(found, importances),
        *_spaces(found, importances),
        noted("Notes", notes_of(found)),
    )
    title = f"searches/{found.name}: {found.data['title']}"
    return Document(title, tuple(_lead(found)), blocks, made_on(found), _last(found))


def _lead(found: Found) -> list[str]:
    simulation = "Simulation. " if found.data["collection"]["simulation"] else ""
    better = [
        f"{axis_text(one)}: {'more' if one.sign > 0 else 'less'} is better." for one in found.objectives
    ]
    return [
        f"{simulation}{found.data['source']}. Rows of {found.data['target']}, {found.budget} trials each, "
        f"judged on {made_on(found)}. {' '.join(better)}",
        "The held-out queries choose a setting, so the value of the best is flattered by the choice. What it "
        f"is worth, the {found.measured} queries say under fresh seeds.",
    ]


def _last(found: Found) -> str:
    split = found.measured
    confirmed = f"confirmed on {split}" if found.data.get("confirmation") else f"not confirmed on {split} yet"
    return f"On {made_on(found)}; the value of the best is flattered by the choice, {confirmed}."


def _fronts(found: Found) -> list[Block]:
    if len(found.objectives) == 1:
        return []
    return [front_table(found), Figure("pareto", "Both objectives of all finished trials, with the fronts.")]


def _spaces(found: Found, importances: Importances) -> list[Block]:
    """Return the figures of what the parameters do, those that have something to show."""
    shares = any(of.shares for of in importances.values())
    due = {
        "importance": (shares, "The importance of each parameter, with its uncertainty."),
        "slices": (
            any(study.space for study in found.studies),
            "The value of each trial over each parameter, a line a study.",
        ),
        "contour": (
            bool(with_contour(found)),
            "Values over two parameters; what lies between trials is interpolated.",
        ),
    }
    return [Figure(name, alt) for name, (shown, alt) in due.items() if shown]
