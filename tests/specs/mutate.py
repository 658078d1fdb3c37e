"""``python -m tests.specs.mutate --count 1000 --seed 0``: shipped specs made odd, resolved at every scale.

A changed library is either taken or refused in words, in a moment: no traceback, no value without an end.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import UserError
from harness.specs.library import Library
from harness.specs.resolve import resolve
from harness.specs.tuning_library import load_tuning, resolve_tuning
from harness.storage.files import content_hash
from harness.targets.reproduce import wanted_runs

SHIPPED = Path(__file__).resolve().parents[2] / "experiments"
LIMIT_S = 5.0
"""Seconds of the processor in which a spec is taken or refused, however busy the machine is."""

BY_LINE, BY_FILE, ACCEPTED = "refused with file and line", "refused with file", "accepted"
UNPLACED, TRACEBACK, SLOW = "refused without a file", "traceback", f"over {LIMIT_S:g} s"
VERDICTS = (BY_LINE, BY_FILE, UNPLACED, ACCEPTED, TRACEBACK, SLOW)

Place = tuple[Any, ...]
MARK = "MUTATED"
"""Stands in a dumped document where text is put that no dump writes."""

EXPLODING = ", ".join(
    ["&a0 [x, x, x, x, x, x, x, x, x]", *(f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))]
)
DEEP = 3000
ODD = (
    "", "~", "''", "' '", "true", "[]", "{}", "[~]", "[1, 1]", "{name: x}", "{name: []}", "x",
    "nowhere/at/all", "base/retriever", "base/ranker", "2026-01-01", "0x10", "1_000", "12:30:45",
    "!!binary aGk=", "!!set {a}", "!!bool maybe", "!!int ''", "!!python/object/apply:os.getcwd []", "'\\'",
    '"\\ud800"', '"\\x00"', '"\\e[31m"', '"a\\nb"', '"\\u202e"', "0", "-1", "1", "2", "0.5", "-0.5", "1.0",
    "1.0e-320", "1.0e-300", "1.0e+300", ".inf", "-.inf", ".nan", "1000000000", str(2**31), str(2**63 - 1),
    str(2**63), str(-(2**63) - 1), str(2**64), "9" * 400, "9" * 5000, f"'{'9' * 5000}'",
    f"'{'x' * 100_000}'", f"'{'a/' * 20_000}'", f"[{', '.join(['1'] * 20_000)}]", "[" * DEEP + "]" * DEEP,
    "{a: " * DEEP + "1" + "}" * DEEP, f"[{EXPLODING}]", f"{{? [{EXPLODING}] : 1}}", "&x [*x]", "*unknown",
)  # fmt: skip
"""Values that stand anywhere, as YAML has them."""

PHASES = (
    "base/retriever", "base/ranker", "ar2-continue/co-training", "continue-contrastive/contrastive",
    "{checkpoint: x}", "~",
)  # fmt: skip
BY_KEY = {
    "measure": (
        "SDCG@10", "Judged@10", "ERR@10", "alpha_nDCG@10", "R(rel=99)@50", "R@5000", "RR(rel=2)",
        "RR@100000000", "P(rel=0)@5", "nDCG(dcg='exp-log2')@10", "Success@0", "IPrec@2", "Bpref(rel=2)",
        "SetF(beta=.5)", "NumQ", "RR@10+R@10", "AP(judged_only=True)", "'" + "(" * 2000 + "'",
    ),
    "candidates": ("1", "2", "1000000000"),
    "negatives": ("399", "401", "1000000000", "row", "{sampler: uniform}"),
    "heads": ("3", "5", "7", "1000"),
    "start": PHASES,
    "evaluates": (*PHASES, "bm25"),
    "recipe": ("base", "rocketqa", "ar2-continue", "after-ar2", "continue-contrastive"),
    "trains": ("ranker", "head", "query-tower", "both-towers"),
    "ranker": ("{start: base/ranker}", "{start: base/retriever}", "{start: ar2-continue/co-training}"),
    "name": ("''", "' '", '"a\\tb"', "'|'"),
}  # fmt: skip
"""Values that are odd for a key."""


class TooSlowError(BaseException):
    """A spec took longer than it may; no handler of the harness sees it."""


@dataclass(frozen=True)
class Mutation:
    """One change of one file.

    Attributes:
        file: below `experiments/`.
        what: the change, in words.
        text: the file as changed.
        user: a target or a tuning that reads the file.
        reads: name of that target or tuning.
    """

    file: str
    what: str
    text: str
    user: str
    reads: str


def mutations(library: Library, count: int, seed: int) -> Iterator[Mutation]:
    """Yield changes of specs, the same ones for the same seed and the same specs."""
    chance, users = random.Random(seed), users_of(library)
    files = sorted(users)
    texts = {file: (library.root / file).read_text(encoding="utf-8") for file in files}
    documents = {file: yaml.safe_load(text) for file, text in texts.items()}
    for _ in range(count):
        file = chance.choice(files)
        what, text = changed(chance, documents[file], texts[file])
        yield Mutation(file, what, text, *chance.choice(users[file]))


def users_of(library: Library) -> dict[str, list[tuple[str, str]]]:
    """Return each file of specs -> (`target` or `tuning`, name) of those that read it."""
    users: dict[str, list[tuple[str, str]]] = {}
    for name in library.targets():
        loaded = library.target(name)
        files = [f"papers/{name}.yaml", f"papers/{name.partition('/')[0]}/paper.yaml"]
        files += [f"recipes/{recipe}.yaml" for recipe in loaded.recipes]
        files += [f"datasets/{dataset}.yaml" for dataset in loaded.datasets]
        files += [f"scales/{scale}.yaml" for scale in loaded.target.scales]
        for file in files:
            users.setdefault(file, []).append(("target", name))
    for name in library.names("tuning"):
        users[f"tuning/{name}.yaml"] = [("tuning", name)]
    return users


def changed(chance: random.Random, document: Any, text: str) -> tuple[str, str]:
    """Return a change in words, and the text of a document so changed."""
    place = chance.choice(list(places(document)))
    kinds = [odd, odd, odd, odd, removed, scaled, swapped, renamed, doubled, repeated, broken]
    return chance.choice(kinds)(chance, document, text, place)


def odd(chance: random.Random, document: Any, _: str, place: Place) -> tuple[str, str]:
    """Put an odd value at a place, often one that is odd for its key."""
    fitting = BY_KEY.get(place[-1]) if place else None
    value = chance.choice(fitting if fitting and chance.random() < 0.7 else ODD)
    return f"{shown(place)} = {value[:60]}", written(at(document, place, MARK), value)


def removed(_: random.Random, document: Any, __: str, place: Place) -> tuple[str, str]:
    """Remove a key or an item."""
    return f"without {shown(place)}", written(without(document, place))


def scaled(chance: random.Random, document: Any, _: str, __: Place) -> tuple[str, str]:
    """Make a number much larger, much smaller, negative, or a little off."""
    numbers = [p for p in places(document) if type(inside(document, p)) in (int, float)]
    if not numbers:
        return "unchanged", written(document)
    place = chance.choice(numbers)
    value = inside(document, place)
    value = chance.choice(
        [value * 10**6, value * 10**12, -value, value + 1, value - 1, value / 3, value * 1.0]
    )
    return f"{shown(place)} = {value}", written(at(document, place, value))


def swapped(chance: random.Random, document: Any, _: str, place: Place) -> tuple[str, str]:
    """Let two places of a document change their values."""
    others = [p for p in places(document) if p[: len(place)] != place and place[: len(p)] != p]
    if not others:
        return "unchanged", written(document)
    other = chance.choice(others)
    first, second = inside(document, place), inside(document, other)
    whole = at(at(document, place, second), other, first)
    return f"{shown(place)} <-> {shown(other)}", written(whole)


def renamed(chance: random.Random, document: Any, _: str, place: Place) -> tuple[str, str]:
    """Give a key another name, or add one that nobody knows."""
    key = chance.choice(["unknown", "", "name", "kind", "rate", "lenght", "x" * 5000, "true", "a.b"])
    holder = place if isinstance(inside(document, place), dict) else ()
    whole = at(document, (*holder, key), inside(document, place))
    return f"{shown(place)} as {key[:20]!r} in {shown(holder)}", written(whole)


def doubled(_: random.Random, document: Any, __: str, place: Place) -> tuple[str, str]:
    """Write a key twice."""
    if not place or not isinstance(place[-1], str):
        return "unchanged", written(document)
    text = written(at(document, (*place[:-1], MARK), "x"), str(place[-1]))
    return f"{shown(place)} twice", text


def repeated(chance: random.Random, document: Any, _: str, __: Place) -> tuple[str, str]:
    """Let an item of a list stand more often, or a list be empty."""
    lists = [p for p in places(document) if isinstance(inside(document, p), list)]
    if not lists:
        return "unchanged", written(document)
    place, times = chance.choice(lists), chance.choice([0, 2, 40])
    return f"{shown(place)} x {times}", written(at(document, place, inside(document, place) * times))


def broken(chance: random.Random, _: Any, text: str, __: Place) -> tuple[str, str]:
    """Change letters of the text, wherever they stand."""
    start = chance.randrange(len(text))
    end = min(len(text), start + chance.choice([0, 1, 1, 20, 10**6]))
    put = chance.choice(
        ["", "\t", "\n", ":", "- ", "[", "}", "&a ", "*a ", "!", "%", "\x00", "\x1b", "\ud800", "é"]
    )
    return f"{text[start:end][:20]!r} at {start} -> {put!r}", text[:start] + put + text[end:]


def shown(place: Place) -> str:
    return ".".join(str(step)[:20] for step in place) or "(all)"


def written(document: Any, value: str = "") -> str:
    """Return a document as YAML, with a text in the place of the mark."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(document, Dumper=dumper, sort_keys=False, width=10**6).replace(MARK, value, 1)


def places(node: Any, here: Place = ()) -> Iterator[Place]:
    """Yield all places of a document, the whole first."""
    yield here
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in below:
        yield from places(value, (*here, key))


def inside(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def at(document: Any, place: Place, value: Any) -> Any:
    """Return a document with a value at a place."""
    if not place:
        return value
    whole = list(document) if isinstance(document, list) else dict(document)
    there = inside(document, place[:1]) if len(place) > 1 else None
    whole[place[0]] = at(there, place[1:], value)
    return whole


def without(document: Any, place: Place) -> Any:
    """Return a document without a key or an item."""
    if not place:
        return None
    whole = list(document) if isinstance(document, list) else dict(document)
    if len(place) == 1:
        del whole[place[0]]
    else:
        whole[place[0]] = without(document[place[0]], place[1:])
    return whole


def resolved_everywhere(library: Library, user: str, name: str) -> None:
    """Resolve a target or a tuning at every scale, with the settings of each run as they are written."""
    if user == "tuning":
        for scale in library.target(load_tuning(library, name).target).target.scales:
            tuning = resolve_tuning(library, name, scale)
            for study in tuning.spec.studies:
                tuning.first(study)
        return
    for scale in library.target(name).target.scales:
        resolved = resolve(library, name, scale)
        for run in wanted_runs(resolved):
            content_hash(run.settings.model_dump(mode="json"))


def verdict(library: Library, mutation: Mutation, limit_s: float = LIMIT_S) -> tuple[str, str]:
    """Return what becomes of a mutation, and what was said; the library's file is as before afterwards."""
    path = library.root / mutation.file
    before = path.read_bytes()
    path.write_bytes(mutation.text.encode("utf-8", "surrogatepass"))
    try:
        with within(limit_s):
            resolved_everywhere(Library(library.root), mutation.user, mutation.reads)
    except UserError as error:
        return _placed(str(error)), str(error)
    except TooSlowError:
        return SLOW, ""
    except Exception as error:
        return TRACEBACK, f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-3)}"
    else:
        return ACCEPTED, ""
    finally:
        path.write_bytes(before)


def _placed(message: str) -> str:
    """Return how exactly a refusal says where it looks."""
    words = message.split(": ", maxsplit=1)[0]
    if ".yaml:" in words:
        return BY_LINE
    return BY_FILE if ".yaml" in words else UNPLACED


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    """Stop what takes longer, in seconds of the processor."""

    def stop(*_: Any) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def main(arguments: Sequence[str] | None = None) -> int:
    """Count what becomes of many mutations; 1 where one ends in a traceback, or in no time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--show", nargs="*", default=[], help="verdicts whose mutations are printed, by a word"
    )
    chosen = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(shutil.copytree(SHIPPED, Path(folder) / "experiments")))
        for mutation in mutations(library, chosen.count, chosen.seed):
            began = time.monotonic()
            found, said = verdict(library, mutation)
            counts[found] += 1
            if found in (TRACEBACK, SLOW) or any(word in found for word in chosen.show):
                seconds = time.monotonic() - began
                print(f"{found} ({seconds:.1f} s): {mutation.file} for {mutation.reads}: {mutation.what}")
                print("".join(f"    {line[:200]}\n" for line in said.splitlines()), end="")
    for name in VERDICTS:
        print(f"{counts[name]:6d} {name}")
    return int(counts[TRACEBACK] + counts[SLOW] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
