"""`harness compare`: two rows, runs or checkpoints, query by query."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.options import DatasetOption, ScaleOption, SeedsOption
from harness.cli.output import say
from harness.reports.renderers.terminal import Terminal

Address = Annotated[
    str,
    typer.Argument(
        help="TARGET:ROW, for example trisampler/table-5:TriSampler; a run, by fingerprint, a prefix of it, "
        "or folder; or the folder of an encoder, for example checkpoints/final of a run"
    ),
]


def compare(  # noqa: PLR0913, PLR0917 - the options of a command
    a: Address,
    b: Address,
    scale: ScaleOption = "quick",
    seeds: SeedsOption = None,
    measure: Annotated[str | None, typer.Option(help="shown by query; the primary one by default")] = None,
    split: Annotated[
        str | None, typer.Option(help="split of the queries: test, dev, ...; the table's by default")
    ] = None,
    show: Annotated[int, typer.Option(min=1, help="how many of the largest gains and losses")] = 10,
    dataset: DatasetOption = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="TARGET", help="target whose collection both sides use, if neither is a run"),
    ] = None,
) -> None:
    """Compare two rows, runs or checkpoints query by query; trains nothing.

    The reports hold texts of queries, so they are written to results/local/ alone, which git ignores.
    """
    from harness.compare.compare import CompareRequest
    from harness.compare.compare import compare as run_compare
    from harness.compare.document import compare_document
    from harness.compare.report import FILES, write_report
    from harness.progress import Progress
    from harness.reports.renderers.terminal import render_terminal
    from harness.runs.stages import Stages
    from harness.specs.library import Library
    from harness.storage.store import Store

    stages = Stages(Store.default(), Progress())
    request = CompareRequest(
        a, b, scale=scale, seeds=seeds, measure=measure, split=split, show=show, dataset=dataset, on=on
    )
    result = run_compare(Library.default(), stages, request)
    Terminal().print(render_terminal(compare_document(result)))
    folder = write_report(result)
    say("\nWritten:")
    for name in FILES:
        say(f"  {folder / name}")
