"""The page docs/methods.md and its figure; `python -m harness.reports.methods_page` writes both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.methods.catalogue import FORMULA_OF, KINDS, LETTERS, LOSS_LETTERS, Method, catalogue
from harness.reports.methods_figure import draw_laws
from harness.specs.library import Library
from harness.storage.files import write_bytes

CHECKOUT = Path(__file__).resolve().parents[2]

INTRODUCTION = """\
# Methods

What a spec may name, written by `python -m harness.reports.methods_page` from the classes themselves:
change those, not this page. `harness methods NAME` shows one with its weights plotted and with the rows
that use it; [adding-a-sampler.md](adding-a-sampler.md) says how to add one.
"""

FIGURE = f"![Weight over score gap of each law](methods.svg)\n\nIn formulas {LETTERS}.\n"


LOSSES = (
    f"In formulas {LOSS_LETTERS}. They are of one query; the mean over queries is taken, unless a parameter "
    "says otherwise.\n"
)


def render_page(library: Library) -> str:
    """Return the text of docs/methods.md."""
    methods = catalogue(library)
    parts = [INTRODUCTION]
    for kind, description in KINDS.items():
        parts.append(f"## {kind.capitalize()}: {description}\n")
        if kind == "law":
            parts.append(FIGURE)
        if kind == "loss":
            parts.append(LOSSES)
        selected = [method for method in methods if method.kind == kind]
        parts += [_samplers(selected)] if kind == "sampler" else map(_section, selected)
    return "\n".join(parts)


def main() -> None:
    """Write the page and its figure."""
    page = render_page(Library(CHECKOUT / "experiments"))
    write_bytes(CHECKOUT / "docs" / "methods.md", page.encode())
    write_bytes(CHECKOUT / "docs" / "methods.svg", draw_laws())


def _section(method: Method) -> str:
    """Return the section on one method."""
    blocks = [f"### {method.name}", method.summary, f"Citation: {method.citation}"]
    if method.formula:
        blocks.append(f"{FORMULA_OF[method.kind]}: `{method.formula}`")
    blocks += [*method.text, *_parameters(method)]
    return "\n\n".join(blocks).replace("\n\n- ", "\n- ") + "\n"


def _parameters(method: Method) -> list[str]:
    if not method.parameters:
        return []
    if method.kind == "recipe":
        settings = [(each.name, f"`{each.default_text}`") for each in method.parameters]
        return [_table(("setting", "written"), settings)]
    rows = [(each.name, each.values_text, each.default_text, each.range or "") for each in method.parameters]
    return [_table(("parameter", "values", "default", "range"), rows)]


def _samplers(methods: Sequence[Method]) -> str:
    """Return the presets as a table."""
    pieces = [parameter.name for parameter in methods[0].parameters]
    rows = [
        (method.name, method.summary, *(each.default_text for each in method.parameters), method.citation)
        for method in methods
    ]
    return _table(("sampler", "summary", *pieces, "citation"), rows) + "\n"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers)]
    lines += [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
