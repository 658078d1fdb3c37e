"""Fingerprints, chained by content: collection -> tokens -> warm-up -> candidates of round 0 -> run.

Each hashes its own settings and the link it stands on; never a device, a number of ranks or an address. A
version is bumped when the meaning of a stage changes, and then everything that stands on it is made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.files import content_hash
from harness.negatives.pieces import by_content
from harness.specs.settings import RunSettings

VERSION = {"tokens": 1, "warm-up": 1, "candidates": 2, "run": 2, "bm25": 1}


@dataclass(frozen=True)
class Chain:
    """The links of one training run; those that it does not have are none."""

    tokens: str
    warm_up: str | None = None
    candidates: str | None = None
    run: str | None = None

    @property
    def last(self) -> str:
        """Fingerprint of the training run itself."""
        found = self.run or self.warm_up
        if found is None:
            raise ValueError("a chain without a run")
        return found

    def needs(self) -> list[str]:
        """Return the fingerprints that the run stands on."""
        return [link for link in (self.tokens, self.warm_up, self.candidates) if link and link != self.last]


@dataclass(frozen=True)
class Link:
    """One link of a chain before it is hashed.

    Attributes:
        stage: what it is of; a key of `VERSION`.
        version: of the stage.
        stands_on: fingerprint of the link before it, or of the collection.
        parts: key -> value, all that the stage depends on beside that; the order counts.
    """

    stage: str
    version: int
    stands_on: str
    parts: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Return the hash of all this; the names of the parts are no part of it."""
        return content_hash(self.stage, self.version, self.stands_on, *self.parts.values())


def chain(settings: RunSettings, collection: str, versions: Mapping[str, int] = VERSION) -> Chain:
    """Return the fingerprints of a run.

    Args:
        settings: resolved settings.
        collection: fingerprint of the collection's content.
        versions: of the stages.
    """
    return chain_of(links(settings, collection, versions))


def chain_of(found: Sequence[Link]) -> Chain:
    """Return the fingerprints of the links of a run."""
    made = {link.stage: link.fingerprint for link in found}
    return Chain(
        tokens=made["tokens"],
        warm_up=made.get("warm-up"),
        candidates=made.get("candidates"),
        run=made.get("run", made.get("bm25")),
    )


def links(settings: RunSettings, collection: str, versions: Mapping[str, int] = VERSION) -> list[Link]:
    """Return the links of a run in order, each with the keys that it depends on.

    Args:
        settings: resolved settings.
        collection: fingerprint of the collection's content.
        versions: of the stages.
    """
    found: list[Link] = []

    def link(stage: str, on: str, parts: dict[str, Any]) -> str:
        found.append(Link(stage, versions[stage], on, parts))
        return found[-1].fingerprint

    tokens = {"tokens": settings.tokens.model_dump(), "encoder.start": settings.encoder.start}
    last = link("tokens", collection, tokens)
    if settings.kind == "bm25":
        link("bm25", collection, {})
        return found
    start = {"encoder": settings.encoder.model_dump(), "warm_up": settings.warm_up.model_dump()}
    last = link("warm-up", last, {**start, "warm_up_seed": settings.warm_up_seed})
    if settings.continued is None:
        return found
    drawn = None
    sampler = settings.sampler
    if sampler is not None and settings.continued.negatives != "in-batch":
        drawn = by_content(sampler.model_dump(exclude={"preset"}))
        if sampler.source is not None:
            mined = {key: drawn[key] for key in ("source", "candidates", "mask")}
            last = link("candidates", last, {f"sampler.{key}": value for key, value in mined.items()})
    end = {"sampler": drawn, "continued": settings.continued.model_dump(), "seed": settings.seed}
    link("run", last, end)
    return found
