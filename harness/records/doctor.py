"""`harness doctor`: checks that this machine is ready, with a fix for each failure."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import HarnessError
from harness.records.environment import cores, gpus, packages
from harness.records.mlflow_client import without_password
from harness.storage.places import shipped, sqlite_file

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 2_000_000_000
"""The quick scale's store takes some hundred MB; the rest is for MLflow and other targets."""

ANSWER_S = 3.0


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: name of the check, for example ``torch``.
        ok: whether the check passed.
        detail: the observed state, such as a version or a path.
        fix: what to type or change; empty if the check passed.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""


def doctor(
    store: Path,
    tracking_uri: str,
    *,
    constraints: Path | None = None,
    pydocs: Callable[[], str] | None = None,
) -> list[Check]:
    """Check everything that a run needs, without changing anything.

    Args:
        store: folder of the store, which need not exist yet.
        tracking_uri: MLflow's tracking address.
        constraints: file with the pinned versions; by default the shipped `constraints.txt`.
        pydocs: compares the built-in collection with its manifest and returns one line; raises `HarnessError`
            if they differ. By default this check, which takes a minute, is skipped.

    Returns:
        The results of the checks, in the order to print them.
    """
    checks = [
        check_python(sys.version_info[:2]),
        check_faiss(packages()),
        check_torch(),
        check_cuda(packages()),
        check_pins(constraints or shipped("constraints.txt"), packages()),
        check_store(store),
        check_disk(store),
        check_tracking(tracking_uri),
    ]
    return checks + ([check_pydocs(pydocs)] if pydocs else [])


def check_python(version: tuple[int, int]) -> Check:
    """Check that Python is new enough."""
    installed = ".".join(map(str, version))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    ok = version >= OLDEST_PYTHON
    return Check("python", ok, installed, "" if ok else f"use Python {oldest} or newer")


def check_faiss(installed: dict[str, str]) -> Check:
    """Check that exactly one of faiss-cpu and faiss-gpu is installed: they overwrite each other's module."""
    names = [name for name in ("faiss-cpu", "faiss-gpu") if name in installed]
    detail = ", ".join(f"{name} {installed[name]}" for name in names) or "not installed"
    fix = {
        0: "pip install 'negative-sampling-harness[cpu]' (or [gpu] on a machine with an NVIDIA GPU)",
        1: "",
        2: "pip uninstall faiss-cpu faiss-gpu, then pip install 'negative-sampling-harness[cpu]' or [gpu]",
    }[len(names)]
    return Check("faiss", len(names) == 1, detail, fix)


def check_torch() -> Check:
    """Check that torch can be imported, and report its threads and GPUs."""
    try:
        import torch  # noqa: PLC0415  (it may be broken, which is what this looks at)
    except (ImportError, OSError) as error:
        return Check("torch", False, str(error).splitlines()[0], "pip install --force-reinstall torch")
    devices = ", ".join(gpu["name"] for gpu in gpus()) or "no GPU"
    threads = f"{torch.get_num_threads()} threads on {cores()} cores"
    return Check("torch", True, f"{torch.__version__}, {threads}, {devices}")


def check_cuda(installed: dict[str, str]) -> Check:
    """Tell which CUDA runtimes are in one process: torch's, and that of faiss-gpu, which may be another."""
    try:
        import torch  # noqa: PLC0415  (as above)
    except (ImportError, OSError):
        return Check("cuda", True, "not known without torch")
    own = torch.version.cuda
    if own is None:
        return Check("cuda", True, "torch is built for the CPU")
    if "faiss-gpu" not in installed:
        return Check("cuda", True, f"{own}, of torch; it searches on the GPU as well")
    beside = {name: number for name, number in installed.items() if name.startswith("nvidia-cuda-runtime")}
    others = {name: number for name, number in beside.items() if number.split(".")[0] != own.split(".")[0]}
    if not others:
        return Check("cuda", True, f"{own}, of torch and faiss-gpu")
    named = ", ".join(f"{name} {number}" for name, number in others.items())
    what = f"two CUDA runtimes in one process: {own} of torch, and {named} of faiss-gpu"
    return Check("cuda", True, f"{what}; should faiss fail to load, install [cpu]: torch searches on the GPU")


def check_pins(constraints: Path, installed: dict[str, str]) -> Check:
    """Check the installed versions against the pins; a pinned package need not be installed."""
    if not constraints.exists():
        return Check("pins", True, "no constraints.txt beside the package, nothing to compare")
    pins = dict(
        line.strip().lower().replace("_", "-").split("==", 1)
        for line in constraints.read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.lstrip().startswith("#")
    )
    off = [
        f"{name} {installed[name]} (pinned {pin})"
        for name, pin in pins.items()
        if name in installed and installed[name].lower() != pin
    ]
    if not off:
        return Check("pins", True, f"{sum(name in installed for name in pins)} packages as pinned")
    more = f", and {len(off) - 5} more" if len(off) > 5 else ""
    fix = "pip install -c constraints.txt -e '.[cpu]' (other versions change `pydocs` and may change figures)"
    return Check("pins", False, ", ".join(off[:5]) + more, fix)


def check_store(store: Path) -> Check:
    """Check that the store, or its nearest existing parent, is writable."""
    folder = _nearest_folder(store)
    broken = [path for path in (store, *store.parents) if path.is_symlink() and not path.exists()]
    if broken:
        return Check("store", False, str(store), f"mend the link {broken[0]}, or choose another store")
    ok = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return Check("store", ok, str(store), "" if ok else f"make {folder} writable, or choose another store")


def check_disk(store: Path) -> Check:
    """Check that the disk has enough free space."""
    free = shutil.disk_usage(_nearest_folder(store)).free
    ok = free >= FREE_BYTES
    fix = "" if ok else f"free {(FREE_BYTES - free) / 1e9:.1f} GB, or choose another store"
    return Check("disk", ok, f"{free / 1e9:.1f} GB free", fix)


def check_tracking(tracking_uri: str) -> Check:
    """Check that MLflow's server answers, or that its SQLite file is writable."""
    shown = without_password(tracking_uri)
    database = sqlite_file(tracking_uri)
    if database is not None:
        ok = os.access(_nearest_folder(database), os.W_OK)
        return Check(
            "mlflow", ok, shown, "" if ok else f"choose a writable folder instead of {database.parent}"
        )
    fix = "start the server or check its address; runs continue, and `harness sync` uploads them later"
    try:
        parts = urlsplit(tracking_uri)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        if parts.hostname is None or port is None:
            return Check("mlflow", True, f"{shown} (not checked: no host and port in the address)")
        with socket.create_connection((parts.hostname, port), timeout=ANSWER_S):
            return Check("mlflow", True, f"{shown} answers")
    except (OSError, ValueError) as error:
        return Check("mlflow", False, f"{shown} does not answer ({error})", fix)


def check_pydocs(compare: Callable[[], str]) -> Check:
    """Check the built-in collection against its manifest."""
    try:
        return Check("pydocs", True, compare())
    except HarnessError as error:
        return Check("pydocs", False, str(error), "install the pinned packages, see the line on pins")


def _nearest_folder(path: Path) -> Path:
    """Return the path, or its nearest parent that exists."""
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
