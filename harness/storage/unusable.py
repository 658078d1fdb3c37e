"""Places that cannot be used: a folder that may not be written, a file in its place, a link to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError
from harness.storage.disk import is_full


class PlaceError(HarnessError):
    """A file or folder cannot be used as it must be; everything written before is intact."""

    def __init__(self, error: OSError) -> None:
        place = error.filename if error.filename2 is None else error.filename2
        super().__init__(
            f"{place}: cannot be used ({error.strerror}); put a folder there that may be read and written, "
            "or set HARNESS_STORE to another one if it is of the store; then run the command again to resume"
        )


def check_writable(folder: Path) -> None:
    """Write a file in a folder, which may have to be made, before long work whose product belongs there.

    Raises:
        OSError: it cannot be used.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / f".{os.getpid()}.tmp"
    trial.touch()
    trial.unlink()
    if made:
        folder.rmdir()


@contextmanager
def place_as_error() -> Iterator[None]:
    """Convert errors of the file system in the block that name a place, apart from a full disk.

    Raises:
        PlaceError: a file or folder could not be used.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None or is_full(error):
            raise
        raise PlaceError(error) from error
