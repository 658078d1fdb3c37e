"""The start of a command: what an interrupt does is settled before anything that takes long is imported."""

from __future__ import annotations

import gc
import sys

from harness.storage.stopping import StoppedBySignal, end, on_signals, signal_came


def main() -> None:
    """Run the command line; a signal ends it with one line, also while it is still imported."""
    on_signals()
    gc.disable()  # until the command begins: imports make much that stays, and looking through it takes long
    try:
        from harness.cli.application import main as run

        run()
    except StoppedBySignal as stopped:
        from harness.cli.launch import launched

        if not launched():
            sys.stderr.write(f"{stopped}\n")
    finally:
        if signal_came():
            end()
