"""What a command on targets works with: specs, and the stages over the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.runs.run import Means
    from harness.runs.stages import Stages
    from harness.specs.library import Library


def open_library(collection: list[str] | None, encoder: str | None) -> Library:
    """Return the specs, with what a command gives in the place of collections and encoder.

    Raises:
        UserError: an option is not written as it must be.
    """
    from harness.specs.instead import Instead
    from harness.specs.library import Library

    return Library.default(Instead.parse(collection or [], encoder))


def open_stages(means: Means | None = None) -> Stages:
    """Return the stages over the default store, by default on one process."""
    from harness.progress import Progress
    from harness.runs.run import Means
    from harness.runs.stages import Stages
    from harness.storage.store import Store

    return Stages(Store.default(), Progress(), means=means or Means())


@contextmanager
def shared_stages(
    *, recompute: bool = False, profile: bool = False, workers: int = 1
) -> Iterator[Stages | None]:
    """Yield the stages to rank 0, or to the only process; the other ranks follow it, and get None at the end.

    Args:
        recompute: whether runs are trained in less memory and more time.
        profile: whether a few steps of each phase are traced.
        workers: how many runs of a target are made at once.
    """
    from harness.cli.launch import joined
    from harness.runs.following import led
    from harness.runs.run import Means

    with joined() as group, led(open_stages(Means(group, recompute, profile, workers))) as stages:
        yield stages
