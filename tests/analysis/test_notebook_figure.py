from __future__ import annotations

from harness.analysis.notebook_figure import show_figure
from harness.reports.drawing import figure_to


def draw(values, svg, png, *, title: str) -> None:
    with figure_to(svg, png, 2, 2) as figure:
        figure.add_subplot().plot(values)
        figure.suptitle(title)


def test_a_figure_is_what_the_function_draws() -> None:
    figure = show_figure(draw, [1, 2, 3], title="rising")
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure.png != show_figure(draw, [3, 2, 1], title="falling").png


def test_a_figure_is_not_written_out_as_text() -> None:
    assert repr(show_figure(draw, [1, 2, 3], title="rising")) == "NotebookFigure()"
