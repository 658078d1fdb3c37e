"""Where a command reads and writes, said where that is not the checkout."""

from __future__ import annotations

from harness.specs.library import Library
from harness.storage.places import CHECKOUT, real
from harness.storage.store import Store, published_results


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
