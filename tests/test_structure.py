"""The structure of the package: few modules at its root, imports that run one way, no circle of modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

HARNESS = Path(__file__).parents[1] / "harness"
MODULES = {
    ".".join(path.relative_to(HARNESS.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in HARNESS.rglob("*.py")
}


def imports(path: Path) -> Iterator[str]:
    """Yield the modules of ours that a file imports when it runs, inside of functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = {id(node) for block in ast.walk(tree) if _type_checking(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness"):
            inner = [f"{node.module}.{name.name}" for name in node.names]
            yield from (name if name in MODULES else str(node.module) for name in inner)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in MODULES)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def ordered(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the nodes, those below first; a circle raises graphlib.CycleError, which names it."""
    return list(TopologicalSorter(graph).static_order())


GRAPH = {name: set(imports(path)) - {name} for name, path in MODULES.items()}


def test_no_circle_of_modules() -> None:
    assert set(ordered(GRAPH)) == set(MODULES)


def test_rooms_import_only_rooms_above_them_in_the_list() -> None:
    """The list of ARCHITECTURE.md holds all rooms, each below all that it imports."""
    text = (HARNESS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = re.findall(r"^      ([a-z]+)/ ", text.partition("\n    harness/\n")[2], flags=re.MULTILINE)
    place = {f"harness.{name}": number for number, name in enumerate(listed)}
    assert set(place) == {room(name) for name, path in MODULES.items() if path.parent != HARNESS}
    upward = [
        f"{name} imports {other}"
        for name, used in GRAPH.items()
        for other in used
        if place.get(room(other), -1) > place.get(room(name), len(place))
    ]
    assert upward == []


def test_few_modules_stand_at_the_root() -> None:
    assert {path.name for path in HARNESS.glob("*.py")} == {
        "__init__.py", "errors.py", "pieces.py", "progress.py",
    }  # fmt: skip


def test_each_room_has_a_readme_whose_files_exist() -> None:
    for folder in sorted(path.parent for path in HARNESS.glob("*/__init__.py")):
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {folder.name}\n")
        named = re.findall(r"`([\w/]+\.py)`", text)
        places = (folder, HARNESS, HARNESS.parent)
        assert [name for name in named if not any((place / name).exists() for place in places)] == []
