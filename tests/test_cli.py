"""The commands there are; a new one is decided on, not slipped in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from harness.cli.application import app, main
from harness.storage.store import Store
from tests.stores import put, settings_of

CHECKOUT = Path(__file__).parents[1]
SLOW_TO_IMPORT = (
    "torch",
    "pandas",
    "scipy",
    "pyarrow",
    "matplotlib",
    "transformers",
    "mlflow",
    "faiss",
    "bm25s",
)
WITHOUT_THEM = f"""
import sys
sys.modules |= dict.fromkeys({SLOW_TO_IMPORT})
sys.argv = ["harness", *sys.argv[1:]]
from harness.cli.start import main
main()
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command where what is slow to import cannot be imported."""
    specs = {"PYTHONPATH": str(CHECKOUT), "HARNESS_EXPERIMENTS": str(CHECKOUT / "experiments")}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_THEM, *arguments],
        cwd=CHECKOUT,
        env=os.environ | specs | variables,
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
        "evaluate",
        "tune",
        "analyse",
        "convert",
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
    assert groups == {
        "export": {"model", "ranking"},
        "runs": {"list", "show", "rm", "gc"},
        "data": {"list", "show", "prepare", "verify"},
    }


def test_the_earlier_name_of_a_command_names_the_new_one() -> None:
    done = run("search", "samplers", "--scale", "scratch", "--workers", "2")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "`harness search`" in done.stderr and "write `harness tune`" in done.stderr


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["show", "trisampler/table-5"]])
def test_what_is_read_of_specs_alone_waits_for_nothing(command: list[str]) -> None:
    told = run(*command)
    assert told.returncode == 0, told.stderr
    assert "trisampler/table-5" in told.stdout
    assert "broken" not in told.stdout


@pytest.mark.slow
def test_the_runs_of_a_store_are_listed_without_waiting(tmp_path: Path) -> None:
    store = Store(tmp_path)
    shipped = put(store, settings_of("TriSampler"))
    strange = put(store, settings_of("SimANS"))
    (strange / "spec.json").write_text("{}")
    told = run("runs", "list", HARNESS_STORE=str(tmp_path), COLUMNS="300")
    assert told.returncode == 0, told.stderr
    lines = {line.split()[0]: line for line in told.stdout.splitlines()}
    assert "trisampler  planted" in lines[shipped.name] and "simulation/" in lines[shipped.name]
    assert "simulation/" in lines[strange.name]
    assert lines[strange.name].split().count("?") == 5


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


@pytest.fixture
def said(monkeypatch, capsys):
    """What a wrong call says, in this process."""

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["/somewhere/harness", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert ended.value.code == 2 and told.out == ""
        return told.err

    return said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["show"], "harness show: missing argument 'target'; `harness show --help` shows what it takes"),
        (
            ["plan", "x", "--scal", "quick"],
            "harness plan: no such option: --scal (Possible options: --all, --scale)",
        ),
        (["show", "x", "y"], "harness show: got unexpected extra argument(s) (y); `harness show --help`"),
        (["plan"], "no target is named; name targets or papers, or say --all"),
        (["reproduce", "--dry-run"], "no target is named; name targets or papers, or say --all"),
        (
            ["plan", "x", "--scale"],
            "harness plan: option '--scale' requires an argument; `harness plan --help`",
        ),
        (["tune", "--workers", "0"], "harness tune: invalid value for '--workers': "),
        (["runs", "rm"], "harness runs rm: missing argument 'run'; `harness runs rm --help` shows"),
        (["repoduce"], "harness: no such command 'repoduce'. Did you mean 'reproduce'?"),
        (["--version"], "harness: no such option: --version; `harness --help` shows what it takes"),
        (["plan", "--a\nb"], "harness plan: no such option: --a"),
    ],
)
def test_a_call_that_cannot_be_read_is_one_line_that_names_its_help(said, arguments, line):
    told = said(*arguments)
    assert told.startswith(f"error: {line}") and told.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["runs"]])
def test_a_group_of_commands_lists_them(said, arguments):
    told = said(*arguments)
    assert told.startswith("Usage: harness") and "Commands:" in told


def test_a_question_that_is_denied_ends_in_one_line(monkeypatch, capsys):
    def deny(*_: object, **__: object) -> None:
        raise typer.Abort

    monkeypatch.setattr("harness.provenance.stored.find_run", deny)
    monkeypatch.setattr(sys, "argv", ["harness", "runs", "rm", "0123"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1 and capsys.readouterr().err == "aborted\n"


def test_collections_are_listed_without_waiting() -> None:
    told = run("data", "list", COLUMNS="300")
    assert told.returncode == 0, told.stderr
    assert "ir:msmarco-passage" in told.stdout and "parquet:PATH" in told.stdout
