"""The notes under a table: what a scale changes, and the remarks of a target and of its datasets."""

from __future__ import annotations

from collections.abc import Sequence

from harness.collections.collection import OWN
from harness.specs.phase_numbers import NO_STEPS, trains_at, used
from harness.specs.recipe import phases_of
from harness.specs.resolve import Resolved, figures
from harness.specs.target import Measured, Quoted, Trained, with_runs


def scale_notes(resolved: Resolved) -> list[str]:
    """Return what the scale changes, and the remarks of the target and of its datasets."""
    if not isinstance(resolved.target, Trained):
        return list(resolved.target.remarks)
    recipes = _recipes_used(resolved)
    departs = [of.departs for name, of in resolved.loaded.recipes.items() if name in recipes and of.departs]
    datasets = [resolved.loaded.datasets[name] for name in resolved.target.datasets]
    of_data = [remark for dataset in datasets for remark in dataset.remarks]
    own = [*departs, *of_data, *resolved.target.remarks]
    of_scale = [
        *_capped_note(resolved),
        *_trained_notes(resolved),
        *_sampler_notes(resolved),
        *_titles_note(resolved),
        *_watched_note(resolved),
    ]
    return [*_own_note(resolved), *of_scale, *own, *_quoted_notes(resolved)]


def _recipes_used(resolved: Resolved) -> set[str]:
    """Names of the recipes that its runs are of, or stand on."""
    chains = [resolved.loaded.chain(row) for row in with_runs(resolved.target.rows)]
    return {name.partition("/")[0] for chain in chains for name in chain}


def _capped_note(resolved: Resolved) -> list[str]:
    """Return which K the scale caps, and to what."""
    shared, cap = resolved.trained.shared, resolved.scale.spec.candidates_cap
    above = {name: k for name in resolved.target.datasets if (k := shared.candidates_on(name)) > cap}
    one = isinstance(shared.candidates, int)
    given = {f"{k}" if one else f"{k} on {resolved.loaded.datasets[name].title}" for name, k in above.items()}
    return [f"Candidates: K = {', '.join(sorted(given))} is capped to {cap} at this scale."] if above else []


def _quoted_notes(resolved: Resolved) -> list[str]:
    """Return what the paper prints in columns that no run here has."""
    quoted = [heading.label for heading in resolved.target.headings if isinstance(heading, Quoted)]
    printed = {row.name: figures(resolved.loaded, row) for row in resolved.target.rows}
    told = {
        label: [f"{row} {of['printed']}" for row, by in printed.items() if (of := by[label])]
        for label in quoted
    }
    return [f"Printed, and not measured here: {label} {', '.join(of)}." for label, of in told.items() if of]


def _trained_notes(resolved: Resolved) -> list[str]:
    """Return what the last phases of the rows train at this scale, and by which numbers."""
    if resolved.target.varies_numbers:
        return []
    names = {resolved.loaded.last_phase(row) for row in with_runs(resolved.target.rows) if row.sampler}
    return [note for name in sorted(names) for note in _numbers_notes(resolved, name)]


def _numbers_notes(resolved: Resolved, name: str) -> list[str]:
    """Return by which numbers a phase is trained, by dataset where these differ."""
    notes: dict[str, list[str]] = {}
    for dataset in resolved.target.datasets:
        title = resolved.loaded.datasets[dataset].title
        notes.setdefault(_numbers_of(resolved, name, dataset), []).append(title)
    if len(notes) == 1:
        return [f"Trained in {name}: {numbers}." for numbers in notes]
    return [f"Trained in {name}, on {' and '.join(on)}: {numbers}." for numbers, on in notes.items()]


def _sampler_notes(resolved: Resolved) -> list[str]:
    """Return which rows have another sampler on a dataset, as published."""
    titles = {name: resolved.loaded.datasets[name].title for name in resolved.target.datasets}
    rows = with_runs(resolved.target.rows) if resolved.scale.spec.as_published else []
    return [
        f"{row.name} on {titles[name]}, as published: {choice.text}."
        for row in rows
        for name, choice in row.published_sampler.items()
    ]


def _numbers_of(resolved: Resolved, name: str, dataset: str) -> str:
    scale, phase = resolved.scale.spec, phases_of(resolved.loaded.recipes)[name]
    numbers = used(scale, name, phase, dataset)
    if numbers == NO_STEPS:
        return "no steps"
    every = f", candidates mined again each {numbers.refresh} steps" if numbers.refresh else ""
    of = f"rate {numbers.rate:g}, {numbers.batch} queries a step, {numbers.steps} steps{every}"
    return f"{trains_at(scale, name, phase)}; {of}"


def _own_note(resolved: Resolved) -> list[str]:
    """Return on what a table of one's own was made, and that published figures are left out of it."""
    if not resolved.instead:
        return []
    start = resolved.scale.spec.encoder.start
    encoder = start if resolved.instead.encoder else f"that of scale {resolved.scale.name}, {start}"
    on = ", ".join(_served_by(resolved, name) for name in resolved.target.datasets)
    return [
        f"A table of your own on {on}; encoder: {encoder}. Figures of papers are left out: they were "
        "measured on other collections."
    ]


def _served_by(resolved: Resolved, dataset: str) -> str:
    """Return the collection of a dataset and the split that is measured, in words."""
    choice = resolved.choice_of(dataset)
    title = resolved.loaded.datasets[dataset].title
    name = f"{choice.kind}/{title}" if choice.kind in OWN else choice.kind
    return f"{name}, measured on {choice.measured}"


def _titles_note(resolved: Resolved) -> list[str]:
    """Return whether titles stand before passages."""
    names = resolved.target.datasets
    on = [name for name in names if resolved.choice_of(name).has_titles]
    off = [name for name in names if name not in on]
    pairs = [name for name in on if resolved.choice_of(name).titles_are == "pair"]
    on = [name for name in on if name not in pairs]
    return [
        *([f"Titles{_of(resolved, off)}: off; no title stands before a passage."] if off else []),
        *([f"Titles{_of(resolved, on)}: on; a title stands before each passage."] if on else []),
        *([f"Titles{_of(resolved, pairs)}: read with their passages as pairs of segments."] if pairs else []),
    ]


def _watched_note(resolved: Resolved) -> list[str]:
    """Return that measured queries are those watched in training; a curve shows nothing else."""
    on_dev = [name for name in resolved.target.datasets if resolved.measured(name) == "dev"]
    if not isinstance(resolved.target, Measured) or resolved.target.split or not on_dev:
        return []
    on = _of(resolved, on_dev)
    return [f"Measured on dev{on}: the same queries that are watched while runs train."]


def _of(resolved: Resolved, datasets: Sequence[str]) -> str:
    """Return which datasets something is of, in words; nothing where it is of all."""
    titles = [resolved.loaded.datasets[name].title for name in datasets]
    return "" if len(datasets) == len(resolved.target.datasets) else f" of {', '.join(titles)}"
