"""The document of a tuning: what was found for each row, and how far that can be trusted."""

from __future__ import annotations

from harness.reports.document import Block, Column, Document, Field, Figure, Table, fields, filled, noted
from harness.reports.text import NOTHING, count_text
from harness.tuning.report.confirmation_tables import confirmation_tables
from harness.tuning.report.contour import with_contour
from harness.tuning.report.expected_best import expected_table
from harness.tuning.report.importance import Importances, importance_table
from harness.tuning.report.notes import notes_of
from harness.tuning.report.pareto import front_table
from harness.tuning.report.result import Found, Study, Trial
from harness.tuning.report.text import axis_text, made_on, setting_text, value_of


def tuning_document(found: Found, importances: Importances) -> Document:
    """Return the whole report.

    Args:
        found: the tuning.
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
    title = f"tuning/{found.name}: {found.data['title']}"
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
        "is worth, the test queries say under fresh seeds.",
    ]


def _last(found: Found) -> str:
    confirmed = "confirmed on test" if found.data.get("confirmation") else "not confirmed on test yet"
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


STATES = {"complete": "finished", "pruned": "pruned", "failed": "failed"}


def studies_table(found: Found) -> Table:
    """Return a line for each study."""
    columns = [
        Column("Study", names=True, brief=""),
        *_columns(found, "Best", "best"),
        *_columns(found, "Papers'", "papers'"),
        *(Column(word, "Trials", brief=word) for word in STATES.values()),
    ]
    rows = tuple(_line(found, study) for study in found.studies)
    first = found.objectives[0].name
    return Table("", tuple(columns), rows, notes=(f"Best: by {first}.",) * (len(found.objectives) > 1))


def _columns(found: Found, group: str, brief: str) -> list[Column]:
    values = [
        Column(axis_text(one), group, brief=None if place else brief)
        for place, one in enumerate(found.objectives)
    ]
    return [Column("setting", group, names=True), *values]


def _line(found: Found, study: Study) -> tuple[Field, ...]:
    best, paper = found.best(study), study.paper()
    return fields(
        [
            study.row,
            setting_text(best.setting) if best else NOTHING,
            *_values(found, best),
            setting_text(study.papers[0]) if study.papers else NOTHING,
            *_values(found, paper),
            *(count_text(sum(trial.state == state for trial in study.trials)) for state in STATES),
        ]
    )


def _values(found: Found, trial: Trial | None) -> list[str]:
    values = trial.values if trial and trial.values else [None] * len(found.objectives)
    return list(map(value_of, found.objectives, values))
