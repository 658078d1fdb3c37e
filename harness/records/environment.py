"""The environment of a training run: packages, commit, hardware. It is recorded, but not fingerprinted."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

from harness.storage.places import CHECKOUT

_WRITTEN = "results"
"""Folder that reproductions write; what they have published there is no change of the code."""


def describe_environment() -> dict[str, Any]:
    """Return the environment, JSON-ready: enough to interpret times and to rebuild it.

    Returns:
        ``python``, ``platform``, ``packages`` (name -> version), ``commit`` and ``dirty`` (whether the code
        has changes that no commit has; both None outside a git checkout), ``hardware`` (cpu, cores,
        memory_bytes, gpus) and ``threads`` (of torch).
    """
    import torch  # noqa: PLC0415  (seconds to import, and `doctor` works without it)

    return {**_process_environment(), "threads": torch.get_num_threads()}


@functools.cache
def _process_environment() -> dict[str, Any]:
    """Return the part that is constant for a process, including the commit of the code that it loaded."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", ".", f":(exclude){_WRITTEN}")
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
    """Return all installed distributions, sorted: name in lower case with dashes -> version.

    One whose metadata are broken has no name, and is left out; one without a version has ``unknown``.
    """
    named = filter(None, map(_name_and_version, importlib.metadata.distributions()))
    return dict(sorted((name.lower().replace("_", "-"), version) for name, version in named))


def _name_and_version(distribution: importlib.metadata.Distribution) -> tuple[str, str] | None:
    try:
        metadata = distribution.metadata
        version = str(metadata["Version"]) if "Version" in metadata else "unknown"
        return (str(metadata["Name"]), version) if "Name" in metadata else None
    except Exception:  # whatever reading a file that is torn, or no text, may raise
        return None


def cpu_model() -> str:
    """Return the processor's name, as precisely as the platform reports it."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return the number of processor cores available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Return the machine's memory in bytes; None if the platform does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def gpus() -> list[dict[str, Any]]:
    """Return name and memory in bytes of each GPU that torch detects."""
    import torch  # noqa: PLC0415  (as above)

    if not torch.cuda.is_available():
        return []
    devices = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return [{"name": device.name, "memory_bytes": device.total_memory} for device in devices]


def _git(*arguments: str) -> str | None:
    """Return the output of git in the checkout; None without git or without a checkout."""
    git = shutil.which("git")
    if git is None or not (CHECKOUT / ".git").exists():
        return None
    call = [git, "-C", str(CHECKOUT), *arguments]
    done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603  (fixed words)
    return done.stdout.strip() if done.returncode == 0 else None
