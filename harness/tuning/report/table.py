"""The document of a tuning: the best setting of each row, and how far the results can be trusted."""

from __future__ import annotations

from harness.reports.document import Block, Document, Field, Figure, Table, TableColumn, fields, filled, noted
from harness.reports.text import NOTHING, count_text
from harness.tuning.report.chance import LEVEL, gain_of, keeps
from harness.tuning.report.confirmation_tables import confirmation_tables, is_better_on_test
from harness.tuning.report.contour import with_contour
from harness.tuning.report.expected_best import expected_table
from harness.tuning.report.importance import Importances, importance_table
from harness.tuning.report.notes import notes_of
from harness.tuning.report.pareto import front_table
from harness.tuning.report.result import StudyResult, TrialResult, TuningResult
from harness.tuning.report.text import PERCENT, axis_text, data_text, setting_text, value_of


def tuning_document(result: TuningResult, importances: Importances) -> Document:
    """Return the whole report."""
    blocks = filled(
        studies_table(result),
        choice_table(result),
        *confirmation_tables(result),
        Figure("history", "Each trial in order with the best so far, one panel per study."),
        Figure("expected_best", "The best value against the number of trials, all studies together."),
        expected_table(result),
        *_fronts(result),
        importance_table(result, importances),
        *_spaces(result, importances),
        noted("Notes", notes_of(result)),
    )
    title = f"tuning/{result.name}: {result.data['title']}"
    return Document(title, tuple(_introduction(result)), blocks, data_text(result), _last(result))


def _introduction(result: TuningResult) -> list[str]:
    simulation = "Simulation. " if result.data["collection"]["simulation"] else ""
    better = [
        f"{axis_text(one)}: {'more' if one.sign > 0 else 'less'} is better." for one in result.objectives
    ]
    return [
        f"{simulation}{result.data['source']}. Rows of {result.data['target']}, {result.budget} trials each, "
        f"evaluated on {data_text(result)}. {' '.join(better)}",
        "Choosing the best setting on the held-out queries makes its value there optimistic. The "
        f"confirmation on {result.measured} queries with fresh seeds measures what it is worth.",
    ]


def _last(result: TuningResult) -> str:
    split = result.measured
    confirmed = (
        f"confirmed on {split}" if result.data.get("confirmation") else f"not confirmed on {split} yet"
    )
    return f"On {data_text(result)}; the best value is optimistic, since it was chosen for it; {confirmed}."


def _fronts(result: TuningResult) -> list[Block]:
    if len(result.objectives) == 1:
        return []
    return [front_table(result), Figure("pareto", "Both objectives of all finished trials, with the fronts.")]


def _spaces(result: TuningResult, importances: Importances) -> list[Block]:
    """Return the figures of the parameters' effects that have data to show."""
    shares = any(of.shares for of in importances.values())
    due = {
        "importance": (shares, "The importance of each parameter, with its uncertainty."),
        "slices": (
            any(study.space for study in result.studies),
            "The value of each trial over each parameter, one row per study.",
        ),
        "contour": (
            bool(with_contour(result)),
            "Values over two parameters, interpolated between trials.",
        ),
    }
    return [Figure(name, alt) for name, (shown, alt) in due.items() if shown]


STATES = {"complete": "finished", "pruned": "pruned", "failed": "failed"}


def studies_table(result: TuningResult) -> Table:
    """Return one line per study: best setting, papers' setting, and how many trials ended in which state."""
    columns = [
        TableColumn("Study", names=True, brief=""),
        *_columns(result, "Best", "best"),
        *_columns(result, "Papers'", "papers'"),
        *(TableColumn(word, "Trials", brief=word) for word in STATES.values()),
    ]
    rows = tuple(_line(result, study) for study in result.studies)
    first = result.objectives[0].name
    return Table("", tuple(columns), rows, notes=(f"Best: by {first}.",) * (len(result.objectives) > 1))


def choice_table(result: TuningResult) -> Table:
    """Return one line per study: the gain over the papers' setting, what chance gives, and what to take."""
    rows = [_choice(result, study) for study in result.studies if study.papers]
    first = result.objectives[0]
    columns = (
        TableColumn("Study", names=True, brief=""),
        TableColumn("gain over the papers' setting", brief="gain"),
        TableColumn("expected by chance", brief="by chance"),
        TableColumn("chance reaches", brief="reaches"),
        TableColumn("choice", names=True),
    )
    caption = (
        f"In {axis_text(first)}: by how much the best other trial is better than the papers' setting, "
        "and what the best of as many gains on average, and at most, where no setting differs: the "
        f"noise of a trial (queries and seeds) is that between neighbouring settings, and "
        f"the limit is at {100 * LEVEL:g} %. A gain "
        "within it is no reason to leave the papers' setting, unless a confirmation shows one."
    )
    return Table("What to take", columns if rows else (), tuple(rows), caption if rows else "")


def _choice(result: TuningResult, study: StudyResult) -> tuple[Field, ...]:
    gain, first = gain_of(result, study), result.objectives[0]

    def text(value: float | None) -> str:
        if value is None:
            return NOTHING
        return PERCENT.number(value, signed=True) if first.measured else f"{value:+.3g}"

    figures = (gain.value, gain.expected, gain.limit) if gain else (None, None, None)
    return fields([study.row, *map(text, figures), _word(result, study)])


def _word(result: TuningResult, study: StudyResult) -> str:
    """Return what to take: held-out queries propose, a confirmation decides."""
    better = is_better_on_test(result, study.row)
    if keeps(result, study):
        return "best, by the confirmation" if better else "keep the papers' setting"
    if gain_of(result, study) is None:
        return NOTHING
    return "best, not confirmed" if better is False else "best"


def _columns(result: TuningResult, group: str, brief: str) -> list[TableColumn]:
    values = [
        TableColumn(axis_text(one), group, brief=None if place else brief)
        for place, one in enumerate(result.objectives)
    ]
    return [TableColumn("setting", group, names=True), *values]


def _line(result: TuningResult, study: StudyResult) -> tuple[Field, ...]:
    best, paper = result.best(study), study.paper()
    return fields(
        [
            study.row,
            setting_text(best.setting) if best else NOTHING,
            *_values(result, best),
            setting_text(study.papers[0]) if study.papers else NOTHING,
            *_values(result, paper),
            *(count_text(sum(trial.state == state for trial in study.trials)) for state in STATES),
        ]
    )


def _values(result: TuningResult, trial: TrialResult | None) -> list[str]:
    values = trial.values if trial and trial.values else [None] * len(result.objectives)
    return list(map(value_of, result.objectives, values))
