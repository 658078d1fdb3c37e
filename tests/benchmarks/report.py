"""The table and the figure of what benchmarks have written: `python -m tests.benchmarks.report`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tabulate import tabulate

from harness.reports.drawing import INK, OKABE_ITO, figure_to
from tests.benchmarks.paired import RESULTS

GPU = "gpu.json"
GRADIENTS = "gradients_across_ranks"


def table(name: str, content: dict[str, Any]) -> str:
    """Return the section of a benchmark."""
    command = f"`python -m tests.benchmarks.{name} --write`"
    versions = ", ".join(f"{package} {version}" for package, version in content["versions"].items())
    rows = [row_of(line) for line in content["lines"]]
    lines = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)
    return f"## {content['title']}\n\n{command}, with {versions}\n\n{lines}\n"


def row_of(line: dict[str, Any]) -> dict[str, str]:
    """Return the cells of a line."""
    if "arithmetic" in line:
        cells = {"arithmetic of": line["arithmetic"], "ranks": str(line["ranks"])}
        return cells | {"length": f"{line['length']:.2f}", "cosine": f"{line['cosine']:.2f}"}
    ratio, asked = f"{line['ratio']:.2f} [{line['low']:.2f}, {line['high']:.2f}]", line["asked"]
    return {
        "case": line["case"],
        "peer": line["peer"],
        "peer / ours": ratio,
        "asked": "" if asked is None else f"{asked:.2f}",
        "reached": reached(line),
        "peer, ours": f"{line['theirs']:.3g}, {line['ours']:.3g} {line['unit']}",
        "beside": line["note"],
    }


def reached(line: dict[str, Any]) -> str:
    """Return whether a ratio is as asked; nothing where nothing is asked."""
    return "" if line["asked"] is None else "yes" if line["ratio"] >= line["asked"] else "no"


def figure(contents: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw the ratios, the middle half of their rounds, and what is asked."""
    lines = [
        (f"{name}: {line['case']}", line)
        for name, content in contents.items()
        if name != GRADIENTS
        for line in content["lines"]
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        figure_to(path, Path(folder) / "ratios.png", 9.6, 0.24 * len(lines) + 1.0) as drawn,
    ):
        axis = drawn.subplots()
        for place, (_, line) in enumerate(lines):
            colour = OKABE_ITO[reached(line) == "no"]
            axis.plot([line["low"], line["high"]], [place, place], color=colour, linewidth=3)
            axis.plot(line["ratio"], place, "s" if reached(line) == "no" else "o", color=colour)
            if line["asked"] is not None:
                axis.plot(line["asked"], place, "|", color=INK, markersize=12)
        axis.axvline(1, color=INK, linewidth=0.8)
        axis.set_yticks(range(len(lines)), [case for case, _ in lines], fontsize=7)
        axis.invert_yaxis()
        axis.set_xscale("log")
        axis.set_xlabel(
            "the peer over ours (right of 1: the peer takes more); upright: asked; squares: not reached"
        )


ON_A_GPU = {
    "float32 on the card against the CPU: loss": "1e-5 at most",
    "two ranks on one card, over gloo, against one: gradient": "1e-5 at most",
    "BERT-base, 64 queries, 16 passages of 128 tokens, bfloat16: utilisation in training": "45 % at least",
    "the same step beside sentence-transformers' trainer in bfloat16": "2 times as fast at least",
    "encoding: utilisation": "60 % at least",
    "exact search of a million passages: the same documents by torch and faiss": "all",
    "503,000 rows of 400 candidates, drawn": "a second",
}
"""What is asked of a card -> how much."""


def on_a_gpu(path: Path) -> str:
    """Return the section of what only a card can show; empty where none has run it."""
    there = path.exists()
    rows = [{"case": case, "asked": asked, "measured": ""} for case, asked in ON_A_GPU.items()]
    lines = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)
    command = "`python -m tests.benchmarks.gpu --out results/benchmarks/gpu.json`"
    said = f"[what it measured]({path.name})" if there else "not run: no card was at hand"
    return f"## On a GPU\n\n{command}: {said}\n" + ("" if there else f"\n{lines}\n")


def main(folder: Path = RESULTS) -> None:
    """Write both."""
    files = [path for path in sorted(folder.glob("*.json")) if path.name != GPU]
    contents = {path.stem: json.loads(path.read_text("utf-8")) for path in files}
    figure(contents, folder / "ratios.svg")
    begin = (
        "# Benchmarks against peers\n\nEach is timed in turn with its peer in one process, one thread, CPU "
        "seconds: the median of the ratios of the\nrounds, and their middle half. Times are of one machine "
        "of two cores; the ratios are what is compared.\nWritten by `python -m tests.benchmarks.report`.\n\n"
        "![ratios](ratios.svg)\n"
    )
    sections = [table(name, content) for name, content in contents.items()]
    text = "\n".join([begin, *sections, on_a_gpu(folder / GPU)])
    (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
