"""``python -m tests.storage.damage --count 400 --seed 0``: what becomes of damage to a finished store.

A small table is made once; each damage is done to a copy of its store, in which at times the run of a row is
missing, so that all it stands on is read. The table is then made from it again: it is the same one, or one
line says what is wrong, and doing what that says makes it the same one.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import re
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.place import TARGET, Place, edit
from tests.specs.mutate import TooSlowError, within

COMMAND = ("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
LIMIT_S = 20.0
"""Seconds in which a table is made or refused, on a machine that does nothing else."""

SAME, MENDED = "the same table", "refused, and mended as told"
ANOTHER, UNMENDED, TRACEBACK, SLOW = (
    "another table without a word", "refused with advice that does not mend", "traceback", "too slow",
)  # fmt: skip
VERDICTS = (SAME, MENDED, ANOTHER, UNMENDED, TRACEBACK, SLOW)
SOUND = (SAME, MENDED)

TYPES = (None, True, 3, -1.5, "x", "", [], [1], [None], {}, {"a": 1}, [{"a": [{}]}], "\ud800")
"""JSON of all types."""

TOLD = re.compile(r"error: (?P<where>\S+?): .*; (delete|move) (?P<what>it|the folder \S+)\b.* run again")


@dataclass(frozen=True)
class Damage:
    """One damage to one entry of a store.

    Attributes:
        entry: a file or folder, below the store.
        what: name of the damage.
        other: another entry of the same kind, for those that take one.
        seed: of what is left to chance.
        missing: whether the run of a row is missing.
    """

    entry: str
    what: str
    other: str
    seed: int
    missing: bool


Change = Callable[[random.Random, Path, Path], None]


def flipped(chance: random.Random, path: Path, _: Path) -> None:
    """Flip a bit."""
    content = bytearray(path.read_bytes() or b"\0")
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(chance: random.Random, path: Path, _: Path) -> None:
    """Keep the first bytes."""
    path.write_bytes(path.read_bytes()[: chance.randrange(1 + path.stat().st_size)])


def emptied(_: random.Random, path: Path, __: Path) -> None:
    """Keep nothing of a file or folder."""
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
    else:
        path.write_bytes(b"")


def removed(_: random.Random, path: Path, __: Path) -> None:
    """Remove it."""
    delete(path)


def swapped(_: random.Random, path: Path, other: Path) -> None:
    """Let two entries change places."""
    beside = path.with_name("beside")
    path.rename(beside)
    other.rename(path)
    beside.rename(other)


def copied(_: random.Random, path: Path, other: Path) -> None:
    """Put a copy of another entry in its place."""
    delete(path)
    shutil.copytree(other, path) if other.is_dir() else shutil.copy(other, path)


def folder(chance: random.Random, path: Path, _: Path) -> None:
    """Put a folder in its place, empty or not."""
    delete(path)
    path.mkdir()
    if chance.random() < 0.5:
        (path / "a").write_text("a")


def file(_: random.Random, path: Path, __: Path) -> None:
    """Put a file in its place."""
    delete(path)
    path.write_text("a")


def linked(chance: random.Random, path: Path, _: Path) -> None:
    """Put a link in its place, to itself or to nothing."""
    delete(path)
    path.symlink_to(chance.choice([path, path.with_name("nothing")]))


def typed(chance: random.Random, path: Path, _: Path) -> None:
    """Write JSON of another type."""
    path.write_bytes(json.dumps(chance.choice(TYPES)).encode())


def retyped(chance: random.Random, path: Path, _: Path) -> None:
    """Give one value of JSON another type; of JSON lines, one of the last."""
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    try:
        document = json.loads(lines[-1])
    except ValueError:
        document = [path.read_text()]
    holders = [h for h in holders_of(document) if h]
    if holders:
        holder = chance.choice(holders)
        key = chance.choice(list(holder) if isinstance(holder, dict) else list(range(len(holder))))
        if chance.random() < 0.3:
            del holder[key]
        else:
            holder[key] = chance.choice(TYPES)
    lines[-1] = json.dumps(document)
    path.write_text("\n".join(lines) + "\n")


def lengthened(chance: random.Random, path: Path, _: Path) -> None:
    """Add to its end."""
    with path.open("ab") as stream:
        stream.write(chance.choice([b"\0", b"\n", b"{}\n", b"x" * 5000]))


FILES: dict[str, Change] = {
    "a bit is flipped": flipped,
    "cut": cut,
    "emptied": emptied,
    "removed": removed,
    "swapped with another": swapped,
    "replaced by another": copied,
    "replaced by a folder": folder,
    "replaced by a link": linked,
    "JSON of another type": typed,
    "longer": lengthened,
}
OF_JSON: dict[str, Change] = {"a value of another type": retyped}
FOLDERS: dict[str, Change] = {
    "emptied": emptied,
    "removed": removed,
    "swapped with another": swapped,
    "replaced by another": copied,
    "replaced by a file": file,
    "replaced by a link": linked,
}
CHANGES = FILES | OF_JSON | FOLDERS


def holders_of(document: Any) -> Iterator[Any]:
    if isinstance(document, dict | list):
        yield document
        for value in document.values() if isinstance(document, dict) else document:
            yield from holders_of(value)


def delete(path: Path) -> None:
    """Delete a file, a link or a folder."""
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def furnished(made: Place, root: Path) -> Place:
    """Return a copy of a place whose store holds all that another table is made of, too."""
    other = made.copy(root / "other")

    def another(spec: dict[str, Any]) -> None:
        spec["collections"]["simulation"]["parameters"] |= {"seed": 1}

    edit(other.root / "experiments/datasets/ms-pas.yaml", another)
    ended, said = called(other, "runs", 60)
    assert ended == 0, said
    place = made.copy(root / "furnished")
    shutil.copytree(other.root / "store", place.root / "store", dirs_exist_ok=True)
    return place


def kind_of(entry: str) -> str:
    """Return a place in the store without fingerprints."""
    return re.sub(r"(planted-)?[0-9a-f]{16,32}", "*", entry)


def entries_of(store: Path) -> list[str]:
    """Return a store's files and folders, but for the copies that MLflow has."""
    entries = [path.relative_to(store).as_posix() for path in sorted(store.rglob("*"))]
    return [entry for entry in entries if not kind_of(entry).startswith("mlartifacts/*/")]


def damages(own: Path, store: Path, count: int, seed: int) -> Iterator[Damage]:
    """Yield damages, the same ones for the same seed and stores, each kind of entry as often as another.

    Args:
        own: the store of one table, whose entries are damaged.
        store: the store that holds another's as well.
        count: how many.
        seed: of what is left to chance.
    """
    chance = random.Random(seed)
    kinds: dict[str, list[str]] = {}
    for entry in entries_of(own):
        kinds.setdefault(kind_of(entry), []).append(entry)
    every = entries_of(store)
    for number in range(count):
        entry = chance.choice(kinds[chance.choice(sorted(kinds))])
        path = store / entry
        changes = FOLDERS if path.is_dir() else FILES
        changes = changes | OF_JSON if path.suffix in (".json", ".jsonl") else changes
        apart = [
            other
            for other in every
            if (store / other).is_dir() == path.is_dir()
            and not f"{other}/".startswith(f"{entry}/")
            and not f"{entry}/".startswith(f"{other}/")
        ]
        alike = [other for other in apart if kind_of(other) == kind_of(entry)]
        other = chance.choice(alike or apart)
        yield Damage(entry, chance.choice(list(changes)), other, number, chance.random() < 0.5)


def damaged(made: Place, damage: Damage, root: Path) -> Place:
    """Return a place with a damaged copy of a store, and no results."""
    root.mkdir()
    (root / "experiments").symlink_to(made.root / "experiments")
    shutil.copytree(made.root / "store", root / "store")
    path, other = root / "store" / damage.entry, root / "store" / damage.other
    if damage.missing:
        provenance = json.loads((made.results / "provenance.json").read_text())
        runs = [root / "store/runs" / run["fingerprint"] for run in provenance["runs"][2:]]
        touched = {path, other, *path.parents, *other.parents}
        for run in [run for run in runs if run not in touched][-1:]:
            shutil.rmtree(run)
    CHANGES[damage.what](random.Random(damage.seed), path, other)
    return Place.at(root)


def verdict(made: Place, damage: Damage, root: Path, limit_s: float = LIMIT_S) -> tuple[str, str]:
    """Return what becomes of a damage, and what was said; the folder must not exist."""
    expected = (made.results / "cells.json").read_bytes()
    place = damaged(made, damage, root)
    ended, said = called(place, damage.entry, limit_s)
    if ended == 0 and cells(place) != expected:
        return ANOTHER, said
    for _ in range(2 if damage.what == "swapped with another" else 1):
        if ended in (0, SLOW, TRACEBACK) or not followed(said, place.root):
            break
        ended, again = called(place, damage.entry, limit_s)
        said = f"{said}\nthen {again}"
    if ended in (SLOW, TRACEBACK):
        return str(ended), said
    if ended != 0 or cells(place) != expected:
        return UNMENDED, said
    return MENDED if "\nthen " in said else SAME, said


def called(place: Place, entry: str, limit_s: float) -> tuple[int | str, str]:
    """Make the table, but for its pages; returns the exit code or a verdict, and standard error.

    MLflow is asked where an entry of it is damaged.
    """
    said = io.StringIO()
    try:
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stderr(said),
            contextlib.redirect_stdout(io.StringIO()),
            within(limit_s),
        ):
            for page in ("render", "render_site"):
                patch.setattr(f"harness.targets.reproduce.{page}", lambda folder: None)
            if entry.startswith("ml"):
                patch.setattr(patch, "setenv", lambda *_: patch.delenv("MLFLOW_TRACKING_URI", raising=False))
            ended: int | str = place.call(patch, *COMMAND)
    except TooSlowError:
        return SLOW, said.getvalue()
    except Exception as error:
        where = traceback.format_exc(limit=-4)
        return TRACEBACK, f"{said.getvalue()}{type(error).__name__}: {error}\n{where}"
    return ended, said.getvalue()


def cells(place: Place) -> bytes:
    """Return the cells of the table."""
    return (place.results / "cells.json").read_bytes()


def followed(said: str, root: Path) -> bool:
    """Do what the one line says, and nothing else; returns whether it says what to do."""
    (line,) = [line for line in said.splitlines() if line.startswith("error")][-1:] or [""]
    found = TOLD.match(line)
    if not found:
        return False
    where = root / found["where"]
    named = where if found["what"] == "it" else root / found["what"].removeprefix("the folder ").rstrip(",")
    delete(named)
    for more in re.findall(r"done\.json (beside it|in \S+?),", line):
        delete((named.parent if more == "beside it" else root / more.removeprefix("in ")) / "done.json")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Count what becomes of many damages; 1 where one is not sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="entries that hold these letters")
    parser.add_argument("--after", type=int, default=0, help="leave out so many of the first")
    parser.add_argument("--made", type=Path, help="a place that is made already")
    parser.add_argument("--show", nargs="*", default=[], help="verdicts that are printed, by a word")
    chosen = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = Place.at(chosen.made.resolve()) if chosen.made else Place(folder / "made")
        if not chosen.made:
            made.reproduce().check_returncode()
        whole = furnished(made, folder)
        stores = made.root / "store", whole.root / "store"
        for number, damage in enumerate(damages(*stores, chosen.count, chosen.seed)):
            if chosen.only not in damage.entry or number < chosen.after:
                continue
            began, root = time.monotonic(), folder / f"damaged-{number}"
            found, said = verdict(whole, damage, root)
            if found == SLOW:  # a machine may stand still
                shutil.rmtree(root)
                found, said = verdict(whole, damage, root)
            counts[found] += 1
            if found not in SOUND or any(word in found for word in chosen.show):
                print(f"{found} ({time.monotonic() - began:.1f} s): {number} {damage}", flush=True)
                print("".join(f"    {line[:300]}\n" for line in said.splitlines()), end="", flush=True)
            shutil.rmtree(root)
    for name in VERDICTS:
        print(f"{counts[name]:6d} {name}")
    return int(sum(counts.values()) > sum(counts[name] for name in SOUND))


if __name__ == "__main__":
    raise SystemExit(main())
