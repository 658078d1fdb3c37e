"""`harness evaluate`: a checkpoint, or another system's run file, on a target or a collection."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from harness.cli.opening import open_library, open_stages
from harness.cli.options import JsonOption, ScaleOption
from harness.cli.output import say
from harness.reports.renderers.terminal import Terminal


def evaluate(  # noqa: PLR0913, PLR0917 - the options of a command
    system: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT|RUNFILE",
            help="the folder or hub id of an encoder; a run of the store, by fingerprint; or a run file of "
            "TREC, plain or gzipped",
        ),
    ],
    on: Annotated[
        str,
        typer.Option(
            metavar="TARGET|COLLECTION",
            help="a target, see `harness list`; or a collection, such as beir:PATH",
        ),
    ],
    scale: ScaleOption = "quick",
    dataset: Annotated[str | None, typer.Option(help="of a target over several; all by default")] = None,
    split: Annotated[
        str | None, typer.Option(help="test, dev, ...; the one that the table measures, or test, by default")
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(help="of a collection, as ir-measures names it; may be repeated"),
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help="of a checkpoint that does not say it: mean, cls")
    ] = None,
    query_tokens: Annotated[
        int | None,
        typer.Option(
            min=3, max=32_768, help="longest query; the scale's, or on a collection the checkpoint's"
        ),
    ] = None,
    passage_tokens: Annotated[
        int | None, typer.Option(min=3, max=32_768, help="longest passage; likewise by default")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a checkpoint or another system's run file beside a target's rows, or on a collection.

    Nothing is trained. A checkpoint is evaluated once and kept in the store; intervals are over queries.
    """
    from harness.reports.renderers.terminal import render_terminal
    from harness.systems.document import evaluate_document
    from harness.systems.evaluate import EvaluateRequest
    from harness.systems.evaluate import evaluate as run_evaluate
    from harness.systems.measuring import Lengths

    lengths = Lengths(query_tokens, passage_tokens)
    request = EvaluateRequest(system, on, scale, dataset, split, tuple(measure or ()), pooling, lengths)
    stages = open_stages()
    result = run_evaluate(open_library(None, None), stages, request)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=1, ensure_ascii=False))
        return
    Terminal().print(render_terminal(evaluate_document(result)))
    for line in result.remarks:
        say(line)
    runs = [of.fingerprint for of in result.measured if of.fingerprint]
    if runs:
        say(f"Evaluated {result.made}, reused {len(runs) - result.made}: run {', '.join(runs)}")
