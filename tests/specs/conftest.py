"""A copy of the shipped specs that a test may break."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.specs.library import Library

SHIPPED = Path(__file__).resolve().parents[2] / "experiments"
TABLE = "trisampler/table-5"

ALL_SCALES = "scales: [simulation, scratch, quick, paper]"
Broken = Callable[..., list[str]]


@pytest.fixture
def shipped(tmp_path: Path) -> Library:
    """A copy of the shipped specs as they are."""
    shutil.copytree(SHIPPED, tmp_path / "experiments")
    return Library(tmp_path / "experiments")


@pytest.fixture
def library(shipped: Library) -> Library:
    """A copy of the shipped specs; targets of all scales have no paper's, whose recipes bear few samplers."""
    for path in shipped.root.glob("papers/*/*.yaml"):
        text = path.read_text()
        if ALL_SCALES in text:
            lines = text.splitlines(keepends=True)
            kept = (line for line in lines if not line.lstrip().startswith("published_"))
            path.write_text("".join(kept).replace(ALL_SCALES, f"{ALL_SCALES.removesuffix(', paper]')}]"))
    return shipped


@pytest.fixture
def broken(library: Library) -> Broken:
    """Replace texts in a spec file, load the table (or a scale), and return the error's lines."""
    return breaking(library)


def breaking(library: Library) -> Broken:
    """Return what replaces texts in a spec file, loads the table or a scale, and returns its errors."""

    def load(
        file: str, *changes: tuple[str, str], scale: str | None = None, target: str = TABLE
    ) -> list[str]:
        path = library.root / file
        text = path.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path.write_text(text)
        with pytest.raises(UserError) as caught:
            library.scale(scale) if scale else library.target(target)
        assert caught.value.exit_code == 2
        return str(caught.value).splitlines()

    return load
