"""CONTRIBUTING names every file: its paths exist, and what is shipped stands in each file of its line."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.negatives.presets import presets
from harness.negatives.registry import LAWS
from harness.specs.library import Library
from harness.training.losses.registry import LOSSES
from tests.training.golden import phases

CHECKOUT = Path(__file__).parents[1]
PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
GUIDE = (CHECKOUT / "docs/adding-a-sampler.md").read_text(encoding="utf-8")

LINES = dict(re.findall(r"^- \*\*(.+?)\*\*(.+)$", PAGE, flags=re.MULTILINE))
"""What is added -> its line."""

ASKED = (
    "a law", "a loss", "a recipe", "a part that a phase trains", "a kind of target", "an output format",
    "a CSV column", "a measure of our own", "a collection kind", "a checkpoint format", "a precision setting",
    "a metric a step", "an interval", "a tie rule", "a tuning sampler", "a verb", "a launcher", "a paper",
    "a dataset", "a figure",
)  # fmt: skip
FOLDERS = ("docs", "experiments", "harness", "notebooks", "results", "tests")
AT_THE_ROOT = re.compile(r"[A-Z]+\.md|\w+\.(toml|txt)")
GOLDEN = "tests/training/golden/<recipe>.<phase>.json"


def paths_in(text: str) -> list[str]:
    """Return what stands in backquotes and is a path: below one of our folders, or a file at the root."""
    quoted = re.findall(r"`([^`\s]+)`", text)
    return [path for path in quoted if path.split("/")[0] in FOLDERS or AT_THE_ROOT.fullmatch(path)]


def required(line: str) -> list[str]:
    """Return the paths of a line that every case needs, those outside of square brackets."""
    return paths_in(re.sub(r"\[[^\]]*\]", "", line))


def files_of(path: str) -> list[Path]:
    """Return the files that a path stands for; ``<...>`` is any part of a name."""
    return sorted(CHECKOUT.glob(re.sub(r"<[\w-]+>", "*", path)))


def shipped() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (what was added, its name, the names by which files may call it)."""
    for name, law in LAWS.items():
        drawing = [preset.name for preset in presets().values() if preset.law["name"] == name]
        yield "a law", name, (law.__name__, *drawing)
    for preset in presets().values():
        if preset.reading_of is None:
            yield "a preset", preset.name, ()
        else:
            yield "a reading of a preset", preset.name, (preset.reading_of,)
    for name, loss in LOSSES.items():
        yield "a loss", name, (loss.__name__,)
    library = Library(CHECKOUT / "experiments")
    read = {recipe for name in library.names("readings") for recipe in library.reading(name).spec.all_recipes}
    for name in library.names("recipes"):
        yield "a reading's recipe" if name in read else "a recipe", name, ()


def stands_in(path: str, placeholder: str, name: str, names: tuple[str, ...]) -> bool:
    """Whether a file of a path is named after something, or calls it by a name."""
    if placeholder in path:
        spelled = name.replace("-", "_") if path.endswith(".py") else name
        return bool(files_of(path.replace(placeholder, spelled)))
    called = "|".join(map(re.escape, (name, *names)))
    word = re.compile(rf"(?<![\w-])({called})(?![\w-])")
    return any(word.search(file.read_text(encoding="utf-8")) for file in files_of(path))


def test_each_question_has_a_line() -> None:
    assert [thing for thing in ASKED if thing not in LINES] == []


@pytest.mark.parametrize("thing", LINES)
def test_paths_of_a_line_exist(thing: str) -> None:
    paths = paths_in(LINES[thing])
    assert paths
    stale = [path for path in paths if not files_of(path)]
    assert not stale, f"CONTRIBUTING.md, {thing}: no such file: {', '.join(stale)}"


@pytest.mark.parametrize(("thing", "name", "names"), shipped(), ids=str)
def test_what_is_shipped_stands_in_each_file_of_its_line(
    thing: str, name: str, names: tuple[str, ...]
) -> None:
    paths = required(LINES[thing])
    if GOLDEN in paths and not any(phase.startswith(f"{name}.") for phase in phases()):
        paths.remove(GOLDEN)  # of phases without steps, or that the trainer cannot train yet
    placeholder = f"<{thing.rsplit(maxsplit=1)[-1]}>"
    missing = [path for path in paths if not stands_in(path, placeholder, name, names)]
    assert not missing, f"CONTRIBUTING.md, {thing}: '{name}' is not in {', '.join(missing)}"


def test_the_guide_for_a_law_names_the_same_files() -> None:
    paths = {path.replace("<law>", "positive_margin") for path in paths_in(LINES["a law"])}
    assert paths - set(paths_in(GUIDE)) == set()


def test_a_kind_of_target_and_a_hashed_setting_take_few_files() -> None:
    kind = [path for path in required(LINES["a kind of target"]) if path.startswith("harness/")]
    setting = [path for path in required(LINES["a precision setting"]) if path.startswith("harness/specs/")]
    assert len([path for path in kind if not path.endswith("/__init__.py")]) <= 7
    assert len(setting) <= 4


def test_the_commands_that_count_print_numbers() -> None:
    block = PAGE.partition("## Measured\n")[2]
    commands = re.findall(r"^    (.+?) +# (.+)$", block, flags=re.MULTILINE)
    assert len(commands) > 4
    for command, what in commands:
        printed = subprocess.run(["bash", "-c", command], cwd=CHECKOUT, capture_output=True, check=True)
        limit = re.search(r"(\d+) at most", what)
        assert 0 <= int(printed.stdout) <= (int(limit[1]) if limit else 10**6), command
