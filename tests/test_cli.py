"""The commands there are; a new one is decided on, not slipped in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from harness.cli.application import app

CHECKOUT = Path(__file__).parents[1]
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
sys.argv = ["harness", *sys.argv[1:]]
from harness.cli.application import main
main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where torch cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "HARNESS_EXPERIMENTS": str(CHECKOUT / "experiments")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_commands_are_frozen() -> None:
    shown = [command for command in app.registered_commands if not command.hidden]
    commands = [command.name or command.callback.__name__ for command in shown]
    frozen = {
        "list",
        "show",
        "methods",
        "plan",
        "explain",
        "reproduce",
        "report",
        "verify",
        "compare",
        "tune",
        "analyse",
        "sync",
        "doctor",
    }
    assert len(commands) == len(frozen)
    assert set(commands) == frozen
    groups = {
        group.name: {
            command.name or command.callback.__name__ for command in group.typer_instance.registered_commands
        }
        for group in app.registered_groups
    }
    assert groups == {"runs": {"list", "show", "rm", "gc"}}


def test_the_earlier_name_of_a_command_names_the_new_one() -> None:
    done = run("search", "samplers", "--scale", "scratch", "--workers", "2")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "`harness search`" in done.stderr and "write `harness tune`" in done.stderr


def test_methods_are_told_without_torch() -> None:
    listed = run("methods", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {"name", "kind", "summary", "parameters", "source"} == set(json.loads(listed.stdout)[0])
    one = run("methods", "trisampler")
    assert "trisampler (law)" in one.stdout and "trisampler (sampler)" in one.stdout


def test_an_unknown_method_is_a_wrong_call() -> None:
    done = run("methods", "siman")
    assert done.returncode == 2
    assert "did you mean 'simans'?" in done.stderr
    assert len(done.stderr.splitlines()) == 1
