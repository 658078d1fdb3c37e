"""Specs made odd in many ways are taken or refused in words, in a moment."""

from __future__ import annotations

import time

import pytest

from harness.specs.library import Library

from ..cases import first
from .mutate import ACCEPTED, BY_FILE, BY_LINE, EXPLODING, Mutation, mutations, verdict


@pytest.mark.parametrize(("count", "seed"), first(1, [(100, 0), (1000, 1), (1000, 2)]))
def test_no_mutation_ends_in_a_traceback_or_takes_long(library: Library, count: int, seed: int) -> None:
    found = {BY_LINE: 0, BY_FILE: 0, ACCEPTED: 0}
    for mutation in mutations(library, count, seed):
        what, said = verdict(library, mutation)
        assert what in found, f"{what}: {mutation.file}: {mutation.what}\n{said}"
        found[what] += 1
    assert found[BY_LINE] > 0.7 * count
    assert found[BY_FILE] < 0.05 * count
    assert found[ACCEPTED] > 0


def test_the_same_seed_gives_the_same_mutations(library: Library) -> None:
    assert list(mutations(library, 20, 7)) == list(mutations(library, 20, 7))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: " + "[" * 5000, "table-5.yaml:1:37: broken YAML: more than 30 lists and keys inside"),
        ("- " * 5000, "more than 30 lists and keys inside one another"),
        ("title: " + "{a: " * 5000, "more than 30 lists and keys inside one another"),
        (f"title: [{EXPLODING}]", "more than 50,000 values, with those that aliases stand for"),
        (f"? [{EXPLODING}]\n: x", "key 'a list, or keys' is no text"),
        ("title: " + "x" * 300_000, "more than 200,000 letters"),
        ("title: !!bool maybe", "'maybe' is no bool"),
        ("title: !!int ''", "'' is no int"),
        ('title: "\\ud800"', "has the character \\ud800, which is no letter"),
        ('title: "a\\0b"', "has the character \\x00, which is no letter"),
        ('"\\e[1m": x', "has the character \\x1b, which is no letter"),
    ],
)
def test_yaml_without_an_end_is_refused_at_once(library: Library, text: str, expected: str) -> None:
    began = time.process_time()
    mutation = Mutation("papers/trisampler/table-5.yaml", "", text, "target", "trisampler/table-5")
    what, said = verdict(library, mutation)
    assert what in (BY_LINE, BY_FILE)
    assert expected in said
    assert time.process_time() - began < 2
