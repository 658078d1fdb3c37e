"""Signals end a command in order: one line, a code that says which, and a second one at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.place import CHECKOUT

SAID = "interrupted; the same command continues where it was\n"
IMPORTING = """
import sys, time
class Slow:
    def find_spec(self, name, path, target=None):
        if name == "harness.cli.application":
            print("now", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
from harness.cli.start import main
main()
"""
SWALLOWED = """
import time
from harness.storage import stopping
stopping.BURST_S = 0.2
stopping.on_signals()
while True:
    try:
        print("now", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
HELD = """
import time
from harness.storage.stopping import StoppedBySignal, not_within, on_signals
on_signals()
try:
    with not_within():
        print("now", flush=True)
        time.sleep(0.3)
        print("whole", flush=True)
    print("never")
except StoppedBySignal:
    print("stopped", flush=True)
"""
DELETED = """
import time
from contextlib import nullcontext
from harness.storage.stopping import StoppedBySignal, not_within, on_signals
on_signals()
class Deleted:
    def __del__(self):
        print("now", flush=True)
        time.sleep(0.3)
one = Deleted()
try:
    with BLOCK:
        del one
        time.sleep(0.3)
        print("whole", flush=True)
    time.sleep(60)
    print("never")
except StoppedBySignal:
    print("stopped", flush=True)
"""
LEASED = """
import time
from pathlib import Path
from filelock import FileLock
from harness.storage.leases import lease
from harness.storage.stopping import StoppedBySignal, on_signals
on_signals()
right = FileLock.HOW
def slow(lock, *given, **named):
    FileLock.HOW = right
    done = right(lock, *given, **named)
    print("now", flush=True)
    time.sleep(0.3)
    return done
FileLock.HOW = slow
place = Path("PLACE")
try:
    with lease(place, "it", print):
        pass
except StoppedBySignal:
    with lease(place, "it", print, wait=False):
        print("stopped", sorted(path.suffix for path in place.parent.iterdir()), flush=True)
"""


def begin(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # which a shell ignores in what it runs in the background
    assert process.stdout is not None and process.stdout.readline() == "now\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_still_imported_ends_with_one_line(number: signal.Signals) -> None:
    process = begin(IMPORTING)
    for _ in range(10):
        process.send_signal(number)
    assert process.communicate(timeout=30) == ("", SAID)
    assert process.returncode == 128 + number


def test_a_later_signal_ends_what_swallowed_the_first() -> None:
    process = begin(SWALLOWED)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None and process.stdout.readline() == "now\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == SAID
    assert process.returncode == 128 + signal.SIGTERM


def test_a_block_is_taken_whole() -> None:
    process = begin(HELD)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30) == ("whole\nstopped\n", "")


@pytest.mark.parametrize(
    ("block", "said"), [("nullcontext()", "stopped\n"), ("not_within()", "whole\nstopped\n")]
)
def test_a_signal_that_comes_while_an_object_is_deleted_is_not_lost(block: str, said: str) -> None:
    process = begin(DELETED.replace("BLOCK", block))
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20) == (said, "")


@pytest.mark.parametrize("how", ["acquire", "release"])
def test_a_lease_that_is_being_taken_or_given_back_is_free_after_a_signal(tmp_path: Path, how: str) -> None:
    process = begin(LEASED.replace("HOW", how).replace("PLACE", str(tmp_path / "leases/one")))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("stopped ['.json', '.lock']\n", "")


def test_what_is_ignored_from_the_start_stays_ignored(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + HELD
    process = begin(code)
    process.send_signal(signal.SIGHUP)
    assert process.communicate(timeout=30)[0] == "whole\nnever\n"


def test_what_is_imported_is_looked_through_by_no_collection_of_rubbish() -> None:
    code = """
import atexit, gc, sys
sys.argv = ["harness", "list"]
from harness.cli.start import main
atexit.register(lambda: print("now", gc.isenabled(), gc.get_freeze_count() > 10_000))
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=True
    )
    assert done.stdout.splitlines()[-1] == "now True True"
