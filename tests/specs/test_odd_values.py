"""Any value of a shipped spec, made odd or removed, is taken or refused in words: never a traceback."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.resolve import resolve

ODD = (
    None, "", 0, -1, True, 1e-300, float("inf"), float("nan"), 10**30, "nowhere/at/all", "base/retriever",
    [], {}, [None], ["a", "a"], {"name": "x"}, {"name": []},
)  # fmt: skip
EVERY = "calibration/every-recipe"
FILES = (
    ("papers/calibration/every-recipe.yaml", EVERY, "simulation"),
    ("papers/trisampler/table-5-ar2.yaml", "trisampler/table-5-ar2", "simulation"),
    ("papers/trisampler/paper.yaml", "trisampler/table-5", "simulation"),
    ("papers/simans/figure-2a.yaml", "simans/figure-2a", "simulation"),
    ("recipes/after-ar2.yaml", EVERY, "simulation"),
    ("recipes/rocketqa.yaml", EVERY, "simulation"),
    ("datasets/ms-pas.yaml", "trisampler/table-5", "simulation"),
    ("scales/simulation.yaml", EVERY, "simulation"),
)


def odd_versions(document: Any) -> Iterator[Any]:
    """Yield a document once for each place in it and each odd value there, and without that place."""
    for place in places(document):
        for value in ODD:
            yield changed(document, place, value)
        if place:
            yield without(document, place)


def places(node: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield from places(value, (*here, key))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    document = copy.deepcopy(document)
    parent(document, place)[place[-1]] = value
    return document


def without(document: Any, place: tuple[Any, ...]) -> Any:
    document = copy.deepcopy(document)
    del parent(document, place)[place[-1]]
    return document


def parent(document: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        document = document[key]
    return document


@pytest.mark.slow
@pytest.mark.parametrize(("file", "target", "scale"), FILES, ids=[file for file, _, _ in FILES])
def test_an_odd_value_is_never_a_traceback(library: Library, file: str, target: str, scale: str) -> None:
    path, refused, taken = library.root / file, 0, 0
    for document in odd_versions(yaml.safe_load(path.read_text(encoding="utf-8"))):
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        try:
            resolved = resolve(Library(library.root), target, scale)
            for row in resolved.target.rows:
                if row.kind != "published":
                    resolved.run(row, 0)
        except UserError as error:
            assert all(line.strip() for line in str(error).splitlines())
            refused += 1
        else:
            taken += 1
    assert refused > taken > 0
