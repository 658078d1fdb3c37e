"""Where a command reads and writes, said where that is not the checkout."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError
from harness.specs.instead import Instead
from harness.specs.library import Library
from harness.storage.places import CHECKOUT, real
from harness.storage.store import Store, local_results, published_results


def other_places() -> str | None:
    """Return a line that names specs, results and store; none where all are those of the checkout.

    Raises:
        UserError: a variable of the environment names a place that cannot be.
    """
    places = {
        "experiments": ("specs", Library.default().root),
        "results": ("results", published_results()),
        "store": ("store", Store.default().root),
    }
    if all(real(path) == CHECKOUT / name for name, (_, path) in places.items()):
        return None
    return ", ".join(f"{what}: {path.absolute()}" for what, path in places.values())


def results_root(instead: Instead, *, publish: bool) -> Path:
    """Return the root of the results of a command; those on a collection of one's own have one of their own.

    Args:
        instead: what the command gives in the place of collection and encoder.
        publish: whether they are to be committed.

    Raises:
        UserError: they are of one's own, and to be committed.
    """
    if not instead:
        return published_results() if publish else local_results()
    root = local_results() / instead.place
    if publish:
        what = "results on a collection or an encoder of your own are not committed"
        raise UserError(what, where="--publish", fix=f"leave it out; they go to {root}")
    return root
