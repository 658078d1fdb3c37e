"""The source files of pinned, installed distributions, located without importing them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.errors import UserError

PACKAGES = (
    "matplotlib",
    "mlflow",
    "mpmath",
    "networkx",
    "numpy",
    "optuna",
    "pandas",
    "scikit-learn",
    "scipy",
    "SQLAlchemy",
    "sympy",
)
"""Direct and indirect dependencies whose Python source is the same on all platforms."""

_TESTS = "tests test testing _testing conftest.py benchmarks bench"
_COPIES = """
_vendor _vendored vendor externals extern _extern cobyqa pyprima array_api_compat array_api_extra
_uarray clipboard _antlr
"""
_GENERATED = "protos _generated __config__.py version.py _version.py"
_TEMPLATES = "shared_docs.py _add_newdocs_scalars.py _docstring.py"
_SOME_PYTHONS = "distutils"  # numpy's: in the wheels for Python 3.11 alone
SKIPPED = frozenset(" ".join([_TESTS, _COPIES, _GENERATED, _TEMPLATES, _SOME_PYTHONS]).split())
"""Folder and file names that exclude a file."""


@dataclass(frozen=True)
class SourceFile:
    """A source file to harvest.

    Attributes:
        package: canonical name of the distribution.
        module: dotted name of the module, for example ``numpy.linalg._linalg``.
        path: path of the installed file.
    """

    package: str
    module: str
    path: Path


def canonical(name: str) -> str:
    """Return a distribution's canonical name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(constraints: Path) -> dict[str, str]:
    """Return the versions that a constraints file pins with ``==``, by canonical distribution name.

    Raises:
        UserError: the file is missing.
    """
    try:
        lines = constraints.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        fix = "pydocs needs the constraints file of the project's checkout"
        raise UserError("file is missing", where=str(constraints), fix=fix) from error
    pins = (re.match(r"\s*([A-Za-z0-9._-]+)\s*==\s*([^\s;#]+)", line) for line in lines)
    return {canonical(pin[1]): pin[2] for pin in pins if pin}


def pinned_version(package: str, pins: dict[str, str]) -> str:
    """Return the pinned version of a package, after checking that it is installed.

    Raises:
        UserError: the package is not pinned, not installed, or installed in another version.
    """
    pin = pins.get(canonical(package))
    if pin is None:
        raise UserError(f"{package} is not pinned with ==", fix="pin it: pydocs reads pinned packages only")
    fix = "install with `pip install -c constraints.txt -e .`, or use a saved pydocs archive"
    try:
        installed = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(f"{package} {pin} is pinned but not installed", fix=fix) from error
    if installed != pin:
        raise UserError(f"{package} {installed} is installed but {pin} is pinned", fix=fix)
    return installed


def source_files(package: str) -> Iterator[SourceFile]:
    """Yield a distribution's public source files, in order of their paths.

    Tests, vendored copies, generated code and files of docstring templates are skipped.
    """
    files = importlib.metadata.files(package) or []
    for file in sorted(files, key=str):
        path = PurePosixPath(file)
        if path.suffix != ".py" or ".." in path.parts or SKIPPED.intersection(path.parts):
            continue
        if path.name.startswith("test_"):
            continue
        parts = path.parts[:-1] if path.stem == "__init__" else (*path.parts[:-1], path.stem)
        yield SourceFile(canonical(package), ".".join(parts), Path(str(file.locate())))
