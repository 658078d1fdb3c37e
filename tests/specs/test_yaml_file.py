"""A spec is read by a scanner in C; nothing tells it from what the one in Python reads, and refuses."""

from __future__ import annotations

import random

import pytest
import yaml

from harness.errors import UserError
from harness.specs import yaml_file
from harness.specs.yaml_file import read_yaml
from tests.cases import few

from .mutate import ODD, SHIPPED

TEXTS = [path.read_text(encoding="utf-8") for path in sorted(SHIPPED.rglob("*.yaml"))]
LETTERS = (
    "\t",
    "\x85",
    "\u2028",
    "\ufeff",
    "\x00",
    ": ",
    "- ",
    "? ",
    "|\n",
    "'",
    '"',
    "#",
    "%",
    "---\n",
    "<<: ",
    "*a ",
)


def read(path, text: str, monkeypatch, *, quick: bool) -> tuple:
    """What a text says, or why it is refused."""
    monkeypatch.setattr(yaml, "__with_libyaml__", quick)
    yaml_file._parsed.cache_clear()
    path.write_text(text, encoding="utf-8")
    try:
        found = read_yaml(path)
    except UserError as error:
        return (str(error),)
    return repr(found.data), found.lines


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="there is no scanner in C here")
@pytest.mark.parametrize("seed", few(range(12), 0))
def test_both_scanners_read_the_same(tmp_path, monkeypatch, seed):
    rng, odd = (
        random.Random(seed),
        (*LETTERS, *(text for text in ODD if len(text) < 100 and "\\ud8" not in text)),
    )
    taken = 0
    for _ in range(25):
        text = rng.choice(TEXTS)
        text = text[text.find("\n", rng.randrange(len(text))) + 1 :][:300]
        for _ in range(rng.randrange(3)):
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(odd) + text[place:]
        both = [read(tmp_path / "x.yaml", text, monkeypatch, quick=quick) for quick in (True, False)]
        assert both[0] == both[1], text
        taken += len(both[0]) == 2
    assert 2 < taken < 25


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="there is no scanner in C here")
def test_shipped_specs_are_read_in_c_alone(monkeypatch):
    def slow(text: str) -> None:
        raise AssertionError(text)

    monkeypatch.setattr(yaml_file, "_Loader", slow)
    yaml_file._parsed.cache_clear()
    for path in SHIPPED.rglob("*.yaml"):
        read_yaml(path)
