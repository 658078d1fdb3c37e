"""`harness analyse`: why the rows of a table differ."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.options import DatasetOption, ScaleOption, Target
from harness.cli.output import say
from harness.reports.renderers.terminal import Terminal
from harness.storage.store import local_results, published_results


def analyse(
    name: Annotated[
        str, typer.Argument(help="gradients, geometry, false-negatives, inclusion, overlap or rounds")
    ],
    target: Target,
    scale: ScaleOption = "quick",
    row: Annotated[
        list[str] | None,
        typer.Option(help="only this row; may be repeated; all rows that it applies to by default"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=99, help="number of the seed, from 0")] = 0,
    dataset: DatasetOption = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="KEY=VALUE", help="an option of the analysis; may be repeated"),
    ] = None,
    publish: Annotated[bool, typer.Option(help="write to results/, not to results/local/")] = False,
) -> None:
    """Analyse the finished runs of a table: frames, figures and a summary; trains nothing."""
    from harness.analysis.analyse import AnalysisRequest, record
    from harness.analysis.analyse import analyse as run_analysis
    from harness.analysis.report import analysis_document, write_analysis
    from harness.progress import Progress
    from harness.reports.renderers.terminal import render_terminal
    from harness.runs.stages import Stages
    from harness.specs.library import Library
    from harness.storage.store import Store

    stages = Stages(Store.default(), Progress())
    request = AnalysisRequest(
        name, target, scale, tuple(row or ()), seed, dataset, tuple(option or ()), publish
    )
    result = run_analysis(Library.default(), stages, request)
    files = write_analysis(result, published_results() if publish else local_results())
    Terminal().print(render_terminal(analysis_document(result)))
    say("\nWritten:")
    for path in files:
        say(f"  {path}")
    record(result, stages, files)
