"""Damage to a finished store: the same table, or a line that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import first
from tests.place import Place
from tests.storage.damage import MENDED, SAME, SOUND, Damage, damages, furnished, verdict


@pytest.fixture(scope="module")
def whole(made: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return furnished(made, tmp_path_factory.mktemp("furnished"))


@pytest.mark.parametrize(("count", "seed"), first(0, [(400, 0), (400, 1)]))
def test_no_damage_changes_a_table_or_cannot_be_mended(
    made: Place, whole: Place, count: int, seed: int, tmp_path: Path
) -> None:
    found = {SAME: 0, MENDED: 0}
    for number, damage in enumerate(damages(made.root / "store", whole.root / "store", count, seed)):
        what, said = verdict(whole, damage, tmp_path / str(number))
        assert what in SOUND, f"{what}: {damage}\n{said}"
        found[what] += 1
    assert min(found.values()) > 0


@pytest.mark.slow
def test_the_same_seed_gives_the_same_damages(made: Place, whole: Place) -> None:
    stores = made.root / "store", whole.root / "store"
    assert list(damages(*stores, 20, 7)) == list(damages(*stores, 20, 7))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("collections/*.zip", "this is the collection planted-"),
        ("candidates/*.npz", "these are the candidates of"),
        ("tokens/*", "these are the tokens of"),
    ],
)
def test_what_is_made_of_something_else_is_told_and_mended(
    made: Place, whole: Place, entry: str, said: str, tmp_path: Path
) -> None:
    own = sorted((made.root / "store").glob(entry))[0].relative_to(made.root / "store").as_posix()
    (other, *_) = [path for path in sorted((whole.root / "store").glob(entry)) if not made_by(made, path)]
    foreign = other.relative_to(whole.root / "store").as_posix()
    found, line = verdict(whole, Damage(own, "replaced by another", foreign, 0, True), tmp_path / "place")
    assert found == MENDED and said in line, line


def made_by(made: Place, path: Path) -> bool:
    return (made.root / "store" / path.parent.name / path.name).exists()
