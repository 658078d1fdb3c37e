"""Arguments and options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

Target = Annotated[
    str,
    typer.Argument(help="for example trisampler/table-5, see `harness list`; or the path of a confirmation"),
]
Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="targets such as trisampler/table-5, or papers such as simans; see `harness list`",
        show_default=False,
    ),
]
AllOption = Annotated[
    bool, typer.Option("--all", help="the targets of all papers that have the scale, timed ones last")
]
CalibrationsOption = Annotated[
    bool,
    typer.Option("--with-calibrations", help="also calibration/*, and rows under all readings of a paper"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="for programs")]
ScaleOption = Annotated[str, typer.Option(help="simulation, scratch, quick, ...")]
SeedsOption = Annotated[
    int | None, typer.Option(min=1, max=100, help="how many seeds; the spec's number by default")
]
ReadingOption = Annotated[
    str | None,
    typer.Option(
        help="paper, or a file of experiments/readings/ such as released: other samplers and recipes under "
        "the same rows; TARGET@READING names the same"
    ),
]
DatasetOption = Annotated[
    str | None, typer.Option(help="of a target with columns over several; the first by default")
]
CollectionOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[DATASET=]KIND:PLACE",
        help="a collection in the place of the built-in one, such as beir:FOLDER or ir:ID, see "
        "`harness data list`; may be repeated",
    ),
]
EncoderOption = Annotated[
    str | None, typer.Option(help="a folder or hub id in the place of the scale's encoder")
]
RowOption = Annotated[
    list[str] | None,
    typer.Option(help="only this row, or this reading of it (and what it is compared with); may be repeated"),
]
RanksOption = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="train on so many processes of this machine; results are the same"),
]
GpusOption = Annotated[
    int | None, typer.Option(min=1, max=1024, help="the same, each process with a GPU of its own")
]
ProfileOption = Annotated[
    bool,
    typer.Option("--profile", help="write a trace of a few steps of each run that is trained, in its folder"),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        min=1,
        max=1000,
        help="make so many runs at once, each on one process, with a GPU of its own where there are several",
    ),
]
RecomputeOption = Annotated[
    bool,
    typer.Option("--recompute", help="train in less memory and more time; results are the same"),
]
