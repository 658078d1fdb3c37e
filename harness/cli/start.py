"""The start of a command: what an interrupt does is settled before anything that takes long is imported."""

from __future__ import annotations

import gc
import sys

from harness.storage.stopping import StoppedBySignal, end, launched, leave, on_signals, signal_came


def main() -> None:
    """Run the command line; a signal ends it with one line, also while it is still imported."""
    on_signals()
    gc.disable()  # until the command begins: imports make much that stays, and looking through it takes long
    try:
        from harness.cli.application import main as run

        run()
    except StoppedBySignal as stopped:
        if not launched():
            sys.stderr.write(f"{stopped}\n")
    except SystemExit as ended:
        if launched():  # whose threads between processes do not all end by themselves
            leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
        raise
    finally:
        if signal_came():
            end()
