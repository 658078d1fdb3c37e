"""The front page of the site: a section for each paper, a row for each target, a column for each scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.reports.content import Cells
from harness.reports.footnotes import MEANINGS
from harness.reports.pages import Front, FrontCell, FrontRow, FrontSection, Headline, Link
from harness.reports.site import CONFIRMATION, TUNING, Made, MadeTuning, Site

NOT_MADE, NOT_REPRODUCIBLE = "not made yet", "cannot be reproduced"
"""In the place of a verdict where there are no results."""


def front(site: Site) -> Front:
    """Return the front page of a site."""
    verdicts = {made.report.verdict for made in site.made}
    return Front(
        sections=[_section(site, paper) for paper in site.papers],
        scales={scale: site.contents.scales.get(scale, "") for scale in site.scales},
        meanings={verdict: text for verdict, text in MEANINGS.items() if verdict in verdicts},
    )


def _section(site: Site, paper: str) -> FrontSection:
    about = site.contents.papers.get(paper)
    row = _tuning if paper == TUNING else _target
    return FrontSection(
        anchor=site.anchors[paper],
        title=site.heading(paper),
        about=about.citation if about else "",
        rows=[row(site, paper, name) for name in site.names(paper)],
    )


def _target(site: Site, paper: str, name: str) -> FrontRow:
    """Return the row of a target or a drawing."""
    made = {each.scale: each for each in site.of_paper(paper) if each.name == name}
    first = next((each.headline for each in made.values() if each.headline), None)
    title, state = _written(site, paper, name)
    some = next(iter(made.values()), None)
    return FrontRow(
        anchor=site.anchors[f"{paper}/{name}"],
        name=name,
        title=some.cells.title if some else title,
        headline=first,
        cells=[_cell(made[scale], first) if scale in made else None for scale in site.scales],
        state="" if made else state,
        tags={
            "paper": [site.heading(paper)],
            "dataset": _distinct(title for each in made.values() for title in each.cells.dataset_titles),
            "scale": list(made),
            "verdict": _distinct(each.report.verdict for each in made.values()) or [state.partition(":")[0]],
        },
    )


def _written(site: Site, paper: str, name: str) -> tuple[str, str]:
    """Return the title of what has no results, and why it has none."""
    drawing = next((of for of in site.contents.drawings(paper) if of.name == name), None)
    if drawing is not None:
        return drawing.title, f"{NOT_REPRODUCIBLE}: {drawing.reason}"
    return site.contents.titles.get(f"{paper}/{name}", ""), NOT_MADE


def _cell(made: Made, first: Headline | None) -> FrontCell:
    """Return a target at a scale; its figure where it is the one that the row shows as published."""
    own = made.headline
    shown = own if own and first and own.place == first.place else None
    figure = shown.reproduced.text if shown else made.counted or "results"
    return FrontCell(
        links=[Link(figure, made.address, made.report.document.title)],
        difference=shown.difference if shown else "",
        facts=[*[made.counted] * bool(shown), *_facts(made.cells), made.report.verdict],
    )


def _facts(cells: Cells) -> list[str]:
    seeds = len(cells.seeds)
    return [
        *["simulation"] * (cells.simulation and cells.scale != "simulation"),
        *[f"{seeds} seed{'s' if seeds > 1 else ''}"] * bool(seeds),
    ]


def _tuning(site: Site, paper: str, name: str) -> FrontRow:
    """Return the row of a tuning, with its report and its confirmation at each scale."""
    tunings = [each for each in site.tunings if each.name == name]
    confirmed = [each for each in site.of_paper(paper) if each.name == f"{name}/{CONFIRMATION}"]
    titles = [*(each.title for each in tunings), *(each.cells.title for each in confirmed)]
    return FrontRow(
        anchor=site.anchors[f"{paper}/{name}"],
        name=name,
        title=next(iter(titles), ""),
        headline=None,
        cells=[_tuning_cell(tunings, confirmed, scale) for scale in site.scales],
        state="",
        tags={
            "paper": [site.heading(paper)],
            "dataset": _distinct(title for each in confirmed for title in each.cells.dataset_titles),
            "scale": _distinct(each.scale for each in (*tunings, *confirmed)),
            "verdict": _distinct(each.report.verdict for each in confirmed),
        },
    )


def _tuning_cell(tunings: Sequence[MadeTuning], confirmed: Sequence[Made], scale: str) -> FrontCell | None:
    reports = [each for each in tunings if each.scale == scale]
    made = [each for each in confirmed if each.scale == scale]
    links = [Link("trials", each.address, each.title) for each in reports]
    links += [Link(CONFIRMATION, each.address, each.report.document.title) for each in made]
    facts = [fact for each in made for fact in (*_facts(each.cells), each.report.verdict)]
    return FrontCell(links, "", facts) if links else None


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
