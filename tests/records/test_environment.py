"""What is recorded of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.records import environment
from harness.records.environment import describe_environment


@pytest.fixture(autouse=True)
def fresh() -> None:
    """What is kept for the life of a process is looked up again."""
    environment._process_environment.cache_clear()


def test_environment_is_json_and_names_what_matters() -> None:
    environment = json.loads(json.dumps(describe_environment()))
    assert environment["packages"]["numpy"]
    assert environment["packages"]["ir-measures"]
    assert environment["hardware"]["cores"] >= 1
    assert environment["hardware"]["memory_bytes"] is None or environment["hardware"]["memory_bytes"] > 1e8
    assert environment["hardware"]["cpu"]
    assert environment["threads"] >= 1
    assert (environment["commit"] is None) == (environment["dirty"] is None)


def test_outside_a_checkout_there_is_no_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    description = describe_environment()
    assert description["commit"] is None
    assert description["dirty"] is None


def test_commit_and_dirty_flag(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import subprocess

    def git(*words: str) -> str:
        call = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "a.txt").write_text("a")
    git("add", "a.txt")
    git("commit", "-q", "--no-verify", "-m", "first")
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    assert describe_environment()["commit"] == git("rev-parse", "HEAD")
    assert describe_environment()["dirty"] is False
    (tmp_path / "results").mkdir()
    (tmp_path / "results/table.md").write_text("published by an earlier command")
    environment._process_environment.cache_clear()
    assert describe_environment()["dirty"] is False
    (tmp_path / "a.txt").write_text("b")
    environment._process_environment.cache_clear()
    assert describe_environment()["dirty"] is True


@pytest.mark.parametrize(
    ("metadata", "version"),
    [
        (None, None),
        (b"", None),
        (b"\xff\x00", None),
        (b"Name: odd\n", "unknown"),
        (b"Version: 1\n", None),
    ],
)
def test_a_package_with_broken_metadata_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, metadata: bytes | None, version: str | None
) -> None:
    (tmp_path / "odd-1.dist-info").mkdir()
    if metadata is not None:
        (tmp_path / "odd-1.dist-info" / "METADATA").write_bytes(metadata)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = environment.packages()
    assert found["numpy"] and found.get("odd") == version
