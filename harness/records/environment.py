"""On what a training run was made: packages, commit, hardware. Recorded beside it, not fingerprinted."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds the package; a git checkout when installed in editable mode."""


def describe_environment() -> dict[str, Any]:
    """Return what a reader needs to judge times and to build the same environment again, JSON-ready.

    Returns:
        ``python``, ``platform``, ``packages`` (name -> version), ``commit`` and ``dirty`` (None outside a git
        checkout), ``hardware`` (cpu, cores, memory_bytes, gpus) and ``threads`` (of torch).
    """
    import torch  # noqa: PLC0415  (seconds to import, and `doctor` works without it)

    return {**_process_environment(), "threads": torch.get_num_threads()}


@functools.cache
def _process_environment() -> dict[str, Any]:
    """Return what stays the same while the process lives, the commit that its code was read from among it."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages(),
        "commit": commit or None,
        "dirty": None if commit is None or changes is None else bool(changes),
        "hardware": {
            "cpu": cpu_model(),
            "cores": cores(),
            "memory_bytes": memory_bytes(),
            "gpus": gpus(),
        },
    }


def packages() -> dict[str, str]:
    """Return all installed distributions, name in lower case with dashes -> version, sorted."""
    versions = {
        distribution.metadata["Name"].lower().replace("_", "-"): distribution.version
        for distribution in importlib.metadata.distributions()
    }
    return dict(sorted(versions.items()))


def cpu_model() -> str:
    """Return the processor's name, as well as the platform tells it."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return the processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Return the machine's memory, None where the platform does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def gpus() -> list[dict[str, Any]]:
    """Return name and memory of each GPU that torch sees."""
    import torch  # noqa: PLC0415  (as above)

    if not torch.cuda.is_available():
        return []
    devices = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return [{"name": device.name, "memory_bytes": device.total_memory} for device in devices]


def _git(*arguments: str) -> str | None:
    """Output of git in the checkout, None if there is no git or no checkout."""
    git = shutil.which("git")
    if git is None or not (CHECKOUT / ".git").exists():
        return None
    call = [git, "-C", str(CHECKOUT), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603  (fixed words)
    return done.stdout.strip() if done.returncode == 0 else None
