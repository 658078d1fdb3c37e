"""Parts of a phase that can be written and planned, and that the trainer does not have yet."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import RunError
from harness.specs.run_settings import RunSettings, TaughtRun


def missing_parts(settings: RunSettings) -> list[str]:
    """Return what a run and those below it need and the trainer lacks, a line each."""
    lines = [line for run in settings.below.values() for line in missing_parts(run)]
    name = f"phase '{settings.recipe}/{settings.phase_name}'"
    lines += [f"{name} {what}" for what in _missing(settings)]
    return list(dict.fromkeys(lines))


def refuse_missing(settings: RunSettings) -> None:
    """Refuse a run that needs a part which the trainer lacks.

    Raises:
        RunError: the first such part.
    """
    for line in missing_parts(settings):
        raise RunError(line, fix="`harness plan` lists all; make the other rows with --row")


def _missing(settings: RunSettings) -> Iterator[str]:
    if isinstance(settings, TaughtRun) and settings.co_training.denoises is not None:
        yield "denoises candidates by a trained ranker, which the miner cannot do yet"
    if isinstance(settings, TaughtRun) and settings.co_training.labels is not None:
        yield "trains on pseudo-labels of a ranker, which no collection here has yet"
