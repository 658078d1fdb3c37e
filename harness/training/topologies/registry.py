"""All topologies by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from harness.pieces import AnyOf, classes_by_name, make_piece, name_of
from harness.training.topologies.in_batch import CROSS_BATCH, InBatch
from harness.training.topologies.own import Own
from harness.training.topologies.queue import Queue
from harness.training.topologies.topology import Alias, Topology

ALIASES: dict[str, Alias] = {alias.name: alias for alias in (CROSS_BATCH,)}

TOPOLOGIES: dict[str, type[Topology]] = {
    **classes_by_name(Own, InBatch, Queue),
    **{name: alias.of for name, alias in ALIASES.items()},
}

AnyTopology = Annotated[Topology, AnyOf("topology", TOPOLOGIES)]


def make_topology(choice: Any) -> Topology:
    """Return a topology from a name, or from a name with parameters; an alias gives what it stands for.

    Raises:
        PieceError: something is wrong with it.
    """
    return make_piece("topology", TOPOLOGIES, choice)


def without_alias(choice: Any) -> Any:
    """Return a topology as a spec writes it, under its own name."""
    name = choice.get("name") if isinstance(choice, Mapping) else choice
    if not isinstance(name, str) or name not in ALIASES:
        return choice
    own = name_of(ALIASES[name].of)
    return {**choice, "name": own} if isinstance(choice, Mapping) else own
