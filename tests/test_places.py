"""Commands from any folder: they say what they read and write, and a wheel carries what they need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.places import other_places
from tests.place import CHECKOUT

VARIABLES = ("HARNESS_STORE", "HARNESS_RESULTS", "HARNESS_EXPERIMENTS", "MLFLOW_TRACKING_URI", "PYTHONPATH")


def test_places_are_named_unless_they_are_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(CHECKOUT)
    assert other_places() is None
    for variable, name in (("HARNESS_STORE", "store"), ("HARNESS_RESULTS", "results")):
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(tmp_path / "elsewhere"))
            assert f"{name}: {tmp_path / 'elsewhere'}" in str(other_places())
    monkeypatch.chdir(tmp_path)
    assert other_places() == (
        f"specs: {CHECKOUT / 'experiments'}, results: {tmp_path / 'results'}, store: {tmp_path / 'store'}"
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel has it."""
    pytest.importorskip("setuptools")
    root = tmp_path_factory.mktemp("wheel")
    build = [
        "setup.py",
        "-q",
        "egg_info",
        "--egg-base",
        str(root),
        "build_py",
        "--build-lib",
        str(root / "lib"),
    ]
    subprocess.run([sys.executable, *build], cwd=CHECKOUT, check=True, capture_output=True)
    return root / "lib"


def test_an_installed_package_has_specs_and_pins_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES}

    def run(*arguments: str) -> tuple[str, str]:
        command = [sys.executable, "-m", "harness.cli", *arguments]
        environment = kept | {"PYTHONPATH": str(installed)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
        )
        return done.stdout, done.stderr

    listed, said = run("list", "--json")
    assert '"trisampler/table-5"' in listed
    assert said.startswith(f"specs: {installed / 'harness/shipped/experiments'}, results: {tmp_path}/results")
    checked, _ = run("doctor")
    assert "packages as pinned" in checked or "(pinned" in checked
    assert (installed / "harness/collections/pydocs/manifest.csv.xz").is_file()


def test_readme_names_each_variable_that_is_read() -> None:
    root = Path(__file__).parents[1]
    texts = [path.read_text(encoding="utf-8") for path in (root / "harness").rglob("*.py")]
    read = {name for text in texts for name in re.findall(r"\bHARNESS_[A-Z]+\b", text)}
    assert {"HARNESS_EXPERIMENTS", "HARNESS_STORE"} <= read
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(read) if f"`{name}`" not in readme] == []
