"""What every topology is."""

from __future__ import annotations

from typing import ClassVar, Protocol


class Topology(Protocol):
    """Whose passages a query is trained against.

    Attributes:
        name: as written in a spec.
        summary: one line for documentation.
        source: paper, or line of the released code.
        shared: whether the other queries' passages of the batch count.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    shared: ClassVar[bool]
